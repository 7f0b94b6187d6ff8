// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.spi.Backend;
import io.pagelock.spi.MemoryGuard;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * Serves as the harness of a backend whose system is a {@link FakeKernel}; the kernel is the witness. It declares what
 * the rules of the kernel allow. {@link #without} removes abilities that a backend or its system also lacks, and a
 * subclass may add a provider.
 */
public class FakeHarness implements Harness {
    private static final long PROGRAM = 64;

    private final FakeKernel kernel;
    private final Backend backend;
    private final Set<Ability> abilities = EnumSet.allOf(Ability.class);

    /**
     * Makes a harness.
     *
     * @param kernel the system
     * @param backend a backend over it
     */
    public FakeHarness(FakeKernel kernel, Backend backend) {
        this.kernel = Objects.requireNonNull(kernel, "kernel");
        this.backend = Objects.requireNonNull(backend, "backend");
        KernelRules rules = kernel.rules();
        abilities.remove(Ability.PROVIDE);
        if (rules.has(Trait.NO_PROCESS_LIMIT) || kernel.isPrivileged() && rules.has(Trait.PRIVILEGE_LIFTS_LIMIT)) {
            abilities.remove(Ability.SET_LIMIT);
        }
        if (rules.has(Trait.NO_LOCK_ALL)) {
            abilities.remove(Ability.LOCK_ADDRESS_SPACE);
        }
        if (rules.has(Trait.UNREADABLE_IS_LOCKED)) {
            abilities.remove(Ability.PROTECT);
        }
        // The program itself, whose memory counts for the address space.
        kernel.map(PROGRAM, Kind.ANONYMOUS);
    }

    /**
     * Removes abilities, for a system that lacks what they need: some kind of memory, a limit, a right.
     *
     * @param less the abilities
     * @return this harness
     */
    public final FakeHarness without(Ability... less) {
        for (Ability each : less) {
            abilities.remove(each);
        }
        return this;
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
    public long pageSize() {
        return kernel.rules().pageSize();
    }

    @Override
    public long room() {
        if (!kernel.isPermitted()) {
            return 0;
        }
        long limit = Math.min(kernel.isBoundByLimit() ? kernel.limit() : Long.MAX_VALUE, kernel.systemLimit());
        return limit == Long.MAX_VALUE ? limit : Math.max(0, limit - kernel.lockedBytes());
    }

    @Override
    public Reason refusal() {
        return kernel.isPermitted() ? Reason.OVER_LIMIT : Reason.NOT_PERMITTED;
    }

    @Override
    public long map(long pages) {
        return kernel.map(pages, Kind.ANONYMOUS);
    }

    @Override
    public void unmap(long address, long pages) {
        kernel.unmap(address, pages);
    }

    @Override
    public void touch(long address) {
        kernel.touch(address);
    }

    /** Does nothing: the kernel ends with the test. */
    @Override
    public void close() {}

    @Override
    public boolean isLocked(long address) {
        return kernel.isLocked(address);
    }

    @Override
    public boolean isResident(long address) {
        return kernel.isResident(address);
    }

    @Override
    public boolean isOnFault(long address) {
        return kernel.mode(address) == Mode.ON_FAULT;
    }

    @Override
    public long lockedBytes() {
        return kernel.lockedBytes();
    }

    @Override
    public boolean isGuarded(long address, MemoryGuard guard) {
        return kernel.isGuarded(address, guard);
    }

    @Override
    public int childReads(long address) {
        return kernel.isGuarded(address, MemoryGuard.NOT_INHERITED) || !kernel.isResident(address) ? 0 : 1;
    }

    @Override
    public LimitValue limit() {
        if (kernel.rules().has(Trait.NO_PROCESS_LIMIT)) {
            return LimitValue.none();
        }
        return kernel.limit() == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(kernel.limit());
    }

    @Override
    public void setLimit(long bytes) {
        kernel.setLimit(bytes);
    }

    @Override
    public void setSystemLimit(long bytes) {
        kernel.setSystemLimit(bytes);
    }

    @Override
    public String lastSync() {
        return kernel.lastSync();
    }

    @Override
    public void forbid(boolean value) {
        kernel.setForbidden(value);
    }

    @Override
    public void remap(long address, long pages) {
        kernel.mapAt(address, pages, Kind.ANONYMOUS);
    }

    @Override
    public void protect(long address, long pages) {
        kernel.protect(address, pages, false);
    }

    @Override
    public long mapFile(long pages) {
        return kernel.map(pages, Kind.FILE);
    }

    @Override
    public void truncate(long address, long pages) {
        kernel.truncate(address, pages);
    }

    @Override
    public long mapUnlockable(long pages) {
        return kernel.map(pages, Kind.DROPPABLE);
    }

    @Override
    public void refuseUnlock(boolean value) {
        refuse(Call.MUNLOCK, value);
    }

    @Override
    public void refuseUnlockAll(boolean value) {
        refuse(Call.MUNLOCKALL, value);
    }

    private void refuse(Call refused, boolean value) {
        kernel.intercept(value ? (call, address, length) -> call == refused ? Errno.EPERM : Errno.OK : null);
    }

    @Override
    public void refuseNextLock() {
        // A backend may ask once more.
        kernel.failAt(Call.MLOCK, 1, kernel.rules().errno(Refusal.LIMIT));
        kernel.failAt(Call.MLOCK, 2, kernel.rules().errno(Refusal.LIMIT));
    }

    @Override
    public void holdNextLock(CountDownLatch arrived, CountDownLatch until) {
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK) {
                kernel.intercept(null);
                arrived.countDown();
                try {
                    until.await();
                } catch (InterruptedException e) {
                    return Errno.EINTR;
                }
            }
            return Errno.OK;
        });
    }
}
