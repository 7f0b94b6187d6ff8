// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What the caller sees of a {@link Hold}. */
final class Handle implements PageLock {
    private final Engine engine;
    private final List<MemoryRange> ranges;
    private Hold hold;

    Handle(Engine engine, List<MemoryRange> ranges) {
        this.engine = engine;
        this.ranges = ranges;
    }

    /** Called once, before anybody else sees the handle. */
    void stand(Hold claim) {
        this.hold = claim;
    }

    @Override
    public List<MemoryRange> ranges() {
        return ranges;
    }

    @Override
    public Set<LockOption> options() {
        return hold.onFault ? Collections.singleton(LockOption.ON_FAULT) : EnumSet.noneOf(LockOption.class);
    }

    @Override
    public boolean isValid() {
        return engine.isValid(hold);
    }

    @Override
    public void close() {
        engine.close(this, hold);
    }

    /** Keeps this handle reachable up to here, so that it is not taken for dropped while it closes. */
    synchronized void touch() {
        stand(hold);
    }

    @Override
    public String toString() {
        return "PageLock" + ranges + (isValid() ? "" : " (not valid)");
    }
}
