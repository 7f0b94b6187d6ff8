// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import static io.pagelock.backend.macos.MacosConstants.RLIMIT_MEMLOCK;

import io.pagelock.LimitValue;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * Reads the limits of wired memory. They bind root, too. What the kernel does not say, or a sandbox forbids, is unknown.
 *
 * <p>Sources: mlock(2), getrlimit(2); {@code add_wire_counts} in osfmk/vm/vm_map.c and {@code kmem_set_user_wire_limits} in
 * osfmk/vm/vm_kern.c of xnu, which set vm.user_wire_limit and vm.global_user_wire_limit from the size of memory at boot.
 */
final class WireLimits {
    private static final LimitValue[] UNKNOWN = {LimitValue.unknown(), LimitValue.unknown()};

    private final MacosCalls calls;

    WireLimits(MacosCalls calls) {
        this.calls = calls;
    }

    /** Soft and hard RLIMIT_MEMLOCK. */
    LimitValue[] memlock() {
        long[] limits = new long[2];
        return calls.getrlimit(RLIMIT_MEMLOCK, limits) != 0
                ? UNKNOWN
                : new LimitValue[] {NativeLimits.of(limits[0]), NativeLimits.of(limits[1])};
    }

    /** {@code vm.user_wire_limit}, which binds each process beside RLIMIT_MEMLOCK. */
    LimitValue perProcess() {
        return limit(sysctl("vm.user_wire_limit"));
    }

    /** The least of what binds all processes together. Older kernels also keep an amount free of wired pages. */
    LimitValue global() {
        OptionalLong limit = sysctl("vm.global_user_wire_limit");
        OptionalLong memory = sysctl("hw.memsize");
        OptionalLong kept = sysctl("vm.global_no_user_wire_amount");
        if (!limit.isPresent() || !memory.isPresent() || !kept.isPresent()) {
            return limit(limit);
        }
        return limit(OptionalLong.of(Math.min(limit.getAsLong(), Math.max(0, memory.getAsLong() - kept.getAsLong()))));
    }

    private static LimitValue limit(OptionalLong bytes) {
        return bytes.isPresent() ? NativeLimits.of(bytes.getAsLong()) : LimitValue.unknown();
    }

    /** What counts against that: all wired pages, the kernel's own among them. */
    OptionalLong wiredByAll() {
        OptionalLong wired = sysctl("vm.page_wire_count");
        // Of the kernel, which is larger than this process's under Rosetta.
        OptionalLong page = sysctl("vm.pagesize");
        return wired.isPresent() && page.isPresent()
                ? OptionalLong.of(
                        (wired.getAsLong() + sysctl("vm.lopage_free_count").orElse(0)) * page.getAsLong())
                : OptionalLong.empty();
    }

    private OptionalLong sysctl(String name) {
        byte[] value = new byte[8];
        long[] length = {value.length};
        if (calls.sysctlbyname(CLibrary.string(name), value, length, 0, 0) != 0) {
            return OptionalLong.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.nativeOrder());
        return length[0] == 8
                ? OptionalLong.of(bytes.getLong(0))
                : length[0] == 4 ? OptionalLong.of(bytes.getInt(0) & 0xffffffffL) : OptionalLong.empty();
    }
}
