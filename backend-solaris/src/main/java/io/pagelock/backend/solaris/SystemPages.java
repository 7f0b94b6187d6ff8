// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import com.sun.jna.Pointer;
import com.sun.jna.platform.unix.solaris.LibKstat;
import com.sun.jna.platform.unix.solaris.LibKstat.Kstat;
import com.sun.jna.platform.unix.solaris.LibKstat.KstatCtl;
import com.sun.jna.platform.unix.solaris.LibKstat.KstatNamed;
import java.util.Optional;

/**
 * The page counts of the whole system: the kernel's statistics {@code unix:0:system_pages}, kstat(3KSTAT).
 *
 * <p>Locking fails with EAGAIN if {@code availrmem} would fall below the tunable {@code pages_pp_maximum}. The statistics do
 * not tell that one; its default is a twenty-fifth of the memory and 4 MiB (Solaris Tunable Parameters Reference Manual,
 * Solaris 9 to 11.2), which an administrator may have raised and the system raises where memory is small.
 */
final class SystemPages {
    private final long locked;
    private final long available;
    private final long physical;

    SystemPages(long physical, long locked, long available) {
        this.physical = physical;
        this.locked = locked;
        this.available = available;
    }

    /** The counts now; empty if libkstat or one of them is missing. */
    static Optional<SystemPages> read() {
        try {
            LibKstat kstat = LibKstat.INSTANCE;
            KstatCtl control = kstat.kstat_open();
            if (control == null) {
                return Optional.empty();
            }
            try {
                Kstat pages = kstat.kstat_lookup(control, "unix", 0, "system_pages");
                if (pages == null || kstat.kstat_read(control, pages, null) < 0) {
                    return Optional.empty();
                }
                Pointer locked = kstat.kstat_data_lookup(pages, "pageslocked");
                Pointer available = kstat.kstat_data_lookup(pages, "availrmem");
                Pointer physical = kstat.kstat_data_lookup(pages, "physmem");
                return locked == null || available == null || physical == null
                        ? Optional.empty()
                        : Optional.of(new SystemPages(value(physical), value(locked), value(available)));
            } finally {
                kstat.kstat_close(control);
            }
        } catch (LinkageError e) {
            // A system without libkstat, or a JNA whose platform part was left out.
            return Optional.empty();
        }
    }

    private static long value(Pointer at) {
        KstatNamed named = new KstatNamed(at);
        // An unsigned long of the kernel's interface: 32 bits for a 32-bit process, 64 otherwise.
        return named.data_type == LibKstat.KSTAT_DATA_UINT32 || named.data_type == LibKstat.KSTAT_DATA_INT32
                ? named.value.ui32 & 0xffffffffL
                : named.value.ui64;
    }

    /** Whether so many pages more would take what the system keeps unlocked by default. */
    boolean exhaustedBy(long pages, long pageSize) {
        return available - pages < physical / 25 + (4L << 20) / pageSize;
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
