// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.nio.ByteBuffer;

/**
 * The C library of the running process, through JNA. Symbols are looked up in the process itself, not in a file, because
 * glibc, musl and the BSDs name theirs differently.
 *
 * <p>A backend opens one in {@link io.pagelock.spi.BackendProvider#open} and binds its calls there, once. Calls that may be
 * missing get a class of their own, bound only if {@link #has} says so. Safe for use by several threads.
 */
public final class CLibrary {
    private final NativeLibrary process;
    private final int bits;

    private CLibrary(NativeLibrary process, int bits) {
        this.process = process;
        this.bits = bits;
    }

    /**
     * Loads JNA's native part and looks at the process.
     *
     * @param host the system and the JVM
     * @return the C library
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED}, the cause and a remedy, if JNA is missing or its native
     *     part cannot be loaded, or its pointers are not as wide as the host's
     */
    public static CLibrary open(Host host) {
        return open(host, null);
    }

    /**
     * Loads JNA's native part and a library by its name or path, for calls that are not in the process: those of a library
     * that no JVM is linked with. What the library itself depends on is found in it, too.
     *
     * @param host the system and the JVM
     * @param library a path, or a name as {@code System.loadLibrary} takes it; null for the process itself
     * @return the library
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED}, the cause and a remedy, as {@link #open(Host)} does, or if
     *     there is no such library for this JVM
     */
    public static CLibrary open(Host host, String library) {
        NativeLibrary process;
        int pointerSize;
        try {
            process = NativeLibrary.getProcess();
            pointerSize = Native.POINTER_SIZE;
        } catch (LinkageError | RuntimeException e) {
            throw LoadFailure.explain(e, host);
        } catch (Error e) {
            // JNA reports a native part of another version as a plain Error.
            if (e.getClass() != Error.class) {
                throw e;
            }
            throw LoadFailure.explain(e, host);
        }
        if (pointerSize * 8 != host.bits()) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("pointers have " + pointerSize * 8 + " bits for JNA and " + host.bits() + " for the JVM ("
                            + host + ")")
                    .build();
        }
        return new CLibrary(library == null ? process : load(library, host), host.bits());
    }

    private static NativeLibrary load(String library, Host host) {
        try {
            return NativeLibrary.getInstance(library);
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the library " + library + " cannot be loaded on " + host + ": " + e.getMessage())
                    .cause(e)
                    .build();
        }
    }

    /**
     * Tells whether the process has a function of this name.
     *
     * @param symbol the C name
     * @return true if it can be called
     */
    public boolean has(String symbol) {
        try {
            process.getFunction(symbol);
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    /**
     * Binds the native methods of an object's class, static or not, to the C functions of the same names. Parameters are
     * passed as they are: {@code int}, {@code long} and arrays of them, so the class must know how wide C's types are here.
     *
     * @param <T> the type of the binding
     * @param binding an object whose class declares native methods and nothing that JNA would have to convert
     * @return the same object
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if a function is missing
     */
    public <T> T bind(T binding) {
        try {
            Native.register(binding.getClass(), process);
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the C library of this process lacks a function: " + e.getMessage())
                    .cause(e)
                    .build();
        }
        return binding;
    }

    /**
     * An address or a size as an argument of {@link #call}.
     *
     * @param value the address or size, unsigned
     * @return a number as wide as {@code size_t}; of a wider one the lower 32 bits
     */
    public Number size(long value) {
        if (bits == 64) {
            return value;
        }
        return (int) value;
    }

    /**
     * The locking calls, in the width of this JVM.
     *
     * @return the calls, bound
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if one of them is missing
     */
    public MemoryCalls memoryCalls() {
        return bits == 64 ? bind(new Lp64MemoryCalls()) : bind(new Ilp32MemoryCalls());
    }

    /**
     * mincore, in the width of this JVM.
     *
     * @return the call, bound
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if it is missing
     */
    public MincoreCall mincoreCall() {
        return bits == 64 ? bind(new Lp64Mincore()) : bind(new Ilp32Mincore());
    }

    /**
     * Calls a function that is not worth a binding. Many times slower than a bound method.
     *
     * @param symbol the C name
     * @param arguments {@code Integer}, {@code Long} or arrays of primitives, each as wide as the C parameter
     * @return what the function returned
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if it is missing
     */
    public int call(String symbol, Object... arguments) {
        Function function;
        try {
            function = process.getFunction(symbol);
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the C library of this process lacks the function " + symbol)
                    .cause(e)
                    .build();
        }
        return function.invokeInt(arguments);
    }

    /**
     * The error number that this thread's last call left. Only meaningful at once after a call that said it failed:
     * successes leave old numbers behind.
     *
     * @return errno
     */
    public int errno() {
        return Native.getLastError();
    }

    /**
     * The address of a direct buffer's first byte, whatever its position.
     *
     * @param buffer a direct or mapped buffer
     * @return the address, unsigned
     * @throws IllegalArgumentException if the buffer is on the heap
     */
    public long address(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("a buffer on the heap has no fixed address");
        }
        long address = Pointer.nativeValue(Native.getDirectBufferPointer(buffer));
        return bits == 64 ? address : address & 0xffffffffL;
    }
}
