// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.spi.DaemonThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Does the same small work for many files in a few threads, which end with it. */
final class Crew implements Runnable {
    private static final int SHARE = 32;
    private static final int MOST = 4;

    private final AtomicInteger next = new AtomicInteger();
    private final int count;
    private final IntConsumer work;
    private volatile Throwable failure;

    private Crew(int count, IntConsumer work) {
        this.count = count;
        this.work = work;
    }

    /**
     * Calls the work with each number below count, in no order, and waits for all.
     *
     * @throws RuntimeException or an Error, the first that the work throws; some numbers are then left out
     */
    static void run(int count, IntConsumer work) {
        run(count, Math.min(MOST, Runtime.getRuntime().availableProcessors()), work);
    }

    /** The same with so many threads, for work that waits. */
    static void run(int count, int threads, IntConsumer work) {
        Crew crew = new Crew(count, work);
        List<Thread> helpers = new ArrayList<>();
        try {
            for (int i = 1; i < threads && i * SHARE < count; i++) {
                Thread helper = DaemonThread.withRightsOfCaller("pagelock-files-" + i, crew);
                helper.start();
                helpers.add(helper);
            }
        } catch (OutOfMemoryError e) {
            // No further thread can be made; those that there are do it all.
        }
        crew.run();
        // Without a lambda: to link one takes memory, and if there is none, the helpers would go on with nobody waiting
        // for them.
        for (int i = 0; i < helpers.size(); i++) {
            join(helpers.get(i));
        }
        Throwable failure = crew.failure;
        if (failure instanceof Error) {
            throw (Error) failure;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    @Override
    public void run() {
        try {
            for (int from = next.getAndAdd(SHARE); from < count && failure == null; from = next.getAndAdd(SHARE)) {
                for (int i = from; i < Math.min(from + SHARE, count); i++) {
                    work.accept(i);
                }
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    private static void join(Thread helper) {
        boolean interrupted = false;
        while (helper.isAlive()) {
            try {
                helper.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
