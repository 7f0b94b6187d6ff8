// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Writes warnings to the program's log: through {@code System.Logger}, which programs redirect to the framework they use and which
 * is java.util.logging otherwise; on Java 8, which has none, through java.util.logging. Both by reflection, so that this
 * module needs neither Java 9 nor the module of java.util.logging.
 */
final class LeakLog {
    private static final String NAME = "io.pagelock";

    private LeakLog() {}

    /** Logs a warning; a JVM with neither logs nothing. */
    static void warn(String message, Throwable place) {
        try {
            warnThrough("java.lang.System", "getLogger", "java.lang.System$Logger", message, place);
        } catch (NoSuchMethodException | ClassNotFoundException e) {
            warnThroughUtilLogging(message, place);
        } catch (ReflectiveOperationException e) {
            // What the program's logger threw.
            return;
        }
    }

    /** Logs as {@link #warn} does on Java 8. */
    static void warnThroughUtilLogging(String message, Throwable place) {
        String logger = "java.util.logging.Logger";
        try {
            warnThrough(logger, "getLogger", logger, message, place);
        } catch (ReflectiveOperationException e) {
            // A JVM without java.util.logging, or what its handler threw.
            return;
        }
    }

    private static void warnThrough(String from, String get, String type, String message, Throwable place)
            throws ReflectiveOperationException {
        ClassLoader loader = ClassLoader.getSystemClassLoader();
        Class<?> loggerType = Class.forName(type, true, loader);
        Class<?> level = Class.forName(type.equals(from) ? "java.util.logging.Level" : type + "$Level", true, loader);
        Method log = loggerType.getMethod("log", level, String.class, Throwable.class);
        Object logger =
                Class.forName(from, true, loader).getMethod(get, String.class).invoke(null, NAME);
        try {
            log.invoke(logger, level.getField("WARNING").get(null), message, place);
        } catch (InvocationTargetException e) {
            // Thrown by the program's handler.
            return;
        }
    }
}
