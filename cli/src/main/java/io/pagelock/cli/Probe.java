// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.OptionalLong;

/** Really locks and unlocks one page, and asks the system what it counts before, meanwhile and after. */
final class Probe {
    /** What the system says at one moment. */
    private static final class Witness {
        private final OptionalLong lockedBytes;
        private final Tristate page;

        Witness(PageLocker locker, MemoryRange range) {
            lockedBytes = locker.limits().lockedBytes();
            page = locker.pageStates(range).locked(0);
        }

        @Override
        public String toString() {
            return (lockedBytes.isPresent() ? lockedBytes.getAsLong() + " bytes" : "unknown") + " (page locked: "
                    + page.name().toLowerCase(Locale.ROOT) + ")";
        }

        Json toJson() {
            return new Json().put("lockedBytes", lockedBytes).put("pageLocked", page);
        }
    }

    private Witness before;
    private Witness during;
    private Witness after;
    private Failure failure;

    private Probe() {}

    static Probe run(PageLocker locker) {
        Probe probe = new Probe();
        int pageSize = Math.toIntExact(locker.pageSize());
        // Two pages of bytes hold one whole page wherever they start.
        ByteBuffer memory = ByteBuffer.allocateDirect(2 * pageSize);
        MemoryRange page = MemoryRange.of(
                MemoryRange.of(locker.rangeOf(memory).address() + pageSize - 1, 1)
                        .alignedTo(pageSize)
                        .address(),
                pageSize);
        try {
            probe.run(locker, page);
        } catch (PageLockException e) {
            probe.failure = Failure.of(e);
        }
        // Keeps the memory reachable: the range alone does not.
        memory.put(0, (byte) 0);
        return probe;
    }

    private void run(PageLocker locker, MemoryRange page) {
        before = new Witness(locker, page);
        PageLock lock = locker.lock(page);
        try {
            during = new Witness(locker, page);
        } finally {
            lock.close();
        }
        after = new Witness(locker, page);
        failure = contradiction(page.length());
    }

    private Failure contradiction(long pageSize) {
        if (during.page == Tristate.NO || grown(before, during, pageSize) == Tristate.NO) {
            return new Failure(
                    "CONTRADICTED",
                    "the lock was accepted, but according to the kernel the page is not locked: " + this);
        }
        if (after.page == Tristate.YES || grown(after, during, pageSize) == Tristate.NO) {
            return new Failure(
                    "CONTRADICTED",
                    "the unlock was accepted, but according to the kernel the page is still locked: " + this);
        }
        return null;
    }

    private static Tristate grown(Witness less, Witness more, long by) {
        return less.lockedBytes.isPresent() && more.lockedBytes.isPresent()
                ? Tristate.of(more.lockedBytes.getAsLong() - less.lockedBytes.getAsLong() == by)
                : Tristate.UNKNOWN;
    }

    /** Why it did not work; null if it did. */
    Failure failure() {
        return failure;
    }

    private boolean isWitnessed() {
        return during.page != Tristate.UNKNOWN || during.lockedBytes.isPresent();
    }

    String line() {
        if (failure != null) {
            return "failed: " + failure.getMessage();
        }
        return (isWitnessed() ? "ok: " : "accepted, but this system does not report what is locked: ") + this;
    }

    Json toJson() {
        Json json = new Json().put("result", failure != null ? "failed" : isWitnessed() ? "done" : "unwitnessed");
        put(json, "before", before);
        put(json, "during", during);
        put(json, "after", after);
        return failure == null ? json : failure.addTo(json);
    }

    private static void put(Json json, String key, Witness witness) {
        if (witness == null) {
            json.putNull(key);
        } else {
            json.put(key, witness.toJson());
        }
    }

    @Override
    public String toString() {
        return "locked according to the kernel: before " + before + ", with one page locked " + during + ", after "
                + after;
    }
}
