// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
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
import java.util.stream.Stream;

/**
 * HP-UX 11i: mlock(2), munlock(2), mlockall(2), munlockall(2), msync(2). The system tells neither what is locked nor what is
 * mapped; each errno has the one cause that its page gives.
 */
final class HpuxBackend extends AbstractBackend implements AddressSpaceLocking, Syncing {
    static final String PRIVILEGE = "MLOCK";

    private static final String SETFILEXSEC =
            "On 11i v3, where groups are deprecated for this, grant the fine-grained privilege: 'setfilexsec -p MLOCK -r MLOCK JAVA'";
    private static final String PRIVRUN = "On 11i v3, start java with privrun";

    private static final Remedies OF_USER = common().put(
                    Reason.NOT_PERMITTED,
                    "Grant MLOCK to a group of the user, as the superuser: 'setprivgrp GROUP MLOCK', or -g for all"
                            + " groups"
                            + " ('getprivgrp' shows what is granted)",
                    "To keep that, put the line 'GROUP MLOCK' into /etc/privgroup",
                    SETFILEXSEC,
                    PRIVRUN)
            .build();

    /** Who needs no group, and can lack nothing but the fine-grained privilege. */
    private static final Remedies OF_SUPERUSER =
            common().put(Reason.NOT_PERMITTED, SETFILEXSEC, PRIVRUN).build();

    private final HpuxCalls calls;
    private final SystemNumbers numbers;
    private final Refusals refusals;

    HpuxBackend(HpuxCalls calls, SystemNumbers numbers, NativeAccess addresses, Host host) {
        super(
                new BackendInfo("hpux", host.osName() + " " + host.osVersion(), host.arch(), notes(numbers)),
                capabilities(numbers),
                calls.getpagesize(),
                host.bits(),
                addresses);
        this.calls = calls;
        this.numbers = numbers;
        refusals = new Refusals(numbers.errno(), this::remedies);
    }

    /** Sources: setprivgrp(1M), privgrp(4), setfilexsec(1M), privrun(1M), unlockable_mem(5), dmesg(1M), syslogd(1M). */
    private static Remedies.Builder common() {
        return Remedies.builder()
                .put(
                        Reason.NO_LOCKABLE_MEMORY,
                        "Lock less, or free what other processes have locked",
                        "Up to 11i v2, lower the kernel parameter unlockable_mem with kmtune or kctune")
                .put(Reason.IO_ERROR, "Look for the device error with dmesg or in /var/adm/syslog/syslog.log");
    }

    private static Set<Capability> capabilities(SystemNumbers numbers) {
        Set<Capability> found = EnumSet.noneOf(Capability.class);
        if (areKnown(numbers, "MCL_CURRENT", "MCL_FUTURE")) {
            found.add(Capability.LOCK_ADDRESS_SPACE);
        }
        if (areKnown(numbers, "MS_SYNC", "MS_ASYNC", "MS_INVALIDATE")) {
            found.add(Capability.SYNC);
        }
        return found;
    }

    private static boolean areKnown(SystemNumbers numbers, String... constants) {
        return Stream.of(constants).allMatch(each -> numbers.constant(each).isPresent());
    }

    private static List<String> notes(SystemNumbers numbers) {
        List<String> notes = new ArrayList<>(numbers.notes());
        notes.add("written from manual pages; never run on HP-UX");
        if (!capabilities(numbers).contains(Capability.SYNC)) {
            notes.add("no sync: the numbers MS_SYNC and MS_ASYNC are not known");
        }
        return notes;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            throw refusal("mlock", calls.errno(), "asked for " + ByteSize.format(length), true);
        }
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            throw refusal("munlock", calls.errno(), "", true);
        }
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        int flags = MemoryFlags.ofLockAll(scope, numbers.required("MCL_CURRENT"), numbers.required("MCL_FUTURE"));
        if (calls.mlockall(flags) != 0) {
            throw refusal("mlockall", calls.errno(), "asked for the whole address space", false);
        }
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        if (calls.munlockall() != 0) {
            throw refusal("munlockall", calls.errno(), "", false);
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        int flags = MemoryFlags.ofSync(
                options, numbers.required("MS_SYNC"), numbers.required("MS_ASYNC"), numbers.required("MS_INVALIDATE"));
        if (calls.msync(address, length, flags) != 0) {
            throw refusal("msync", calls.errno(), "", true);
        }
    }

    private PageLockException refusal(String function, int errno, String asked, boolean ofRange) {
        Reason reason = numbers.errno().reason(errno);
        if (numbers.errno().is(errno, "EAGAIN") && function.startsWith("mlock")) {
            reason = Reason.NO_LOCKABLE_MEMORY;
        } else if (numbers.errno().is(errno, "ENOMEM") && ofRange) {
            reason = Reason.NOT_MAPPED;
        }
        return refusals.of(reason, function, errno, finding(reason, function, errno, asked));
    }

    private String finding(Reason reason, String function, int errno, String asked) {
        switch (reason) {
            case NOT_PERMITTED:
                return permission();
            case NO_LOCKABLE_MEMORY:
                return "the system does not have enough lockable memory left; " + asked;
            case NOT_MAPPED:
                return "part of the range is not a valid address; " + function + "(2) gives no other cause";
            case BUSY:
                return "a page of the range is locked or in use";
            case IO_ERROR:
                return "a page could not be read or written";
            case NOT_SUPPORTED:
                return "this release lacks the call";
            default:
                return numbers.errno().is(errno, "EINVAL")
                        ? ofArgument(function)
                        : "no manual page of HP-UX explains this error of this call";
        }
    }

    private String ofArgument(String function) {
        switch (function) {
            case "mlockall":
                return "the flags were refused" + confirm("MCL_CURRENT");
            case "msync":
                return "an argument was refused" + confirm("MS_SYNC");
            default:
                return "an argument was refused; the manual page names only a length of 0, which was not given";
        }
    }

    private String confirm(String constant) {
        return numbers.isConfirmed(constant)
                ? ""
                : "; its number " + constant + " is not confirmed, see tools/abi-probe";
    }

    private String permission() {
        return "the effective user is " + Integer.toUnsignedString(calls.geteuid()) + "; "
                + PrivilegedGroups.read(calls, numbers).finding();
    }

    /** The system has one bound on locking, for all processes together, and no call that tells it to a process. */
    @Override
    public LockLimits limits() {
        Tristate mayLock = PrivilegedGroups.read(calls, numbers).mayLock();
        return LockLimits.builder()
                .limit(LockLimit.builder("limit per process", LockLimit.Scope.PROCESS)
                        .soft(LimitValue.none())
                        .build())
                .limit(LockLimit.builder("lockable memory", LockLimit.Scope.SYSTEM)
                        .build())
                .privilege(PRIVILEGE, mayLock)
                .permitted(mayLock)
                .build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return (calls.geteuid() == 0 ? OF_SUPERUSER : OF_USER).of(reason, bytes);
    }
}
