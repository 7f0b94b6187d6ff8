// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.standin.StandInHarness;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/** The stand-in as the system, and Linux below it as the witness. */
final class FreeBsdHarness implements Harness {
    private final StandIn kernel = new StandIn();
    private final Witness memory = new Witness();
    private final FreeBsdBackend backend;
    private final Set<Ability> abilities = EnumSet.allOf(Ability.class);

    FreeBsdHarness() {
        this(Long.MAX_VALUE, true);
    }

    /**
     * A process with a limit.
     *
     * @param limit RLIMIT_MEMLOCK in bytes
     * @param permitted whether it may lock at all
     */
    FreeBsdHarness(long limit, boolean permitted) {
        kernel.set("limit_cur", limit);
        forbid(!permitted);
        if (!permitted) {
            // It binds no process that may not lock at all.
            abilities.remove(Ability.SET_LIMIT);
        }
        // The maximum of the system would skip the tests of the address space, since a JVM has reserved more than that.
        kernel.set("max_user_wired", -1);
        // Both ways of vm.mincore_mapped; by default, FreeBSD does not know that a page is absent.
        boolean looksBeyond = limit != Long.MAX_VALUE;
        kernel.set("mincore_mapped", looksBeyond ? 0 : 1);
        if (!looksBeyond) {
            abilities.remove(Ability.TELL_ABSENT);
        }
        backend = kernel.open();
        abilities.remove(Ability.SEE_ON_FAULT);
        abilities.remove(Ability.MAP_UNLOCKABLE);
        abilities.remove(Ability.SEE_SYNC);
        abilities.remove(Ability.SHORTEN_LOCKED);
        if (!Witness.isUnbound()) {
            abilities.remove(Ability.LOCK_ADDRESS_SPACE);
        }
    }

    @Override
    public Set<Ability> abilities() {
        return Collections.unmodifiableSet(abilities);
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public BackendProvider provider() {
        return new FreeBsdProvider();
    }

    @Override
    public long pageSize() {
        return Witness.PAGE;
    }

    @Override
    public long room() {
        if (kernel.get("unprivileged_mlock") == 0) {
            return 0;
        }
        long limit = kernel.get("limit_cur");
        return limit == Long.MAX_VALUE ? limit : Math.max(0, limit - Witness.lockedBytes());
    }

    @Override
    public Reason refusal() {
        return kernel.get("unprivileged_mlock") == 0 ? Reason.NOT_PERMITTED : Reason.OVER_LIMIT;
    }

    @Override
    public long map(long pages) {
        return memory.map(pages);
    }

    @Override
    public void unmap(long address, long pages) {
        memory.unmap(address, pages);
    }

    @Override
    public void touch(long address) {
        memory.touch(address);
    }

    @Override
    public void close() {
        new StandIn().call("munlockall");
        memory.close();
    }

    @Override
    public boolean isLocked(long address) {
        return Witness.isLocked(address);
    }

    @Override
    public boolean isResident(long address) {
        return Witness.isResident(address);
    }

    @Override
    public long lockedBytes() {
        return Witness.lockedBytes();
    }

    @Override
    public LimitValue limit() {
        if (kernel.get("unprivileged_mlock") == 0) {
            return LimitValue.ofBytes(0);
        }
        long limit = kernel.get("limit_cur");
        return limit == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(limit);
    }

    @Override
    public void setLimit(long bytes) {
        kernel.set("limit_cur", bytes);
    }

    @Override
    public void forbid(boolean value) {
        kernel.set("unprivileged_mlock", value ? 0 : 1);
        kernel.set("euid", 1001);
    }

    @Override
    public void remap(long address, long pages) {
        memory.remap(address, pages);
    }

    @Override
    public void protect(long address, long pages) {
        memory.protect(address, pages);
    }

    @Override
    public long mapFile(long pages) {
        return memory.mapFile(pages);
    }

    @Override
    public void truncate(long address, long pages) {
        memory.truncate(address, pages);
    }

    @Override
    public void refuseUnlock(boolean value) {
        kernel.fail("munlock", value ? -1 : 0, 1);
    }

    @Override
    public void refuseUnlockAll(boolean value) {
        kernel.fail("munlockall", value ? -1 : 0, 1);
    }

    @Override
    public void setSystemLimit(long bytes) {
        kernel.set("max_user_wired", bytes / Witness.PAGE);
    }

    @Override
    public void refuseNextLock() {
        kernel.fail("mlock", 1, 12);
    }

    @Override
    public void holdNextLock(CountDownLatch arrived, CountDownLatch until) {
        kernel.set("release", 0);
        kernel.set("hold_mlock", 1);
        StandInHarness.holdUntil(() -> kernel.get("held") != 0, arrived, until, () -> kernel.set("release", 1));
    }
}
