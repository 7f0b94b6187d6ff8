// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.time.Duration;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Says how files are locked and watched. Immutable; each method returns a changed copy. */
public final class FileLockOptions {
    /** Receives the progress of a lock. The thread that locks calls it at least once; keep it short. */
    public interface Progress {
        /**
         * Reports progress.
         *
         * @param lockedBytes how many bytes are done so far, including files that could not be locked
         * @param totalBytes how many bytes there are in all
         */
        void at(long lockedBytes, long totalBytes);
    }

    private final boolean bestEffort;
    private boolean onFault;
    private long budget = Long.MAX_VALUE;
    private ChangePolicy onChange = ChangePolicy.REPORT;
    private Consumer<FileChange> listener = change -> {};
    private Duration interval;
    private Progress progress = (done, total) -> {};
    private BooleanSupplier cancelled = () -> false;

    private FileLockOptions(boolean bestEffort) {
        this.bestEffort = bestEffort;
    }

    private FileLockOptions(FileLockOptions from) {
        bestEffort = from.bestEffort;
        onFault = from.onFault;
        budget = from.budget;
        onChange = from.onChange;
        listener = from.listener;
        interval = from.interval;
        progress = from.progress;
        cancelled = from.cancelled;
    }

    /**
     * Returns options that require everything: if one file cannot be locked, none is.
     *
     * @return the options
     */
    public static FileLockOptions required() {
        return new FileLockOptions(false);
    }

    /**
     * Returns options that lock as much as possible, in the order of the selection. The last file that the limit leaves
     * room for is locked in part. Each {@link HeldFile} says what was not locked, and why. The lock fails only if
     * nothing could be locked.
     *
     * @return the options
     */
    public static FileLockOptions bestEffort() {
        return new FileLockOptions(true);
    }

    /**
     * Limits how much is locked, in the order of the selection. The file at which the budget ends is locked in part,
     * and those after it are not. This is no failure; {@link HeldFile#problem} reports it.
     *
     * @param bytes the budget in bytes, 0 or more, rounded down to pages
     * @return a copy with the budget
     * @throws IllegalArgumentException if it is negative
     */
    public FileLockOptions budget(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a budget of " + bytes + " bytes");
        }
        FileLockOptions copy = new FileLockOptions(this);
        copy.budget = bytes;
        return copy;
    }

    /**
     * Locks the pages that are in memory now, and later only those that this process itself touches. The kernel does
     * <strong>not</strong> lock a page because another process reads it, so pages that others bring in after the start
     * are not locked. The whole of each file is charged against the limit. Needs
     * {@link io.pagelock.Capability#LOCK_ON_FAULT} and {@link io.pagelock.Capability#RESIDENT_PAGES}. Source: mlock2(2)
     * Linux, {@code MLOCK_ONFAULT}.
     *
     * @return a copy that brings nothing in
     */
    public FileLockOptions onFault() {
        FileLockOptions copy = new FileLockOptions(this);
        copy.onFault = true;
        return copy;
    }

    /**
     * Sets what to do when a held file changes. {@link HeldFiles#check} notices changes, or a thread of this library
     * does, see {@link #watch}.
     *
     * @param policy what to do; {@link ChangePolicy#REPORT} unless this is called
     * @param listener receives each change, on the thread that notices it; the same kind of change of a file is
     *     reported once, unless the file was locked again in between
     * @return a copy with the policy
     */
    public FileLockOptions onChange(ChangePolicy policy, Consumer<FileChange> listener) {
        FileLockOptions copy = new FileLockOptions(this);
        copy.onChange = Objects.requireNonNull(policy, "policy");
        copy.listener = Objects.requireNonNull(listener, "listener");
        return copy;
    }

    /**
     * Watches the files on a thread of this library until they are closed. Without it, call {@link HeldFiles#check}.
     *
     * @param interval how often to check, more than 0
     * @return a copy that watches
     * @throws IllegalArgumentException if the interval is 0 or negative
     */
    public FileLockOptions watch(Duration interval) {
        if (interval.isNegative() || interval.isZero()) {
            throw new IllegalArgumentException("an interval of " + interval);
        }
        FileLockOptions copy = new FileLockOptions(this);
        copy.interval = interval;
        return copy;
    }

    /**
     * Reports the progress of the lock.
     *
     * @param to receives it
     * @return a copy that reports
     */
    public FileLockOptions progress(Progress to) {
        FileLockOptions copy = new FileLockOptions(this);
        copy.progress = Objects.requireNonNull(to, "progress");
        return copy;
    }

    /**
     * Cancels the lock as soon as possible when the given condition is true. It then fails with
     * {@link FileLockException#CANCELLED}, and nothing stays locked.
     *
     * @param asked returns whether to cancel; called by any thread between steps, which take about a tenth of a second
     * @return a copy that can be cancelled
     */
    public FileLockOptions cancelWhen(BooleanSupplier asked) {
        FileLockOptions copy = new FileLockOptions(this);
        copy.cancelled = Objects.requireNonNull(asked, "asked");
        return copy;
    }

    boolean isBestEffort() {
        return bestEffort;
    }

    boolean isOnFault() {
        return onFault;
    }

    long budget() {
        return budget;
    }

    ChangePolicy onChange() {
        return onChange;
    }

    Consumer<FileChange> listener() {
        return listener;
    }

    /** How often to look; null without a thread. */
    Duration interval() {
        return interval;
    }

    Progress progress() {
        return progress;
    }

    BooleanSupplier cancelled() {
        return cancelled;
    }
}
