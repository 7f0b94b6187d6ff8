// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import io.pagelock.backend.support.BoundLibrary;
import io.pagelock.backend.support.SizeT;
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

/**
 * Makes method handles that call C functions, by the rules of {@link io.pagelock.backend.support.NativeCalls}. Every argument and
 * result goes through a register or a slot of the width of a pointer, and the caller removes what it passed, as all systems do it
 * that have this API. So a function may be passed more arguments than it takes, and all with a few arguments share one linked
 * shape, which takes milliseconds to make. No memory segment is made for a call, and no call is
 * {@linkplain Linker.Option#critical critical}: nearly all may block, and a critical one would keep the garbage collector waiting.
 */
final class Downcall {
    /** The type of the handle of a function that has arrays. */
    static final MethodType BOXED = MethodType.methodType(long.class, Object[].class);

    /** How many arguments a function is passed at least; those that it does not take are zeros. */
    static final int LEAST = 3;

    private static final MethodHandles.Lookup OWN = MethodHandles.lookup();

    private final MethodHandle call;
    /** Which arguments are arrays whose elements have 4 bytes in C and 8 in Java. */
    private final boolean[] narrow;

    private Downcall(MethodHandle call, boolean[] narrow) {
        this.call = call;
        this.narrow = narrow;
    }

    /** Links one function, as all of them are, and throws whatever stands against it. */
    static void probe() {
        link(Linker.nativeLinker().defaultLookup().find("getpagesize").orElseThrow(), shape(0, false, false));
    }

    private static FunctionDescriptor shape(int count, boolean narrow, boolean narrowResult) {
        MemoryLayout[] words = new MemoryLayout[Math.max(count, LEAST)];
        Arrays.fill(words, word(narrow));
        return FunctionDescriptor.of(word(narrowResult), words);
    }

    private static MemoryLayout word(boolean narrow) {
        return narrow ? ValueLayout.JAVA_INT : ValueLayout.JAVA_LONG;
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(MemorySegment symbol, FunctionDescriptor descriptor) {
        MethodHandle state = find(OWN, Errno.class, "state", MethodType.methodType(MemorySegment.class));
        return MethodHandles.collectArguments(
                Linker.nativeLinker().downcallHandle(symbol, descriptor, Errno.CAPTURED), 0, state);
    }

    private static MethodHandle find(MethodHandles.Lookup own, Class<?> in, String name, MethodType type) {
        try {
            return own.findStatic(in, name, type);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Links a function.
     *
     * @param narrow whether pointers have 4 bytes; otherwise 8
     * @return a handle of longs, one for each argument but at least {@link #LEAST}, and a long; or {@link #BOXED} if there are
     *     arrays among them
     * @throws IllegalArgumentException if the method has a type for which there is no rule
     */
    static MethodHandle of(MemorySegment symbol, Method method, boolean narrow) {
        check(method);
        int count = method.getParameterCount();
        boolean unsigned = narrow && method.isAnnotationPresent(SizeT.class);
        boolean narrowResult = unsigned || narrow && method.getReturnType() == int.class;
        MethodHandle call = link(symbol, shape(count, narrow, narrowResult));
        if (unsigned) {
            call = MethodHandles.filterReturnValue(
                    call, find(OWN, Integer.class, "toUnsignedLong", MethodType.methodType(long.class, int.class)));
        }
        Class<?>[] longs = new Class<?>[call.type().parameterCount()];
        Arrays.fill(longs, long.class);
        call = MethodHandles.explicitCastArguments(call, MethodType.methodType(long.class, longs));
        boolean hasArrays = false;
        for (Class<?> type : method.getParameterTypes()) {
            hasArrays |= type.isArray();
        }
        return hasArrays ? bind(new Downcall(call, narrowArrays(method, narrow)), "withArrays", BOXED) : call;
    }

    /** Returns a handle that throws. */
    static MethodHandle missing(String symbol) {
        return bind(new Missing(symbol), "call", BOXED);
    }

    private record Missing(String symbol) {
        long call(Object[] arguments) {
            throw BoundLibrary.missing(symbol);
        }
    }

    private static MethodHandle bind(Object receiver, String name, MethodType type) {
        try {
            return OWN.bind(receiver, name, type);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(Method method) {
        for (Class<?> type : method.getParameterTypes()) {
            if (type != int.class
                    && type != long.class
                    && !(type.isArray() && type.getComponentType().isPrimitive())) {
                throw new IllegalArgumentException("no type of C is known for " + type + " in " + method);
            }
        }
        if (method.getReturnType() != int.class && method.getReturnType() != long.class) {
            throw new IllegalArgumentException("no type of C is known for the result of " + method);
        }
    }

    private static boolean[] narrowArrays(Method method, boolean narrow) {
        boolean[] narrowArrays = new boolean[method.getParameterCount()];
        if (!narrow) {
            return narrowArrays;
        }
        Annotation[][] annotations = method.getParameterAnnotations();
        for (int i = 0; i < narrowArrays.length; i++) {
            for (Annotation each : annotations[i]) {
                narrowArrays[i] |= each instanceof SizeT;
            }
        }
        return narrowArrays;
    }

    /** Calls with copies of the arrays in native memory, which the garbage collector does not move. */
    private long withArrays(Object[] arguments) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long[] passed = new long[Math.max(arguments.length, LEAST)];
            MemorySegment[] inC = new MemorySegment[arguments.length];
            for (int i = 0; i < inC.length; i++) {
                if (arguments[i] instanceof Number number) {
                    passed[i] = number.longValue();
                } else if (arguments[i] != null) {
                    MemorySegment inJava = segment(narrow[i] ? narrow((long[]) arguments[i]) : arguments[i]);
                    inC[i] = arena.allocate(inJava.byteSize(), Long.BYTES).copyFrom(inJava);
                    passed[i] = inC[i].address();
                }
            }
            long result = call(passed);
            for (int i = 0; i < inC.length; i++) {
                if (inC[i] != null && narrow[i]) {
                    widen(inC[i].toArray(ValueLayout.JAVA_INT), (long[]) arguments[i]);
                } else if (inC[i] != null) {
                    segment(arguments[i]).copyFrom(inC[i]);
                }
            }
            return result;
        }
    }

    /** Spelled out, because a handle that spreads an array is a class more for each number of arguments. */
    private long call(long[] a) throws Throwable {
        return switch (a.length) {
            case LEAST -> (long) call.invokeExact(a[0], a[1], a[2]);
            case 4 -> (long) call.invokeExact(a[0], a[1], a[2], a[3]);
            case 5 -> (long) call.invokeExact(a[0], a[1], a[2], a[3], a[4]);
            case 6 -> (long) call.invokeExact(a[0], a[1], a[2], a[3], a[4], a[5]);
            default -> (long) call.invokeWithArguments(Arrays.stream(a).boxed().toList());
        };
    }

    static int[] narrow(long[] sizes) {
        return Arrays.stream(sizes).mapToInt(each -> (int) each).toArray();
    }

    static void widen(int[] from, long[] to) {
        Arrays.setAll(to, at -> Integer.toUnsignedLong(from[at]));
    }

    private static MemorySegment segment(Object array) {
        // Not a switch over types, whose bootstrap takes milliseconds of the first lock.
        if (array instanceof byte[] bytes) {
            return MemorySegment.ofArray(bytes);
        } else if (array instanceof long[] longs) {
            return MemorySegment.ofArray(longs);
        } else if (array instanceof int[] ints) {
            return MemorySegment.ofArray(ints);
        } else if (array instanceof short[] shorts) {
            return MemorySegment.ofArray(shorts);
        } else if (array instanceof char[] chars) {
            return MemorySegment.ofArray(chars);
        } else if (array instanceof float[] floats) {
            return MemorySegment.ofArray(floats);
        } else if (array instanceof double[] doubles) {
            return MemorySegment.ofArray(doubles);
        }
        throw new IllegalArgumentException(array.getClass().getName());
    }
}
