// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a request that the command finishes by itself. The JVM runs shutdown hooks on a
 * signal; this one waits until the command is done and then ends the process with the command's status, where the JVM
 * would make it 128 and more.
 */
final class StopSignal {
    private final CountDownLatch requested = new CountDownLatch(1);
    private final CountDownLatch finished = new CountDownLatch(1);
    private final Consumer<Thread> addHook;
    private volatile int status;

    /**
     * A signal for one command.
     *
     * @param addHook where shutdown hooks are registered
     */
    StopSignal(Consumer<Thread> addHook) {
        this.addHook = addHook;
    }

    /** From here on, a signal asks this command to stop instead of ending the process. */
    void install() {
        addHook.accept(new Thread(this::stop, "pagelock-stop"));
    }

    private void stop() {
        request();
        boolean interrupted = true;
        while (interrupted) {
            try {
                finished.await();
                interrupted = false;
            } catch (InterruptedException e) {
                // Nobody has a reason to; the unlocking must end first.
            }
        }
        Runtime.getRuntime().halt(status);
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
     * @param time how long at most; null for ever
     * @return true if a signal came, false if the time is over
     */
    boolean await(Duration time) {
        try {
            if (time == null) {
                requested.await();
                return true;
            }
            return requested.await(time.toNanos(), TimeUnit.NANOSECONDS);
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
