// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import io.pagelock.PageLockException;
import io.pagelock.backend.support.SizeT;
import io.pagelock.backend.support.binding.BoundLibrary;
import java.lang.annotation.Annotation;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;

/**
 * Makes method handles that call C functions, by the rules of {@link io.pagelock.backend.support.NativeCalls}. Pointers and sizes
 * go to C as integers of their width, so that no memory segment is made for a call. No call is {@linkplain Linker.Option#critical
 * critical}: nearly all may block, and a critical one would keep the garbage collector waiting.
 */
final class Downcall {
    private static final MethodHandle STATE;
    private static final MethodHandle WITH_ARRAYS;
    private static final MethodHandle UNSIGNED;
    private static final MethodHandle MISSING;

    static {
        MethodHandles.Lookup own = MethodHandles.lookup();
        try {
            STATE = own.findStatic(Errno.class, "state", MethodType.methodType(MemorySegment.class));
            WITH_ARRAYS = own.findStatic(
                    Downcall.class,
                    "withArrays",
                    MethodType.methodType(Object.class, MethodHandle.class, boolean[].class, Object[].class));
            UNSIGNED = own.findStatic(Integer.class, "toUnsignedLong", MethodType.methodType(long.class, int.class));
            MISSING = own.findStatic(
                    BoundLibrary.class, "missing", MethodType.methodType(PageLockException.class, String.class));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private Downcall() {}

    /** Links one function, as all of them are, and throws whatever stands against it. */
    @SuppressWarnings("restricted")
    static void probe() {
        Linker linker = Linker.nativeLinker();
        linker.downcallHandle(
                linker.defaultLookup().find("getpagesize").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT),
                Errno.CAPTURED);
    }

    /**
     * Links a function.
     *
     * @param narrow whether pointers have 4 bytes; otherwise 8
     * @return a handle whose type is that of the method
     * @throws IllegalArgumentException if the method has a type for which there is no rule
     */
    @SuppressWarnings("restricted")
    static MethodHandle of(MemorySegment symbol, Method method, boolean narrow) {
        MethodType type = type(method);
        boolean narrowResult = narrow && method.isAnnotationPresent(SizeT.class);
        FunctionDescriptor descriptor = FunctionDescriptor.of(
                layout(method, type.returnType(), narrowResult),
                type.parameterList().stream()
                        .map(each -> layout(method, each, narrow))
                        .toArray(MemoryLayout[]::new));
        MethodHandle call = MethodHandles.collectArguments(
                Linker.nativeLinker().downcallHandle(symbol, descriptor, Errno.CAPTURED), 0, STATE);
        if (narrowResult) {
            call = MethodHandles.filterReturnValue(call, UNSIGNED);
        }
        MethodType integers = MethodType.methodType(
                type.returnType(),
                type.parameterList().stream()
                        .map(each -> each.isArray() ? long.class : each)
                        .toList());
        call = MethodHandles.explicitCastArguments(call, integers);
        if (integers.equals(type)) {
            return call;
        }
        MethodHandle spread = call.asSpreader(Object[].class, type.parameterCount())
                .asType(MethodType.methodType(Object.class, Object[].class));
        return MethodHandles.insertArguments(WITH_ARRAYS, 0, spread, narrowArrays(method, narrow))
                .asCollector(Object[].class, type.parameterCount())
                .asType(type);
    }

    /** Returns a handle that throws. */
    static MethodHandle missing(String symbol, Method method) {
        MethodType type = type(method);
        MethodHandle thrower = MethodHandles.throwException(type.returnType(), PageLockException.class);
        return MethodHandles.dropArguments(
                MethodHandles.collectArguments(thrower, 0, MISSING.bindTo(symbol)), 0, type.parameterList());
    }

    private static MethodType type(Method method) {
        return MethodType.methodType(method.getReturnType(), method.getParameterTypes());
    }

    private static MemoryLayout layout(Method method, Class<?> type, boolean narrow) {
        if (type == int.class) {
            return ValueLayout.JAVA_INT;
        }
        if (type == long.class || type.isArray() && type.getComponentType().isPrimitive()) {
            return narrow ? ValueLayout.JAVA_INT : ValueLayout.JAVA_LONG;
        }
        throw new IllegalArgumentException("no type of C is known for " + type + " in " + method);
    }

    /** Returns which arguments are arrays whose elements have 4 bytes in C and 8 in Java. */
    private static boolean[] narrowArrays(Method method, boolean narrow) {
        Annotation[][] annotations = method.getParameterAnnotations();
        boolean[] narrowArrays = new boolean[annotations.length];
        for (int i = 0; i < narrowArrays.length; i++) {
            narrowArrays[i] = narrow && List.of(annotations[i]).stream().anyMatch(SizeT.class::isInstance);
        }
        return narrowArrays;
    }

    /** Calls with copies of the arrays in native memory, which the garbage collector does not move. */
    static Object withArrays(MethodHandle call, boolean[] narrowArrays, Object[] arguments) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            Object[] passed = arguments.clone();
            MemorySegment[] inJava = new MemorySegment[passed.length];
            MemorySegment[] inC = new MemorySegment[passed.length];
            int[][] sizes = new int[passed.length][];
            for (int i = 0; i < passed.length; i++) {
                if (arguments[i] == null) {
                    passed[i] = 0L;
                } else if (arguments[i].getClass().isArray()) {
                    sizes[i] = narrowArrays[i] ? narrow((long[]) arguments[i]) : null;
                    inJava[i] = segment(narrowArrays[i] ? sizes[i] : arguments[i]);
                    inC[i] = arena.allocate(inJava[i].byteSize(), Long.BYTES).copyFrom(inJava[i]);
                    passed[i] = inC[i].address();
                }
            }
            Object result = call.invokeExact(passed);
            for (int i = 0; i < passed.length; i++) {
                if (inC[i] != null) {
                    inJava[i].copyFrom(inC[i]);
                }
                if (sizes[i] != null) {
                    int[] narrow = sizes[i];
                    Arrays.setAll((long[]) arguments[i], at -> Integer.toUnsignedLong(narrow[at]));
                }
            }
            return result;
        }
    }

    private static int[] narrow(long[] sizes) {
        return Arrays.stream(sizes).mapToInt(each -> (int) each).toArray();
    }

    private static MemorySegment segment(Object array) {
        return switch (array) {
            case byte[] bytes -> MemorySegment.ofArray(bytes);
            case short[] shorts -> MemorySegment.ofArray(shorts);
            case int[] ints -> MemorySegment.ofArray(ints);
            case long[] longs -> MemorySegment.ofArray(longs);
            case char[] chars -> MemorySegment.ofArray(chars);
            case float[] floats -> MemorySegment.ofArray(floats);
            case double[] doubles -> MemorySegment.ofArray(doubles);
            default -> throw new IllegalArgumentException(array.getClass().getName());
        };
    }
}
