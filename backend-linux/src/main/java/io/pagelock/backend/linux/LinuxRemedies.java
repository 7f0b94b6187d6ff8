// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.backend.support.Remedies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;

/**
 * What a user of Linux, a service manager or a container can turn. Sources: getrlimit(2), limits.conf(5), systemd.exec(5),
 * docker-run(1), capabilities(7), ld.so(8), proc_sys_vm(5).
 */
final class LinuxRemedies implements BiFunction<Reason, Long, List<String>> {
    private static final Remedies FIXED = Remedies.builder()
            .put(
                    Reason.NOT_MAPPED,
                    "Keep the memory mapped while it is being locked or synced: unmapping, or closing an arena or a"
                            + " file"
                            + " channel's mapping, in another thread makes the hole")
            .put(
                    Reason.CANNOT_BE_PAGED_IN,
                    "Lock only accessible memory, files only up to their end, and no memory that the kernel may drop",
                    "Lock on fault, which brings nothing in")
            .put(
                    Reason.NOT_SUPPORTED,
                    "If a sandbox or a seccomp filter answers in place of the kernel, allow the calls that lock"
                            + " memory in it, or run outside it")
            .put(Reason.IO_ERROR, "Look for the device error with dmesg or journalctl -k")
            .build();

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

    @Override
    public List<String> apply(Reason reason, Long bytes) {
        return of(reason, bytes);
    }

    /**
     * Returns what can be set, one setting each, the most likely first.
     *
     * @param bytes how many should become lockable in all; 0 if that is not the question
     */
    List<String> of(Reason reason, long bytes) {
        switch (reason) {
            case OVER_LIMIT:
            case NOT_PERMITTED:
                List<String> all = raiseLimit(bytes);
                all.addAll(grantPrivilege());
                return all;
            case TOO_MANY_MAPPINGS:
                return raiseMapCount();
            case NO_LOCKABLE_MEMORY:
                return moreMemory(bytes);
            default:
                return FIXED.of(reason, bytes);
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

    private List<String> raiseLimit(long bytes) {
        long kib = bytes / 1024 + (bytes % 1024 == 0 ? 0 : 1);
        String size = bytes == 0 ? "SIZE" : Long.toString(bytes);
        String kibs = bytes == 0 ? "SIZE" : Long.toString(kib);
        Status status = proc.status();
        LimitValue hard = limits.memlock(status).hard();
        boolean withinHard = hard.isUnlimited()
                || bytes > 0 && hard.bytes().isPresent() && hard.bytes().getAsLong() >= bytes;
        String inShell = "as root, 'ulimit -H -l " + kibs + "; ulimit -S -l " + kibs + "' in the shell that starts it";
        String fromOutside = "'prlimit --pid PID --memlock=" + size + ":" + size
                + "' as root of the host for the shell that" + " starts it";
        // The user's name in this namespace, which the command would put for USER, is not that on the host.
        boolean namespace = proc.inInitialUserNamespace() == Tristate.NO;
        String user = namespace ? "HOST_USER" : "USER";
        List<String> all = new ArrayList<>();
        all.add("Raise RLIMIT_MEMLOCK" + (bytes == 0 ? "" : " to at least " + bytes + " bytes")
                + " before java starts: "
                + (withinHard
                        ? "'ulimit -l " + kibs + "' in the shell that starts it (the hard limit allows that)"
                        : namespace
                                ? "outside this user namespace (rootless container, unshare -U), for the user who"
                                        + " starts it, since nobody inside may: " + fromOutside
                                : proc.rootMayRaiseLimits(status) == Tristate.NO
                                        ? inShell
                                                + ", or if root may not (in a container without CAP_SYS_RESOURCE),"
                                                + " outside the container: " + fromOutside
                                        : inShell));
        all.add("For logins" + (namespace ? " on the host" : "") + ", lines '" + user + " soft memlock " + kibs
                + "' and '" + user + " hard memlock " + kibs + "' in /etc/security/limits.conf");
        all.add("For a systemd service, LimitMEMLOCK=" + size);
        all.add("For a container, docker run --ulimit memlock=" + size + ":" + size);
        return all;
    }

    private List<String> grantPrivilege() {
        if (proc.inInitialUserNamespace() == Tristate.NO) {
            return Collections.singletonList(
                    "Run outside this user namespace (rootless container, unshare -U) with CAP_IPC_LOCK, which"
                            + " lifts the limit but has no effect in this user namespace");
        }
        List<String> all = new ArrayList<>(Arrays.asList(
                "Grant CAP_IPC_LOCK, which lifts the limit: for a systemd service, AmbientCapabilities=CAP_IPC_LOCK",
                "For a container that runs as root, docker run --cap-add IPC_LOCK",
                "In Kubernetes, securityContext: {capabilities: {add: [IPC_LOCK]}}"));
        // Where it cannot be gained, such a program does not even start: execve(2), EPERM.
        String forbidden = proc.mayGainRightByFile(proc.status()) == Tristate.NO
                ? "; not in this container or service, whose bounding set or no_new_privs forbids it"
                : "";
        all.add("For one program, 'setcap cap_ipc_lock=ep " + java
                + "'; the dynamic linker then ignores LD_LIBRARY_PATH and $ORIGIN for it, so put its library directory"
                + " into a file in /etc/ld.so.conf.d and run ldconfig" + forbidden);
        return all;
    }

    private List<String> raiseMapCount() {
        long more = Math.max(262144, proc.maxMapCount().orElse(0) * 2);
        return Arrays.asList(
                "Raise the number of mappings that a process may have: as root, for a container on its host, sysctl -w"
                        + " vm.max_map_count=" + more,
                "To keep that, put the line vm.max_map_count=" + more + " into a file in /etc/sysctl.d",
                "Lock fewer separate ranges");
    }
}
