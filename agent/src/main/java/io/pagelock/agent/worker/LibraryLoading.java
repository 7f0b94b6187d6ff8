// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.spi.Backend;
import java.lang.instrument.Instrumentation;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Lets the agent's JNA load its own native library. Properties of the program may name a file for its JNA, of another version; and
 * a JVM lets one class loader only load a file, so that taking it would take it away from the program. They are put aside
 * for as long as the agent's JNA looks, unless the program's could be looking at the same time.
 */
final class LibraryLoading {
    private static final String[] OF_PROGRAM = {"jna.boot.library.path", "jna.nounpack", "jna.nosys", "jna.noclasspath"
    };
    /** Otherwise JNA runs ldconfig, for libraries that nobody here asks for. */
    private static final String LIBRARIES = "jna.platform.library.path";

    private final boolean mayChange;

    LibraryLoading(Instrumentation jvm, boolean running) {
        mayChange = !running || isLoaded(jvm);
    }

    private static boolean isLoaded(Instrumentation jvm) {
        for (Class<?> each : jvm.getAllLoadedClasses()) {
            if (each.getName().equals("com.sun.jna.Native")) {
                return true;
            }
        }
        return false;
    }

    Backend open(Supplier<Backend> backend) {
        Map<String, String> before = new HashMap<>();
        if (mayChange) {
            for (String each : OF_PROGRAM) {
                before.put(each, System.clearProperty(each));
            }
            before.put(LIBRARIES, System.getProperty(LIBRARIES));
            System.setProperty(LIBRARIES, "");
        }
        try {
            return backend.get();
        } finally {
            before.forEach(LibraryLoading::restore);
        }
    }

    private static void restore(String name, String value) {
        if (value == null) {
            System.clearProperty(name);
        } else {
            System.setProperty(name, value);
        }
    }
}
