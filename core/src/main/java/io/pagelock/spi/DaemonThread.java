// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.security.AccessControlContext;
import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Makes the threads of this library and of its backends. They serve every caller and may outlive the one that happens
 * to start them, so they inherit nothing from it: no priority, thread group, class loader, access control context or
 * inheritable thread locals. An uncaught exception, such as an OutOfMemoryError, ends the thread and does not reach the
 * program's handlers.
 */
public final class DaemonThread implements PrivilegedAction<Thread> {
    // No lambda: to link the first one of a JVM takes as long as to page in 100 MiB.
    private static final Thread.UncaughtExceptionHandler IGNORE = new Thread.UncaughtExceptionHandler() {
        @Override
        public void uncaughtException(Thread thread, Throwable failure) {
            // Nobody to report to: the program did not start this thread.
        }
    };

    /**
     * {@code Thread(group, work, name, stackSize, inheritThreadLocals)} of Java 9; null on Java 8. Up to Java 17 a call by reflection
     * saves the 4 ms that the first method handle takes to link. Later, reflection is made of method handles, JEP 416, and takes longer
     * than one.
     */
    private static final Constructor<Thread> CONSTRUCTOR = constructor();

    /** The same from Java 18 on; null before. */
    private static final MethodHandle HANDLE = handle();

    private static final boolean CAN_RESTRICT = canRestrict();

    private final String name;
    private final Runnable work;
    private final boolean atExit;

    private DaemonThread(String name, Runnable work, boolean atExit) {
        this.name = name;
        this.work = work;
        this.atExit = atExit;
    }

    /**
     * Makes a thread. Needs no rights of the caller under a security manager.
     *
     * @param name its name, which should begin with {@code pagelock-}
     * @param work what it runs, with the rights of this library
     * @return a daemon thread, not started
     */
    public static Thread of(String name, Runnable work) {
        return made(new DaemonThread(name, work, false));
    }

    /**
     * Makes a thread for work in which a caller names files: under a security manager it has no rights that the calling code lacks.
     *
     * @param name as for {@link #of}
     * @param work what it runs
     * @return as {@link #of}
     */
    public static Thread withRightsOfCaller(String name, Runnable work) {
        return of(name, CAN_RESTRICT ? new Restricted(work) : work);
    }

    /**
     * Makes a thread that the JVM runs when it ends. Needs no rights of the caller under a security manager.
     *
     * @param name as for {@link #of}
     * @param work what it runs, with the rights of this library
     * @return the thread
     * @throws IllegalStateException if the JVM is ending already
     */
    public static Thread atExit(String name, Runnable work) {
        return made(new DaemonThread(name, work, true));
    }

    private static Thread made(DaemonThread maker) {
        // The context of a thread is that of its maker, up to Java 23; here it is that of this library alone.
        return CAN_RESTRICT ? AccessController.doPrivileged(maker) : maker.run();
    }

    /**
     * Reports whether the current thread was made here.
     *
     * @return true in a thread of {@link #of}
     */
    public static boolean isCurrent() {
        return Thread.currentThread().getUncaughtExceptionHandler() == IGNORE;
    }

    /** Work with the rights of the code that made this. */
    private static final class Restricted implements Runnable {
        private final AccessControlContext context = AccessController.getContext();
        private final Runnable work;

        private Restricted(Runnable work) {
            this.work = work;
        }

        @Override
        public void run() {
            AccessController.doPrivileged(
                    (PrivilegedAction<Void>) () -> {
                        work.run();
                        return null;
                    },
                    context);
        }
    }

    /** The class is deprecated for removal, see JEP 411. */
    private static boolean canRestrict() {
        try {
            Class.forName("java.security.AccessController");
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /**
     * Makes the thread.
     *
     * @return the thread, not started
     */
    @Override
    public Thread run() {
        Thread thread;
        try {
            thread = make(root());
            thread.setContextClassLoader(null);
        } catch (SecurityException e) {
            // A security manager that grants this library too little; the work must be done all the same.
            thread = make(null);
        }
        thread.setDaemon(true);
        thread.setPriority(Thread.NORM_PRIORITY);
        thread.setUncaughtExceptionHandler(IGNORE);
        if (atExit) {
            Runtime.getRuntime().addShutdownHook(thread);
        }
        return thread;
    }

    private static ThreadGroup root() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return group;
    }

    private Thread make(ThreadGroup group) {
        try {
            if (HANDLE != null) {
                return (Thread) HANDLE.invokeExact(group, work, name, 0L, false);
            }
            return CONSTRUCTOR == null
                    ? withoutLocals(new Thread(group, work, name))
                    : CONSTRUCTOR.newInstance(group, work, name, 0L, false);
        } catch (InvocationTargetException e) {
            return rethrow(e.getCause());
        } catch (Throwable e) {
            return rethrow(e);
        }
    }

    private static Thread rethrow(Throwable failure) {
        if (failure instanceof RuntimeException) {
            throw (RuntimeException) failure;
        }
        if (failure instanceof Error) {
            throw (Error) failure;
        }
        throw new IllegalStateException(failure);
    }

    private static Constructor<Thread> constructor() {
        try {
            return Thread.class.getConstructor(
                    ThreadGroup.class, Runnable.class, String.class, long.class, boolean.class);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    private static MethodHandle handle() {
        try {
            // Of Java 8, it is 1.8, which is no such number.
            if (Integer.parseInt(System.getProperty("java.specification.version")) < 18) {
                return null;
            }
            return MethodHandles.publicLookup()
                    .findConstructor(
                            Thread.class,
                            MethodType.methodType(
                                    void.class,
                                    ThreadGroup.class,
                                    Runnable.class,
                                    String.class,
                                    long.class,
                                    boolean.class));
        } catch (ReflectiveOperationException | RuntimeException e) {
            // The constructor, where there is one, does it, too.
            return null;
        }
    }

    /** Clears what Java 8 has copied already; where its field has another name, the locals stay. */
    private static Thread withoutLocals(Thread thread) {
        try {
            Field locals = Thread.class.getDeclaredField("inheritableThreadLocals");
            locals.setAccessible(true);
            locals.set(thread, null);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return thread;
        }
        return thread;
    }
}
