// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.MemoryFlags;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.backend.support.Refusals;
import io.pagelock.backend.support.Remedies;
import io.pagelock.backend.support.SystemNumbers;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Host;
import io.pagelock.spi.Syncing;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** IRIX 6.5: mlock(3C), mlockall(3C), mpin(2), msync(2). The system tells neither what is locked nor what is mapped. */
final class IrixBackend extends AbstractBackend implements AddressSpaceLocking, Syncing {
    private static final String CSH =
            "Raise the maximum resident size before java starts: 'limit memoryuse SIZE' in csh";
    private static final String KSH = "The same in ksh: 'ulimit -m {kib}'";
    private static final String CAPABILITY = "Give java the capability to lock memory: 'chcap CAP_MEMORY_MGT+eip JAVA'";

    private static final Remedies OF_USER = common().put(
                    Reason.OVER_LIMIT,
                    "Raise maxlkmem, in pages, as the superuser: 'systune maxlkmem PAGES' ('systune maxlkmem' shows it)",
                    CSH,
                    KSH)
            .put(Reason.NOT_PERMITTED, "Run as the superuser", CAPABILITY)
            .build();

    /** Whom maxlkmem does not bind. */
    private static final Remedies OF_SUPERUSER = common().put(Reason.OVER_LIMIT, CSH, KSH)
            .put(Reason.NOT_PERMITTED, CAPABILITY)
            .build();

    private final IrixCalls calls;
    private final SystemNumbers numbers;
    private final Refusals refusals;

    IrixBackend(IrixCalls calls, SystemNumbers numbers, NativeAccess addresses, Host host) {
        super(
                new BackendInfo("irix", host.osName() + " " + host.osVersion(), host.arch(), notes(calls, numbers)),
                EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC),
                calls.getpagesize(),
                host.bits(),
                addresses);
        this.calls = calls;
        this.numbers = numbers;
        refusals = new Refusals(numbers.errno(), this::remedies);
    }

    /** Sources: mlock(3C), mpin(2), systune(1M), getrlimit(2), limit in csh(1), capabilities(4), chcap(1), syslogd(1M). */
    private static Remedies.Builder common() {
        return Remedies.builder()
                .put(Reason.NO_LOCKABLE_MEMORY, "Lock less, or free what other processes have locked")
                .put(
                        Reason.BUSY,
                        "Close again after the I/O of the other processes of the share group has ended",
                        "Before invalidating, close the locks over the range")
                .put(Reason.IO_ERROR, "Look for the device error in /var/adm/SYSLOG");
    }

    private static List<String> notes(IrixCalls calls, SystemNumbers numbers) {
        List<String> notes = new ArrayList<>(numbers.notes());
        notes.add("written from manual pages; no JVM for IRIX can load JNA");
        notes.add("with future locking, a stack that grows beyond the limit kills the process with SIGSEGV"
                + " (mlockall(3C))");
        if (!calls.has("mpin")) {
            notes.add("libc lacks mpin: a hole cannot be distinguished from a limit");
        }
        return notes;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            int errno = calls.errno();
            Reason reason = is(errno, "ENOMEM") ? holeOrLimit(address, length) : common(errno);
            throw refusal(reason, "mlock", errno, "asked for " + ByteSize.format(length));
        }
    }

    /** mlock says ENOMEM for a hole and for a limit; mpin, asked for the same range, says EINVAL for a hole. */
    private Reason holeOrLimit(long address, long length) {
        if (!calls.has("mpin")) {
            return Reason.UNKNOWN;
        }
        if (calls.mpin(address, length) == 0) {
            calls.munpin(address, length);
            return Reason.UNKNOWN;
        }
        int errno = calls.errno();
        return is(errno, "EINVAL") ? Reason.NOT_MAPPED : is(errno, "ENOMEM") ? Reason.OVER_LIMIT : common(errno);
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            int errno = calls.errno();
            // The limits concern locking alone, which leaves one cause.
            throw refusal(is(errno, "ENOMEM") ? Reason.NOT_MAPPED : common(errno), "munlock", errno, "");
        }
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        int flags = MemoryFlags.ofLockAll(scope, numbers.required("MCL_CURRENT"), numbers.required("MCL_FUTURE"));
        if (calls.mlockall(flags) != 0) {
            int errno = calls.errno();
            // There is no range that could have a hole.
            Reason reason = is(errno, "ENOMEM") ? Reason.OVER_LIMIT : common(errno);
            throw refusal(reason, "mlockall", errno, "asked for the whole address space");
        }
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        if (calls.munlockall() != 0) {
            int errno = calls.errno();
            throw refusal(common(errno), "munlockall", errno, "");
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        int flags = MemoryFlags.ofSync(
                options, numbers.required("MS_SYNC"), numbers.required("MS_ASYNC"), numbers.required("MS_INVALIDATE"));
        if (calls.msync(address, length, flags) != 0) {
            int errno = calls.errno();
            throw refusal(is(errno, "ENOMEM") ? Reason.NOT_MAPPED : common(errno), "msync", errno, "");
        }
    }

    private boolean is(int errno, String name) {
        return numbers.errno().is(errno, name);
    }

    /** EAGAIN is for shortage in every call, as its pages have it; the rest means the same on every system. */
    private Reason common(int errno) {
        return is(errno, "EAGAIN") ? Reason.NO_LOCKABLE_MEMORY : numbers.errno().reason(errno);
    }

    private PageLockException refusal(Reason reason, String function, int errno, String asked) {
        return refusals.of(reason, function, errno, finding(reason, function) + (asked.isEmpty() ? "" : "; " + asked));
    }

    private String finding(Reason reason, String function) {
        switch (reason) {
            case OVER_LIMIT:
                return calls.geteuid() == 0
                        ? "more than the maximum resident size of the process (RLIMIT_RSS), which binds the"
                                + " superuser, too"
                        : "more than maxlkmem (PLOCK_MAX) pages, or than the maximum resident size of the process"
                                + " (RLIMIT_RSS);"
                                + " the system does not report which of them";
            case NO_LOCKABLE_MEMORY:
                return "the system does not have enough lockable memory left, whatever the limits of the process";
            case NOT_MAPPED:
                return "part of the range is not mapped";
            case BUSY:
                return function.equals("msync")
                        ? "a page of the range is locked"
                        : "another process of the same share group has I/O in progress there";
            case NO_SPACE:
                return "the device has no room to allocate the whole of a mapped file";
            case IO_ERROR:
                return "a page could not be read or written";
            case NOT_SUPPORTED:
                return "this release lacks the call";
            case UNKNOWN:
                return "no cause found: neither a hole nor a limit, or the manual page of " + function
                        + " does not list the number";
            default:
                return "the system refused " + function;
        }
    }

    /** Neither limit can be read by a documented call whose types are known here. */
    @Override
    public LockLimits limits() {
        Tristate superuser = calls.geteuid() == 0 ? Tristate.YES : Tristate.UNKNOWN;
        return LockLimits.builder()
                .limit(LockLimit.builder("maxlkmem", LockLimit.Scope.PROCESS)
                        .liftedByPrivilege(true)
                        .build())
                .limit(LockLimit.builder("RLIMIT_RSS", LockLimit.Scope.PROCESS).build())
                .privilege("superuser", superuser)
                .permitted(superuser)
                .build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return (calls.geteuid() == 0 ? OF_SUPERUSER : OF_USER).of(reason, bytes);
    }
}
