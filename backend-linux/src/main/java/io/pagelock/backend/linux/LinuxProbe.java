// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Finds out once what this kernel and this C library can do. */
final class LinuxProbe {
    final LinuxCalls calls;
    final LinuxConstants constants;
    final ProcSelf proc;
    final LinuxLimits limits;
    final LockOracle oracle;
    final Set<Capability> capabilities = EnumSet.of(Capability.LOCK_ADDRESS_SPACE, Capability.SYNC);
    final BackendInfo info;

    LinuxProbe(LinuxCalls calls, LinuxConstants constants, ProcSelf proc, Host host) {
        this.calls = calls;
        this.constants = constants;
        this.proc = proc;
        this.limits = new LinuxLimits(calls, constants, proc);
        this.oracle = new LockOracle(calls, constants, proc);
        List<String> notes = new ArrayList<>(LinuxConstants.unconfirmed(host.arch()));
        if (!oracle.refusal().isEmpty()) {
            notes.add("msync is refused (" + oracle.refusal()
                    + "): whether memory is locked is read from /proc/self/smaps, which makes each lock slow");
        }
        probe(notes);
        this.info = new BackendInfo("linux", "Linux " + host.osVersion(), host.arch(), notes);
    }

    private void probe(List<String> notes) {
        String missing = calls.has("mlock2") ? mlock2Refusal() : "the C library has no mlock2 (glibc before 2.27)";
        if (missing.isEmpty()) {
            capabilities.add(Capability.LOCK_ON_FAULT);
            capabilities.add(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
        } else {
            notes.add("no lock on fault: " + missing);
        }
        if (proc.status().lockedBytes().isPresent()) {
            capabilities.add(Capability.LOCKED_BYTES);
        } else {
            notes.add("/proc/self/status cannot be read: locked bytes and the causes of failures are unknown");
        }
        if (proc.mappings(0, 1).isPresent()) {
            capabilities.add(Capability.LOCKED_PAGES);
            capabilities.add(Capability.RESIDENT_PAGES);
            // Of no bytes, so that the answer tells only whether the kernel knows the advice: 5.14 and later.
            if (calls.madvise(0, 0, LinuxConstants.MADV_POPULATE_READ) == 0) {
                capabilities.add(Capability.PAGE_IN);
            }
        } else {
            notes.add("/proc/self/maps cannot be read: the state of pages and the causes of failures are unknown");
        }
    }

    /** Locks nothing, so that the answer tells only whether the kernel has the call: 4.4 and later. */
    private String mlock2Refusal() {
        if (calls.mlock2(0, 0, LinuxConstants.MLOCK_ONFAULT) == 0) {
            return "";
        }
        int errno = calls.errno();
        // The permission is tested first: with a limit of 0 even nothing is refused. Old seccomp profiles answer the
        // same.
        boolean noLimit = limits.memlock(proc.status()).soft().bytes().orElse(1) == 0;
        return noLimit && constants.errno.is(errno, "EPERM")
                ? ""
                : "mlock2 is refused with errno " + errno + " (" + constants.errno.name(errno)
                        + "), the kernel is older than 4.4 or a seccomp filter forbids it";
    }
}
