// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Function;
import com.sun.jna.FunctionMapper;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The C library of the running process, through JNA. Symbols are looked up in the process itself, not in a file, because
 * glibc, musl and the BSDs name theirs differently.
 *
 * <p>A backend opens one in {@link io.pagelock.spi.BackendProvider#open} and binds its calls there, once. Safe for use by
 * several threads.
 */
public final class CLibrary {
    /**
     * Classes with native methods, and the library to which they are bound. Binding makes libffi map a few pages at an address
     * that the kernel chooses, so it is not repeated.
     */
    private static final Map<Class<?>, NativeLibrary> BOUND = new ConcurrentHashMap<>();

    private final String name;
    private final NativeLibrary library;
    private final int bits;
    private final Map<String, String> symbols;

    private CLibrary(String name, int bits, Map<String, String> symbols) {
        this.name = name;
        this.bits = bits;
        this.symbols = symbols;
        library = NativeLibrary.getInstance(
                name,
                symbols.isEmpty()
                        ? Collections.<String, Object>emptyMap()
                        : Collections.<String, Object>singletonMap(
                                Library.OPTION_FUNCTION_MAPPER, new Renaming(symbols)));
    }

    /** JNA keeps one library for each name and options, and tells options apart by what they print. */
    private static final class Renaming implements FunctionMapper {
        private final Map<String, String> symbols;

        Renaming(Map<String, String> symbols) {
            this.symbols = symbols;
        }

        @Override
        public String getFunctionName(NativeLibrary library, Method method) {
            return symbols.getOrDefault(method.getName(), method.getName());
        }

        @Override
        public String toString() {
            return symbols.toString();
        }
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
        int pointerSize;
        try {
            NativeLibrary.getProcess();
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
        try {
            return new CLibrary(library, host.bits(), Collections.<String, String>emptyMap());
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the library " + library + " cannot be loaded on " + host + ": " + e.getMessage())
                    .cause(e)
                    .build();
        }
    }

    /**
     * Returns this library with a function under another name.
     *
     * @param function the name by which bindings declare it
     * @param symbol the name that it has in the library, for example {@code __msync13} for {@code msync}
     * @return the same library; what was bound before keeps its names
     */
    public CLibrary renaming(String function, String symbol) {
        Map<String, String> more = new TreeMap<>(symbols);
        more.put(function, symbol);
        return new CLibrary(name, bits, more);
    }

    private String symbol(String function) {
        return symbols.getOrDefault(function, function);
    }

    /**
     * Reports whether the library has a function.
     *
     * @param function the C name
     * @return true if it can be called
     */
    public boolean has(String function) {
        try {
            library.getFunction(symbol(function));
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }

    /** Returns a function, or throws with NOT_SUPPORTED. */
    Function function(String name) {
        try {
            return library.getFunction(symbol(name));
        } catch (UnsatisfiedLinkError e) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("the C library of this process lacks the function " + symbol(name))
                    .cause(e)
                    .build();
        }
    }

    /**
     * Binds the methods of an interface to the C functions of the same names, in the width of this JVM.
     *
     * @param <T> the interface
     * @param calls the interface, whose methods have the types that {@link NativeCalls} names
     * @return the functions
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if a function is missing that is not {@link MayBeMissing};
     *     a call of one that is missing throws the same
     */
    public <T extends NativeCalls> T bind(Class<T> calls) {
        return calls.cast(Proxy.newProxyInstance(
                calls.getClassLoader(), new Class<?>[] {calls}, new Binding(this, calls, bits == 32)));
    }

    /**
     * Binds an interface by the native methods of a class where pointers have 8 bytes, which makes calls quicker that are made
     * for each lock, and as {@link #bind(Class)} does elsewhere. The methods of a class are bound to one library at a time:
     * binding them to another one redirects every object of the class.
     *
     * @param <T> the interface
     * @param calls the interface
     * @param direct makes an object whose class declares every function as a native method, normally the constructor of a
     *     subclass of {@link DirectMemoryCalls}
     * @return the functions
     * @throws PageLockException as {@link #bind(Class)} does
     */
    public <T extends NativeCalls> T bind(Class<T> calls, java.util.function.Function<CLibrary, ? extends T> direct) {
        if (bits == 32) {
            return bind(calls);
        }
        T bound = direct.apply(this);
        try {
            for (Class<?> each = bound.getClass(); each != Object.class; each = each.getSuperclass()) {
                if (BOUND.get(each) != library) {
                    Native.register(each, library);
                    BOUND.put(each, library);
                }
            }
            return bound;
        } catch (UnsatisfiedLinkError e) {
            // One is missing; the other way does without it, or says which.
            return bind(calls);
        }
    }

    /**
     * Binds the locking calls, the quicker way where there is one.
     *
     * @return the calls
     * @throws PageLockException with {@link Reason#NOT_SUPPORTED} if one of them is missing
     */
    public MemoryCalls memoryCalls() {
        return bind(MemoryCalls.class, DirectMemoryCalls::new);
    }

    /**
     * Returns a string as C takes it.
     *
     * @param text characters of ASCII
     * @return its bytes, ended by a zero
     */
    public static byte[] string(String text) {
        return (text + '\0').getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Reads a string that C wrote. What stands in it may come from anybody.
     *
     * @param bytes memory that C wrote
     * @param from where the string begins
     * @param most how many bytes it may have; it ends there if no zero comes before
     * @return one character for each byte
     */
    public static String text(byte[] bytes, int from, int most) {
        int length = 0;
        while (length < most && from + length < bytes.length && bytes[from + length] != 0) {
            length++;
        }
        return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
    }

    int errno() {
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
