// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.ByteSize;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.backend.support.Refusals;
import io.pagelock.spi.Unsigned;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * Finds out why a call failed, after it failed. ENOMEM of mlock means one of five things, told apart in the order in which
 * the kernel comes upon them: the limit, a hole, no room for another mapping, a page that cannot be brought in. What bringing
 * in finds shows after the whole range was flagged as locked, all else before: mm/mlock.c, do_mlock().
 */
final class LinuxFailure {
    /** Between a failure and the count, other threads may unmap a little. */
    private static final int MAP_COUNT_SLACK = 16;

    private static final List<String> LOCKED_OR_SPECIAL = Arrays.asList("lo", "io", "pf", "ht", "dp", "de", "mm");

    private static final String CANNOT_BE_BROUGHT_IN =
            "every page is mapped and within the limit, so one cannot be brought in: ";

    /** What remains where no file ends too early. */
    private static final String OTHER_CAUSES =
            "no room in its file system, no free huge page, a guard region (MADV_GUARD_INSTALL), access forbidden by a"
                    + " protection key, or damaged memory";

    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final Refusals refusals;
    private final LockOracle oracle;
    private final long pageSize;
    private final boolean chargesTwice;

    /**
     * @param chargesTwice whether the kernel charges pages again that are locked already: before Linux 4.9
     */
    LinuxFailure(
            Refusals refusals,
            ProcSelf proc,
            LinuxLimits limits,
            LockOracle oracle,
            long pageSize,
            boolean chargesTwice) {
        this.proc = proc;
        this.limits = limits;
        this.refusals = refusals;
        this.oracle = oracle;
        this.pageSize = pageSize;
        this.chargesTwice = chargesTwice;
    }

    PageLockException ofLock(String function, int errno, long address, long length) {
        switch (name(errno)) {
            case "EPERM":
            case "EACCES":
                return refused(function, errno, length);
            case "ENOMEM":
                return noMemoryToLock(function, errno, address, length);
            default:
                return other(function, errno);
        }
    }

    PageLockException ofUnlock(int errno, long address, long length) {
        if (!name(errno).equals("ENOMEM")) {
            return other("munlock", errno);
        }
        MemoryRange range = MemoryRange.of(address, length);
        Optional<List<Mapping>> all = proc.mappings();
        Optional<List<Mapping>> mappings = known(all, range);
        if (!mappings.isPresent()) {
            return unread("munlock", errno, "/proc/self/maps");
        }
        Optional<MemoryRange> hole = firstHole(mappings.get(), range);
        if (hole.isPresent()) {
            return notMapped("munlock", errno, hole.get());
        }
        return tooManyMappings("munlock", errno, all)
                .orElseGet(() -> refusals.of(
                        Reason.UNKNOWN, "munlock", errno, "the range is mapped, and there is room for more mappings"));
    }

    PageLockException ofLockAll(int errno, boolean current) {
        switch (name(errno)) {
            case "EPERM":
            case "EACCES":
                return refused("mlockall", errno, 0);
            case "ENOMEM":
                break;
            default:
                return other("mlockall", errno);
        }
        Status status = proc.status();
        LockLimit memlock = limits.memlock(status);
        OptionalLong size = status.sizeBytes();
        if (!size.isPresent() || !memlock.soft().isKnown()) {
            return unread("mlockall", errno, "/proc/self/status");
        }
        if (current && exceeds(size.getAsLong(), memlock.soft()) && proc.canExceedLimit(status) != Tristate.YES) {
            return refusals.of(
                    Reason.OVER_LIMIT,
                    "mlockall",
                    errno,
                    numbers("the whole virtual size, " + ByteSize.format(size.getAsLong()), memlock),
                    size.getAsLong());
        }
        return refusals.of(
                Reason.UNKNOWN,
                "mlockall",
                errno,
                "the limit allows the virtual size of " + ByteSize.format(size.getAsLong()) + ", " + limit(memlock));
    }

    PageLockException ofSync(int errno, long address, long length) {
        switch (name(errno)) {
            case "EBUSY":
                return refusals.of(Reason.BUSY, "msync", errno, "a page of the range is locked");
            case "ENOMEM":
                MemoryRange range = MemoryRange.of(address, length);
                return known(proc.mappings(address, range.end()), range)
                        .flatMap(mappings -> firstHole(mappings, range))
                        .map(hole -> notMapped("msync", errno, hole))
                        .orElseGet(() ->
                                refusals.of(Reason.NOT_MAPPED, "msync", errno, "part of the range was not mapped"));
            case "EIO":
                return refusals.of(Reason.IO_ERROR, "msync", errno, "writing the file failed");
            case "ENOSPC":
                return refusals.of(Reason.NO_SPACE, "msync", errno, "the file system is full");
            case "EINVAL":
                // vfs_fsync_range() in the kernel's fs/sync.c; the flags are always valid.
                return refusals.of(Reason.UNKNOWN, "msync", errno, "the file may be of a kind that cannot be synced");
            default:
                return other("msync", errno);
        }
    }

    /** Secret memory is charged as it is mapped, whatever becomes of it: mlock_future_ok() in the kernel's mm/mmap.c. */
    PageLockException ofSecretMemory(String function, int errno, long length) {
        LockLimit memlock = limits.memlock(proc.status());
        Reason reason = memlock.soft().bytes().orElse(1) == 0 ? Reason.NOT_PERMITTED : Reason.OVER_LIMIT;
        long needed = memlock.used().orElse(0) + length;
        return refusals.of(reason, function, errno, numbers(ByteSize.format(length), memlock), needed);
    }

    PageLockException other(String function, int errno) {
        switch (name(errno)) {
            case "EAGAIN":
                return refusals.of(Reason.NO_LOCKABLE_MEMORY, function, errno, "the kernel found no free page");
            case "EINTR":
                return refusals.of(Reason.UNKNOWN, function, errno, "interrupted by a signal that ends the process");
            case "ENOSYS":
                return refusals.of(
                        Reason.NOT_SUPPORTED, function, errno, "the kernel or a seccomp filter lacks the call");
            case "EPERM":
            case "EACCES":
                return refused(function, errno, 0);
            default:
                return refusals.of(Reason.UNKNOWN, function, errno, "");
        }
    }

    private PageLockException refused(String function, int errno, long length) {
        Status status = proc.status();
        LockLimit memlock = limits.memlock(status);
        Tristate privileged = proc.canExceedLimit(status);
        boolean none = memlock.soft().bytes().orElse(1) == 0;
        if (none && privileged != Tristate.YES && function.startsWith("mlock")) {
            long wanted = length == 0 ? status.sizeBytes().orElse(0) : length;
            return refusals.of(
                    Reason.NOT_PERMITTED,
                    function,
                    errno,
                    "the limit is 0 and CAP_IPC_LOCK is not in force: "
                            + numbers(wanted == 0 ? "unknown" : ByteSize.format(wanted), memlock),
                    wanted);
        }
        String finding = "the limit is not the cause, " + limit(memlock)
                + (privileged == Tristate.YES ? ", which is lifted here" : "")
                + "; a seccomp filter or a security module may forbid the call";
        return refusals.of(Reason.NOT_PERMITTED, function, errno, finding).toBuilder()
                .remedies(
                        "For a container, allow " + function + " in the seccomp profile: docker run --security-opt"
                                + " seccomp=FILE",
                        "For a systemd service with a SystemCallFilter, add a further line SystemCallFilter=@memlock",
                        "Allow " + function + " in the policy of the security module")
                .build();
    }

    private PageLockException noMemoryToLock(String function, int errno, long address, long length) {
        MemoryRange range = MemoryRange.of(address, length);
        Status status = proc.status();
        Optional<List<Mapping>> all = proc.mappings();
        Optional<List<Mapping>> mappings = known(all, range);
        LockLimit memlock = limits.memlock(status);
        if (!status.lockedBytes().isPresent()
                || !mappings.isPresent()
                || !memlock.soft().isKnown()) {
            return unread(function, errno, "/proc/self/status and /proc/self/maps");
        }
        long held = 0;
        boolean allLocked = true;
        for (Mapping part : mappings.get()) {
            Tristate locked = oracle.locked(part);
            if (locked == Tristate.UNKNOWN) {
                return unread(function, errno, "msync is refused, and /proc/self/smaps");
            }
            held += locked == Tristate.YES ? part.length() : 0;
            allLocked &= locked == Tristate.YES;
        }
        long already = status.lockedBytes().getAsLong();
        // The same before and after the call, whatever part of the range the failed call flagged and counted.
        long needed = already + length - (chargesTwice ? 0 : held);
        boolean over = exceeds(needed, memlock.soft());
        Tristate privileged = proc.canExceedLimit(status);
        String asked =
                ByteSize.format(length) + (held == 0 ? "" : ", of which " + ByteSize.format(held) + " are locked");
        if (over && privileged == Tristate.NO) {
            return refusals.of(Reason.OVER_LIMIT, function, errno, numbers(asked, memlock), needed);
        }
        Optional<MemoryRange> hole = firstHole(mappings.get(), range);
        if (hole.isPresent()) {
            return notMapped(function, errno, hole.get());
        }
        // Before smaps, which takes seconds to read where mappings are that many.
        Optional<PageLockException> many = tooManyMappings(function, errno, all);
        if (many.isPresent() && !allLocked) {
            return many.get();
        }
        Optional<List<Mapping>> flagged =
                many.isPresent() || !allLocked ? proc.flagged(address, range.end()) : Optional.empty();
        // Within a lock on fault, a full lock needs a split as well; a mapping that it got to is not on fault any more.
        if (many.isPresent() && function.equals("mlock") && anyOnFault(flagged)) {
            return many.get();
        }
        if (allLocked || lockedOrSpecial(flagged)) {
            return cannotBePagedIn(function, errno, mappings.get());
        }
        return over && privileged == Tristate.UNKNOWN
                ? refusals.of(Reason.OVER_LIMIT, function, errno, numbers(asked, memlock), needed)
                : refusals.of(
                        Reason.UNKNOWN,
                        function,
                        errno,
                        "no cause found: the range is mapped, within the limit, and below vm.max_map_count; "
                                + numbers(asked, memlock));
    }

    /**
     * Whether every mapping is flagged as locked or is of a kind that the kernel passes over: VM_SPECIAL, that is device memory,
     * page frames and what may not grow, huge pages of hugetlbfs, and what it may drop: mlock_fixup() in the kernel's
     * mm/mlock.c.
     */
    private static boolean lockedOrSpecial(Optional<List<Mapping>> mappings) {
        return mappings.isPresent()
                && !mappings.get().isEmpty()
                && mappings.get().stream()
                        .allMatch(each -> LOCKED_OR_SPECIAL.stream().anyMatch(each::has));
    }

    private static boolean anyOnFault(Optional<List<Mapping>> mappings) {
        return mappings.isPresent() && mappings.get().stream().anyMatch(each -> each.has("lf"));
    }

    private PageLockException cannotBePagedIn(String function, int errno, List<Mapping> mappings) {
        String finding = CANNOT_BE_BROUGHT_IN + "an error of the device, " + OTHER_CAUSES;
        for (Mapping part : mappings) {
            // VM_LOCKED from mmap on: mm/secretmem.c. mlock cannot look its pages up: mm/gup.c, check_vma_flags().
            if (part.secret()) {
                finding = "the kernel keeps " + part + " locked by itself (memfd_secret) and lets nobody lock it";
                return refusals.of(Reason.CANNOT_BE_PAGED_IN, function, errno, finding).toBuilder()
                        .remedies("Leave it out: memory of memfd_secret is never swapped out and needs no lock")
                        .build();
            }
            if (!part.accessible()) {
                finding = part + " has no access rights (PROT_NONE)";
                break;
            }
            if (!part.name.startsWith("/")) {
                continue;
            }
            Optional<ProcFiles.FileFacts> file = proc.file(part);
            if (!file.isPresent()) {
                // The likeliest cause, and no device is blamed where nobody could look.
                finding = CANNOT_BE_BROUGHT_IN + part.shownName() + " may end before the range does (its size cannot be"
                        + " read); or there is " + OTHER_CAUSES;
            } else if (part.offset + part.length() - pageSize >= file.get().size) {
                finding = "the file " + part.shownName() + " has " + ByteSize.format(file.get().size) + ", and " + part
                        + " maps it up to byte " + (part.offset + part.length());
                break;
            } else if (proc.isOutOfSpace(part, pageSize)) {
                return refusals.of(Reason.NO_SPACE, function, errno, noRoomFor(part));
            }
        }
        return refusals.of(Reason.CANNOT_BE_PAGED_IN, function, errno, finding);
    }

    static String noRoomFor(Mapping part) {
        return "a page of " + part
                + " cannot be brought in, and its file system (tmpfs) is full: a hole of a file takes"
                + " a page there even to be read";
    }

    /** The parts of mappings in a range; empty if they cannot be read, or a line about one. */
    private static Optional<List<Mapping>> known(Optional<List<Mapping>> mappings, MemoryRange range) {
        return mappings.map(all -> all.stream()
                        .filter(each -> each.overlaps(range.address(), range.end()))
                        .map(each -> each.clip(range.address(), range.end()))
                        .collect(Collectors.toList()))
                .filter(parts -> parts.stream().allMatch(Mapping::isKnown));
    }

    private static Optional<MemoryRange> firstHole(List<Mapping> mappings, MemoryRange range) {
        return Mapping.rangeSet(mappings).firstGap(range);
    }

    private Optional<PageLockException> tooManyMappings(String function, int errno, Optional<List<Mapping>> all) {
        OptionalLong max = proc.maxMapCount();
        if (!all.isPresent() || !max.isPresent() || all.get().size() + MAP_COUNT_SLACK < max.getAsLong()) {
            return Optional.empty();
        }
        return Optional.of(refusals.of(
                Reason.TOO_MANY_MAPPINGS,
                function,
                errno,
                "the process has " + all.get().size() + " mappings, vm.max_map_count is " + max.getAsLong()
                        + ", and the call must split one"));
    }

    private PageLockException notMapped(String function, int errno, MemoryRange hole) {
        String detail = "nothing is mapped at 0x" + Long.toHexString(hole.address());
        return refusals.of(Reason.NOT_MAPPED, function, errno, detail);
    }

    private PageLockException unread(String function, int errno, String files) {
        return refusals.of(Reason.UNKNOWN, function, errno, files + " cannot be read, so the cause is unknown");
    }

    private String name(int errno) {
        String name = refusals.errnos().name(errno);
        return name == null ? "" : name;
    }

    /** The kernel compares whole pages. */
    private boolean exceeds(long bytes, LimitValue soft) {
        return soft.bytes().isPresent() && Unsigned.less(soft.bytes().getAsLong() / pageSize, bytes / pageSize);
    }

    private static String numbers(String asked, LockLimit memlock) {
        return "asked for " + asked + ", already locked "
                + (memlock.used().isPresent() ? ByteSize.format(memlock.used().getAsLong()) : "unknown") + ", "
                + limit(memlock);
    }

    private static String limit(LockLimit memlock) {
        return "soft limit " + memlock.soft() + ", hard limit " + memlock.hard();
    }
}
