// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.openbsd;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.support.AbstractBackend;
import io.pagelock.backend.support.ErrnoTable;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.backend.support.NativeLimits;
import io.pagelock.backend.support.Refusals;
import io.pagelock.backend.support.Remedies;
import io.pagelock.spi.Host;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** OpenBSD, as far as locking ranges goes: mlock(2), munlock(2), getrlimit(2); numbers from sys/mman.h and sys/errno.h. */
final class OpenBsdBackend extends AbstractBackend {
    private static final int RLIMIT_MEMLOCK = 6;
    private static final int MS_ASYNC = 1;
    static final ErrnoTable ERRNO = ErrnoTable.builder()
            .put("EPERM", 1)
            .put("EIO", 5)
            .put("ENOMEM", 12)
            .put("EFAULT", 14)
            .put("EBUSY", 16)
            .put("EINVAL", 22)
            .put("EAGAIN", 35)
            .put("ENOSYS", 78)
            .build();
    private static final Remedies REMEDIES = Remedies.builder()
            .put(
                    Reason.OVER_LIMIT,
                    "Raise memorylocked of the login class in /etc/login.conf and log in again",
                    "Start java with 'ulimit -l {kib}'")
            .build();

    private final OpenBsdCalls calls;
    private final Refusals refusals = new Refusals(ERRNO, REMEDIES);

    OpenBsdBackend(OpenBsdCalls calls, NativeAccess addresses, Host host) {
        super(
                new BackendInfo(
                        "openbsd", host.osName() + " " + host.osVersion(), host.arch(), Arrays.asList("a scratch")),
                EnumSet.noneOf(Capability.class),
                calls.getpagesize(),
                host.bits(),
                addresses);
        this.calls = calls;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        if (calls.mlock(address, length) != 0) {
            throw refusal("mlock", calls.errno(), address, length);
        }
    }

    @Override
    public void unlock(long address, long length) {
        if (calls.munlock(address, length) != 0) {
            throw refusal("munlock", calls.errno(), address, length);
        }
    }

    private PageLockException refusal(String function, int errno, long address, long length) {
        if (ERRNO.is(errno, "EAGAIN")) {
            return refusals.of(
                    Reason.OVER_LIMIT, function, errno, "asked for " + length + " bytes; " + memlock(), length);
        }
        // A hole or a page that cannot be had; msync says EFAULT for the first and changes nothing.
        boolean hole = ERRNO.is(errno, "ENOMEM")
                && calls.msync(address, length, MS_ASYNC) != 0
                && ERRNO.is(calls.errno(), "EFAULT");
        return refusals.of(hole ? Reason.NOT_MAPPED : ERRNO.reason(errno), function, errno, "");
    }

    private LockLimit memlock() {
        long[] limits = new long[2];
        boolean known = calls.getrlimit(RLIMIT_MEMLOCK, limits) == 0;
        return LockLimit.builder("RLIMIT_MEMLOCK", LockLimit.Scope.PROCESS)
                .soft(known ? NativeLimits.of(limits[0]) : LimitValue.unknown())
                .hard(known ? NativeLimits.of(limits[1]) : LimitValue.unknown())
                .build();
    }

    @Override
    public LockLimits limits() {
        return LockLimits.builder().limit(memlock()).permitted(Tristate.YES).build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return REMEDIES.of(reason, bytes);
    }
}
