// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.ByteSize;
import io.pagelock.Reason;

/**
 * What to do about a refusal on FreeBSD. Sources: mlock(2), aio(4), login.conf(5), limits(1), rc.conf(5), jail(8), rctl(8),
 * dmesg(8).
 */
final class FreeBsdRemedies {
    private final KernelState kernel;

    FreeBsdRemedies(KernelState kernel) {
        this.kernel = kernel;
    }

    String of(Reason reason, long bytes) {
        switch (reason) {
            case OVER_LIMIT:
                return overLimit(bytes);
            case NOT_PERMITTED:
                return notPermitted();
            case NO_LOCKABLE_MEMORY:
                return outOfMemory(bytes);
            case QUEUE_FULL:
                return "Raise vfs.aio.max_aio_queue_per_proc and vfs.aio.max_aio_queue with sysctl(8), or find the code in"
                        + " this process, or the process, that leaves its AIO requests unreaped; lock, and lockAsync with"
                        + " an executor, need no queue";
            case NOT_SUPPORTED:
                return "Load the AIO module with kldload aio, and aio_load=\"YES\" in /boot/loader.conf (FreeBSD 10; later"
                        + " kernels contain it); lock, and lockAsync with an executor, do without";
            case NOT_MAPPED:
                return "Map the whole range before locking it, and do not unmap it while it is locked";
            case CANNOT_BE_PAGED_IN:
                return "Give the pages read access, and leave out guard pages, the unused part of stacks and what lies past"
                        + " the end of a mapped file";
            case BUSY:
                return "Unlock the range before invalidating it";
            case IO_ERROR:
                return "Look for the error of the device with dmesg(8) or in /var/log/messages";
            default:
                return "";
        }
    }

    private static String overLimit(long bytes) {
        String size = bytes > 0 ? " to " + ByteSize.format(bytes) + " or more" : "";
        long kib = (bytes + 1023) / 1024;
        return "Raise the limit for locked memory" + size + ": memorylocked in the login class of the user in"
                + " /etc/login.conf, then cap_mkdb /etc/login.conf and log in anew; for one program, limits -l "
                + (bytes > 0 ? kib + "k" : "SIZE")
                + " COMMAND or ulimit -l " + (bytes > 0 ? Long.toString(kib) : "KIB") + " up to the hard limit; for a"
                + " service, its _limits or _login_class variable in /etc/rc.conf. It binds root as well";
    }

    private String outOfMemory(long bytes) {
        String name = kernel.maximumName();
        return "Raise " + name + " with sysctl(8)"
                + (bytes > 0 ? " to " + (bytes + kernel.pageSize() - 1) / kernel.pageSize() + " or more" : "")
                + " (in pages of " + kernel.pageSize()
                + " bytes; for all processes together), or find who has locked so"
                + " much: vm.stats.vm.v_user_wire_count tells how much it is";
    }

    private String notPermitted() {
        if (kernel.isJailed() && !kernel.jailMayLock()) {
            return "Set allow.mlock for this jail, from outside it: allow.mlock in jail.conf(5), or jail -m name=JAIL"
                    + " allow.mlock=1 for one that runs (FreeBSD 12 and later)";
        }
        return "Let ordinary users lock memory with sysctl security.bsd.unprivileged_mlock=1, or run as root";
    }

    /** For a process in capability mode, where no AIO request is accepted. */
    static String inCapabilityMode() {
        return "Use lock, or lockAsync with an executor: mlock is allowed in capability mode";
    }

    /** For a length beyond what AIO takes. */
    static String tooLongForAio() {
        return "Use lock, or lockAsync with an executor, or split the range; on FreeBSD 10 sysctl"
                + " debug.iosize_max_clamp=0 lifts this for 64-bit processes";
    }
}
