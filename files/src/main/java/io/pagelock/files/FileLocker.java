// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.CheckReturnValue;
import io.pagelock.PageLocker;
import io.pagelock.spi.DaemonThread;
import java.util.Objects;

/**
 * Locks whole files in memory, of any size and number: maps them read-only, brings them in and locks them in steps, and
 * then notices when they change. <strong>The {@link HeldFiles} is the lock:</strong> keep it, and close it to unlock.
 *
 * <p>A lock keeps the pages of a mapping in memory, not the file. If the file is truncated, replaced, given holes or
 * written to past the page cache, fewer of its pages are in memory. Watching notices this, see
 * {@link FileLockOptions#onChange}.
 *
 * <p>Each file takes one mapping, and one for each GiB beyond the first; Linux allows a process 65,530 unless
 * {@code vm.max_map_count} says otherwise. What is locked counts against the limit of the process, see
 * {@link PageLocker#limits}. An interrupt does not end a lock, and the thread stays interrupted. Safe for use by several threads.
 */
public final class FileLocker {
    private final PageLocker locker;

    private FileLocker(PageLocker locker) {
        this.locker = locker;
    }

    /**
     * Returns a file locker over the page locker of this process.
     *
     * @return the file locker
     * @throws io.pagelock.PageLockException as {@link PageLocker#system}
     */
    public static FileLocker system() {
        return over(PageLocker.system());
    }

    /**
     * Returns a file locker over a page locker. If its {@link PageLocker#policy} is not {@link io.pagelock.LockPolicy#REQUIRED}, every
     * lock is one of best effort, and it is no failure if nothing is locked.
     *
     * @param locker locks the mappings
     * @return the file locker
     */
    public static FileLocker over(PageLocker locker) {
        return new FileLocker(Objects.requireNonNull(locker, "locker"));
    }

    /**
     * Lists files, and locks them.
     *
     * @param files which
     * @param options how
     * @return the files; close it to unlock them
     * @throws FileLockException as {@link #lock(FileListing, FileLockOptions)}, or if a path of the selection cannot be looked at
     */
    @CheckReturnValue
    public HeldFiles lock(FileSelection files, FileLockOptions options) {
        return lock(files.list(options.cancelled()), options);
    }

    /**
     * Locks files. Returns once everything that was asked for is in memory and locked, or, under best effort, what can be.
     *
     * @param files which
     * @param options how
     * @return the files; close it to unlock them
     * @throws FileLockException if something cannot be locked and everything is required, or nothing can be; nothing stays
     *     locked, see {@link FileLockException#files}
     * @throws UnsupportedOperationException if an option needs a {@link io.pagelock.Capability} that the backend lacks
     */
    @CheckReturnValue
    public HeldFiles lock(FileListing files, FileLockOptions options) {
        HeldFiles held = new HeldFiles(new Locking(locker, options), options);
        held.lock(files);
        return held;
    }

    /**
     * Starts to lock files in a thread of this library and returns at once.
     *
     * @param files which
     * @param options how
     * @return the lock in progress; close what it yields. It completes with an {@code OutOfMemoryError} if no thread can be started
     */
    @CheckReturnValue
    public PendingFiles lockAsync(FileSelection files, FileLockOptions options) {
        PendingFiles pending = new PendingFiles();
        pending.startIn(DaemonThread.withRightsOfCaller("pagelock-files", () -> pending.run(this, files, options)));
        return pending;
    }
}
