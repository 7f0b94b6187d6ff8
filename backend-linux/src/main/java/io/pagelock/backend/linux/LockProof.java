// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.backend.support.Refusals;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Makes sure that what the kernel says it locked is locked. Two things lock nothing and report success: droppable memory,
 * which the kernel passes over, since Linux 6.11, mlock_fixup() in mm/mlock.c; and a sandboxed kernel or a seccomp filter
 * that answers in the kernel's place, whatever release it claims to be.
 */
final class LockProof {
    /** Up to so many pages, asking of each page whether it is locked is cheaper than asking where mappings end. */
    private static final int ASK_BY_PAGE_RATHER_THAN_QUERY = 8;

    /** The same, where mappings must be read. */
    private static final int ASK_BY_PAGE_RATHER_THAN_READ = 128;

    /** From this size on the question costs nothing beside the lock. */
    private static final long ALWAYS = 1 << 20;

    /**
     * What mlock passes over because it is never evicted: VM_SPECIAL, that is device memory, page frames, both mixed, and what
     * may not grow; and hugetlbfs.
     */
    private static final List<String> NEVER_EVICTED = Arrays.asList("io", "pf", "mm", "de", "ht");

    private final LinuxCalls calls;
    private final LockOracle oracle;
    private final MappingQuery query;
    private final ProcSelf proc;
    private final Refusals refusals;
    private final NativeAccess addresses;
    private final long pageSize;
    private final boolean everyLock;
    private volatile boolean proven;

    /**
     * @param everyLock whether each lock is looked at; otherwise those up to the first that is found locked, and large ones
     */
    LockProof(
            LinuxCalls calls,
            LockOracle oracle,
            MappingQuery query,
            ProcSelf proc,
            Refusals refusals,
            NativeAccess addresses,
            long pageSize,
            boolean everyLock) {
        this.calls = calls;
        this.oracle = oracle;
        this.query = query;
        this.proc = proc;
        this.refusals = refusals;
        this.addresses = addresses;
        this.pageSize = pageSize;
        this.everyLock = everyLock;
    }

    /** Checks a range that a call has just reported as locked. */
    void check(String function, long address, long length) {
        if (!everyLock && proven && length < ALWAYS) {
            return;
        }
        long pages = length / pageSize;
        if (pages <= ASK_BY_PAGE_RATHER_THAN_QUERY || pages <= ASK_BY_PAGE_RATHER_THAN_READ && !query.isUsable()) {
            for (long at = address; at != address + length; at += pageSize) {
                checkPart(function, at, pageSize);
            }
        } else if (!query.isUsable() || !checkByQuery(function, address, length)) {
            checkByReading(function, address, length);
        }
    }

    /**
     * Checks that a call which locks everything mapped locked anything.
     *
     * @param current whether it was to lock what is mapped; otherwise only what will be
     */
    void checkAll(String function, boolean current) {
        boolean nothing = current && proc.status().lockedBytes().orElse(1) == 0;
        if (nothing || !current && !proven && isAnsweredByOthers()) {
            throw stub(function, "anything");
        }
    }

    /** Returns whether it shows as locked. */
    private boolean checkPart(String function, long address, long length) {
        Tristate locked = oracle.ask(address, length);
        if (locked == Tristate.YES) {
            proven = true;
            return true;
        }
        explain(function, address, length, locked);
        return false;
    }

    /**
     * Files are left out once a part is found locked: the kernel itself answered the call then, and only anonymous memory can be
     * droppable, do_mmap() in mm/mmap.c.
     */
    private boolean checkByQuery(String function, long address, long length) {
        int fd = query.open();
        boolean byKernel = false;
        try {
            for (long at = address; at != address + length; ) {
                MappingQuery.Found mapping = fd < 0 ? null : query.at(fd, at);
                if (mapping == null) {
                    return false;
                }
                long part = Math.min(mapping.end - at, address + length - at);
                byKernel |= byKernel && mapping.ofFile() || checkPart(function, at, part);
                at += part;
            }
            return true;
        } finally {
            query.close(fd);
        }
    }

    private void checkByReading(String function, long address, long length) {
        Optional<List<Mapping>> mappings = proc.mappings(address, address + length);
        if (!mappings.isPresent()) {
            // Not every page is asked for; the first mapping is, and often is the only one.
            checkPart(function, address, length);
            return;
        }
        boolean byKernel = false;
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(address, address + length);
            byKernel |= byKernel && each.isKnown() && each.inode != 0 || checkPart(function, part.start, part.length());
        }
    }

    /**
     * Finds out why a range does not show as locked.
     *
     * @param locked no, or unknown where msync is refused; without flags either, nothing speaks against the call then
     */
    private void explain(String function, long address, long length, Tristate locked) {
        Optional<List<Mapping>> mappings = proc.flagged(address, address + length);
        String where = "0x" + Long.toHexString(address) + "-0x" + Long.toHexString(address + length);
        if (!mappings.isPresent()) {
            if (locked == Tristate.NO) {
                throw unexplained(function, where);
            }
            return;
        }
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(address, address + length);
            if (!part.hasFlags()) {
                if (locked == Tristate.NO) {
                    throw unexplained(function, where);
                }
            } else if (part.has("dp")) {
                throw refusals.ofSuccess(
                        Reason.CANNOT_BE_PAGED_IN,
                        function + " returned success but locked nothing: the kernel may drop the pages of " + part
                                + " at any time (MAP_DROPPABLE, VmFlags dp)");
            } else if (part.has("lo")) {
                proven = true;
            } else if (!isNeverEvicted(part)) {
                throw stub(function, part.toString());
            }
        }
    }

    private PageLockException unexplained(String function, String where) {
        return refusals.ofSuccess(
                Reason.UNKNOWN,
                function + " returned success, but the kernel does not have " + where
                        + " locked, and /proc/self/smaps cannot be read to see why");
    }

    /** Nothing that is exempt is unlocked, so somebody answers in the kernel's place. */
    private PageLockException stub(String function, String where) {
        String finding = function + " returned success, but the kernel does not have " + where
                + " locked: a sandbox or a seccomp filter answers in the kernel's place and locks nothing";
        return refusals.ofSuccess(Reason.NOT_SUPPORTED, finding).toBuilder()
                .remedies(
                        "Let " + function + " through to the kernel instead of answering 0: in a seccomp profile,"
                                + " SCMP_ACT_ALLOW",
                        "Run outside the sandbox")
                .build();
    }

    /** Nothing tells a file of a DAX file system from others; where locking works at all, it is one. */
    private boolean isNeverEvicted(Mapping part) {
        return NEVER_EVICTED.stream().anyMatch(part::has) || !part.anonymous() && !isAnsweredByOthers();
    }

    /** Whether locking plain memory succeeds and locks nothing; tried with a page of its own. */
    private boolean isAnsweredByOthers() {
        ByteBuffer memory = ByteBuffer.allocateDirect((int) (2 * pageSize));
        long page = addresses.address(memory) + pageSize - 1 & -pageSize;
        if (calls.mlock(page, pageSize) != 0) {
            // A limit is in force, so somebody counts.
            return false;
        }
        boolean none = oracle.locked(page, pageSize) == Tristate.NO;
        calls.munlock(page, pageSize);
        // Kept until here.
        memory.put(0, (byte) 0);
        return none;
    }
}
