// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.util.ArrayList;
import java.util.List;

/**
 * What a user of Linux, a service manager or a container can turn. Sources: getrlimit(2), limits.conf(5), systemd.exec(5),
 * docker-run(1), capabilities(7), ld.so(8), proc_sys_vm(5).
 */
final class LinuxRemedies {
    private final ProcSelf proc;
    private final LinuxLimits limits;
    private final String java;

    /**
     * @param java the path of the java program, for setcap
     */
    LinuxRemedies(ProcSelf proc, LinuxLimits limits, String java) {
        this.proc = proc;
        this.limits = limits;
        this.java = java;
    }

    String remedy(Reason reason, long bytes) {
        switch (reason) {
            case OVER_LIMIT:
            case NOT_PERMITTED:
                return raiseLimit(bytes) + " " + grantPrivilege();
            case TOO_MANY_MAPPINGS:
                return raiseMapCount();
            case NO_LOCKABLE_MEMORY:
                return String.join(" ", moreMemory(bytes));
            case NOT_MAPPED:
                return "Keep the memory mapped while it is being locked or synced: unmapping, or closing an arena or a"
                        + " file channel's mapping, in another thread makes the hole";
            case CANNOT_BE_PAGED_IN:
                return "Lock only memory with access rights, of a file only what lies before its end, and no memory that"
                        + " the kernel may drop; or lock on fault, which brings nothing in";
            case BUSY:
                return "Close the locks over the range before invalidating it, or sync without invalidating";
            case IO_ERROR:
                return "Look for the error of the device in dmesg or journalctl -k";
            case NO_SPACE:
                return "Make room in the file system of the mapped file";
            default:
                return "";
        }
    }

    /** For as many bytes in use, of the limit that has the least room for them. */
    private List<String> moreMemory(long bytes) {
        List<MemoryUse> all = limits.memory();
        List<MemoryUse> tight = new ArrayList<>();
        long charge = 0;
        for (MemoryUse each : all) {
            if (each.limit.isKnown()
                    && each.limit.bytes().getAsLong() < (tight.isEmpty() ? bytes : each.kept + charge)) {
                charge = tight.isEmpty() ? bytes - each.kept : charge;
                tight.add(each);
            }
        }
        // Without a number, the settings all the same.
        return MemoryRemedies.of(tight.isEmpty() ? all : tight, Math.max(0, charge));
    }

    private String raiseLimit(long bytes) {
        long kib = bytes / 1024 + (bytes % 1024 == 0 ? 0 : 1);
        String size = bytes == 0 ? "SIZE" : Long.toString(bytes);
        String kibs = bytes == 0 ? "SIZE" : Long.toString(kib);
        LimitValue hard = limits.memlock(proc.status()).hard();
        boolean withinHard = hard.isUnlimited()
                || bytes > 0 && hard.bytes().isPresent() && hard.bytes().getAsLong() >= bytes;
        // There, nobody may raise the hard limit: CAP_SYS_RESOURCE counts in the initial namespace alone, setrlimit(2).
        boolean fromOutside = !withinHard && proc.inInitialUserNamespace() == Tristate.NO;
        return "Raise RLIMIT_MEMLOCK"
                + (bytes == 0 ? "" : " to at least " + bytes + " bytes")
                + " before java starts: "
                + (withinHard
                        ? "'ulimit -l " + kibs + "' in the shell that starts it (the hard limit allows that)"
                        : fromOutside
                                ? "outside of this user namespace (rootless container, unshare -U), for the user who starts"
                                        + " it, as nobody within may: 'prlimit --pid PID --memlock=" + size + ":" + size
                                        + "' as root of the host for the shell that starts it"
                                : "as root, 'ulimit -H -l " + kibs + "; ulimit -S -l " + kibs
                                        + "' in the shell that starts it")
                + "; for logins, lines 'USER soft memlock " + kibs + "' and 'USER hard memlock " + kibs
                + "' in /etc/security/limits.conf; for a systemd service, LimitMEMLOCK=" + size
                + "; for a container, docker run --ulimit memlock=" + size + ":" + size + ".";
    }

    private String grantPrivilege() {
        String grant =
                "Or grant CAP_IPC_LOCK, which lifts the limit: for a systemd service, AmbientCapabilities=CAP_IPC_LOCK;"
                        + " for a container that runs as root, docker run --cap-add IPC_LOCK, or in Kubernetes securityContext:"
                        + " {capabilities: {add: [IPC_LOCK]}}; for one program, 'setcap cap_ipc_lock=ep " + java
                        + "', but then the dynamic linker ignores LD_LIBRARY_PATH and $ORIGIN for it, so put its library"
                        + " directory into a file in /etc/ld.so.conf.d and run ldconfig";
        return proc.inInitialUserNamespace() == Tristate.NO
                ? "CAP_IPC_LOCK has no effect in this user namespace (rootless container, unshare -U); only the limit"
                        + " counts there, or the initial namespace. " + grant
                : grant;
    }

    private String raiseMapCount() {
        long now = proc.maxMapCount().orElse(0);
        long more = Math.max(262144, now * 2);
        return "Raise the number of mappings that a process may have: as root, sysctl -w vm.max_map_count=" + more
                + ", and the same line in a file in /etc/sysctl.d to keep it; or lock fewer separate ranges";
    }
}
