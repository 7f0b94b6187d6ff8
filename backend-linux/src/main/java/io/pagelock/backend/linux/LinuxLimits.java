// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.backend.support.NativeLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What bounds locking on Linux: RLIMIT_MEMLOCK, getrlimit(2); then memory itself, that of the control group, cgroups(7), and
 * that of the machine, proc_meminfo(5). The kernel tests only the first when it locks. The others end with a process that
 * is killed, so they say yes only if a lock fits beside what is in use, and no only if nothing that the kernel might do makes
 * room.
 */
final class LinuxLimits {
    static final String PRIVILEGE = "CAP_IPC_LOCK";

    private final LinuxCalls calls;
    private final LinuxConstants constants;
    private final ProcSelf proc;
    private final MemoryGroups groups;

    LinuxLimits(LinuxCalls calls, LinuxConstants constants, ProcSelf proc) {
        this.calls = calls;
        this.constants = constants;
        this.proc = proc;
        this.groups = new MemoryGroups(proc);
    }

    LockLimits read() {
        Status status = proc.status();
        LockLimit memlock = memlock(status);
        Tristate privileged = proc.canExceedLimit(status);
        LockLimits.Builder all = LockLimits.builder()
                .limit(memlock)
                .lockedBytes(status.lockedBytes())
                .privilege(PRIVILEGE, privileged)
                .permitted(permitted(memlock, privileged));
        long own = Math.max(
                0, status.residentBytes().orElse(0) - status.lockedBytes().orElse(0));
        for (MemoryUse use : memory()) {
            all.limit(use.toLimit(own));
        }
        return all.build();
    }

    /** A limit of 0 means that the call is not permitted without the privilege: can_do_mlock() in the kernel's mm/mlock.c. */
    private static Tristate permitted(LockLimit memlock, Tristate privileged) {
        if (privileged == Tristate.YES) {
            return Tristate.YES;
        }
        if (!memlock.soft().isKnown()) {
            return Tristate.UNKNOWN;
        }
        return memlock.soft().equals(LimitValue.ofBytes(0)) ? privileged : Tristate.YES;
    }

    /** The limits on memory itself: those of the control groups, the tightest first, then the machine's. */
    List<MemoryUse> memory() {
        Map<String, Long> machine = proc.fields("/proc/meminfo");
        long swap = machine.getOrDefault("SwapFree", 0L);
        List<MemoryUse> all = new ArrayList<>(groups.limited(swap));
        if (machine.containsKey("MemTotal") && machine.containsKey("MemAvailable")) {
            long total = machine.get("MemTotal");
            long withoutFiles = total - machine.get("MemAvailable");
            // MemAvailable leaves something for the kernel to work with, which is not for certain needed.
            long least = total
                    - MemoryGroups.sum(machine, "MemFree", "Active(file)", "Inactive(file)", "SReclaimable")
                    - Math.min(swap, MemoryGroups.sum(machine, "Active(anon)", "Inactive(anon)"));
            all.add(MemoryUse.ofMachine(
                    total,
                    MemoryGroups.sum(machine, "Active(file)", "Inactive(file)"),
                    machine.getOrDefault("Unevictable", 0L),
                    withoutFiles,
                    Math.max(0, withoutFiles - least)));
        }
        return all;
    }

    /** RLIMIT_MEMLOCK with what is charged to it. */
    LockLimit memlock(Status status) {
        long[] rlim = new long[2];
        boolean known = calls.getrlimit(constants.rlimitMemlock, rlim) == 0;
        return LockLimit.builder("RLIMIT_MEMLOCK", LockLimit.Scope.PROCESS)
                .soft(known ? NativeLimits.of(rlim[0]) : LimitValue.unknown())
                .hard(known ? NativeLimits.of(rlim[1]) : LimitValue.unknown())
                .used(status.lockedBytes())
                .liftedByPrivilege(true)
                .build();
    }
}
