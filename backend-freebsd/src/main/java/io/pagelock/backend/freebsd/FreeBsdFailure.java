// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.ERRNO;

import io.pagelock.ByteSize;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.Refusals;
import io.pagelock.spi.Unsigned;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds out why FreeBSD refused. ENOMEM has half a dozen causes; they are looked for in the order in which the kernel looks,
 * and none is taken for granted that the numbers do not show.
 *
 * <p>Sources: mlock(2), mlockall(2), munlock(2), msync(2), aio_mlock(2); the order of checks from sys/vm/vm_mmap.c of 12.3;
 * what 15.1 was recorded to answer.
 */
final class FreeBsdFailure {
    private static final String LACKS_CALL = "this kernel lacks the call";
    private static final String UNREAD_MAPPINGS = "the mappings cannot be read";

    private final KernelState kernel;
    private final Mappings mappings;
    private final Residency residency;
    private final Refusals refusals;

    FreeBsdFailure(KernelState kernel, Mappings mappings, Residency residency, FreeBsdRemedies remedies) {
        this.kernel = kernel;
        this.mappings = mappings;
        this.residency = residency;
        refusals = new Refusals(ERRNO, remedies::of);
    }

    /** Explains a lock of a range that mlock refused, or that aio_mlock took and then ended with this errno. */
    PageLockException ofLock(String function, int errno, long address, long length) {
        if (ERRNO.is(errno, "ENOMEM")) {
            return ofShortage(function, errno, MemoryRange.of(address, length));
        }
        if (ERRNO.is(errno, "EAGAIN") && kernel.release().orElse(Long.MAX_VALUE) < 1200000) {
            // Only releases before 12 have it, and there it means this alone.
            return refusals.of(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(length), total(length));
        }
        if (ERRNO.is(errno, "EINVAL")) {
            // An overflow, the cause that the page gives, never comes here.
            String detail =
                    "the kernel refuses an argument; the range may be mapped from a device or with large pages, which"
                            + " it does not wire";
            return refusals.of(Reason.UNKNOWN, function, errno, detail);
        }
        return ofOther(function, errno);
    }

    /**
     * Explains a request that aio_mlock did not take. It is {@link Reason#NOT_SUPPORTED} where mlock, in a thread, would do.
     */
    PageLockException ofSubmit(int errno, long length, int addressBits) {
        String function = "aio_mlock";
        if (ERRNO.is(errno, "EAGAIN")) {
            String detail = "the queue is full of requests from other code; at most "
                    + text(kernel.sysctl("vfs.aio.max_aio_queue_per_proc")) + " per process and "
                    + text(kernel.sysctl("vfs.aio.max_aio_queue"))
                    + " in all may be unreaped, and finished ones count";
            return refusals.of(Reason.QUEUE_FULL, function, errno, detail);
        }
        if (ERRNO.is(errno, "ECAPMODE")) {
            return withoutAio(errno, "this process is in Capsicum's capability mode, where aio_mlock is not allowed");
        }
        if (ERRNO.is(errno, "ENOSYS")) {
            return withoutAio(errno, LACKS_CALL);
        }
        boolean narrow = addressBits == 32 || kernel.release().orElse(Long.MAX_VALUE) < FreeBsdConstants.RELEASE_11;
        if (ERRNO.is(errno, "EINVAL") && narrow && length > Integer.MAX_VALUE) {
            return withoutAio(
                    errno,
                    "AIO takes at most " + ByteSize.format(Integer.MAX_VALUE) + " in one request here, asked for "
                            + ByteSize.format(length) + "; on FreeBSD 10 sysctl debug.iosize_max_clamp=0 lifts this for"
                            + " 64-bit processes");
        }
        return ofOther(function, errno);
    }

    /** Explains a request that the kernel took, did not begin, and gave back. */
    PageLockException ofJobNotBegun() {
        return withoutAio(
                FreeBsdConstants.ECANCELED,
                "the kernel did not begin the request in time: all of its AIO threads are busy"
                        + " (vfs.aio.max_aio_procs)");
    }

    private PageLockException withoutAio(int errno, String detail) {
        return refusals.of(Reason.NOT_SUPPORTED, "aio_mlock", errno, detail);
    }

    PageLockException ofUnlock(int errno, long address, long length) {
        return ofHole("munlock", errno, address, length);
    }

    PageLockException ofSync(int errno, long address, long length) {
        return ofHole("msync", errno, address, length);
    }

    /** munlock and msync have ENOMEM for one cause only; so it is taken for that unless a look says otherwise. */
    private PageLockException ofHole(String function, int errno, long address, long length) {
        if (!ERRNO.is(errno, "ENOMEM")) {
            return ofOther(function, errno);
        }
        MemoryRange range = MemoryRange.of(address, length);
        Optional<List<MapEntry>> entries = mappings.of(range);
        if (!entries.isPresent()) {
            return refusals.of(Reason.NOT_MAPPED, function, errno, "");
        }
        Optional<Cause> hole = hole(entries.get(), range);
        return refusal(hole.orElse(new Cause(Reason.UNKNOWN, "the range is mapped by now")), function, errno);
    }

    private static Optional<Cause> hole(List<MapEntry> entries, MemoryRange range) {
        return Mappings.rangeSet(entries)
                .firstGap(range)
                .map(gap -> new Cause(Reason.NOT_MAPPED, "nothing is mapped at " + hex(gap.address())));
    }

    PageLockException ofLockAll(int errno, boolean current) {
        String function = "mlockall";
        boolean isShortage = ERRNO.is(errno, "ENOMEM");
        if (!isShortage && !ERRNO.is(errno, "EAGAIN")) {
            return ofOther(function, errno);
        }
        Optional<List<MapEntry>> read = mappings.all();
        if (!read.isPresent()) {
            return unexplained(function, errno, 0, UNREAD_MAPPINGS, Optional.empty());
        }
        List<MapEntry> entries = new ArrayList<>(read.get());
        long size = Mappings.bytes(entries);
        // The kernel passes over the others.
        entries.removeIf(entry -> !entry.isAccessible());
        if (!isShortage) {
            Optional<Cause> cause = inaccessible(entries, 0, -1);
            cause = cause.isPresent() ? cause : missing(entries, 0, -1);
            return refusal(
                    cause.orElse(new Cause(Reason.UNKNOWN, "a page could not be brought into memory")),
                    function,
                    errno);
        }
        LimitValue[] limits = kernel.memlock();
        OptionalLong soft = limits[0].bytes();
        boolean isBound = current && kernel.sysctl("vm.old_mlock").orElse(0) == 0;
        if (isBound && soft.isPresent() && size > soft.getAsLong()) {
            String detail =
                    "asked for " + ByteSize.format(size) + ", the size of the whole address space; " + limits(limits);
            return refusals.of(Reason.OVER_LIMIT, function, errno, detail, size);
        }
        long added = Mappings.bytes(entries) - Mappings.wired(entries, 0, -1);
        if (current && isOverMaximum(added)) {
            return refusals.of(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(added), total(added));
        }
        return unexplained(function, errno, size, "no limit is exceeded", Optional.empty());
    }

    PageLockException ofUnlockAll(int errno) {
        return ofOther("munlockall", errno);
    }

    private PageLockException ofShortage(String function, int errno, MemoryRange range) {
        long length = range.length();
        LimitValue maximum = kernel.maximum();
        if (maximum.bytes().isPresent() && length > maximum.bytes().getAsLong()) {
            return refusals.of(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(length), total(length));
        }
        LimitValue[] limits = kernel.memlock();
        OptionalLong soft = limits[0].bytes();
        Optional<List<MapEntry>> read = mappings.ofAndWired(range);
        OptionalLong locked =
                read.isPresent() && kernel.hasWiredFlag() ? residency.inPageTable(read.get()) : OptionalLong.empty();
        long charge = saturated(length + locked.orElse(0));
        if (soft.isPresent() && charge > soft.getAsLong()) {
            String detail = "asked for " + ByteSize.format(length) + ", locked already "
                    + (locked.isPresent() ? ByteSize.format(locked.getAsLong()) : "unknown") + "; " + limits(limits)
                    + " (pages that are locked already are charged again)";
            return refusals.of(Reason.OVER_LIMIT, function, errno, detail, charge);
        }
        if (!read.isPresent()) {
            return unexplained(function, errno, charge, UNREAD_MAPPINGS, Optional.empty());
        }
        List<MapEntry> entries = read.get();
        long address = range.address();
        long end = range.end();
        Optional<Cause> hole = hole(entries, range);
        Optional<Cause> cause = hole.isPresent() ? hole : inaccessible(entries, address, end);
        if (cause.isPresent()) {
            return refusal(cause.get(), function, errno);
        }
        // What is locked already counts once against this maximum; where that is not known, only what is sure counts.
        long added = length - Mappings.wired(entries, address, end);
        if (kernel.hasWiredFlag() && isOverMaximum(added)) {
            return refusals.of(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(added), total(added));
        }
        return unexplained(
                function, errno, charge, "there is no hole, and no limit is exceeded", missing(entries, address, end));
    }

    /** Explains ENOMEM by what the numbers do not show: a rule of rctl(8), then a page that could not be brought in. */
    private PageLockException unexplained(
            String function, int errno, long charge, String excluded, Optional<Cause> missing) {
        if (kernel.hasResourceControl()) {
            // The rules come before any page is brought in, so a missing page says little here.
            String detail =
                    excluded + ", so a rule of rctl(8) for memorylocked may be exceeded (kern.racct.enable is set;"
                            + " pages that are locked already are charged again)";
            return refusals.of(
                    Reason.OVER_LIMIT,
                    function,
                    errno,
                    detail + missing.map(cause -> "; or " + cause.detail).orElse(""),
                    charge);
        }
        return refusal(
                missing.orElse(new Cause(
                        Reason.UNKNOWN, excluded + "; memory may be short, or a page unreadable on the swap device")),
                function,
                errno);
    }

    /** Finds pages that the kernel cannot bring in whatever the device does. */
    private Optional<Cause> inaccessible(List<MapEntry> entries, long start, long end) {
        for (MapEntry entry : entries) {
            if (!entry.overlaps(start, end)) {
                continue;
            }
            if (!entry.isAccessible()) {
                return Optional.of(new Cause(
                        Reason.CANNOT_BE_PAGED_IN,
                        "the pages at " + hex(Unsigned.max(start, entry.start))
                                + " have neither read nor execute access"));
            }
            long endOfFile = entry.endOfFile(kernel.pageSize());
            if (Unsigned.less(endOfFile, Unsigned.min(end, entry.end))) {
                return Optional.of(new Cause(
                        Reason.CANNOT_BE_PAGED_IN,
                        "the file mapped at " + hex(entry.start) + " is shorter than its mapping: it ends at "
                                + hex(endOfFile)));
            }
        }
        return Optional.empty();
    }

    /** Finds the first page that is not in memory, although the kernel has just tried to bring it in. */
    private Optional<Cause> missing(List<MapEntry> entries, long start, long end) {
        for (MapEntry entry : entries) {
            if (!entry.overlaps(start, end) || !entry.isFile() && !entry.isSharedMemory()) {
                continue;
            }
            OptionalLong page = residency.firstMissing(Unsigned.max(start, entry.start), Unsigned.min(end, entry.end));
            if (page.isPresent()) {
                return Optional.of(
                        entry.isFile()
                                ? new Cause(
                                        Reason.IO_ERROR,
                                        "the page at " + hex(page.getAsLong()) + " could not be read from its file")
                                : new Cause(
                                        Reason.CANNOT_BE_PAGED_IN,
                                        "the shared memory mapped at " + hex(entry.start)
                                                + " has no page at " + hex(page.getAsLong())
                                                + "; it may be shorter than its mapping"));
            }
        }
        return Optional.empty();
    }

    private boolean isOverMaximum(long added) {
        OptionalLong maximum = kernel.maximum().bytes();
        OptionalLong used = kernel.wiredByAll();
        return added > 0 && maximum.isPresent() && used.isPresent() && added > maximum.getAsLong() - used.getAsLong();
    }

    private long total(long added) {
        return saturated(added + kernel.wiredByAll().orElse(0));
    }

    private static long saturated(long sum) {
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    private String systemNumbers(long added) {
        OptionalLong used = kernel.wiredByAll();
        return "asked for " + ByteSize.format(added) + " that are not locked yet, locked by all processes "
                + (used.isPresent() ? ByteSize.format(used.getAsLong()) : "unknown") + "; " + kernel.maximumName() + " "
                + kernel.maximum();
    }

    private static String limits(LimitValue[] limits) {
        return "RLIMIT_MEMLOCK soft limit " + limits[0] + ", hard limit " + limits[1];
    }

    private static String text(OptionalLong number) {
        return number.isPresent() ? Long.toString(number.getAsLong()) : "an unknown number";
    }

    private static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }

    private PageLockException ofOther(String function, int errno) {
        Reason reason = ERRNO.reason(errno);
        return refusals.of(reason, function, errno, finding(reason, function));
    }

    private String finding(Reason reason, String function) {
        switch (reason) {
            case NOT_PERMITTED:
                return whyNotPermitted();
            case NOT_SUPPORTED:
                return LACKS_CALL;
            case CANCELLED:
                return "cancelled before the kernel began";
            case BUSY:
                return "a page of the range is locked";
            case IO_ERROR:
                return "a page could not be " + (function.equals("msync") ? "written" : "read");
            default:
                return "";
        }
    }

    private String whyNotPermitted() {
        if (kernel.isJailed() && !kernel.jailMayLock()) {
            return "this process is in a jail without allow.mlock, where not even root may lock";
        }
        if (kernel.unprivilegedMayLock().orElse(1) != 0) {
            return "the kernel withholds PRIV_VM_MLOCK, for neither a jail nor security.bsd.unprivileged_mlock";
        }
        return "security.bsd.unprivileged_mlock is 0, so only root may lock and unlock"
                + (kernel.hasSuperuser() ? "" : ", and root has no rights here (security.bsd.suser_enabled is 0)");
    }

    private PageLockException refusal(Cause cause, String function, int errno) {
        return refusals.of(cause.reason, function, errno, cause.detail);
    }

    /** What was found out. */
    private static final class Cause {
        private final Reason reason;
        private final String detail;

        private Cause(Reason reason, String detail) {
            this.reason = reason;
            this.detail = detail;
        }
    }
}
