// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class DaemonThreadTest {
    @Test
    void itTakesNothingFromTheThreadThatMakesIt() throws Exception {
        InheritableThreadLocal<String> local = new InheritableThreadLocal<>();
        AtomicReference<Object> seen = new AtomicReference<>("nothing ran");
        AtomicReference<Thread> made = new AtomicReference<>();
        Thread maker = new Thread(new ThreadGroup("application"), () -> {
            local.set("application");
            Thread.currentThread().setContextClassLoader(new URLClassLoader(new URL[0]));
            made.set(DaemonThread.of("pagelock-test", () -> seen.set(local.get())));
        });
        maker.setPriority(Thread.MAX_PRIORITY);
        maker.start();
        maker.join();
        Thread thread = made.get();
        assertNull(thread.getContextClassLoader());
        assertNull(thread.getThreadGroup().getParent());
        assertEquals(Thread.NORM_PRIORITY, thread.getPriority());
        assertTrue(thread.isDaemon());
        thread.start();
        thread.join();
        assertNull(seen.get());
    }

    @Test
    void whatItDoesNotCatchReachesNoHandlerOfTheProgram() throws Exception {
        AtomicReference<Throwable> seen = new AtomicReference<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> seen.set(failure));
        try {
            Thread thread = DaemonThread.of("pagelock-test", () -> {
                throw new OutOfMemoryError("heap");
            });
            thread.start();
            thread.join();
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        assertNull(seen.get());
    }

    @Test
    void onlyItsThreadsAreItsThreads() throws Exception {
        assertFalse(DaemonThread.isCurrent());
        AtomicReference<Boolean> seen = new AtomicReference<>();
        Thread thread = DaemonThread.of("pagelock-test", () -> seen.set(DaemonThread.isCurrent()));
        thread.start();
        thread.join();
        assertTrue(seen.get());
    }
}
