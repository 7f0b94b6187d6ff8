// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.ByteSize;
import io.pagelock.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;

/**
 * What to do about a refusal on FreeBSD, one line a setting, the most likely first. Sources: mlock(2), aio(4), login.conf(5),
 * limits(1), rc.conf(5), jail(8), rctl(8), dmesg(8).
 */
final class FreeBsdRemedies {
    private final KernelState kernel;

    FreeBsdRemedies(KernelState kernel) {
        this.kernel = kernel;
    }

    List<String> of(Reason reason, long bytes) {
        switch (reason) {
            case OVER_LIMIT:
                return overLimit(bytes);
            case NOT_PERMITTED:
                return notPermitted();
            case NO_LOCKABLE_MEMORY:
                return noLockableMemory(bytes);
            case QUEUE_FULL:
                return Arrays.asList(
                        "Raise vfs.aio.max_aio_queue_per_proc and vfs.aio.max_aio_queue with sysctl(8)",
                        "Find the code in this process, or the process, that leaves its AIO requests unreaped",
                        "Use lock, or lockAsync with an executor, which need no queue");
            case NOT_MAPPED:
                return one("Map the whole range before locking it, and do not unmap it while it is locked");
            case CANNOT_BE_PAGED_IN:
                return one("Give the pages read access, and leave out guard pages, the unused part of stacks, and"
                        + " pages past the end of a mapped file or of shared memory");
            case BUSY:
                return one("Unlock the range before invalidating it");
            case IO_ERROR:
                return one("Look for the device error with dmesg(8) or in /var/log/messages");
            default:
                return Collections.emptyList();
        }
    }

    private static List<String> one(String remedy) {
        return Collections.singletonList(remedy);
    }

    private List<String> overLimit(long bytes) {
        List<String> all = new ArrayList<>();
        String size = bytes > 0 ? " to " + ByteSize.format(bytes) + " or more" : "";
        String kib = bytes > 0 ? Long.toString(bytes / 1024 + (bytes % 1024 == 0 ? 0 : 1)) : "";
        all.add("Raise the limit for locked memory" + size
                + ", which binds root as well: memorylocked in the login class of"
                + " the user in /etc/login.conf, then cap_mkdb /etc/login.conf and log in again");
        all.add("For one program: limits -l " + (bytes > 0 ? kib + "k" : "SIZE") + " COMMAND or ulimit -l "
                + (bytes > 0 ? kib : "KIB") + ", up to the hard limit");
        all.add("For a service: its _limits or _login_class variable in /etc/rc.conf");
        if (kernel.hasResourceControl()) {
            OptionalLong soft = kernel.memlock()[0].bytes();
            boolean fits = kernel.memlock()[0].isUnlimited() || soft.isPresent() && bytes <= soft.getAsLong();
            // Where the other limit would do, it is not the one that refused.
            all.add(fits && bytes > 0 ? 0 : all.size(), resourceControl(bytes));
        }
        return all;
    }

    private String resourceControl(long bytes) {
        return "Raise or remove the rule for memorylocked"
                + (bytes > 0 ? ", to " + ByteSize.format(bytes) + " or more" : "") + ": rctl -l process:" + kernel.pid()
                + " lists the rules that bind this process, and rctl(8) changes them";
    }

    private List<String> noLockableMemory(long bytes) {
        String name = kernel.maximumName();
        return Arrays.asList(
                "Raise " + name + " with sysctl(8)"
                        + (bytes > 0 ? " to " + pages(bytes) + " or more" : "") + ", in pages of " + kernel.pageSize()
                        + " bytes, for all processes together",
                "Find the process that has locked most; vm.stats.vm.v_user_wire_count is the number of pages that"
                        + " all have locked");
    }

    private long pages(long bytes) {
        return bytes / kernel.pageSize() + (bytes % kernel.pageSize() == 0 ? 0 : 1);
    }

    private List<String> notPermitted() {
        if (kernel.isJailed() && !kernel.jailMayLock()) {
            return one(
                    "Set allow.mlock for this jail, from outside it: allow.mlock in jail.conf(5), or jail -m name=JAIL"
                            + " allow.mlock=1 for a running one (FreeBSD 12 and later)");
        }
        String sysctl = "Let ordinary users lock memory with sysctl security.bsd.unprivileged_mlock=1";
        if (kernel.hasSuperuser()) {
            return kernel.isRoot() ? one(sysctl) : Arrays.asList(sysctl, "Run as root");
        }
        return Arrays.asList(
                sysctl + (kernel.isJailed() ? ", from outside the jail" : ""),
                kernel.isJailed()
                        ? "Give the jail a superuser, from outside it, with allow.suser in jail.conf(5), and run as"
                                + " root"
                        : "Give root its rights back with sysctl security.bsd.suser_enabled=1, and run as root");
    }
}
