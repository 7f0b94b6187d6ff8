// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.Map;
import java.util.Optional;

/**
 * Calls C through JNA. Nothing outside this class, {@link JnaLibrary} and {@link JnaCalls} refers to JNA, so that it is not
 * loaded where another binding is used.
 */
final class JnaBinding implements Binding {
    static final String NAME = "jna";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<PageLockException> refusal(Host host) {
        int pointerSize;
        try {
            NativeLibrary.getProcess();
            pointerSize = Native.POINTER_SIZE;
        } catch (LinkageError | RuntimeException e) {
            return Optional.of(LoadFailure.explain(e, host));
        } catch (Error e) {
            // JNA reports a native library of another version as a plain Error.
            if (e.getClass() != Error.class) {
                throw e;
            }
            return Optional.of(LoadFailure.explain(e, host));
        }
        if (pointerSize * 8 == host.bits()) {
            return Optional.empty();
        }
        return Optional.of(PageLockException.because(Reason.NOT_SUPPORTED)
                .detail("pointers have " + pointerSize * 8 + " bits for JNA and " + host.bits() + " for the JVM ("
                        + host + ")")
                .build());
    }

    @Override
    public BoundLibrary open(Host host, String library, Map<String, String> symbols) {
        try {
            return new JnaLibrary(library, host.bits() == 32, symbols);
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the library " + library + " cannot be loaded on " + host + ": " + e.getMessage())
                    .cause(e)
                    .build();
        }
    }
}
