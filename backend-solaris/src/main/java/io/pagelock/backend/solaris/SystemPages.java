// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import static io.pagelock.backend.support.CLibrary.string;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.PageLockException;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeCalls;
import io.pagelock.backend.support.SizeT;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * The page counts of the whole system: the kernel's statistics {@code unix:0:system_pages}, kstat(3KSTAT).
 *
 * <p>Locking fails with EAGAIN if {@code availrmem} would fall below the tunable {@code pages_pp_maximum}. The statistics do
 * not tell that one; its default is a twenty-fifth of the memory and 4 MiB (Solaris Tunable Parameters Reference Manual,
 * Solaris 9 to 11.2), which an administrator may have raised and the system raises where memory is small.
 */
final class SystemPages {
    private static final String LIMIT = "lockable memory";
    private static final int KSTAT_DATA_INT32 = 1;
    private static final int KSTAT_DATA_UINT32 = 2;

    private final long locked;
    private final long available;
    private final long physical;

    SystemPages(long physical, long locked, long available) {
        this.physical = physical;
        this.locked = locked;
        this.available = available;
    }

    /** libkstat: kstat_open(3KSTAT), kstat_lookup(3KSTAT), kstat_read(3KSTAT); and memcpy of C, to look at what it returns. */
    interface Kstat extends NativeCalls {
        @SizeT
        long kstat_open();

        @SizeT
        long kstat_lookup(long kc, byte[] module, int instance, byte[] name);

        int kstat_read(long kc, long ksp, long buf);

        @SizeT
        long kstat_data_lookup(long ksp, byte[] name);

        int kstat_close(long kc);

        @SizeT
        long memcpy(byte[] to, long from, long length);
    }

    /**
     * Returns the counts at present; empty if libkstat or one of them is missing.
     *
     * @param libkstat opens the library
     */
    static Optional<SystemPages> read(Supplier<CLibrary> libkstat) {
        Kstat kstat;
        try {
            kstat = libkstat.get().bind(MethodHandles.lookup(), Kstat.class);
        } catch (PageLockException e) {
            return Optional.empty();
        }
        long control = kstat.kstat_open();
        if (control == 0) {
            return Optional.empty();
        }
        try {
            long pages = kstat.kstat_lookup(control, string("unix"), 0, string("system_pages"));
            if (pages == 0 || kstat.kstat_read(control, pages, 0) < 0) {
                return Optional.empty();
            }
            long locked = kstat.kstat_data_lookup(pages, string("pageslocked"));
            long available = kstat.kstat_data_lookup(pages, string("availrmem"));
            long physical = kstat.kstat_data_lookup(pages, string("physmem"));
            return locked == 0 || available == 0 || physical == 0
                    ? Optional.empty()
                    : Optional.of(
                            new SystemPages(value(kstat, physical), value(kstat, locked), value(kstat, available)));
        } finally {
            kstat.kstat_close(control);
        }
    }

    /** Reads the value of a {@code kstat_named_t}: a name of 31 bytes, the type, then the value; sys/kstat.h. */
    private static long value(Kstat kstat, long at) {
        byte[] named = new byte[40];
        kstat.memcpy(named, at, named.length);
        ByteBuffer value = ByteBuffer.wrap(named).order(ByteOrder.nativeOrder());
        // An unsigned long of the kernel's interface: 32 bits for a 32-bit process, 64 otherwise.
        return named[31] == KSTAT_DATA_INT32 || named[31] == KSTAT_DATA_UINT32
                ? value.getInt(32) & 0xffffffffL
                : value.getLong(32);
    }

    /** Whether so many pages more would take what the system keeps unlocked by default. */
    boolean exhaustedBy(long pages, long pageSize) {
        return available - pages < kept(pageSize);
    }

    private long kept(long pageSize) {
        return physical / 25 + (4L << 20) / pageSize;
    }

    /** What may be locked in all. What is kept by default may be less than that, so it is neither there for certain nor gone. */
    LockLimit limit(long pageSize) {
        long kept = Math.min(available, kept(pageSize));
        long most = Long.MAX_VALUE / pageSize;
        if (locked < 0 || locked > most || available < 0 || available > most - locked) {
            return unknownLimit();
        }
        return LockLimit.builder(LIMIT, LockLimit.Scope.SYSTEM)
                .soft(LimitValue.ofBytes((locked + available - kept) * pageSize))
                .used(OptionalLong.of(locked * pageSize))
                .onMemory(kept * pageSize)
                .build();
    }

    /** The same where the counts cannot be read. */
    static LockLimit unknownLimit() {
        return LockLimit.builder(LIMIT, LockLimit.Scope.SYSTEM).build();
    }

    /** Pages locked by all processes and the kernel. */
    long locked() {
        return locked;
    }

    /** Pages that are neither locked nor the kernel's. */
    long available() {
        return available;
    }
}
