// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.ByteSize;
import io.pagelock.LockLimit;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.support.ErrnoTable;
import io.pagelock.backend.support.Refusals;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Finds out why a call failed. Sources: memcntl(2); the order of checks and the causes of each number from illumos-gate,
 * {@code syscall/memcntl.c}, {@code vm/vm_as.c}, {@code vm/seg_vn.c}.
 */
final class SolarisFailure {
    private final ErrnoTable errnos = SolarisConstants.ERRNO;
    private final Refusals refusals = new Refusals(errnos, SolarisRemedies.ALL);
    private final SolarisBackend backend;
    private final SolarisLimits limits;
    private final Supplier<Optional<SystemPages>> systemPages;
    private final String control;

    SolarisFailure(
            SolarisBackend backend, SolarisLimits limits, Supplier<Optional<SystemPages>> systemPages, String control) {
        this.backend = backend;
        this.limits = limits;
        this.systemPages = systemPages;
        this.control = control;
    }

    PageLockException ofLock(int errno, MemoryRange range) {
        if (errnos.is(errno, "EAGAIN")) {
            return shortage(errno, "asked for " + ByteSize.format(range.length()), leastNew(range), mostNew(range));
        }
        return ofRange("MC_LOCK", errno, range);
    }

    PageLockException ofUnlock(int errno, MemoryRange range) {
        return ofRange("MC_UNLOCK", errno, range);
    }

    PageLockException ofSync(int errno, MemoryRange range) {
        if (errnos.is(errno, "EBUSY")) {
            return refusal(
                    Reason.BUSY,
                    errno,
                    "MC_SYNC with MS_INVALIDATE over a page that this or another process has locked");
        }
        if (errnos.is(errno, "EAGAIN")) {
            return refusal(Reason.BUSY, errno, "MC_SYNC: pages of the range are held for input or output");
        }
        return ofRange("MC_SYNC", errno, range);
    }

    PageLockException ofLockAll(int errno, boolean current) {
        if (errnos.is(errno, "EAGAIN")) {
            OptionalLong size = backend.addressSpaceBytes();
            String asked = size.isPresent()
                    ? "asked for the whole address space, up to " + ByteSize.format(size.getAsLong())
                    : "asked for the whole address space";
            // What is resident and not locked is charged at least; reserved memory that was never touched is left out.
            return shortage(errno, asked, backend.residentUnlockedBytes(), size.orElse(Long.MAX_VALUE));
        }
        if (errnos.is(errno, "ENOMEM")) {
            return refusal(
                    Reason.UNKNOWN,
                    errno,
                    "MC_LOCKAS" + (current ? " of what is mapped" : "") + " was refused with ENOMEM");
        }
        return plain("MC_LOCKAS", errno);
    }

    PageLockException ofUnlockAll(int errno) {
        return plain("MC_UNLOCKAS", errno);
    }

    /** The system said that it locked a page, and the page is not there. */
    PageLockException ofUnlocked(Reason reason, String detail) {
        return refusals.ofSuccess(reason, control + " reported success, but " + detail);
    }

    private PageLockException ofRange(String command, int errno, MemoryRange range) {
        if (!errnos.is(errno, "ENOMEM")) {
            return plain(command, errno);
        }
        Optional<List<MemoryRange>> mapped = backend.mapped(range);
        if (!mapped.isPresent()) {
            return refusal(
                    Reason.UNKNOWN,
                    errno,
                    command + ": part of the range is not mapped, or the kernel is out of memory; /proc/self/map,"
                            + " which would show it, cannot be read");
        }
        if (mapped.get().size() == 1 && mapped.get().get(0).equals(range)) {
            return refusal(
                    Reason.NO_LOCKABLE_MEMORY,
                    errno,
                    command + ": every page of the range is mapped, so the kernel lacks memory for its own records");
        }
        return refusal(
                Reason.NOT_MAPPED,
                errno,
                command + ": of the range only "
                        + (mapped.get().isEmpty() ? "nothing" : mapped.get().toString()) + " is mapped");
    }

    private PageLockException plain(String command, int errno) {
        if (errnos.is(errno, "EFAULT")) {
            return refusal(
                    Reason.CANNOT_BE_PAGED_IN,
                    errno,
                    command + ": a page cannot be brought in; its file was shortened after it was mapped");
        }
        Reason reason = errnos.reason(errno);
        return refusal(reason, errno, command + finding(reason, errno));
    }

    private String finding(Reason reason, int errno) {
        switch (reason) {
            case NOT_PERMITTED:
                return ": " + privilege(limits.privileged());
            case IO_ERROR:
                return ": a page could not be read or written";
            case BUSY:
                return ": a page is in use";
            case NOT_SUPPORTED:
                return ": this system lacks the call";
            default:
                return " was refused with " + (errnos.name(errno) == null ? "a number" : errnos.name(errno))
                        + ", for which no cause is known";
        }
    }

    private static String privilege(Tristate ineffect) {
        switch (ineffect) {
            case NO:
                return "the privilege " + SolarisLimits.PRIVILEGE + " is not in effect";
            case YES:
                return "the privilege " + SolarisLimits.PRIVILEGE
                        + " is in effect now, so it was granted in the meantime, or another policy refuses";
            default:
                return "whether the privilege " + SolarisLimits.PRIVILEGE + " is in effect cannot be asked";
        }
    }

    /** EAGAIN: a resource control, or the system's floor of lockable memory. */
    private PageLockException shortage(int errno, String asked, long least, long most) {
        List<LockLimit> controls = limits.resourceControls();
        boolean excluded = true;
        for (LockLimit limit : controls) {
            if (limit.soft().isUnlimited()) {
                continue;
            }
            OptionalLong soft = limit.soft().bytes();
            if (!soft.isPresent() || !limit.used().isPresent()) {
                excluded = false;
                continue;
            }
            long room = soft.getAsLong() - limit.used().getAsLong();
            if (least > room) {
                long wanted = limit.used().getAsLong() + least;
                return refusals.of(Reason.OVER_LIMIT, control, errno, asked + "; " + limit + "; " + locked(), wanted);
            }
            excluded &= most <= room;
        }
        Optional<SystemPages> system = systemPages.get();
        String numbers = asked + "; " + controls.get(0) + "; " + controls.get(1) + "; " + locked()
                + system.map(pages -> "; in the whole system " + pages.locked() + " pages are locked and "
                                + pages.available() + " available (kstat unix:0:system_pages)")
                        .orElse("");
        long pages = least / backend.pageSize();
        boolean exhausted = system.isPresent() && system.get().exhaustedBy(pages, backend.pageSize());
        if (excluded && exhausted) {
            return refusal(
                    Reason.NO_LOCKABLE_MEMORY, errno, "the system keeps the remaining pages unlocked; " + numbers);
        }
        return refusal(
                Reason.UNKNOWN,
                errno,
                (excluded ? "no resource control forbids it, and" : "a resource control may forbid it;")
                        + " the system does not report whether lockable memory is short; " + numbers);
    }

    private String locked() {
        OptionalLong locked = backend.lockedBytes();
        return "this process has locked " + (locked.isPresent() ? ByteSize.format(locked.getAsLong()) : "unknown");
    }

    /** Only pages that are not locked yet are charged. The failed call has undone what it locked. */
    private long leastNew(MemoryRange range) {
        return backend.pageStates(range).countLocked(Tristate.NO) * backend.pageSize();
    }

    private long mostNew(MemoryRange range) {
        PageStates states = backend.pageStates(range);
        return (states.pageCount() - states.countLocked(Tristate.YES)) * backend.pageSize();
    }

    private PageLockException refusal(Reason reason, int errno, String detail) {
        return refusals.of(reason, control, errno, detail);
    }
}
