// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static io.pagelock.backend.freebsd.FreeBsdConstants.CTL_KERN;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ENOENT;
import static io.pagelock.backend.freebsd.FreeBsdConstants.ENOMEM;
import static io.pagelock.backend.freebsd.FreeBsdConstants.KERN_PROC;
import static io.pagelock.backend.freebsd.FreeBsdConstants.KERN_PROC_VMMAP;
import static io.pagelock.backend.freebsd.FreeBsdConstants.RLIMIT_MEMLOCK;
import static io.pagelock.backend.freebsd.FreeBsdConstants.RLIM_INFINITY;

import io.pagelock.LimitValue;
import io.pagelock.Tristate;
import io.pagelock.backend.support.CLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Looks at the kernel: sysctl, limits, mappings. What it does not tell stays unknown; nothing here throws. */
final class KernelState {
    private static final int ATTEMPTS = 5;
    /** How often the room for the mappings is doubled. */
    private static final int ROOMS = 16;

    private final FreeBsdCalls calls;
    private final long pageSize;
    private final OptionalLong release;
    /** How long the mappings were the last time. A guess, so threads may overwrite each other's. */
    private volatile long mapLength = 1 << 16;

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

    /** Whether the mappings say what is wired. */
    boolean tellsWired() {
        return release.orElse(0) >= FreeBsdConstants.WIRED_FLAG_SINCE && read().isPresent();
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
        return new LimitValue[] {limit(limits[0]), limit(limits[1])};
    }

    private static LimitValue limit(long value) {
        return value == RLIM_INFINITY || value < 0 ? LimitValue.unlimited() : LimitValue.ofBytes(value);
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
        if (!pages.isPresent()) {
            return LimitValue.unknown();
        }
        long count = pages.getAsLong();
        // -1 is how administrators switch it off: the kernel compares unsigned numbers.
        return count < 0 || count > Long.MAX_VALUE / pageSize
                ? LimitValue.unlimited()
                : LimitValue.ofBytes(count * pageSize);
    }

    /** How much all processes together have locked. Without a count of its own, the maximum is for all wired pages. */
    OptionalLong wiredByAll() {
        OptionalLong pages = sysctl("vm.stats.vm.v_user_wire_count");
        if (!pages.isPresent()) {
            pages = sysctl("vm.stats.vm.v_wire_count");
        }
        return pages.isPresent() ? OptionalLong.of(pages.getAsLong() * pageSize) : pages;
    }

    /** How much this process has locked. */
    OptionalLong wired() {
        return hasWiredFlag() ? wired(settled(MapEntry::isUserWired, 0, 0)) : OptionalLong.empty();
    }

    /** How much of it is wired. */
    OptionalLong wired(Optional<List<MapEntry>> entries) {
        if (!hasWiredFlag() || !entries.isPresent()) {
            return OptionalLong.empty();
        }
        long bytes = 0;
        for (MapEntry entry : entries.get()) {
            bytes += entry.isUserWired() ? entry.end - entry.start : 0;
        }
        return OptionalLong.of(bytes);
    }

    private boolean hasWiredFlag() {
        return release.orElse(0) >= FreeBsdConstants.WIRED_FLAG_SINCE;
    }

    /** The mappings of this process, in the order of their addresses. Empty also if they do not stand still for a look. */
    Optional<List<MapEntry>> mappings() {
        return settled(entry -> true, 0, 0);
    }

    /** Those of a range, as below, and what is wired anywhere. */
    Optional<List<MapEntry>> mappingsAndWired(long start, long end) {
        return settled(entry -> entry.isUserWired() || entry.overlaps(start, end), start, end);
    }

    /** Those of a range, and where they leave a gap in it nothing is mapped. */
    Optional<List<MapEntry>> mappings(long start, long end) {
        return settled(entry -> entry.overlaps(start, end), start, end);
    }

    /**
     * Reads the mappings until what is wanted of them is twice the same. The kernel gives the map's lock up after each, and
     * those that another thread has merged with it by then are missing (sys/kern/kern_proc.c, kern_proc_vmmap_out).
     */
    private Optional<List<MapEntry>> settled(Predicate<MapEntry> wanted, long start, long end) {
        List<MapEntry> before = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Optional<List<MapEntry>> read = read();
            if (!read.isPresent()) {
                return read;
            }
            List<MapEntry> entries = read.get().stream().filter(wanted).collect(Collectors.toList());
            if (before != null && MapEntry.areSame(entries, before) && areHoles(entries, start, end)) {
                return Optional.of(entries);
            }
            before = entries;
        }
        return Optional.empty();
    }

    /** Whether there is nothing where the mappings leave a gap, since the same may be missing twice. */
    private boolean areHoles(List<MapEntry> entries, long start, long end) {
        long at = start;
        for (MapEntry entry : entries) {
            if (!entry.overlaps(start, end)) {
                continue;
            }
            if (Trouble.less(at, entry.start) && !isHole(at)) {
                return false;
            }
            at = Trouble.max(at, entry.end);
        }
        return !Trouble.less(at, end) || isHole(at);
    }

    private boolean isHole(long address) {
        for (int attempt = 0; attempt < 2; attempt++) {
            // Fails for a page that is mapped, too, if the map changes at the last moment.
            if (calls.mincore(address, pageSize, new byte[1]) == 0 || calls.errno() != ENOMEM) {
                return false;
            }
        }
        return true;
    }

    /** Reads them in one walk through the map, which is long, with room for half as many again as there were the last time. */
    private Optional<List<MapEntry>> read() {
        int[] name = {CTL_KERN, KERN_PROC, KERN_PROC_VMMAP, calls.getpid()};
        long room = mapLength + mapLength / 2 + 4096;
        for (int attempt = 0; attempt < ROOMS && room <= Integer.MAX_VALUE - 8; attempt++, room *= 2) {
            byte[] records = new byte[(int) room];
            long[] length = {room};
            if (calls.sysctl(name, name.length, records, length, 0, 0) == 0) {
                mapLength = length[0];
                return Optional.of(MapEntry.parse(records, (int) length[0]));
            }
            if (calls.errno() != ENOMEM) {
                return Optional.empty();
            }
        }
        return Optional.empty();
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
        // 0 takes root's rights away, since 14 for a jail alone (sys/kern/kern_priv.c); what is allowed to all stays.
        if (calls.geteuid() == 0 && sysctl("security.bsd.suser_enabled").orElse(1) != 0) {
            return Tristate.YES;
        }
        OptionalLong unprivileged = unprivilegedMayLock();
        return unprivileged.isPresent() ? Tristate.of(unprivileged.getAsLong() != 0) : Tristate.UNKNOWN;
    }
}
