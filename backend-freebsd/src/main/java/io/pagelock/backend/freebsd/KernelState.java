// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.ENOENT;
import static io.pagelock.backend.freebsd.FreeBsdConstants.RLIMIT_MEMLOCK;

import io.pagelock.LimitValue;
import io.pagelock.Tristate;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** Asks the kernel for its settings, limits and rights. What it does not say stays unknown; nothing here throws. */
final class KernelState {
    private final FreeBsdCalls calls;
    private final long pageSize;
    private final OptionalLong release;

    KernelState(FreeBsdCalls calls) {
        this.calls = calls;
        pageSize = calls.getpagesize();
        release = sysctl("kern.osreldate");
    }

    long pageSize() {
        return pageSize;
    }

    /** {@code kern.osreldate}, for example 1501000 for 15.1. */
    OptionalLong release() {
        return release;
    }

    /** Returns whether the mappings of this release say what is locked. */
    boolean hasWiredFlag() {
        return release.orElse(0) >= FreeBsdConstants.WIRED_FLAG_SINCE;
    }

    /** The value of a number, whatever its width: kern.racct.enable has had 4 bytes and has 1 since. */
    OptionalLong sysctl(String name) {
        byte[] value = new byte[8];
        long[] length = {value.length};
        if (calls.sysctlbyname(CLibrary.string(name), value, length, 0, 0) != 0) {
            return OptionalLong.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.nativeOrder());
        switch ((int) length[0]) {
            case 8:
                return OptionalLong.of(bytes.getLong(0));
            case 4:
                return OptionalLong.of(bytes.getInt(0));
            case 2:
                return OptionalLong.of(bytes.getShort(0));
            case 1:
                return OptionalLong.of(bytes.get(0));
            default:
                return OptionalLong.empty();
        }
    }

    /** Soft and hard RLIMIT_MEMLOCK. */
    LimitValue[] memlock() {
        long[] limits = new long[2];
        if (calls.getrlimit(RLIMIT_MEMLOCK, limits) != 0) {
            return new LimitValue[] {LimitValue.unknown(), LimitValue.unknown()};
        }
        return new LimitValue[] {NativeLimits.of(limits[0]), NativeLimits.of(limits[1])};
    }

    /** The name of the system's maximum: {@code vm.max_wired} up to some release 12. */
    String maximumName() {
        return !sysctl("vm.max_user_wired").isPresent()
                        && sysctl("vm.max_wired").isPresent()
                ? "vm.max_wired"
                : "vm.max_user_wired";
    }

    /** How much all processes together may lock. */
    LimitValue maximum() {
        OptionalLong pages = sysctl(maximumName());
        // -1 is how administrators switch it off: the kernel compares unsigned numbers.
        return pages.isPresent() ? NativeLimits.ofPages(pages.getAsLong(), pageSize) : LimitValue.unknown();
    }

    /** How much all processes together have locked. Without a count of its own, the maximum is for all wired pages. */
    OptionalLong wiredByAll() {
        OptionalLong pages = sysctl("vm.stats.vm.v_user_wire_count");
        if (!pages.isPresent()) {
            pages = sysctl("vm.stats.vm.v_wire_count");
        }
        return pages.isPresent() ? OptionalLong.of(pages.getAsLong() * pageSize) : pages;
    }

    /**
     * Whether mincore looks beyond the page table of this process, where a page may be missing that is in memory: not where
     * vm.mincore_mapped is set, which is the default. Releases without that number always looked.
     */
    boolean mincoreLooksBeyond() {
        OptionalLong mapped = sysctl("vm.mincore_mapped");
        return mapped.isPresent() ? mapped.getAsLong() == 0 : calls.errno() == ENOENT;
    }

    boolean isJailed() {
        return sysctl("security.jail.jailed").orElse(0) != 0;
    }

    /**
     * Whether this jail has {@code allow.mlock}; in a jail the sysctl tells of that jail. FreeBSD 10 has neither, and no jail
     * may lock there.
     */
    boolean jailMayLock() {
        return sysctl("security.jail.mlock_allowed").orElse(0) != 0;
    }

    /** {@code security.bsd.unprivileged_mlock}, which does not bind the superuser. */
    OptionalLong unprivilegedMayLock() {
        return sysctl("security.bsd.unprivileged_mlock");
    }

    /** Whether this process may lock at all, which FreeBSD calls PRIV_VM_MLOCK. The jail is asked first, by the kernel too. */
    Tristate mayLock() {
        OptionalLong jailed = sysctl("security.jail.jailed");
        if (!jailed.isPresent()) {
            return Tristate.UNKNOWN;
        }
        if (jailed.getAsLong() != 0 && !jailMayLock()) {
            return Tristate.NO;
        }
        if (isRoot() && hasSuperuser()) {
            return Tristate.YES;
        }
        OptionalLong unprivileged = unprivilegedMayLock();
        return unprivileged.isPresent() ? Tristate.of(unprivileged.getAsLong() != 0) : Tristate.UNKNOWN;
    }

    /** Returns whether root has rights: a setting takes them away, since 14 of a jail alone (sys/kern/kern_priv.c). */
    boolean hasSuperuser() {
        return sysctl("security.bsd.suser_enabled").orElse(1) != 0;
    }

    /** Returns whether rctl(8) may limit this process. */
    boolean hasResourceControl() {
        return sysctl("kern.racct.enable").orElse(0) != 0;
    }

    boolean isRoot() {
        return calls.geteuid() == 0;
    }

    int pid() {
        return calls.getpid();
    }
}
