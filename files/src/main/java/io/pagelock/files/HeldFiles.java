// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.spi.DaemonThread;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Holds files locked in memory until it is closed. Keep a reference to it; if nobody does, it is garbage-collected and
 * its files are unlocked. Safe for use by several threads; {@link #close} waits for a {@link #check} in progress.
 */
public final class HeldFiles implements AutoCloseable {
    private final Locking locking;
    private final FileLockOptions options;
    private final Bell bell = new Bell();
    private List<FileLockException> skipped = Collections.emptyList();
    private Watch watch;
    private boolean closed;
    private volatile FileLockException failure;

    HeldFiles(Locking locking, FileLockOptions options) {
        this.locking = locking;
        this.options = options;
    }

    void lock(FileListing list) {
        try {
            locking.map(list, MappingBudget.system());
            skipped = new ArrayList<>(list.skipped());
            skipped.addAll(locking.vanished());
            locking.lock();
            watch();
        } catch (FileLockException e) {
            locking.discard().ifPresent(e::addSuppressed);
            throw e.with(locking.files());
        } catch (RuntimeException | Error e) {
            locking.discard().ifPresent(e::addSuppressed);
            throw e;
        }
    }

    private void watch() {
        watch = new Watch(locking, options);
        if (options.interval() != null) {
            DaemonThread.withRightsOfCaller("pagelock-files-watch", new Watcher(this, options.interval()))
                    .start();
        }
    }

    /** Ends the wait of the watcher, also if the end comes first. An object of its own, since a thread keeps what it waits for. */
    private static final class Bell {
        private boolean rung;

        synchronized void ring() {
            rung = true;
            notifyAll();
        }

        /** Returns whether it has rung. */
        synchronized boolean await(long millis) {
            try {
                if (!rung) {
                    wait(millis);
                }
            } catch (InterruptedException e) {
                // Nobody has a reason to.
                return rung;
            }
            return rung;
        }
    }

    /** Looks after files for as long as somebody keeps them. */
    private static final class Watcher implements Runnable {
        /** However long the interval is, a dropped lock does not keep the thread. */
        private static final long LONGEST_WAIT = 10_000;

        private final WeakReference<HeldFiles> files;
        private final Bell bell;
        private final long interval;

        Watcher(HeldFiles files, Duration interval) {
            this.files = new WeakReference<>(files);
            this.bell = files.bell;
            this.interval = millis(interval);
        }

        private static long millis(Duration interval) {
            // Of more, the milliseconds would not fit.
            return interval.getSeconds() > Integer.MAX_VALUE ? Long.MAX_VALUE : Math.max(1, interval.toMillis());
        }

        @Override
        public void run() {
            long left = interval;
            while (!bell.await(Math.min(left, LONGEST_WAIT)) && files.get() != null) {
                left -= Math.min(left, LONGEST_WAIT);
                if (left == 0) {
                    look();
                    left = interval;
                }
            }
        }

        private void look() {
            try {
                HeldFiles held = files.get();
                if (held != null) {
                    held.check();
                }
            } catch (RuntimeException | Error e) {
                // The listener's, or the heap is full; the next look may do better, and the files still need one.
                return;
            }
        }
    }

    /**
     * Returns the files, in the order of the selection, locked or not.
     *
     * @return an unmodifiable list
     */
    public List<HeldFile> files() {
        return locking.files();
    }

    /**
     * Returns the files that were skipped when they were listed, see {@link FileListing#skipped}, and files in
     * directories that vanished before they were mapped.
     *
     * @return an unmodifiable list
     */
    public List<FileLockException> skipped() {
        return Collections.unmodifiableList(skipped);
    }

    /**
     * Returns how much was asked for.
     *
     * @return bytes of all files that could be mapped
     */
    public long bytes() {
        return files().stream().mapToLong(HeldFile::bytes).sum();
    }

    /**
     * Returns how much is locked, or was until it was closed.
     *
     * @return bytes, in whole pages
     */
    public long lockedBytes() {
        return files().stream().mapToLong(HeldFile::lockedBytes).sum();
    }

    /**
     * Reports whether everything that was asked for was locked.
     *
     * @return false if a file has a {@link HeldFile#problem}
     */
    public boolean isComplete() {
        return files().stream().noneMatch(file -> file.problem().isPresent());
    }

    /**
     * Checks the files, and handles those that changed as {@link FileLockOptions#onChange} says. With very many files,
     * each call checks the next 5,000, and the residency of the next GiB.
     *
     * @return the changes that the listener also received; none once this is closed
     */
    public List<FileChange> check() {
        List<FileChange> changes;
        synchronized (this) {
            if (closed) {
                return Collections.emptyList();
            }
            changes = watch.look();
            if (options.onChange() == ChangePolicy.FAIL && !changes.isEmpty()) {
                failure = failure(changes.get(0));
                end().ifPresent(failure::addSuppressed);
            }
        }
        report(changes);
        return changes;
    }

    /** Reports each change to the listener, whatever that throws: none is noticed a second time. */
    private void report(List<FileChange> changes) {
        RuntimeException first = null;
        for (FileChange each : changes) {
            try {
                options.listener().accept(each);
            } catch (RuntimeException e) {
                if (first == null) {
                    first = e;
                } else if (first != e) {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private static FileLockException failure(FileChange change) {
        return new FileLockException(
                FileLockException.CHANGED, change.path(), change + " while it was held; everything is unlocked", null);
    }

    /**
     * Returns why everything was unlocked.
     *
     * @return the change that caused it; only under {@link ChangePolicy#FAIL}
     */
    public Optional<FileLockException> failure() {
        return Optional.ofNullable(failure);
    }

    private Optional<FileLockException> end() {
        closed = true;
        bell.ring();
        return locking.unlock();
    }

    /**
     * Checks all files a last time, reports changes to the listener, and unlocks everything. Closing again does
     * nothing, unless something could not be unlocked.
     *
     * @throws FileLockException if something is still locked; the other files are unlocked, and closing again tries
     *     again
     */
    @Override
    public void close() {
        List<FileChange> changes = Collections.emptyList();
        Optional<FileLockException> stuck;
        synchronized (this) {
            try {
                if (!closed) {
                    changes = watch.lookAtAll();
                }
            } finally {
                // Also if the look fails, for want of memory perhaps.
                stuck = end();
            }
        }
        try {
            report(changes);
        } finally {
            if (stuck.isPresent()) {
                throw stuck.get();
            }
        }
    }
}
