// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.macos.MacosConstants.ERRNO;

import io.pagelock.ByteSize;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.Refusals;
import io.pagelock.backend.support.Remedies;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds out why macOS refused. EAGAIN is for each of three limits, and ENOMEM for a hole as for a page that cannot be brought in.
 *
 * <p>Sources: mlock(2), munlock(2), msync(2); bsd/kern/kern_mman.c and osfmk/vm/vm_map.c of xnu, {@code add_wire_counts} and
 * {@code vm_map_wire_nested}.
 */
final class MacosFailure {
    /** Sources: ulimit in zsh and bash, launchd.plist(5), sysctl(8), log(1). */
    private static final Remedies REMEDIES = Remedies.builder()
            .put(
                    Reason.OVER_LIMIT,
                    "Raise RLIMIT_MEMLOCK in the shell that starts java, up to the hard limit: 'ulimit -l {kib}'",
                    "For a job of launchd: MemoryLock, in bytes, under SoftResourceLimits and HardResourceLimits of"
                            + " its plist",
                    "Raise the limit of each process as root: 'sysctl vm.user_wire_limit={bytes}'")
            .put(
                    Reason.NO_LOCKABLE_MEMORY,
                    "Raise the limit of all processes together as root: 'sysctl vm.global_user_wire_limit={bytes}'"
                            + " ('sysctl vm.page_wire_count' shows how many pages are wired)",
                    "Lock less, or end the programs that have wired the most memory, such as virtual machines and"
                            + " models on the GPU")
            .put(
                    Reason.CANNOT_BE_PAGED_IN,
                    "Leave out pages past the end of a mapped file, and make the pages readable")
            .put(
                    Reason.NOT_PERMITTED,
                    "Leave out executable memory: where code signing is enforced, the kernel does not wire it")
            .put(Reason.IO_ERROR, "Look for the device error: log show --predicate 'process == \"kernel\"'")
            .build();

    private final Regions regions;
    private final WireLimits limits;
    private final Refusals refusals = new Refusals(ERRNO, REMEDIES);

    MacosFailure(Regions regions, WireLimits limits) {
        this.regions = regions;
        this.limits = limits;
    }

    static List<String> remedies(Reason reason, long bytes) {
        return REMEDIES.of(reason, bytes);
    }

    PageLockException ofLock(int errno, long address, long length) {
        MemoryRange range = MemoryRange.of(address, length);
        if (ERRNO.is(errno, "EAGAIN")) {
            return ofLimit(errno, range);
        }
        if (ERRNO.is(errno, "ENOMEM")) {
            return ofShortage("mlock", errno, range);
        }
        if (ERRNO.is(errno, "EACCES")) {
            return refusals.of(
                    Reason.NOT_PERMITTED,
                    "mlock",
                    errno,
                    "a page of the range is executable and code signing is enforced, or is not accessible");
        }
        return ofOther("mlock", errno);
    }

    PageLockException ofUnlock(int errno, long address, long length) {
        return ERRNO.is(errno, "ENOMEM")
                ? ofShortage("munlock", errno, MemoryRange.of(address, length))
                : ofOther("munlock", errno);
    }

    PageLockException ofSync(int errno, long address, long length) {
        return ERRNO.is(errno, "ENOMEM")
                ? ofShortage("msync", errno, MemoryRange.of(address, length))
                : ofOther("msync", errno);
    }

    /** The call said that it succeeded. */
    PageLockException ofHole(MemoryRange hole) {
        return refusals.ofSuccess(Reason.NOT_MAPPED, unmapped(hole));
    }

    /** The kernel does not look whether pages are locked (vm_map_msync). */
    PageLockException ofInvalidation() {
        return refusals.ofSuccess(Reason.BUSY, "a page of the range is locked");
    }

    /** The kernel charges an entry of its map as a whole, and an entry that is wired already not again. */
    private PageLockException ofLimit(int errno, MemoryRange range) {
        Optional<List<Regions.Region>> mapped = regions.of(range.address(), range.end());
        long added = mapped.isPresent() ? Regions.bytes(mapped.get(), false) : range.length();
        OptionalLong locked = regions.lockedBytes();
        long ofProcess = saturated(added + locked.orElse(0));
        LimitValue[] memlock = limits.memlock();
        LimitValue perProcess = limits.perProcess();
        LimitValue global = limits.global();
        OptionalLong wired = limits.wiredByAll();
        long ofAll = saturated(added + wired.orElse(0));
        String asked = "asked for " + ByteSize.format(added) + " that are not locked yet";
        String own = asked + ", locked by this process " + text(locked) + "; RLIMIT_MEMLOCK soft limit " + memlock[0]
                + ", hard limit " + memlock[1] + ", vm.user_wire_limit " + perProcess;
        if (isOver(ofProcess, memlock[0]) || isOver(ofProcess, perProcess)) {
            return refusals.of(Reason.OVER_LIMIT, "mlock", errno, own, ofProcess);
        }
        String all = asked + ", wired in all, including the kernel, " + text(wired) + "; vm.global_user_wire_limit "
                + global;
        if (isOver(ofAll, global)) {
            return refusals.of(Reason.NO_LOCKABLE_MEMORY, "mlock", errno, all, ofAll);
        }
        return refusals.of(
                Reason.UNKNOWN,
                "mlock",
                errno,
                "one of three limits; as far as they can be read, none is exceeded: " + own + "; " + all);
    }

    private PageLockException ofShortage(String function, int errno, MemoryRange range) {
        Optional<MemoryRange> hole = hole(range);
        if (hole.isPresent()) {
            return refusals.of(Reason.NOT_MAPPED, function, errno, unmapped(hole.get()));
        }
        if (!regions.of(range.address(), range.end()).isPresent()) {
            boolean isLock = function.equals("mlock");
            return refusals.of(
                    isLock ? Reason.UNKNOWN : Reason.NOT_MAPPED,
                    function,
                    errno,
                    isLock ? "a hole, or a page that cannot be brought in: the mappings cannot be read" : "");
        }
        return function.equals("mlock")
                ? refusals.of(
                        Reason.CANNOT_BE_PAGED_IN,
                        function,
                        errno,
                        "the range is mapped, so a page could not be brought into memory: it lies past the end of"
                                + " its file,"
                                + " or could not be read")
                : refusals.of(Reason.UNKNOWN, function, errno, "the range is mapped by now");
    }

    /** Returns the first part of a range that is not mapped; nothing if there is none, or that cannot be found out. */
    private Optional<MemoryRange> hole(MemoryRange range) {
        return regions.of(range.address(), range.end())
                .flatMap(mapped -> Regions.rangeSet(mapped).firstGap(range));
    }

    private PageLockException ofOther(String function, int errno) {
        Reason reason = ERRNO.reason(errno);
        return refusals.of(reason, function, errno, reason == Reason.IO_ERROR ? "a page could not be written" : "");
    }

    private static boolean isOver(long bytes, LimitValue limit) {
        return limit.bytes().isPresent() && bytes > limit.bytes().getAsLong();
    }

    private static String unmapped(MemoryRange hole) {
        return "nothing is mapped at 0x" + Long.toHexString(hole.address());
    }

    private static String text(OptionalLong bytes) {
        return bytes.isPresent() ? ByteSize.format(bytes.getAsLong()) : "unknown";
    }

    private static long saturated(long sum) {
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
