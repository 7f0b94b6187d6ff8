// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.ForwardingMemory;
import io.pagelock.backend.testkit.RawCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Drives the kernel of a {@link RemoteMachine} as the rows of known answers ask it: by the agent's own calls, with the numbers of the
 * headers there, so that nothing of the backend is asked about itself.
 */
public final class RemoteCalls extends ForwardingMemory implements RawCalls {
    private final RemoteMachine machine;
    private final List<RawCalls> children = new ArrayList<>();
    private final long[] limits;
    private final boolean seesBytes;
    private final long lockedBefore;
    private boolean limitBinds;
    /** Null where the system knows no such thing. */
    private Boolean privileged;

    private boolean privilegeIsWanted;
    /** The row wants the limit that there is. */
    private boolean isLimited;

    /**
     * Makes one, bound by the limit if there is one.
     *
     * @param machine a new session, closed with this
     */
    public RemoteCalls(RemoteMachine machine) {
        super(machine);
        this.machine = machine;
        limits = machine.limit();
        limitBinds = limits.length > 0;
        seesBytes = (machine.witness() & 8) != 0;
        lockedBefore = seesBytes ? machine.lockedBytes() : 0;
    }

    /**
     * Says whether the agent has the privilege that the rows speak of.
     *
     * @param value whether it has
     * @param liftsLimit whether it lifts the limit
     * @return this
     */
    public RemoteCalls privileged(boolean value, boolean liftsLimit) {
        privileged = value;
        limitBinds &= !(value && liftsLimit);
        return this;
    }

    /**
     * Says that only who has the privilege may lock, as on Solaris and HP-UX. Whether the agent has it is tried.
     *
     * @return this
     */
    public RemoteCalls privilegeIsNeeded() {
        return privileged(machine.refusal().isEmpty(), false);
    }

    private String answer(long result) {
        return result == 0 ? "OK" : machine.errnoName();
    }

    @Override
    public String mlock(long address, long length) {
        return answer(machine.call("mlock", address, unsigned(length)));
    }

    @Override
    public String munlock(long address, long length) {
        return answer(machine.call("munlock", address, unsigned(length)));
    }

    /** A size_t of 32 bits has no more. */
    private long unsigned(long length) {
        return machine.host().bits() == 64 ? length : length & 0xffffffffL;
    }

    @Override
    public String mlockall(Set<Flag> flags) {
        if (flags.contains(Flag.CURRENT) && limitBinds && limits[0] >= 0 && !isLimited) {
            throw RawCalls.cannot("lock all of the agent under its limit");
        }
        int number = 0;
        for (Flag flag : flags) {
            number |= 1 << flag.ordinal();
        }
        return answer(machine.call("agent_mlockall", number));
    }

    @Override
    public String munlockall() {
        return answer(machine.call("munlockall"));
    }

    @Override
    public String msync(long address, long length, boolean invalidate) {
        return answer(machine.call("agent_msync", address, length, invalidate ? 1 : 0));
    }

    @Override
    public long mapReserved(long pages) {
        return machine.mapNoReserve(pages);
    }

    @Override
    public long mapShortFile(long pages, long left) {
        long at = machine.mapFile(pages);
        machine.truncate(at, left);
        return at;
    }

    @Override
    public void limit(long pages) {
        if (limits.length == 0 || !seesBytes || !limitBinds && !privilegeIsWanted) {
            throw RawCalls.cannot("be bound by a limit");
        }
        long soft = pages < 0 ? 0 : machine.lockedBytes() - lockedBefore + pages * machine.pageSize();
        if (limits[1] >= 0 && soft > limits[1]) {
            throw RawCalls.cannot("have a soft limit of " + soft + " bytes: the hard one is " + limits[1]);
        }
        isLimited = true;
        machine.setLimit(soft, limits[1]);
    }

    @Override
    public void privilege(boolean value) {
        boolean isGone = !value && Boolean.TRUE.equals(privileged) && machine.withoutRights(true);
        if (privileged == null || value != privileged && !isGone) {
            throw RawCalls.cannot(value ? "get the privilege" : "drop the privilege");
        }
        limitBinds |= isGone && limits.length > 0;
        privilegeIsWanted = value;
    }

    @Override
    public void unlimited() {
        if (limitBinds && limits[0] >= 0) {
            throw RawCalls.cannot("be without a limit");
        }
    }

    @Override
    public RawCalls fork() {
        RawCalls child = new RemoteCalls(machine.fork());
        children.add(child);
        return child;
    }

    @Override
    public void close() {
        children.forEach(RawCalls::close);
        machine.end();
    }
}
