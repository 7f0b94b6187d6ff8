// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;

/** Locks a buffer that must not fault. */
final class Buffer {
    private Buffer() {}

    public static void main(String[] args) {
        // README
        PageLocker locker = PageLocker.system();
        ByteBuffer buffer = locker.allocatePages(64 * 1024); // whole pages; allocateDirect may touch one more
        try (PageLock lock = locker.lock(buffer)) { // the handle is the lock: keep it
            serve(buffer, lock);
        } catch (PageLockException e) {
            System.err.println(e.getMessage()); // asked for ..., already locked ..., soft limit ..., and what to change
        }
        // end
    }

    private static void serve(ByteBuffer buffer, PageLock lock) {
        System.out.println(buffer.capacity() + " bytes locked: " + lock.isValid());
    }
}
