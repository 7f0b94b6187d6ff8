// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.ForwardingBackend;
import io.pagelock.backend.testkit.MemoryHarness;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * Serves as the harness of a backend whose system is a {@link RemoteMachine}. The witness is the kernel there, by what
 * {@code agent_witness} in the agent finds that it answers; what an agent cannot do, such as refuse an unlock, is left out. Where the
 * superuser's agent may not lock without its rights, {@link #forbid} takes them.
 * Buffers stand for memory of the agent's.
 */
public final class RemoteHarness extends MemoryHarness<RemoteHarness> {
    private final RemoteMachine machine;
    private final long[] limits;
    private final long lockedBefore;
    private final boolean mayLock;
    /** Whether who has no rights may not lock at all. */
    private final boolean rightsDecide;

    private boolean limitBinds;
    private boolean forbidden;

    /**
     * Makes a harness.
     *
     * @param machine a new session, closed with the harness
     * @param backend the backend, bound to the library of the session
     * @param provider the provider of the backend
     */
    public RemoteHarness(RemoteMachine machine, Backend backend, BackendProvider provider) {
        super(machine, new Buffers(machine, backend), provider);
        this.machine = machine;
        with(Ability.TRUNCATE);
        limits = machine.limit();
        limitBinds = limits.length > 0;
        int witness = machine.witness();
        see(witness, 1, Ability.SEE_LOCKED);
        see(witness, 2, Ability.SEE_ON_FAULT);
        see(witness, 4, Ability.SEE_RESIDENT);
        see(witness, 8, Ability.SEE_LOCKED_BYTES);
        lockedBefore = (witness & 8) == 0 ? 0 : machine.lockedBytes();
        mayLock = machine.refusal().isEmpty();
        if (mayLock) {
            with(Ability.LOCK_ADDRESS_SPACE);
        }
        rightsDecide = mayLock
                && machine.withoutRights(true)
                && machine.refusal().equals("EPERM") & machine.withoutRights(false);
        see(rightsDecide ? 1 : 0, 1, Ability.FORBID);
        if (limits.length > 0) {
            with(Ability.SEE_LIMIT);
            allowLimits();
        }
    }

    private void see(int witness, int bit, Ability ability) {
        if ((witness & bit) != 0) {
            with(ability);
        }
    }

    private void allowLimits() {
        boolean isHardEnough = limits[1] < 0 || limits[1] >= 16 * machine.pageSize();
        if (limitBinds && isHardEnough && mayLock) {
            with(Ability.SET_LIMIT);
            if (limits[1] < 0) {
                with(Ability.SET_UNLIMITED);
            }
        }
    }

    /**
     * Says that the limit does not bind a privileged process, as on Linux.
     *
     * @param isPrivileged whether this one is
     * @return this harness
     */
    public RemoteHarness liftedBy(boolean isPrivileged) {
        limitBinds = limits.length > 0 && !isPrivileged;
        if (isPrivileged) {
            without(Ability.SET_LIMIT, Ability.SET_UNLIMITED);
        }
        return this;
    }

    /**
     * Says that a limit of 0 forbids to lock at all, as on Linux.
     *
     * @return this harness
     */
    public RemoteHarness forbiddenByLimit() {
        return limitBinds && mayLock ? with(Ability.FORBID) : this;
    }

    @Override
    public void forbid(boolean value) {
        if (!rightsDecide) {
            machine.setLimit(value ? 0 : limits[0], limits[1]);
        } else if (!machine.withoutRights(value)) {
            throw new IllegalStateException(machine.errnoName());
        }
        forbidden = value;
    }

    @Override
    public long room() {
        if (!mayLock || forbidden) {
            return 0;
        }
        long soft = limitBinds ? machine.limit()[0] : -1;
        if (soft < 0) {
            return Long.MAX_VALUE;
        }
        long locked = abilities().contains(Ability.SEE_LOCKED_BYTES) ? lockedBytes() : 0;
        return Math.max(0, soft - locked);
    }

    @Override
    public Reason refusal() {
        return mayLock && !forbidden ? Reason.OVER_LIMIT : Reason.NOT_PERMITTED;
    }

    @Override
    public LimitValue limit() {
        long soft = machine.limit()[0];
        return soft < 0 ? LimitValue.unlimited() : LimitValue.ofBytes(soft);
    }

    @Override
    public void setLimit(long bytes) {
        machine.setLimit(bytes == Long.MAX_VALUE ? -1 : bytes, limits[1]);
    }

    @Override
    public boolean isOnFault(long address) {
        return machine.isOnFault(address);
    }

    @Override
    public long lockedBytes() {
        return super.lockedBytes() - lockedBefore;
    }

    /** Ends the session, and fails if it had ended by itself. */
    @Override
    public void close() {
        machine.end();
    }

    /** Gives each buffer memory of the agent's, with the same place in its page, whose address stands for it. */
    private static final class Buffers extends ForwardingBackend {
        private final RemoteMachine machine;
        /** By its address here: its address there, and how long both are. */
        private final Map<Long, long[]> placed = new TreeMap<>();

        private Buffers(RemoteMachine machine, Backend backend) {
            super(backend);
            this.machine = machine;
        }

        @Override
        public synchronized long address(ByteBuffer buffer) {
            long here = super.address(buffer);
            for (Map.Entry<Long, long[]> each : placed.entrySet()) {
                long offset = here - each.getKey();
                if (offset >= 0 && offset + buffer.capacity() <= each.getValue()[1]) {
                    return each.getValue()[0] + offset;
                }
            }
            long page = machine.pageSize();
            long start = here & -page;
            long pages = (here - start + buffer.capacity() + page - 1) / page;
            long there = machine.map(pages);
            placed.put(start, new long[] {there, pages * page});
            return there + here - start;
        }
    }
}
