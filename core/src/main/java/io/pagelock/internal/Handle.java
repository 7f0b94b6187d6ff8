// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the caller sees of a {@link Hold}. */
final class Handle implements PageLock {
    private final Engine engine;
    /** One range, as nearly every handle has, or an unmodifiable list of several. */
    private final Object ranges;

    private Hold hold;

    /**
     * What must stay reachable until the pages are unlocked: a buffer, or a list of owners. Not held by the hold, which outlives a
     * leaked handle: its buffer would need a second collection, and ByteBuffer.allocateDirect asks for one only.
     */
    private Object anchor;

    /** Why nothing is locked, and whom its close concerns; null for every handle that has locked something. */
    private PageLockException failure;

    private PolicyLocker policy;

    Handle(Engine engine, Object ranges) {
        this.engine = engine;
        this.ranges = ranges;
    }

    /** Called once, before anybody else sees the handle. */
    Handle stand(Hold claim, Object owner) {
        hold = claim;
        anchor = owner;
        return this;
    }

    /** Called at most once, before anybody else sees the handle: the system refused, and the handle stands for nothing. */
    void without(PageLockException why, PolicyLocker locker) {
        failure = why;
        policy = locker;
    }

    /** Refuses a lock that was asked for earlier and begins now, if the arena of its memory was closed in between. */
    void checkOwners() {
        MemoryScopes.checkStillAlive(anchor);
    }

    /** Called when the pages are unlocked. */
    void letGo() {
        anchor = null;
    }

    /** Records where the handle is made, in the thread that makes it. */
    void record(Leaks leaks, long now) {
        hold.place = leaks.place(now, anchor);
    }

    Hold hold() {
        return hold;
    }

    /** The bytes asked for, an overlap counted twice. */
    long bytes() {
        return ranges().stream().mapToLong(MemoryRange::length).sum();
    }

    @Override
    @SuppressWarnings("unchecked")
    public List<MemoryRange> ranges() {
        return ranges instanceof MemoryRange
                ? Collections.singletonList((MemoryRange) ranges)
                : (List<MemoryRange>) ranges;
    }

    @Override
    public Set<LockOption> options() {
        return LockOptions.of(hold.onFault);
    }

    @Override
    public boolean isValid() {
        return engine.isValid(hold);
    }

    @Override
    public Optional<PageLockException> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void close() {
        if (failure != null) {
            anchor = null;
            policy.closed(this);
        } else {
            engine.close(this, hold);
        }
    }

    @Override
    public String toString() {
        return "PageLock" + ranges() + (isValid() ? "" : failure == null ? " (not valid)" : " (not locked)");
    }
}
