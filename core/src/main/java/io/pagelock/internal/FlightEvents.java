// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * JDK Flight Recorder events of one kind. Reached by reflection, because Java 8 may have no Flight Recorder. Costs one volatile read
 * per lock while nobody records, and starts nothing: the event type is registered once a recorder is there.
 */
final class FlightEvents {
    /** What is recorded. Every event has a number of bytes and a text. */
    enum Kind {
        /** Each lock of a range, with its duration. */
        LOCK("Page Lock", "Memory was locked, or locking it was refused", "outcome", "Outcome", true),
        /** Each dropped handle that is reported. */
        LEAK(
                "Page Lock Leak",
                "A handle was dropped without close, so its pages were unlocked",
                "madeAt",
                "Made At",
                // It would be that of a thread of this library.
                false);

        private final String label;
        private final String description;
        private final String textField;
        private final String textLabel;
        private final boolean hasStack;

        /** One for the process, however many engines there are. */
        private volatile Type type;

        Kind(String label, String description, String textField, String textLabel, boolean hasStack) {
            this.label = label;
            this.description = description;
            this.textField = textField;
            this.textLabel = textLabel;
            this.hasStack = hasStack;
        }

        private synchronized Type register() throws Throwable {
            if (type == null) {
                type = new Type(this);
            }
            return type;
        }
    }

    /** {@code FlightRecorder.isInitialized()}; null where there is no Flight Recorder. Static, so that a call of it is inlined. */
    private static final MethodHandle IS_RECORDER_THERE = find();

    private final Kind kind;
    private volatile boolean broken = IS_RECORDER_THERE == null;

    FlightEvents(Kind kind) {
        this.kind = kind;
    }

    private static MethodHandle find() {
        try {
            Class<?> recorder = Class.forName("jdk.jfr.FlightRecorder", true, ClassLoader.getSystemClassLoader());
            return MethodHandles.publicLookup()
                    .findStatic(recorder, "isInitialized", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException | LinkageError e) {
            // A JVM without it; then there are no events.
            return null;
        }
    }

    /**
     * Begins an event.
     *
     * @return the event, or null if nobody records
     */
    Object begin() {
        if (broken) {
            return null;
        }
        try {
            if (!(boolean) IS_RECORDER_THERE.invokeExact()) {
                return null;
            }
            return (kind.type == null ? kind.register() : kind.type).begin();
        } catch (Throwable e) {
            broken = true;
            return null;
        }
    }

    /**
     * Ends an event.
     *
     * @param event what {@link #begin} returned; not null
     * @param bytes the size of the lock
     * @param text "locked" or the reason of the failure; where a dropped handle was made
     */
    void end(Object event, long bytes, String text) {
        try {
            kind.type.end(event, bytes, text);
        } catch (Throwable e) {
            broken = true;
        }
    }

    /** The registered event type. */
    private static final class Type {
        private final MethodHandle newEvent;
        private final MethodHandle isEnabled;
        private final MethodHandle begin;
        private final MethodHandle set;
        private final MethodHandle commit;

        private Type(Kind kind) throws Throwable {
            ClassLoader loader = ClassLoader.getSystemClassLoader();
            Class<?> factory = Class.forName("jdk.jfr.EventFactory", true, loader);
            Class<?> event = Class.forName("jdk.jfr.Event", true, loader);
            List<Object> type = new ArrayList<>();
            type.add(annotation(loader, "Name", "io.pagelock." + (kind == Kind.LOCK ? "Lock" : "Leak")));
            type.add(annotation(loader, "Label", kind.label));
            type.add(annotation(loader, "Description", kind.description));
            type.add(annotation(loader, "Category", new String[] {"pagelock"}));
            type.add(annotation(loader, "StackTrace", kind.hasStack));
            List<Object> fields = Arrays.asList(
                    field(loader, long.class, "bytes", annotation(loader, "DataAmount", "BYTES")),
                    field(loader, String.class, kind.textField, annotation(loader, "Label", kind.textLabel)));
            Object made = factory.getMethod("create", List.class, List.class).invoke(null, type, fields);
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            newEvent = lookup.unreflect(factory.getMethod("newEvent"))
                    .bindTo(made)
                    .asType(MethodType.methodType(Object.class));
            isEnabled = on(lookup.unreflect(event.getMethod("isEnabled")), boolean.class);
            begin = on(lookup.unreflect(event.getMethod("begin")), void.class);
            commit = on(lookup.unreflect(event.getMethod("commit")), void.class);
            set = lookup.unreflect(event.getMethod("set", int.class, Object.class))
                    .asType(MethodType.methodType(void.class, Object.class, int.class, Object.class));
        }

        private static MethodHandle on(MethodHandle method, Class<?> result) {
            return method.asType(MethodType.methodType(result, Object.class));
        }

        private static Object annotation(ClassLoader loader, String name, Object value)
                throws ReflectiveOperationException {
            Class<?> element = Class.forName("jdk.jfr.AnnotationElement", true, loader);
            Class<?> annotation = Class.forName("jdk.jfr." + name, true, loader);
            return element.getConstructor(Class.class, Object.class).newInstance(annotation, value);
        }

        private static Object field(ClassLoader loader, Class<?> type, String name, Object annotation)
                throws ReflectiveOperationException {
            Constructor<?> constructor = Class.forName("jdk.jfr.ValueDescriptor", true, loader)
                    .getConstructor(Class.class, String.class, List.class);
            return constructor.newInstance(type, name, Collections.singletonList(annotation));
        }

        private Object begin() throws Throwable {
            Object event = newEvent.invokeExact();
            if (!(boolean) isEnabled.invokeExact(event)) {
                return null;
            }
            begin.invokeExact(event);
            return event;
        }

        private void end(Object event, long bytes, String text) throws Throwable {
            set.invokeExact(event, 0, (Object) bytes);
            set.invokeExact(event, 1, (Object) text);
            commit.invokeExact(event);
        }
    }
}
