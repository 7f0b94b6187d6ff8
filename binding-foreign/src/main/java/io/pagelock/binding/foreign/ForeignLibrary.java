// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import io.pagelock.backend.support.BoundLibrary;
import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.NativeCalls;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A library whose functions are linked by the foreign-function API. */
final class ForeignLibrary implements BoundLibrary {
    private static final boolean NARROW = ValueLayout.ADDRESS.byteSize() == 4;

    private final SymbolLookup lookup;
    private final Map<String, String> symbols;

    ForeignLibrary(SymbolLookup lookup, Map<String, String> symbols) {
        this.lookup = lookup;
        this.symbols = symbols;
    }

    private String symbol(String function) {
        return symbols.getOrDefault(function, function);
    }

    private Optional<MemorySegment> find(String function) {
        return lookup.find(symbol(function));
    }

    @Override
    public boolean has(String function) {
        return find(function).isPresent();
    }

    @Override
    public <T extends NativeCalls> T bind(MethodHandles.Lookup own, Class<T> calls, Supplier<? extends T> direct) {
        return bind(own, calls, NARROW);
    }

    /** @param narrow whether pointers have 4 bytes; otherwise 8 */
    <T extends NativeCalls> T bind(MethodHandles.Lookup own, Class<T> calls, boolean narrow) {
        Map<Method, MethodHandle> handles = new LinkedHashMap<>();
        for (Method method : calls.getMethods()) {
            if (Modifier.isAbstract(method.getModifiers())) {
                handles.put(method, method.getDeclaringClass() == NativeCalls.class ? own(method) : c(method, narrow));
            }
        }
        return calls.cast(CallClass.instance(own, calls, handles));
    }

    /** One of the two methods that no function of C is behind. */
    private MethodHandle own(Method method) {
        try {
            MethodType type = MethodType.methodType(method.getReturnType(), method.getParameterTypes());
            return MethodHandles.lookup().bind(this, method.getName(), type);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private MethodHandle c(Method method, boolean narrow) {
        Optional<MemorySegment> symbol = find(method.getName());
        if (symbol.isPresent()) {
            return Downcall.of(symbol.get(), method, narrow);
        }
        if (method.isAnnotationPresent(MayBeMissing.class)) {
            return Downcall.missing(symbol(method.getName()));
        }
        throw BoundLibrary.missing(symbol(method.getName()));
    }

    @Override
    public int errno() {
        return Errno.get();
    }

    @Override
    public long address(ByteBuffer buffer) {
        // A duplicate, since a segment begins at the position.
        return MemorySegment.ofBuffer(buffer.duplicate().clear()).address();
    }
}
