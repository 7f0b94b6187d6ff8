// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.BackendInfo;
import io.pagelock.PageLockException;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives access to the C library of the running process. Symbols are looked up in the process itself, not in a file,
 * because glibc, musl and the BSDs name theirs differently.
 *
 * <p>C is called through JNA, or through a binding found by {@link java.util.ServiceLoader} that this JVM can use, such
 * as {@code pagelock-binding-foreign} on Java 22 and later; {@value #BINDING_PROPERTY} overrides the choice.
 *
 * <p>A backend opens one in {@link io.pagelock.spi.BackendProvider#open} and binds its calls there, once. Safe for use
 * by several threads.
 */
public final class CLibrary implements NativeAccess {
    /**
     * Names the system property that selects the binding: {@code jna}, or {@code foreign} if its artifact is present.
     */
    public static final String BINDING_PROPERTY = "io.pagelock.binding";

    private final Bindings bindings;
    private final Host host;
    private final String name;
    private final Map<String, String> symbols;
    private final BoundLibrary library;

    private CLibrary(Bindings bindings, Host host, String name, Map<String, String> symbols) {
        this.bindings = bindings;
        this.host = host;
        this.name = name;
        this.symbols = symbols;
        library = bindings.chosen.open(host, name, symbols);
    }

    /**
     * Chooses the binding and opens the C library of this process.
     *
     * @param host the system and the JVM
     * @return the C library
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED}, the cause and a remedy, if no binding
     *     has the name that the property gives, or if the chosen one cannot be used: JNA is missing, its native library
     *     cannot be loaded, or its pointers are not as wide as the host's
     */
    public static CLibrary open(Host host) {
        return open(host, null);
    }

    /**
     * Opens a library by its name or path, for functions of a library that no JVM is linked with. Functions of the
     * libraries that it depends on are also found.
     *
     * @param host the system and the JVM
     * @param library a path, or a name as {@code System.loadLibrary} takes it; null for the process itself
     * @return the library
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED}, the cause and a remedy, as
     *     {@link #open(Host)} does, or if there is no such library for this JVM
     */
    public static CLibrary open(Host host, @Nullable String library) {
        return new CLibrary(Bindings.choose(host), host, library, Collections.<String, String>emptyMap());
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
        return new CLibrary(bindings, host, name, more);
    }

    /**
     * Reports whether the library has a function.
     *
     * @param function the C name
     * @return true if it can be called
     */
    public boolean has(String function) {
        return library.has(function);
    }

    /**
     * Binds the methods of an interface to the C functions of the same names, in the width of this JVM.
     *
     * @param <T> the interface
     * @param own {@code MethodHandles.lookup()} of the interface or of a class in its package, so that the interface need be
     *     neither public nor opened to the binding
     * @param calls the interface, whose methods have the types that {@link NativeCalls} names
     * @return the functions
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED} if a function is missing that is not
     *     {@link MayBeMissing}; a call of one that is missing throws the same
     */
    public <T extends NativeCalls> T bind(MethodHandles.Lookup own, Class<T> calls) {
        return library.bind(own, calls, null);
    }

    /**
     * Binds an interface as {@link #bind(MethodHandles.Lookup, Class)} does, for calls that are made for each lock.
     * With JNA, where pointers have 8 bytes, it binds the native methods of a class, which are faster. The methods of a
     * class are bound to one library at a time: binding them to another one redirects every object of the class.
     *
     * @param <T> the interface
     * @param own as there
     * @param calls the interface
     * @param direct makes an object whose class declares every function as a native method, normally the constructor of
     *     a subclass of {@link DirectMemoryCalls}
     * @return the functions
     * @throws PageLockException as there
     */
    public <T extends NativeCalls> T bind(
            MethodHandles.Lookup own, Class<T> calls, Function<CLibrary, ? extends T> direct) {
        return library.bind(own, calls, new Supplier<T>() {
            @Override
            public T get() {
                return direct.apply(CLibrary.this);
            }
        });
    }

    /**
     * Binds the locking calls, in the faster way if there is one.
     *
     * @return the calls
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED} if one of them is missing
     */
    public MemoryCalls memoryCalls() {
        return bind(MethodHandles.lookup(), MemoryCalls.class, DirectMemoryCalls::new);
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
     * Reads a string that C wrote. Its content may come from anybody.
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
        return library.errno();
    }

    BoundLibrary library() {
        return library;
    }

    @Override
    public long address(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("a buffer on the heap has no fixed address");
        }
        return library.address(buffer);
    }

    @Override
    public BackendInfo describe(BackendInfo info) {
        List<String> notes = new ArrayList<>(info.notes());
        notes.addAll(bindings.notes);
        return new BackendInfo(info.name(), info.system(), info.arch(), bindings.chosen.name(), notes);
    }
}
