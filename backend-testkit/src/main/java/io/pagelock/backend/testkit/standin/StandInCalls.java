// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.ForwardingMemory;
import io.pagelock.backend.testkit.RawCalls;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes the calls of a {@link StandIn} that exports mlock, munlock, mlockall, munlockall and msync; one with other names overrides
 * them. The witness is smaps. MCL_CURRENT is 1 and MCL_FUTURE 2, as in all stand-ins so far.
 */
public class StandInCalls extends ForwardingMemory implements RawCalls {
    private final StandIn standIn;
    private final NativeLibrary library;
    private final IntFunction<String> errnoName;
    private String limitKnob;
    private String systemKnob;
    private String privilegeKnob;
    private boolean limited;
    private boolean future;

    /**
     * Resets the stand-in.
     *
     * @param standIn the stand-in
     * @param errnoName the names of the system's errno numbers
     */
    public StandInCalls(StandIn standIn, IntFunction<String> errnoName) {
        super(standIn);
        standIn.reset();
        this.standIn = standIn;
        this.errnoName = Objects.requireNonNull(errnoName, "errnoName");
        library = NativeLibrary.getInstance(standIn.file().toString());
    }

    /**
     * Names the knobs.
     *
     * @param process that of the process limit; null if there is none
     * @param system that of the system limit
     * @param privilege that of the privilege
     * @return this
     */
    public StandInCalls knobs(@Nullable String process, String system, String privilege) {
        limitKnob = process;
        systemKnob = system;
        privilegeKnob = privilege;
        return this;
    }

    /**
     * Calls a function of the system.
     *
     * @param function the C name
     * @param arguments as JNA takes them
     * @return {@code OK} or the name of errno
     */
    protected final String call(String function, Object... arguments) {
        int result = library.getFunction(function).invokeInt(arguments);
        return result == 0 ? "OK" : errnoName.apply(Native.getLastError());
    }

    /**
     * Returns a pointer, size_t or long as JNA passes it.
     *
     * @param value the value
     * @return the argument
     */
    protected static Pointer word(long value) {
        return Pointer.createConstant(value);
    }

    /**
     * Returns the flags of mlockall as the system takes them.
     *
     * @param flags the flags
     * @return MCL_CURRENT is 1, MCL_FUTURE 2; on fault is 4, which means nothing
     */
    protected static int number(Set<Flag> flags) {
        int number = 0;
        for (Flag flag : flags) {
            number |= 1 << flag.ordinal();
        }
        return number;
    }

    @Override
    public String mlock(long address, long length) {
        return call("mlock", word(address), word(length));
    }

    @Override
    public String munlock(long address, long length) {
        return call("munlock", word(address), word(length));
    }

    @Override
    public final String mlockall(Set<Flag> flags) {
        String result = mlockall(number(flags));
        future |= result.equals("OK") && flags.contains(Flag.FUTURE);
        return result;
    }

    /**
     * Locks the address space.
     *
     * @param flags as the system takes them
     * @return the outcome
     */
    protected String mlockall(int flags) {
        return call("mlockall", flags);
    }

    @Override
    public String munlockall() {
        return call("munlockall");
    }

    @Override
    public String msync(long address, long length, boolean invalidate) {
        throw RawCalls.cannot("sync: no source gives its flags");
    }

    @Override
    public long map(long pages) {
        if (future && limited) {
            throw RawCalls.cannot("refuse a mapping, since it does not stand in for mmap");
        }
        return super.map(pages);
    }

    @Override
    public long mapReserved(long pages) {
        return mapNoReserve(pages);
    }

    @Override
    public long mapShortFile(long pages, long left) {
        long file = standIn.mapFile(pages);
        standIn.truncate(file, left);
        return file;
    }

    /** Unlocks and unmaps everything. */
    @Override
    public void close() {
        standIn.reset();
    }

    @Override
    public void limit(long pages) {
        standIn.set(limitKnob, pages < 0 ? 0 : standIn.lockedBytes() + pages * pageSize());
        limited = true;
    }

    @Override
    public void limitSystem(long pages) {
        standIn.set(systemKnob, standIn.lockedBytes() + pages * pageSize());
        limited = true;
    }

    @Override
    public void privilege(boolean value) {
        standIn.set(privilegeKnob, value ? 1 : 0);
    }
}
