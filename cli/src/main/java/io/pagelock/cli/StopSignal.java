// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a request that the command finishes by itself. The JVM runs shutdown hooks on a
 * signal; this one waits until the command is done and then ends the process with the command's status, where the JVM
 * would make it 128 and more. It does not wait for long: a call of the kernel may never return, and the end of the process
 * unlocks everything, too.
 */
final class StopSignal {
    /** For commands that a signal simply ends. */
    static final StopSignal NONE = new StopSignal(hook -> {});

    private static final Duration PATIENCE = Duration.ofMillis(700);
    // To unlock is work that goes on, and to report it comes after it.
    private static final Duration PATIENCE_AT_THE_END = Duration.ofSeconds(5);

    /** How often in a row the last words are found to wait for a reader. */
    private static final int LOOKS = 10;

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);
    /** A machine that stands still for a while takes one of so many parts of a patience away, and not all of it. */
    private static final int PARTS = 10;

    private final CountDownLatch requested = new CountDownLatch(1);
    private final CountDownLatch finished = new CountDownLatch(1);
    private final Consumer<Thread> addHook;
    private volatile boolean ending;
    private volatile int status;

    /**
     * A signal for one command.
     *
     * @param addHook where shutdown hooks are registered
     */
    StopSignal(Consumer<Thread> addHook) {
        this.addHook = addHook;
    }

    /**
     * From here on, a signal asks this command to stop instead of ending the process.
     *
     * @param unanswered what to say where the command does not stop; the process then ends with status 1
     */
    void install(Runnable unanswered) {
        addHook.accept(new Thread(() -> stop(unanswered), "pagelock-stop"));
    }

    private void stop(Runnable unanswered) {
        request();
        if (!awaitFinished(PATIENCE) && !(ending && awaitFinished(PATIENCE_AT_THE_END))) {
            status = 1;
            say(unanswered);
        }
        Runtime.getRuntime().halt(status);
    }

    private boolean awaitFinished(Duration time) {
        boolean is = false;
        for (int part = 0; part < PARTS && !is; part++) {
            is = await(finished, time.dividedBy(PARTS));
        }
        return is;
    }

    /**
     * In a thread of its own: a reader of the output that does not read must not keep this process. On a busy machine the words
     * themselves may take their time.
     */
    static void say(Runnable last) {
        CountDownLatch said = new CountDownLatch(1);
        Thread speaker = new Thread(
                () -> {
                    try {
                        last.run();
                    } finally {
                        said.countDown();
                    }
                },
                "pagelock-last-words");
        speaker.setDaemon(true);
        try {
            speaker.start();
            for (int looks = 0; looks < LOOKS && !await(said, BETWEEN_LOOKS); ) {
                looks = isWaiting(speaker) ? looks + 1 : 0;
            }
        } catch (OutOfMemoryError e) {
            // No thread to be had; to end is what matters.
            return;
        }
    }

    private static boolean isWaiting(Thread thread) {
        StackTraceElement[] stack = thread.getStackTrace();
        return thread.getState() != Thread.State.RUNNABLE
                || stack.length > 0 && stack[0].getMethodName().startsWith("write");
    }

    /** The command knows that it is to stop, or stops by itself, and undoes what it did. */
    void ending() {
        ending = true;
    }

    void request() {
        requested.countDown();
    }

    boolean isRequested() {
        return requested.getCount() == 0;
    }

    /**
     * Waits for a signal.
     *
     * @param time how long at most; null without a limit
     * @return true if a signal came, false if the time is over
     */
    boolean await(Duration time) {
        return await(requested, time);
    }

    private static boolean await(CountDownLatch latch, Duration time) {
        try {
            if (time == null) {
                latch.await();
                return true;
            }
            return latch.await(time.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    /** Lets the process end, by the hook if a signal came, otherwise by returning. */
    void finish(int exitStatus) {
        status = exitStatus;
        finished.countDown();
    }
}
