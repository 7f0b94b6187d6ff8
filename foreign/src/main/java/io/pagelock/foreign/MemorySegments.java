// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.MemoryRange;
import java.lang.foreign.MemorySegment;

/** Makes ranges of memory segments. */
public final class MemorySegments {
    private MemorySegments() {}

    /**
     * Returns the range of a native or mapped segment of any length, or of a slice of one:
     * {@code locker.lock(rangeOf(segment))}.
     *
     * <p>The segment is the owner of the range. The range, and a lock on it, keep the segment's arena reachable, so
     * memory of {@code Arena.ofAuto()} stays mapped while the handle is open. Closing an arena explicitly frees its
     * memory under the handle, like unmapping. Closing the handle afterwards is harmless and still required; until
     * then, the kernel may keep pages locked that the C library has given to other code. Close the handle before the
     * arena.
     *
     * <p>Each use of the range checks the segment again, before any system call.
     *
     * @param segment a segment outside the Java heap with at least one byte
     * @return its range, not rounded, with the segment as its owner
     * @throws IllegalArgumentException if the segment is on the heap or empty, or its range is none that a
     *     {@link MemoryRange} can have
     * @throws IllegalStateException if the segment's arena is closed
     * @throws WrongThreadException if the segment's arena is confined to another thread
     */
    public static MemoryRange rangeOf(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException(segment + " is on the Java heap, where the garbage collector moves it;"
                    + " allocate it in an arena or map a file");
        }
        if (segment.byteSize() == 0) {
            throw new IllegalArgumentException(segment + " is empty; a lock covers at least one byte");
        }
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(
                    "the arena of " + segment + " is closed; its addresses may belong to other memory by now");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("the arena of " + segment + " is confined to a thread other than "
                    + Thread.currentThread().getName() + "; use a shared arena");
        }
        return MemoryRange.of(segment.address(), segment.byteSize(), segment);
    }
}
