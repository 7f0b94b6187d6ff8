// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Function;
import com.sun.jna.FunctionMapper;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** A library opened by JNA. */
final class JnaLibrary implements BoundLibrary {
    /**
     * Classes with native methods, and the library to which they are bound. Binding makes libffi map a few pages at an address
     * that the kernel chooses, so it is not repeated.
     */
    private static final Map<Class<?>, NativeLibrary> BOUND = new ConcurrentHashMap<>();

    private final NativeLibrary library;
    private final boolean narrow;
    private final Map<String, String> symbols;

    /**
     * @param name a path or a name; null for the process itself
     * @param narrow whether pointers have 4 bytes; otherwise 8
     * @throws UnsatisfiedLinkError if it cannot be loaded
     */
    JnaLibrary(String name, boolean narrow, Map<String, String> symbols) {
        this.narrow = narrow;
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

    private String symbol(String function) {
        return symbols.getOrDefault(function, function);
    }

    @Override
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
            throw BoundLibrary.missing(symbol(name));
        }
    }

    @Override
    public <T extends NativeCalls> T bind(MethodHandles.Lookup own, Class<T> calls, Supplier<? extends T> direct) {
        if (direct != null && !narrow) {
            T bound = direct.get();
            try {
                register(bound.getClass());
                return bound;
            } catch (UnsatisfiedLinkError e) {
                // One is missing; the other way does without it, or says which.
            }
        }
        return proxy(calls, narrow);
    }

    private void register(Class<?> direct) {
        for (Class<?> each = direct; each != Object.class; each = each.getSuperclass()) {
            if (BOUND.get(each) != library) {
                Native.register(each, library);
                BOUND.put(each, library);
            }
        }
    }

    <T extends NativeCalls> T proxy(Class<T> calls, boolean inNarrow) {
        return calls.cast(Proxy.newProxyInstance(
                calls.getClassLoader(), new Class<?>[] {calls}, new JnaCalls(this, calls, inNarrow)));
    }

    @Override
    public int errno() {
        return Native.getLastError();
    }

    @Override
    public long address(ByteBuffer buffer) {
        long address = Pointer.nativeValue(Native.getDirectBufferPointer(buffer));
        return narrow ? address & 0xffffffffL : address;
    }
}
