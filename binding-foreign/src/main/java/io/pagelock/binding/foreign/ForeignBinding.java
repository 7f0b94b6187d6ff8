// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.Binding;
import io.pagelock.backend.support.BoundLibrary;
import io.pagelock.spi.Host;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Calls C through {@code java.lang.foreign}. For {@link java.util.ServiceLoader}; programs have no use for it. */
public final class ForeignBinding implements Binding {
    /** Makes a binding; touches nothing. */
    public ForeignBinding() {}

    @Override
    public String name() {
        return "foreign";
    }

    @Override
    public Optional<PageLockException> refusal(Host host) {
        // The name and the value are those of org.graalvm.nativeimage.ImageInfo, which are part of its API.
        if ("runtime".equals(System.getProperty("org.graalvm.nativeimage.imagecode"))) {
            return Optional.of(PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the foreign-function API needs classes made at run time, which a native image cannot load")
                    .remedies("Choose JNA with -Dio.pagelock.binding=jna")
                    .build());
        }
        long bits = ValueLayout.ADDRESS.byteSize() * 8;
        if (bits != host.bits()) {
            return Optional.of(PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("pointers have " + bits + " bits for the foreign-function API and " + host.bits()
                            + " for the JVM (" + host + ")")
                    .build());
        }
        try {
            // The permission is looked at when a function is linked.
            Downcall.probe();
            return Optional.empty();
        } catch (RuntimeException | LinkageError e) {
            return Optional.of(PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the foreign-function API cannot be used: " + e)
                    .remedies("Start java with --enable-native-access=ALL-UNNAMED, or =io.pagelock.binding.foreign if"
                            + " it is on the"
                            + " module path; or choose JNA with -Dio.pagelock.binding=jna")
                    .cause(e)
                    .build());
        }
    }

    @Override
    public BoundLibrary open(Host host, String library, Map<String, String> symbols) {
        return new ForeignLibrary(lookup(host, library), symbols);
    }

    @SuppressWarnings("restricted")
    private static SymbolLookup lookup(Host host, String library) {
        if (library == null) {
            return Linker.nativeLinker().defaultLookup();
        }
        // Reachable from every function of it, so that the library is not closed before.
        Arena arena = Arena.ofAuto();
        try {
            return library.indexOf('/') < 0
                    ? SymbolLookup.libraryLookup(System.mapLibraryName(library), arena)
                    : SymbolLookup.libraryLookup(Path.of(library), arena);
        } catch (IllegalArgumentException e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the library " + library + " cannot be loaded on " + host + ": " + e.getMessage())
                    .cause(e)
                    .build();
        }
    }
}
