// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.MemoryHarness;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.MemoryGuard;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * Serves as the harness of a backend that runs over a {@link StandIn}. The witness is the Linux underneath: smaps,
 * pagemap and VmLck. The {@code with} methods say which knobs and functions the stand-in has; call them before the
 * first test.
 */
public final class StandInHarness extends MemoryHarness<StandInHarness> {
    private final StandIn standIn;
    private final String lock;
    private final String unlock;
    private String limitKnob;
    private String systemKnob;
    private String permissionKnob;
    private String unlockAll;
    private int unlockErrno;
    private int lockErrno;
    private Reason bound = Reason.OVER_LIMIT;
    private long limit = Long.MAX_VALUE;
    private boolean forbidden;

    /**
     * Makes a harness, and resets the stand-in.
     *
     * @param standIn the stand-in
     * @param backend the backend, bound to it
     * @param provider the provider of the backend
     * @param lock the name under which the stand-in counts calls that lock
     * @param unlock the name under which it counts calls that unlock
     * @param unlockErrno an errno that unlocking may leave, though not for a hole
     */
    public StandInHarness(
            StandIn standIn, Backend backend, BackendProvider provider, String lock, String unlock, int unlockErrno) {
        super(standIn, backend, provider);
        standIn.reset();
        this.standIn = standIn;
        with(
                Ability.SEE_LOCKED,
                Ability.SEE_RESIDENT,
                Ability.TELL_ABSENT,
                Ability.SEE_LOCKED_BYTES,
                Ability.REFUSE_UNLOCK,
                Ability.REFUSE_UNLOCK_ALONE,
                Ability.HOLD_LOCK,
                Ability.SEE_GUARDS);
        this.lock = lock;
        this.unlock = unlock;
        this.unlockErrno = unlockErrno;
    }

    /**
     * Says that the system has a limit.
     *
     * @param knob the knob that sets it, in bytes
     * @return this harness
     */
    public StandInHarness withLimit(String knob) {
        limitKnob = knob;
        return with(Ability.SEE_LIMIT, Ability.SET_LIMIT, Ability.SET_UNLIMITED);
    }

    /**
     * Says that the backend can read the limit of the whole system.
     *
     * @param knob the knob that sets it, in bytes
     * @return this harness
     */
    public StandInHarness withSystemLimit(String knob) {
        systemKnob = knob;
        return with(Ability.SET_SYSTEM_LIMIT);
    }

    /**
     * Says that unlocking the address space can be refused.
     *
     * @param function the name under which the stand-in counts the calls that do it
     * @return this harness
     */
    public StandInHarness withUnlockAll(String function) {
        unlockAll = function;
        return with(Ability.REFUSE_UNLOCK_ALL);
    }

    /**
     * Says that locking needs a privilege.
     *
     * @param knob the knob that grants it
     * @return this harness
     */
    public StandInHarness withPermission(String knob) {
        permissionKnob = knob;
        return with(Ability.FORBID);
    }

    /**
     * Says with which errno a lock is refused for a limit or a hole.
     *
     * @param errno the errno
     * @return this harness
     */
    public StandInHarness withRefusal(int errno) {
        lockErrno = errno;
        return with(Ability.REFUSE_LOCK);
    }

    /**
     * Says which of the system's limits stands for that of the Linux underneath if that binds this process. Both are
     * then the same, so that the refusal beyond it is the system's own. If nothing binds the process, nothing is set.
     *
     * @param knob the knob of the limit, in bytes
     * @param reason why the system refuses a lock beyond it
     * @return this harness
     */
    public StandInHarness withRoomOf(String knob, Reason reason) {
        long room = ProcWitness.roomToLock();
        if (room != Long.MAX_VALUE) {
            bound = reason;
            limit = room;
            standIn.set(knob, room);
        }
        return this;
    }

    @Override
    public Set<Ability> abilities() {
        Set<Ability> all = EnumSet.copyOf(super.abilities());
        if (ProcWitness.roomToLock() != Long.MAX_VALUE) {
            // Future locking is real, and under a limit of Linux would end this JVM.
            all.remove(Ability.LOCK_ADDRESS_SPACE);
        }
        return Collections.unmodifiableSet(all);
    }

    @Override
    public long room() {
        if (forbidden) {
            return 0;
        }
        return limit == Long.MAX_VALUE ? limit : Math.max(0, limit - standIn.lockedBytes());
    }

    @Override
    public Reason refusal() {
        return forbidden ? Reason.NOT_PERMITTED : bound;
    }

    @Override
    public boolean isGuarded(long address, MemoryGuard guard) {
        return ProcWitness.isGuarded(address, guard);
    }

    /** Unlocks and unmaps everything. */
    @Override
    public void close() {
        standIn.reset();
    }

    @Override
    public LimitValue limit() {
        return limit == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(limit);
    }

    @Override
    public void setLimit(long bytes) {
        limit = bytes;
        standIn.set(limitKnob, bytes == Long.MAX_VALUE ? -1 : bytes);
    }

    @Override
    public void setSystemLimit(long bytes) {
        standIn.set(systemKnob, bytes);
    }

    /** Works for a stand-in that calls {@code synced} of standin.h. */
    @Override
    public String lastSync() {
        return standIn.lastSync();
    }

    @Override
    public void forbid(boolean value) {
        forbidden = value;
        standIn.set(permissionKnob, value ? 0 : 1);
    }

    @Override
    public void refuseUnlock(boolean value) {
        standIn.fail(unlock, 0, value ? unlockErrno : 0);
    }

    @Override
    public void refuseUnlockAll(boolean value) {
        standIn.fail(unlockAll, 0, value ? unlockErrno : 0);
    }

    @Override
    public void refuseNextLock() {
        standIn.fail(lock, 1, lockErrno);
    }

    @Override
    public void holdNextLock(CountDownLatch arrived, CountDownLatch until) {
        standIn.hold(lock);
        Thread watcher = new Thread(
                () -> {
                    try {
                        while (!standIn.arrived()) {
                            Thread.sleep(1);
                        }
                        arrived.countDown();
                        until.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } finally {
                        standIn.release();
                    }
                },
                "stand-in-hold");
        watcher.setDaemon(true);
        watcher.start();
    }
}
