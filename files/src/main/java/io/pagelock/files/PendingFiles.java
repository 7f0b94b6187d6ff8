// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Represents a lock of files in progress, see {@link FileLocker#lockAsync}. It completes with the files, or
 * exceptionally with the exception that {@link FileLocker#lock(FileSelection, FileLockOptions)} would throw. Safe for
 * use by several threads.
 */
public final class PendingFiles implements Future<HeldFiles> {
    private final CompletableFuture<HeldFiles> result = new CompletableFuture<>();
    private volatile long locked;
    private volatile long total;

    PendingFiles() {}

    void run(FileLocker locker, FileSelection files, FileLockOptions options) {
        try {
            HeldFiles held = locker.lock(
                    files,
                    options.cancelWhen(
                                    () -> result.isDone() || options.cancelled().getAsBoolean())
                            .progress((done, all) -> {
                                total = all;
                                locked = done;
                                options.progress().at(done, all);
                            }));
            if (!result.complete(held)) {
                held.close();
            }
        } catch (Throwable e) {
            result.completeExceptionally(e);
        }
    }

    void startIn(Thread thread) {
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            result.completeExceptionally(e);
        }
    }

    /**
     * Returns how much is done so far.
     *
     * @return bytes, at most {@link #totalBytes}
     */
    public long lockedBytes() {
        return locked;
    }

    /**
     * Returns how much there is to do.
     *
     * @return bytes; 0 until the files are listed and mapped
     */
    public long totalBytes() {
        return total;
    }

    /**
     * Returns the outcome for dependent stages. Completing or cancelling the returned stage does not affect the lock.
     *
     * @return the stage
     */
    public CompletionStage<HeldFiles> stage() {
        return result.thenApply(held -> held);
    }

    /**
     * Cancels the lock if it has not ended. What is locked so far is unlocked within about a tenth of a second, after this has
     * completed as cancelled.
     *
     * @param mayInterruptIfRunning not used
     * @return whether it was cancelled
     */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return result.cancel(mayInterruptIfRunning);
    }

    @Override
    public boolean isCancelled() {
        return result.isCancelled();
    }

    @Override
    public boolean isDone() {
        return result.isDone();
    }

    @Override
    public HeldFiles get() throws InterruptedException, ExecutionException {
        return result.get();
    }

    @Override
    public HeldFiles get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        return result.get(timeout, unit);
    }
}
