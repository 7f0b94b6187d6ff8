// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.spi.Host;
import java.util.Collections;

/** FreeBSD as a shared library, see standin.c. One kernel for the whole JVM. */
final class StandIn {
    private static final boolean WIDE = Native.POINTER_SIZE == 8;
    /** The data model is that of this JVM, for which the stand-in is compiled. */
    static final Host HOST = new Host("FreeBSD", "15.1-RELEASE-p1", WIDE ? "amd64" : "i386", WIDE ? 64 : 32);

    static final AioLayout LAYOUT = AioLayout.of(HOST);

    private static NativeLibrary loaded;

    private final NativeLibrary library;

    /** A freshly booted one. What is locked stays locked. */
    StandIn() {
        library = load();
        call("standin_reset");
    }

    private static synchronized NativeLibrary load() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (loaded == null) {
            loaded = NativeLibrary.getInstance(
                    Compiler.standIn().toString(),
                    // Not global: its names are also those of the C library.
                    Collections.singletonMap(Library.OPTION_OPEN_FLAGS, 1));
        }
        return loaded;
    }

    CLibrary libc() {
        return CLibrary.open(Host.current(), library.getFile().toString());
    }

    FreeBsdBackend open() {
        return FreeBsdBackend.over(libc(), HOST);
    }

    void set(String name, long value) {
        call("standin_set", name, value);
    }

    long get(String name) {
        return library.getFunction("standin_get").invokeLong(new Object[] {name});
    }

    /** Makes the nth call from now fail; -1 for every call, 0 for none. */
    void fail(String function, int nth, int errno) {
        call("standin_fail", function, nth, errno);
    }

    long calls(String function) {
        return library.getFunction("standin_calls").invokeLong(new Object[] {function});
    }

    int call(String function, Object... arguments) {
        return library.getFunction(function).invokeInt(arguments);
    }

    /** Puts a job into the queue as other code of the process would. Its control block is never reaped. */
    int submitForeign(Pointer block, long address, long length) {
        block.clear(LAYOUT.size);
        block.setPointer(LAYOUT.buf, new Pointer(address));
        block.setPointer(LAYOUT.nbytes, new Pointer(length));
        return call("aio_mlock", block);
    }
}
