// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLocker;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.BackendProvider;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Iterator;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/** The system properties of pagelock: those of the library, and what the backends publish as constants. */
final class KnownProperties {
    private static final String PREFIX = "io.pagelock.";
    private static final String CONSTANT = "_PROPERTY";

    private KnownProperties() {}

    /** Returns the names of all properties that a user may set. */
    static Set<String> names() {
        Set<String> names = new TreeSet<>();
        names.add("io.pagelock.jmx");
        names.add(CLibrary.BINDING_PROPERTY);
        addConstants(PageLocker.class, names);
        Iterator<BackendProvider> providers = ServiceLoader.load(
                        BackendProvider.class, PageLocker.class.getClassLoader())
                .iterator();
        for (int broken = 0; broken < 100; ) {
            try {
                if (!providers.hasNext()) {
                    break;
                }
                addConstants(providers.next().getClass(), names);
            } catch (RuntimeException | Error e) {
                // doctor reports it among the backends.
                broken++;
            }
        }
        return names;
    }

    private static void addConstants(Class<?> type, Set<String> names) {
        for (Field each : type.getFields()) {
            if (Modifier.isStatic(each.getModifiers())
                    && each.getType() == String.class
                    && each.getName().endsWith(CONSTANT)) {
                try {
                    names.add((String) each.get(null));
                } catch (IllegalAccessException e) {
                    // Not published after all: its module keeps it to itself.
                    names.add(PREFIX + each.getName());
                }
            }
        }
    }

    /** Returns the properties under this library's prefix that nothing reads, such as misspelt ones. */
    static Set<String> unknown(Properties properties) {
        Set<String> unknown = new TreeSet<>(properties.stringPropertyNames());
        unknown.removeIf(name -> !name.startsWith(PREFIX) || name.startsWith(PREFIX + "owner"));
        if (!unknown.isEmpty()) {
            unknown.removeAll(names());
        }
        return unknown;
    }
}
