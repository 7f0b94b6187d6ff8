// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Refuses memory of an arena that is closed, whose addresses may be somebody else's by now, or that belongs to another thread.
 * Where the JVM has {@code java.lang.foreign} (final since Java 22); elsewhere there are no arenas.
 */
final class MemoryScopes {
    private static final Class<?> SEGMENT = find("java.lang.foreign.MemorySegment");
    /** {@code MemorySegment.ofBuffer(Buffer)}; null where there are no arenas. */
    private static final MethodHandle OF_BUFFER;
    /** {@code segment.scope()}. */
    private static final MethodHandle SCOPE;
    /** {@code scope.isAlive()}. */
    private static final MethodHandle IS_ALIVE;
    /** {@code segment.isAccessibleBy(Thread)}. */
    private static final MethodHandle IS_ACCESSIBLE;

    static {
        MethodHandle ofBuffer = null;
        MethodHandle scopeOf = null;
        MethodHandle isAlive = null;
        MethodHandle isAccessible = null;
        Class<?> scope = find("java.lang.foreign.MemorySegment$Scope");
        if (SEGMENT != null && scope != null) {
            try {
                MethodHandles.Lookup lookup = MethodHandles.publicLookup();
                ofBuffer = of(
                        ByteBuffer.class,
                        lookup.findStatic(SEGMENT, "ofBuffer", MethodType.methodType(SEGMENT, Buffer.class)));
                isAccessible = of(
                        Object.class,
                        lookup.findVirtual(
                                SEGMENT, "isAccessibleBy", MethodType.methodType(boolean.class, Thread.class)));
                scopeOf = of(Object.class, lookup.findVirtual(SEGMENT, "scope", MethodType.methodType(scope)));
                isAlive = of(Object.class, lookup.findVirtual(scope, "isAlive", MethodType.methodType(boolean.class)));
            } catch (ReflectiveOperationException e) {
                // A preview of another shape, in Java 19 and 20.
                ofBuffer = null;
            }
        }
        OF_BUFFER = ofBuffer;
        SCOPE = scopeOf;
        IS_ALIVE = isAlive;
        IS_ACCESSIBLE = isAccessible;
    }

    private MemoryScopes() {}

    /**
     * Names none of the types of Java 22. Unlike asType, which makes classes for it, this casts no interface and takes a millisecond
     * less of the first lock.
     */
    private static MethodHandle of(Class<?> first, MethodHandle method) {
        MethodType type = method.type().changeParameterType(0, first);
        return MethodHandles.explicitCastArguments(
                method, type.returnType().isPrimitive() ? type : type.changeReturnType(Object.class));
    }

    /** Reports whether this JVM has memory segments, in their final shape. */
    static boolean areThere() {
        return OF_BUFFER != null;
    }

    /**
     * Checks the owner of memory that is about to be given to the system.
     *
     * @param owner a buffer, a memory segment, or anything else, also null, which passes
     * @throws IllegalStateException if its arena is closed
     * @throws RuntimeException a WrongThreadException, if it is confined to another thread
     */
    static void check(Object owner) {
        Object segment = alive(owner);
        if (segment != null && !isAccessible(segment)) {
            throw wrongThread("the arena of " + owner + " is confined to a thread other than "
                    + Thread.currentThread().getName() + "; use a shared arena");
        }
    }

    /**
     * Checks again, for a lock that begins later than it was asked for and perhaps in another thread.
     *
     * @param owners an owner as above, or a list of them
     * @throws IllegalStateException if an arena is closed by now
     */
    static void checkStillAlive(Object owners) {
        if (owners instanceof List) {
            ((List<?>) owners).forEach(MemoryScopes::alive);
        } else {
            alive(owners);
        }
    }

    /** Returns the segment of an owner whose arena is open; null if it has none. */
    private static Object alive(Object owner) {
        if (OF_BUFFER == null) {
            return null;
        }
        boolean isAlive;
        Object segment;
        try {
            if (owner instanceof ByteBuffer) {
                segment = (Object) OF_BUFFER.invokeExact((ByteBuffer) owner);
            } else if (SEGMENT.isInstance(owner)) {
                segment = owner;
            } else {
                return null;
            }
            isAlive = (boolean) IS_ALIVE.invokeExact((Object) SCOPE.invokeExact(segment));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (!isAlive) {
            throw new IllegalStateException(
                    "the arena of " + owner + " is closed; its addresses may belong to other memory by now");
        }
        return segment;
    }

    private static boolean isAccessible(Object segment) {
        try {
            return (boolean) IS_ACCESSIBLE.invokeExact(segment, Thread.currentThread());
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static RuntimeException wrongThread(String message) {
        try {
            return (RuntimeException) Class.forName("java.lang.WrongThreadException")
                    .getConstructor(String.class)
                    .newInstance(message);
        } catch (ReflectiveOperationException e) {
            return new IllegalStateException(message);
        }
    }

    private static Class<?> find(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            return null;
        }
    }
}
