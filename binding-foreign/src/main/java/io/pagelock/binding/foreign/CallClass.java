// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import java.io.ByteArrayOutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a class that implements an interface by method handles in static final fields: the just-in-time compiler takes those as
 * constants, so that a call costs no more than one written by hand over a constant handle. A {@link java.lang.reflect.Proxy} would
 * box each argument and look for the handle each time.
 *
 * <p>Written as bytes, because the JDK's own writer of classes is preview before Java 24. For an interface with
 * {@code int mlock(long, long)}, the class is
 *
 * <pre>{@code
 * final class LinuxCalls$Foreign implements LinuxCalls {
 *     static final MethodHandle mlock0;
 *
 *     static {
 *         Object[] data = (Object[]) MethodHandles.classData(MethodHandles.lookup(), "_", Object[].class);
 *         mlock0 = (MethodHandle) data[0];
 *         data[1] = new LinuxCalls$Foreign();
 *     }
 *
 *     public int mlock(long a, long b) {
 *         return (int) mlock0.invokeExact(a, b, 0L);
 *     }
 * }
 * }</pre>
 *
 * <p>Dynamic constants, and a handle for the constructor, would be shorter and take milliseconds of the first lock.
 */
final class CallClass {
    private static final int JAVA_22 = 66;
    private static final int PUBLIC = 0x0001;
    private static final int STATIC = 0x0008;
    private static final int FINAL = 0x0010;
    private static final int SUPER = 0x0020;

    private static final String HANDLE = "java/lang/invoke/MethodHandle";
    private static final String HANDLES = "java/lang/invoke/MethodHandles";
    private static final String OBJECTS = "[Ljava/lang/Object;";
    private static final String HANDLE_TYPE = "L" + HANDLE + ";";
    private static final String LOOKUP_TYPE = "Ljava/lang/invoke/MethodHandles$Lookup;";
    private static final String CLASS_DATA =
            "(" + LOOKUP_TYPE + "Ljava/lang/String;Ljava/lang/Class;)Ljava/lang/Object;";

    private final Bytes pool = new Bytes();
    private final Map<List<Object>, Integer> constants = new HashMap<>();

    private CallClass() {}

    /**
     * Makes an object of a class in the lookup's package.
     *
     * @param own a lookup with full access from where the interface is accessible
     * @param handles a handle for each abstract method: of its own type, of longs alone, as many or more, or
     *     {@link Downcall#BOXED}
     */
    static Object instance(MethodHandles.Lookup own, Class<?> calls, Map<Method, MethodHandle> handles) {
        List<MethodType> types = new ArrayList<>();
        for (MethodHandle each : handles.values()) {
            types.add(each.type());
        }
        byte[] bytes =
                new CallClass().write(own.lookupClass().getPackageName(), calls, List.copyOf(handles.keySet()), types);
        try {
            // Initialized now: the first call, perhaps one without which something stays locked, needs less memory
            // then.
            Object[] data = Arrays.copyOf(handles.values().toArray(), handles.size() + 1);
            own.defineHiddenClassWithClassData(bytes, data, true);
            return data[handles.size()];
        } catch (IllegalAccessException | IllegalAccessError e) {
            throw new IllegalArgumentException(
                    own + " gives no full access to its package, in which " + calls.getName() + " is implemented", e);
        }
    }

    /** Bytes of a class file. */
    private static final class Bytes {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Bytes u1(int value) {
            bytes.write(value);
            return this;
        }

        Bytes u2(int value) {
            return u1(value >>> 8).u1(value);
        }

        Bytes u4(int value) {
            return u2(value >>> 16).u2(value);
        }

        /** Names of Java and C, in which what class files write in another way does not occur. */
        Bytes utf(String text) {
            byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
            u2(encoded.length);
            bytes.writeBytes(encoded);
            return this;
        }

        Bytes add(Bytes other) {
            bytes.writeBytes(other.bytes.toByteArray());
            return this;
        }

        int size() {
            return bytes.size();
        }
    }

    private int constant(Bytes bytes, Object... key) {
        // Without a lambda, as everything on the way to the first lock.
        List<Object> entry = List.of(key);
        Integer known = constants.get(entry);
        if (known == null) {
            pool.add(bytes);
            known = constants.size() + 1;
            constants.put(entry, known);
        }
        return known;
    }

    private int utf(String text) {
        return constant(new Bytes().u1(1).utf(text), 1, text);
    }

    /** A constant that refers to one or two others, each by 2 bytes. */
    private int reference(int tag, int first, int... second) {
        Bytes bytes = new Bytes().u1(tag).u2(first);
        return second.length == 0 ? constant(bytes, tag, first) : constant(bytes.u2(second[0]), tag, first, second[0]);
    }

    private int classOf(String name) {
        return reference(7, utf(name));
    }

    private int nameAndType(String name, String type) {
        return reference(12, utf(name), utf(type));
    }

    private int fieldRef(String in, String name, String type) {
        return reference(9, classOf(in), nameAndType(name, type));
    }

    private int methodRef(String in, String name, String type) {
        return reference(10, classOf(in), nameAndType(name, type));
    }

    private byte[] write(String own, Class<?> calls, List<Method> methods, List<MethodType> types) {
        String name = (own + '.' + calls.getSimpleName()).replace('.', '/') + "$Foreign";
        Bytes fields = new Bytes();
        Bytes code = new Bytes();
        Bytes initializer = new Bytes();
        // invokestatic, ldc_w, ldc_w, invokestatic, checkcast, astore_0
        initializer.u1(0xb8).u2(methodRef(HANDLES, "lookup", "()" + LOOKUP_TYPE));
        initializer.u1(0x13).u2(reference(8, utf("_"))).u1(0x13).u2(classOf(OBJECTS));
        initializer.u1(0xb8).u2(methodRef(HANDLES, "classData", CLASS_DATA));
        initializer.u1(0xc0).u2(classOf(OBJECTS)).u1(0x4b);

        for (int i = 0; i < methods.size(); i++) {
            String handle = methods.get(i).getName() + i;
            fields.u2(STATIC | FINAL).u2(utf(handle)).u2(utf(HANDLE_TYPE)).u2(0);
            // aload_0, sipush, aaload, checkcast, putstatic
            initializer.u1(0x2a).u1(0x11).u2(i).u1(0x32).u1(0xc0).u2(classOf(HANDLE));
            initializer.u1(0xb3).u2(fieldRef(name, handle, HANDLE_TYPE));
            add(code, methods.get(i), fieldRef(name, handle, HANDLE_TYPE), types.get(i));
        }
        // aload_0, sipush, new, dup, invokespecial, aastore, return
        initializer
                .u1(0x2a)
                .u1(0x11)
                .u2(methods.size())
                .u1(0xbb)
                .u2(classOf(name))
                .u1(0x59);
        initializer.u1(0xb7).u2(methodRef(name, "<init>", "()V")).u1(0x53).u1(0xb1);
        method(code, STATIC, "<clinit>", "()V", 4, 1, initializer);
        // aload_0, invokespecial, return
        Bytes constructor = new Bytes()
                .u1(0x2a)
                .u1(0xb7)
                .u2(methodRef("java/lang/Object", "<init>", "()V"))
                .u1(0xb1);
        method(code, PUBLIC, "<init>", "()V", 1, 1, constructor);

        Bytes rest = new Bytes()
                .u2(FINAL | SUPER)
                .u2(classOf(name))
                .u2(classOf("java/lang/Object"))
                .u2(1)
                .u2(classOf(calls.getName().replace('.', '/')))
                .u2(methods.size())
                .add(fields)
                .u2(methods.size() + 2)
                .add(code)
                .u2(0);
        return new Bytes()
                .u4(0xcafebabe)
                .u4(JAVA_22)
                .u2(constants.size() + 1)
                .add(pool)
                .add(rest)
                .bytes
                .toByteArray();
    }

    /** A method that passes its arguments to its handle: as they are, each widened to a long and then zeros, or boxed in an array. */
    private void add(Bytes methods, Method method, int field, MethodType handle) {
        MethodType type = MethodType.methodType(method.getReturnType(), method.getParameterTypes());
        boolean boxes = handle.equals(Downcall.BOXED);
        // getstatic
        Bytes code = new Bytes().u1(0xb2).u2(field);
        if (boxes) {
            // sipush, anewarray
            code.u1(0x11).u2(type.parameterCount()).u1(0xbd).u2(classOf("java/lang/Object"));
        }
        int local = 1;
        for (int i = 0; i < type.parameterCount(); i++) {
            Class<?> each = type.parameterType(i);
            if (boxes) {
                // dup, sipush
                code.u1(0x59).u1(0x11).u2(i);
            }
            // lload, iload, aload
            code.u1(each == long.class ? 0x16 : each.isPrimitive() ? 0x15 : 0x19)
                    .u1(local);
            local += each == long.class ? 2 : 1;
            if (boxes) {
                box(code, each);
            } else if (each == int.class && handle.parameterType(i) == long.class) {
                // i2l
                code.u1(0x85);
            }
        }
        for (int i = type.parameterCount(); !boxes && i < handle.parameterCount(); i++) {
            // lconst_0
            code.u1(0x09);
        }
        // invokevirtual; l2i; lreturn, ireturn
        code.u1(0xb6).u2(methodRef(HANDLE, "invokeExact", handle.descriptorString()));
        if (handle.returnType() == long.class && type.returnType() == int.class) {
            code.u1(0x88);
        }
        code.u1(type.returnType() == long.class ? 0xad : 0xac);
        int stack = 1 + Math.max(5, 2 * handle.parameterCount());
        method(methods, PUBLIC, method.getName(), type.descriptorString(), stack, local, code);
    }

    private void box(Bytes code, Class<?> type) {
        if (type.isPrimitive()) {
            // invokestatic
            Class<?> box = MethodType.methodType(type).wrap().returnType();
            code.u1(0xb8)
                    .u2(methodRef(
                            box.getName().replace('.', '/'),
                            "valueOf",
                            MethodType.methodType(box, type).descriptorString()));
        }
        // aastore
        code.u1(0x53);
    }

    private void method(Bytes methods, int flags, String name, String type, int stack, int locals, Bytes code) {
        methods.u2(flags).u2(utf(name)).u2(utf(type)).u2(1);
        methods.u2(utf("Code")).u4(code.size() + 12).u2(stack).u2(locals);
        methods.u4(code.size()).add(code).u2(0).u2(0);
    }
}
