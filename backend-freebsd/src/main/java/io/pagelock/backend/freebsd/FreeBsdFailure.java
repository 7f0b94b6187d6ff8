// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.ERRNO;

import io.pagelock.ByteSize;
import io.pagelock.LimitValue;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds out why FreeBSD refused. ENOMEM has half a dozen causes; they are looked for in the order in which the kernel looks,
 * and none is taken for granted that the numbers do not show.
 *
 * <p>Sources: mlock(2), mlockall(2), munlock(2), msync(2), aio_mlock(2); the order of checks from sys/vm/vm_mmap.c of 12.3.
 */
final class FreeBsdFailure {
    private final KernelState kernel;
    private final FreeBsdRemedies remedies;

    FreeBsdFailure(KernelState kernel, FreeBsdRemedies remedies) {
        this.kernel = kernel;
        this.remedies = remedies;
    }

    /** A lock of a range that mlock refused, or that aio_mlock took and then ended with this errno. */
    PageLockException ofLock(String function, int errno, long address, long length) {
        if (ERRNO.is(errno, "EPERM")) {
            return notPermitted(function, errno);
        }
        if (ERRNO.is(errno, "ENOMEM")) {
            return ofShortage(function, errno, address, length);
        }
        if (ERRNO.is(errno, "EAGAIN") && kernel.release().orElse(Long.MAX_VALUE) < 1200000) {
            // Only releases before 12 have it, and there it means this alone.
            return refusal(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(length), total(length));
        }
        if (ERRNO.is(errno, "ECANCELED")) {
            return refusal(Reason.CANCELLED, function, errno, "cancelled before the kernel began", 0);
        }
        if (ERRNO.is(errno, "ENOSYS")) {
            return refusal(Reason.NOT_SUPPORTED, function, errno, "this kernel lacks the call", 0);
        }
        if (ERRNO.is(errno, "EIO")) {
            return refusal(Reason.IO_ERROR, function, errno, "a page could not be read", 0);
        }
        if (ERRNO.is(errno, "EINVAL")) {
            // An overflow, the cause that the page gives, never comes here.
            return refusal(
                    Reason.UNKNOWN,
                    function,
                    errno,
                    "the kernel refuses an argument; the range may be mapped from a device or with large pages, which it"
                            + " does not wire",
                    0);
        }
        return refusal(Reason.UNKNOWN, function, errno, "", 0);
    }

    /** A request that aio_mlock did not take. */
    PageLockException ofSubmit(int errno, long length, int addressBits) {
        String function = "aio_mlock";
        if (ERRNO.is(errno, "EAGAIN")) {
            return refusal(
                    Reason.QUEUE_FULL,
                    function,
                    errno,
                    "the queue is full of requests that are not this library's; at most "
                            + text(kernel.sysctl("vfs.aio.max_aio_queue_per_proc")) + " of one process and "
                            + text(kernel.sysctl("vfs.aio.max_aio_queue"))
                            + " of all may be unreaped, and finished ones count",
                    0);
        }
        if (ERRNO.is(errno, "ECAPMODE")) {
            return PageLockException.because(Reason.NOT_PERMITTED)
                    .call(function, errno, "ECAPMODE")
                    .detail("this process is in Capsicum's capability mode, where aio_mlock is not allowed")
                    .remedy(FreeBsdRemedies.inCapabilityMode())
                    .build();
        }
        boolean narrow = addressBits == 32 || kernel.release().orElse(Long.MAX_VALUE) < FreeBsdConstants.RELEASE_11;
        if (ERRNO.is(errno, "EINVAL") && narrow && length > Integer.MAX_VALUE) {
            return PageLockException.because(Reason.NOT_SUPPORTED)
                    .call(function, errno, "EINVAL")
                    .detail("AIO takes at most " + ByteSize.format(Integer.MAX_VALUE)
                            + " in one request here, asked for " + ByteSize.format(length))
                    .remedy(FreeBsdRemedies.tooLongForAio())
                    .build();
        }
        if (ERRNO.is(errno, "EPERM")) {
            return notPermitted(function, errno);
        }
        return ofOther(function, errno);
    }

    PageLockException ofUnlock(int errno, long address, long length) {
        if (ERRNO.is(errno, "EPERM")) {
            return notPermitted("munlock", errno);
        }
        return ofHole("munlock", errno, address, length);
    }

    PageLockException ofSync(int errno, long address, long length) {
        if (ERRNO.is(errno, "EBUSY")) {
            return refusal(Reason.BUSY, "msync", errno, "a page of the range is locked", 0);
        }
        if (ERRNO.is(errno, "EIO")) {
            return refusal(Reason.IO_ERROR, "msync", errno, "a page could not be written", 0);
        }
        return ofHole("msync", errno, address, length);
    }

    /** munlock and msync have ENOMEM for one cause only; so it is taken for that unless a look says otherwise. */
    private PageLockException ofHole(String function, int errno, long address, long length) {
        if (!ERRNO.is(errno, "ENOMEM")) {
            return ofOther(function, errno);
        }
        Optional<List<MapEntry>> entries = kernel.mappings(address, address + length);
        if (!entries.isPresent()) {
            return refusal(Reason.NOT_MAPPED, function, errno, "", 0);
        }
        Optional<String> hole = Trouble.hole(entries.get(), address, address + length);
        return hole.isPresent()
                ? refusal(Reason.NOT_MAPPED, function, errno, hole.get(), 0)
                : refusal(Reason.UNKNOWN, function, errno, "the range is mapped by now", 0);
    }

    PageLockException ofLockAll(int errno, boolean current) {
        if (ERRNO.is(errno, "EPERM")) {
            return notPermitted("mlockall", errno);
        }
        Optional<List<MapEntry>> entries = kernel.mappings();
        if (!current || !entries.isPresent()) {
            return ofOther("mlockall", errno);
        }
        if (ERRNO.is(errno, "ENOMEM")) {
            long size = 0;
            long added = 0;
            for (MapEntry entry : entries.get()) {
                size += entry.end - entry.start;
                added += entry.isAccessible() && !entry.isUserWired() ? entry.end - entry.start : 0;
            }
            LimitValue[] limits = kernel.memlock();
            OptionalLong soft = limits[0].bytes();
            if (soft.isPresent()
                    && size > soft.getAsLong()
                    && kernel.sysctl("vm.old_mlock").orElse(0) == 0) {
                return refusal(
                        Reason.OVER_LIMIT,
                        "mlockall",
                        errno,
                        "asked for " + ByteSize.format(size) + ", the size of the whole address space; "
                                + limits(limits),
                        size);
            }
            if (isOverMaximum(added)) {
                return refusal(Reason.NO_LOCKABLE_MEMORY, "mlockall", errno, systemNumbers(added), total(added));
            }
        }
        if (ERRNO.is(errno, "EAGAIN")) {
            for (MapEntry entry : entries.get()) {
                if (entry.isAccessible() && entry.endOfFile(kernel.pageSize()) != entry.end) {
                    return refusal(
                            Reason.CANNOT_BE_PAGED_IN,
                            "mlockall",
                            errno,
                            "the mapped file at " + Trouble.hex(entry.start) + " is shorter than its mapping",
                            0);
                }
            }
        }
        return ofOther("mlockall", errno);
    }

    PageLockException ofUnlockAll(int errno) {
        return ERRNO.is(errno, "EPERM") ? notPermitted("munlockall", errno) : ofOther("munlockall", errno);
    }

    private PageLockException ofShortage(String function, int errno, long address, long length) {
        LimitValue maximum = kernel.maximum();
        if (maximum.bytes().isPresent() && length > maximum.bytes().getAsLong()) {
            return refusal(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(length), total(length));
        }
        LimitValue[] limits = kernel.memlock();
        OptionalLong soft = limits[0].bytes();
        long end = address + length;
        Optional<List<MapEntry>> entries = kernel.mappingsAndWired(address, end);
        OptionalLong wired = kernel.wired(entries);
        if (soft.isPresent()
                && (length > soft.getAsLong() || wired.isPresent() && wired.getAsLong() > soft.getAsLong() - length)) {
            long wanted = length + wired.orElse(0);
            return refusal(
                    Reason.OVER_LIMIT,
                    function,
                    errno,
                    "asked for " + ByteSize.format(length) + ", locked already "
                            + (wired.isPresent() ? ByteSize.format(wired.getAsLong()) : "unknown") + "; "
                            + limits(limits)
                            + " (pages that are locked already are charged again)",
                    wanted < 0 ? Long.MAX_VALUE : wanted);
        }
        long added = length;
        if (entries.isPresent()) {
            Optional<String> trouble = Trouble.hole(entries.get(), address, end);
            if (trouble.isPresent()) {
                return refusal(Reason.NOT_MAPPED, function, errno, trouble.get(), 0);
            }
            trouble = Trouble.unreadable(entries.get(), address, end, kernel.pageSize());
            if (trouble.isPresent()) {
                return refusal(Reason.CANNOT_BE_PAGED_IN, function, errno, trouble.get(), 0);
            }
            added -= Trouble.wired(entries.get(), address, end);
        }
        // What is locked already counts once against this maximum; where that is not known, only what is sure counts.
        if (wired.isPresent() && isOverMaximum(added)) {
            return refusal(Reason.NO_LOCKABLE_MEMORY, function, errno, systemNumbers(added), total(added));
        }
        // In the kernel's order: the rules come before any page is looked at.
        String racct = kernel.sysctl("kern.racct.enable").orElse(0) != 0
                ? "; a rule of rctl(8) for memorylocked may be exceeded (see rctl -u)"
                : "";
        return refusal(
                Reason.UNKNOWN,
                function,
                errno,
                (entries.isPresent() ? "no hole, no limit that is exceeded" : "the mappings cannot be read") + racct
                        + "; a page may be unreadable on its device, or memory short",
                0);
    }

    private boolean isOverMaximum(long added) {
        OptionalLong maximum = kernel.maximum().bytes();
        OptionalLong used = kernel.wiredByAll();
        return added > 0 && maximum.isPresent() && used.isPresent() && added > maximum.getAsLong() - used.getAsLong();
    }

    private long total(long added) {
        long total = added + kernel.wiredByAll().orElse(0);
        return total < 0 ? Long.MAX_VALUE : total;
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

    private PageLockException notPermitted(String function, int errno) {
        String why;
        if (kernel.isJailed() && !kernel.jailMayLock()) {
            why = "this process is in a jail without allow.mlock, where not even root may lock";
        } else if (kernel.unprivilegedMayLock().orElse(1) == 0) {
            why = "security.bsd.unprivileged_mlock is 0, so only root may lock and unlock";
        } else {
            why = "the kernel withholds PRIV_VM_MLOCK, for neither a jail nor security.bsd.unprivileged_mlock";
        }
        return refusal(Reason.NOT_PERMITTED, function, errno, why, 0);
    }

    private PageLockException ofOther(String function, int errno) {
        return ERRNO.is(errno, "ENOSYS")
                ? refusal(Reason.NOT_SUPPORTED, function, errno, "this kernel lacks the call", 0)
                : refusal(Reason.UNKNOWN, function, errno, "", 0);
    }

    private PageLockException refusal(Reason reason, String function, int errno, String detail, long bytes) {
        return PageLockException.because(reason)
                .call(function, errno, ERRNO.name(errno))
                .detail(detail)
                .remedy(
                        reason == Reason.NOT_SUPPORTED && !function.equals("aio_mlock")
                                ? ""
                                : remedies.of(reason, bytes))
                .build();
    }
}
