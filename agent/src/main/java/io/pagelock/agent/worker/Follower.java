// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.MemoryRange;
import io.pagelock.spi.RangeSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Keeps the committed memory of the JVM locked while it grows and shrinks. Each round locks what is new. A mapping that was
 * replaced by another at the same address since the last round looks as before and is not locked; the kernel's account of
 * locked bytes is then too small, and everything is asked for again, as it is every {@value #ROUNDS} rounds in any case. For one
 * thread.
 */
final class Follower {
    private static final int ROUNDS = 60;
    private static final int MOST_HANDLES = 32;
    /** Each asks the kernel why, and the next will be refused, too. */
    private static final int MOST_REFUSALS = 8;

    private final Request request;
    private final CommittedMemory memory;
    private final Target target;
    /** By the kernel; a number that no process reaches if it does not say. */
    private final LongSupplier lockedBytes;

    private final List<AutoCloseable> handles = new ArrayList<>();
    private RangeSet held = RangeSet.empty();
    private int rounds;
    /** What the JVM used at the last look, and what of it is locked. */
    private volatile long[] bytes = {0, 0};

    Follower(Request request, CommittedMemory memory, Target target, LongSupplier lockedBytes) {
        this.request = request;
        this.memory = memory;
        this.target = target;
        this.lockedBytes = lockedBytes;
    }

    long committedBytes() {
        return bytes[0];
    }

    long heldBytes() {
        return bytes[1];
    }

    /**
     * Looks once.
     *
     * @return why not everything is locked; empty if it is
     */
    List<Refusal> round() {
        RangeSet now;
        try {
            now = memory.read();
        } catch (IOException e) {
            return Collections.singletonList(new Refusal("UNKNOWN", "the list of mappings cannot be read: " + e, e));
        }
        held = held.intersect(now);
        boolean again =
                rounds++ % ROUNDS == 0 || handles.size() > MOST_HANDLES || lockedBytes.getAsLong() < held.bytes();
        List<AutoCloseable> before = again ? new ArrayList<>(handles) : Collections.emptyList();
        List<Refusal> refused = new ArrayList<>();
        RangeSet locked = lock(again ? now : now.subtract(held), refused);
        if (again) {
            locked = locked.union(lockStill(held.subtract(locked)));
        }
        // Before their end, so that no page is without a lock in between.
        before.forEach(Follower::close);
        handles.removeAll(before);
        held = again ? locked : held.union(locked);
        bytes = new long[] {now.bytes(), held.bytes()};
        return refused;
    }

    /** Unlocks everything. */
    void end() {
        handles.forEach(Follower::close);
        handles.clear();
        held = RangeSet.empty();
    }

    /** Locks all together; if that is refused, what can be. */
    private RangeSet lock(RangeSet wanted, List<Refusal> refused) {
        RangeSet.Builder locked = RangeSet.builder();
        if (wanted.isEmpty()) {
            return locked.build();
        }
        try {
            handles.add(target.lock(wanted.asList(), request.options));
            return wanted;
        } catch (Refusal whole) {
            if (whole.isOfLimit()) {
                refused.add(whole);
                if (request.required) {
                    return locked.build();
                }
            }
        }
        for (MemoryRange each : wanted.asList()) {
            try {
                handles.add(target.lock(Collections.singletonList(each), request.options));
                locked.add(each);
            } catch (Refusal one) {
                if (isThere(each)) {
                    refused.add(one);
                }
                if (refused.size() == MOST_REFUSALS) {
                    return locked.build();
                }
            }
        }
        return locked.build();
    }

    /** Locks again what is locked, which must not end because something else is refused. */
    private RangeSet lockStill(RangeSet wanted) {
        RangeSet.Builder locked = RangeSet.builder();
        if (wanted.isEmpty() || lockStill(wanted.asList())) {
            return wanted;
        }
        for (MemoryRange each : wanted.asList()) {
            if (lockStill(Collections.singletonList(each))) {
                locked.add(each);
            }
        }
        return locked.build();
    }

    private boolean lockStill(List<MemoryRange> ranges) {
        try {
            handles.add(target.lock(ranges, request.options));
            return true;
        } catch (Refusal e) {
            // Reported with the rest.
            return false;
        }
    }

    /** Threads end and memory is given back while this looks. */
    private boolean isThere(MemoryRange range) {
        try {
            return memory.read().contains(range);
        } catch (IOException e) {
            return true;
        }
    }

    private static void close(AutoCloseable handle) {
        try {
            handle.close();
        } catch (Exception e) {
            // What cannot be unlocked stays with the copy that counts.
            return;
        }
    }
}
