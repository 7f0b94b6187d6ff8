// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeSet;

/**
 * Chooses how C is called: by the first binding found that may be used in this JVM, otherwise by JNA; or by the one that
 * {@value CLibrary#BINDING_PROPERTY} names, and then by no other.
 */
final class Bindings {
    final Binding chosen;
    /** Why those that come first are not used; one sentence each. */
    final List<String> notes;

    private Bindings(Binding chosen, List<String> notes) {
        this.chosen = chosen;
        this.notes = notes;
    }

    static Bindings choose(Host host) {
        return choose(
                ServiceLoader.load(Binding.class, CLibrary.class.getClassLoader()),
                System.getProperty(CLibrary.BINDING_PROPERTY),
                host);
    }

    /**
     * @param wanted the name of the only one to be used, or null
     * @throws PageLockException with NOT_SUPPORTED if there is none
     */
    static Bindings choose(Iterable<Binding> found, String wanted, Host host) {
        List<String> notes = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>();
        names.add(JnaBinding.NAME);
        // Not even looked for: a class that this JVM cannot load must not stand in the way of JNA.
        if (!JnaBinding.NAME.equals(wanted)) {
            for (Binding each : all(found, notes)) {
                names.add(each.name());
                if (wanted == null || wanted.equals(each.name())) {
                    Optional<PageLockException> refusal = each.refusal(host);
                    if (!refusal.isPresent()) {
                        return new Bindings(each, notes);
                    }
                    if (wanted != null) {
                        throw refusal.get();
                    }
                    notes.add("the binding " + each.name() + " is not used: "
                            + refusal.get().detail());
                }
            }
            if (wanted != null) {
                throw unknown(wanted, names, notes);
            }
        }
        Binding jna = new JnaBinding();
        Optional<PageLockException> refusal = jna.refusal(host);
        if (refusal.isPresent()) {
            PageLockException only = refusal.get();
            throw notes.isEmpty()
                    ? only
                    : only.toBuilder()
                            .detail(only.detail() + " (" + String.join("; ", notes) + ")")
                            .build();
        }
        return new Bindings(jna, notes);
    }

    private static PageLockException unknown(String wanted, TreeSet<String> names, List<String> notes) {
        return PageLockException.because(Reason.NOT_SUPPORTED)
                .detail("the property " + CLibrary.BINDING_PROPERTY + " is '" + wanted + "'; bindings found here: "
                        + String.join(", ", names) + (notes.isEmpty() ? "" : " (" + String.join("; ", notes) + ")"))
                .remedies(
                        "Remove -D" + CLibrary.BINDING_PROPERTY + ", or set it to jna",
                        "For foreign, run on Java 22 or later with io.pagelock:pagelock-binding-foreign on the class path or"
                                + " module path")
                .build();
    }

    /** Loads all that can be loaded; a binding for a later JVM is passed over. */
    private static List<Binding> all(Iterable<Binding> found, List<String> notes) {
        List<Binding> all = new ArrayList<>();
        Iterator<Binding> each = found.iterator();
        while (true) {
            try {
                if (!each.hasNext()) {
                    return all;
                }
                all.add(each.next());
            } catch (UnsupportedClassVersionError e) {
                // The reason why JNA is the default there.
                continue;
            } catch (ServiceConfigurationError | LinkageError e) {
                notes.add("a binding cannot be loaded: " + e);
            }
        }
    }
}
