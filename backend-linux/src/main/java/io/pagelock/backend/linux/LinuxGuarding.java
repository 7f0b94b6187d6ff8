// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.AbstractGuarding;
import io.pagelock.backend.support.ErrnoTable;
import io.pagelock.backend.support.GuardCalls;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.PageStateReading;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * madvise(2) with MADV_DONTDUMP (3.4), MADV_WIPEONFORK (4.14) or MADV_DONTFORK (2.6.16), and memfd_secret(2) (5.14, on by default
 * from 6.5 on). The numbers of advice are those of every processor that {@link LinuxConstants} knows.
 */
final class LinuxGuarding extends AbstractGuarding {
    private static final int MADV_DONTFORK = 10;
    private static final int MADV_DOFORK = 11;
    private static final int MADV_DONTDUMP = 16;
    private static final int MADV_DODUMP = 17;
    private static final int MADV_WIPEONFORK = 18;
    private static final int MADV_KEEPONFORK = 19;

    /** The processors that have memfd_secret; on these, the number and the following ones are the same. */
    private static final List<String> SECRET_ARCHS = Arrays.asList("amd64", "x86_64", "aarch64", "riscv64");

    private static final long SYS_MEMFD_SECRET = 447;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;

    private final GuardCalls calls;
    private final ErrnoTable errnos;
    private final boolean hasSecret;
    private final GuardRoom room;

    LinuxGuarding(GuardCalls calls, LinuxConstants constants, String arch, PageStateReading mappings, GuardRoom room) {
        super(calls, constants.errno, mappings, false);
        this.calls = calls;
        this.errnos = constants.errno;
        this.room = room;
        this.hasSecret = SECRET_ARCHS.contains(arch);
    }

    @Override
    protected Set<MemoryGuard> probe() {
        Set<MemoryGuard> found = EnumSet.noneOf(MemoryGuard.class);
        // Of no bytes, so that the answer tells only whether the kernel knows the advice.
        if (calls.madvise(0, 0, MADV_DONTDUMP) == 0) {
            found.add(MemoryGuard.NOT_DUMPED);
        }
        if (calls.madvise(0, 0, MADV_DONTFORK) == 0) {
            found.add(MemoryGuard.NOT_INHERITED);
        }
        if (hasSecret) {
            int file = (int) calls.syscall(SYS_MEMFD_SECRET, 0);
            if (file >= 0) {
                calls.close(file);
                found.add(MemoryGuard.SECRET);
            }
        }
        return found;
    }

    @Override
    protected void beforeGuard() {
        room.take();
    }

    @Override
    protected void set(long address, long length, MemoryGuard guard, boolean on) {
        switch (guard) {
            case NOT_DUMPED:
                advise(address, length, on ? MADV_DONTDUMP : MADV_DODUMP);
                break;
            case NOT_INHERITED:
                setNotInherited(address, length, on);
                break;
            default:
                setSecret(address, length, on);
                break;
        }
    }

    private void advise(long address, long length, int advice) {
        check("madvise", calls.madvise(address, length, advice), address, length);
    }

    /** Before 4.14, and for secret memory, which is shared, only the other advice is known: then the child has no such pages. */
    private void setNotInherited(long address, long length, boolean on) {
        if (calls.madvise(address, length, on ? MADV_WIPEONFORK : MADV_KEEPONFORK) != 0) {
            int errno = calls.errno();
            if (!errnos.is(errno, "EINVAL")) {
                throw refusal("madvise", errno, address, length);
            }
            advise(address, length, on ? MADV_DONTFORK : MADV_DOFORK);
        } else if (!on) {
            advise(address, length, MADV_DOFORK);
        }
    }

    private void setSecret(long address, long length, boolean on) {
        if (!on) {
            map(address, length, MAP_PRIVATE | MAP_ANONYMOUS, -1);
            return;
        }
        long file = calls.syscall(SYS_MEMFD_SECRET, 0);
        check("memfd_secret", file, address, length);
        try {
            check("ftruncate", calls.ftruncate((int) file, length), address, length);
            map(address, length, MAP_SHARED, (int) file);
        } finally {
            calls.close((int) file);
        }
    }

    private void map(long address, long length, int flags, int file) {
        // MAP_FIXED would fill a hole.
        if (hasHole(address, length)) {
            throw PageLockException.because(Reason.NOT_MAPPED)
                    .action("guard memory")
                    .build();
        }
        if (calls.mmap(address, length, PROT_READ_WRITE, flags | MAP_FIXED, file, 0) == -1) {
            int errno = calls.errno();
            PageLockException refused = refusal("mmap", errno, address, length);
            // Secret memory over the limit: mlock_future_ok() in mm/secretmem.c.
            throw errnos.is(errno, "EAGAIN")
                    ? PageLockException.because(Reason.OVER_LIMIT)
                            .action("guard memory")
                            .call("mmap", errno, "EAGAIN")
                            .build()
                    : refused;
        }
    }
}
