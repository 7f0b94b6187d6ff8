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
 * JDK Flight Recorder events {@code io.pagelock.Lock} for each lock of a range, with duration, bytes and outcome. Reached by
 * reflection, because Java 8 may have no Flight Recorder. Costs one volatile read per lock while nobody records, and starts
 * nothing: the event type is registered once a recorder is there.
 */
final class FlightEvents {
    private static final String EVENT = "io.pagelock.Lock";

    /** {@code FlightRecorder.isInitialized()}; null where there is no Flight Recorder. */
    private final MethodHandle isRecorderThere;

    /** One for the process, however many engines there are. */
    private static volatile Type type;

    private volatile boolean broken;

    FlightEvents() {
        MethodHandle handle = null;
        try {
            Class<?> recorder = Class.forName("jdk.jfr.FlightRecorder", true, ClassLoader.getSystemClassLoader());
            handle = MethodHandles.publicLookup().unreflect(recorder.getMethod("isInitialized"));
        } catch (ReflectiveOperationException | LinkageError e) {
            // A JVM without it; then there are no events.
            broken = true;
        }
        isRecorderThere = handle;
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
            if (!(boolean) isRecorderThere.invokeExact()) {
                return null;
            }
            return (type == null ? register() : type).begin();
        } catch (Throwable e) {
            broken = true;
            return null;
        }
    }

    private static synchronized Type register() throws Throwable {
        if (type == null) {
            type = new Type();
        }
        return type;
    }

    /**
     * Ends an event.
     *
     * @param event what {@link #begin} returned; not null
     * @param bytes the size of the lock
     * @param outcome "locked" or the reason of the failure
     */
    void end(Object event, long bytes, String outcome) {
        try {
            type.end(event, bytes, outcome);
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

        private Type() throws Throwable {
            ClassLoader loader = ClassLoader.getSystemClassLoader();
            Class<?> factory = Class.forName("jdk.jfr.EventFactory", true, loader);
            Class<?> event = Class.forName("jdk.jfr.Event", true, loader);
            List<Object> type = new ArrayList<>();
            type.add(annotation(loader, "Name", EVENT));
            type.add(annotation(loader, "Label", "Page Lock"));
            type.add(annotation(loader, "Description", "Memory was locked, or locking it was refused"));
            type.add(annotation(loader, "Category", new String[] {"pagelock"}));
            List<Object> fields = Arrays.asList(
                    field(loader, long.class, "bytes", annotation(loader, "DataAmount", "BYTES")),
                    field(loader, String.class, "outcome", annotation(loader, "Label", "Outcome")));
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

        private void end(Object event, long bytes, String outcome) throws Throwable {
            set.invokeExact(event, 0, (Object) bytes);
            set.invokeExact(event, 1, (Object) outcome);
            commit.invokeExact(event);
        }
    }
}
