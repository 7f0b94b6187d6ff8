// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import java.util.Set;

/** An address-space lock whose refusals have what the engine knows. */
final class ExplainedLock implements AddressSpaceLock {
    private final Engine engine;
    /** Written before the caller has this. */
    AddressSpaceLock lock;

    ExplainedLock(Engine engine) {
        this.engine = engine;
    }

    @Override
    public AddressSpaceScope scope() {
        return lock.scope();
    }

    @Override
    public Set<LockOption> options() {
        return lock.options();
    }

    @Override
    public boolean isValid() {
        return lock.isValid();
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (PageLockException e) {
            throw engine.explain(e, lock.isValid() ? "unlock the address space" : "lock a handle's pages again:", null);
        }
    }

    @Override
    public String toString() {
        return lock.toString();
    }
}
