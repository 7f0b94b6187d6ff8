// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.spi.Unsigned;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads which pages are locked and resident: mincore(2), proc_pid_pagemap(5), and the {@link LockOracle}. */
final class PageStateReader {
    private static final int PAGES_AT_ONCE = 1 << 16;

    private final LinuxCalls calls;
    private final ProcSelf proc;
    private final LockOracle oracle;
    private final long pageSize;

    PageStateReader(LinuxCalls calls, ProcSelf proc, LockOracle oracle, long pageSize) {
        this.calls = calls;
        this.proc = proc;
        this.oracle = oracle;
        this.pageSize = pageSize;
    }

    PageStates read(MemoryRange range) {
        PageStates.Builder states = PageStates.unknown(range, pageSize);
        Optional<List<Mapping>> mappings = proc.mappings(range.address(), range.end());
        if (!mappings.isPresent()) {
            return states.build();
        }
        long at = range.address();
        for (Mapping each : mappings.get()) {
            Mapping part = each.clip(range.address(), range.end());
            unmapped(states, range, at, part.start);
            if (isWhole(part)) {
                Tristate flagged = oracle.locked(part);
                for (long from = part.start; from != part.end; ) {
                    long length = Math.min(part.end - from, PAGES_AT_ONCE * pageSize);
                    mapped(states, range, part.clip(from, from + length), flagged);
                    from += length;
                }
            }
            at = part.end;
        }
        unmapped(states, range, at, range.end());
        return states.build();
    }

    /** Whether it is a mapping and of whole pages. */
    private boolean isWhole(Mapping part) {
        return part.isKnown() && ((part.start | part.end) & pageSize - 1) == 0;
    }

    private void unmapped(PageStates.Builder states, MemoryRange range, long from, long to) {
        long last = to & -pageSize;
        for (long at = from + pageSize - 1 & -pageSize; Unsigned.less(at, last); at += pageSize) {
            states.locked(index(range, at), Tristate.NO).resident(index(range, at), Tristate.NO);
        }
    }

    private int index(MemoryRange range, long address) {
        return (int) ((address - range.address()) / pageSize);
    }

    /** The pages of one mapping; the answers of the kernel are combined in {@link Residency}. */
    private void mapped(PageStates.Builder states, MemoryRange range, Mapping part, Tristate flagged) {
        int count = (int) (part.length() / pageSize);
        byte[] vector = new byte[count];
        boolean asked = calls.mincore(part.start, part.length(), vector) == 0;
        Residency residency = new Residency(
                asked ? vector : null,
                proc.pagemap(Long.divideUnsigned(part.start, pageSize), count).orElse(null),
                asked && isTrue(part, vector));
        Tristate untold =
                flagged == Tristate.YES && residency.needsKindOfLock() ? lockedIfUntold(part) : Tristate.UNKNOWN;
        for (int i = 0; i < count; i++) {
            int page = index(range, part.start) + i;
            states.resident(page, residency.resident(i))
                    .locked(page, flagged == Tristate.YES ? residency.lockedIfFlagged(i, untold) : flagged);
        }
    }

    /**
     * Whether mincore tells what is resident. For a file that this process neither owns nor may write, it says of every page
     * that it is, since Linux 5.2 and in stable releases before: mm/mincore.c, can_do_mincore().
     */
    private boolean isTrue(Mapping part, byte[] vector) {
        if (part.anonymous()) {
            return true;
        }
        for (byte each : vector) {
            if ((each & 1) == 0) {
                return true;
            }
        }
        return mayAsk(part);
    }

    /** Whether mincore answers this process about the file behind a mapping. */
    private boolean mayAsk(Mapping part) {
        Status status = proc.status();
        if (proc.ownsEveryFile(status) == Tristate.YES) {
            return true;
        }
        // Elsewhere than in the initial namespace, different foreign users show as the same number.
        Optional<ProcFiles.FileFacts> file = proc.file(part);
        return file.isPresent()
                && (status.fileUser().equals(OptionalLong.of(file.get().owner))
                                && proc.inInitialUserNamespace() == Tristate.YES
                        || status.actsAsRealUser() && proc.mayWrite(part));
    }

    /** Under a full lock everything that could be brought in is locked; under one on fault, that is open. */
    private Tristate lockedIfUntold(Mapping part) {
        Optional<List<Mapping>> mappings = proc.flagged(part.start, part.end);
        return mappings.isPresent()
                        && !mappings.get().isEmpty()
                        && mappings.get().stream().allMatch(each -> each.has("lo") && !each.has("lf"))
                ? Tristate.YES
                : Tristate.UNKNOWN;
    }
}
