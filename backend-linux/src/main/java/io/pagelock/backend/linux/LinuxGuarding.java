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
    /** Since 4.17: refused where anything is mapped. */
    private static final int MAP_FIXED_NOREPLACE = 0x100000;

    private final GuardCalls calls;
    private final ErrnoTable errnos;
    private final boolean hasSecret;
    private final GuardRoom room;
    private final LinuxFailure failure;

    LinuxGuarding(
            GuardCalls calls,
            LinuxConstants constants,
            String arch,
            PageStateReading mappings,
            GuardRoom room,
            LinuxFailure failure) {
        super(calls, constants.errno, mappings, false);
        this.calls = calls;
        this.errnos = constants.errno;
        this.room = room;
        this.failure = failure;
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

    /**
     * Puts secret memory in the place of the pages. Where the kernel refuses that for the limit, it has unmapped what was there before:
     * secretmem_mmap() in mm/secretmem.c comes after the unmapping in mm/vma.c. So it is asked elsewhere first, and what is missing
     * after a refusal all the same is mapped again, unless somebody has taken the place.
     */
    private void setSecret(long address, long length, boolean on) {
        // MAP_FIXED would fill a hole.
        if (hasHole(address, length)) {
            throw PageLockException.because(Reason.NOT_MAPPED)
                    .action("guard memory")
                    .build();
        }
        if (!on) {
            checkMapped(map(address, length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1), address, length);
            return;
        }
        long file = calls.syscall(SYS_MEMFD_SECRET, 0);
        check("memfd_secret", file, address, length);
        try {
            check("ftruncate", calls.ftruncate((int) file, length), address, length);
            long elsewhere = map(0, length, MAP_SHARED, (int) file);
            checkMapped(elsewhere, address, length);
            calls.munmap(elsewhere, length);
            long there = map(address, length, MAP_SHARED | MAP_FIXED, (int) file);
            if (there == -1) {
                int errno = calls.errno();
                map(address, length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
                throw notMapped(errno, address, length);
            }
        } finally {
            calls.close((int) file);
        }
    }

    private long map(long address, long length, int flags, int file) {
        return calls.mmap(address, length, PROT_READ_WRITE, flags, file, 0);
    }

    private void checkMapped(long result, long address, long length) {
        if (result == -1) {
            throw notMapped(calls.errno(), address, length);
        }
    }

    /** Secret memory over the limit is EAGAIN: mlock_future_ok() in mm/secretmem.c. */
    private PageLockException notMapped(int errno, long address, long length) {
        return errnos.is(errno, "EAGAIN")
                ? failure.ofSecretMemory("mmap", errno, length).toBuilder()
                        .action("guard memory")
                        .build()
                : refusal("mmap", errno, address, length);
    }
}
