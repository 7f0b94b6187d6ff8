// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What bounds locking on Linux: RLIMIT_MEMLOCK, getrlimit(2); then memory itself, that of the control group, cgroups(7), and
 * that of the machine, proc_meminfo(5). The kernel tests only the first when it locks. The others end in lack of memory
 * later, so they say no only if there is no room even after everything was written back and swapped out.
 */
final class LinuxLimits {
    static final String PRIVILEGE = "CAP_IPC_LOCK";

    /** From here on a group's limit means none: version 1 shows the largest number of pages, in bytes. */
    private static final long GROUP_UNLIMITED = 1L << 62;

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;

    LinuxLimits(LinuxCalls calls, LinuxConstants constants, ProcSelf proc) {
        this.calls = calls;
        this.constants = constants;
        this.proc = proc;
    }

    LockLimits read() {
        ProcSelf.Status status = proc.status();
        List<LockLimit> all = new ArrayList<>();
        all.add(memlock(status));
        Map<String, Long> machine = fields("/proc/meminfo", " kB", 1024);
        // Locking what is in memory already takes no new memory.
        long own = Math.max(
                0, status.residentBytes().orElse(0) - status.lockedBytes().orElse(0));
        long swap = machine.getOrDefault("SwapFree", 0L);
        group(own, swap).ifPresent(all::add);
        if (machine.containsKey("MemTotal") && machine.containsKey("MemAvailable")) {
            long total = machine.get("MemTotal");
            long used =
                    Math.max(machine.getOrDefault("Unevictable", 0L), total - machine.get("MemAvailable") - own - swap);
            all.add(memory("physical memory", LockLimit.Scope.SYSTEM, total, used));
        }
        return new LockLimits(all, status.lockedBytes(), PRIVILEGE, proc.canExceedLimit(status));
    }

    /** RLIMIT_MEMLOCK with what is charged to it. */
    LockLimit memlock(ProcSelf.Status status) {
        long[] rlim = new long[2];
        boolean known = calls.getrlimit(constants.rlimitMemlock, rlim) == 0;
        return new LockLimit(
                "RLIMIT_MEMLOCK",
                LockLimit.Scope.PROCESS,
                known ? limit(rlim[0]) : LimitValue.unknown(),
                known ? limit(rlim[1]) : LimitValue.unknown(),
                status.lockedBytes(),
                true);
    }

    private static LimitValue limit(long bytes) {
        // Infinity is 2^64-1, or 2^63-1 with the kernel's own type on alpha; nothing else is that large.
        return bytes < 0 || bytes == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(bytes);
    }

    private static LockLimit memory(String name, LockLimit.Scope scope, long total, long used) {
        LimitValue size = LimitValue.ofBytes(total);
        return new LockLimit(name, scope, size, size, OptionalLong.of(Math.max(0, Math.min(total, used))), false);
    }

    /** The tightest memory limit of this process's control group and the groups around it. */
    private Optional<LockLimit> group(long own, long swap) {
        Optional<String> memoryV1 = path("memory");
        boolean v1 = memoryV1.isPresent();
        Optional<String> path = v1 ? memoryV1 : path("");
        Optional<String[]> mount = mount(v1 ? "cgroup" : "cgroup2", v1 ? "memory" : "");
        if (!path.isPresent() || !mount.isPresent()) {
            return Optional.empty();
        }
        String root = mount.get()[0];
        String top = mount.get()[1];
        String below = path.get();
        if (!root.equals("/")) {
            below = below.startsWith(root) ? below.substring(root.length()) : "";
        }
        LockLimit tightest = null;
        while (true) {
            String dir = top + (below.equals("/") ? "" : below);
            OptionalLong max = proc.number(dir + (v1 ? "/memory.limit_in_bytes" : "/memory.max"));
            OptionalLong current = proc.number(dir + (v1 ? "/memory.usage_in_bytes" : "/memory.current"));
            if (max.isPresent() && current.isPresent() && max.getAsLong() < GROUP_UNLIMITED) {
                Map<String, Long> stat = fields(dir + "/memory.stat", "", 1);
                String prefix = v1 ? "total_" : "";
                long files =
                        stat.getOrDefault(prefix + "active_file", 0L) + stat.getOrDefault(prefix + "inactive_file", 0L);
                long used = Math.max(
                        stat.getOrDefault(prefix + "unevictable", 0L), current.getAsLong() - files - own - swap);
                LockLimit limit = memory(
                        "memory of the control group " + (below.isEmpty() ? "/" : below),
                        LockLimit.Scope.CONTAINER,
                        max.getAsLong(),
                        used);
                if (tightest == null || room(limit) < room(tightest)) {
                    tightest = limit;
                }
            }
            int slash = below.lastIndexOf('/');
            if (slash < 0) {
                return Optional.ofNullable(tightest);
            }
            below = below.substring(0, slash);
        }
    }

    private static long room(LockLimit limit) {
        return limit.soft().bytes().getAsLong() - limit.used().getAsLong();
    }

    /** The group of a controller, or with an empty name that of version 2: "4:cpu,memory:/path", "0::/path". */
    private Optional<String> path(String controller) {
        for (String line : proc.ownLines("cgroup")) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && Arrays.asList(parts[1].split(",")).contains(controller)) {
                return Optional.of(parts[2]);
            }
        }
        return Optional.empty();
    }

    /** Root and mount point of a control group file system: proc_pid_mountinfo(5). */
    private Optional<String[]> mount(String type, String option) {
        for (String line : proc.ownLines("mountinfo")) {
            String[] halves = line.split(" - ", 2);
            String[] left = halves[0].split(" ");
            String[] right = halves.length == 2 ? halves[1].split(" ") : new String[0];
            if (left.length >= 5
                    && right.length >= 3
                    && right[0].equals(type)
                    && (option.isEmpty() || Arrays.asList(right[2].split(",")).contains(option))) {
                return Optional.of(new String[] {left[3], left[4]});
            }
        }
        return Optional.empty();
    }

    /** Lines of a name, perhaps a colon, and a number with the given unit. */
    private Map<String, Long> fields(String name, String unit, long factor) {
        Map<String, Long> fields = new HashMap<>();
        for (String line : proc.lines(name)) {
            String[] parts = line.endsWith(unit) ? line.split("[:\\s]+") : new String[0];
            if (parts.length >= 2) {
                try {
                    fields.put(parts[0], Long.parseLong(parts[1]) * factor);
                } catch (NumberFormatException e) {
                    continue;
                }
            }
        }
        return fields;
    }
}
