// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.MemoryRange;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.spi.Unsigned;
import java.util.ArrayList;
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

    /** What is the same for all ranges of one call, read when it is needed first. */
    private final class Rights {
        private Status status;
        private Tristate ownsEveryFile;
        private Tristate initialNamespace;

        Status status() {
            status = status == null ? proc.status() : status;
            return status;
        }

        Tristate ownsEveryFile() {
            ownsEveryFile = ownsEveryFile == null ? proc.ownsEveryFile(status()) : ownsEveryFile;
            return ownsEveryFile;
        }

        Tristate inInitialNamespace() {
            initialNamespace = initialNamespace == null ? proc.inInitialUserNamespace() : initialNamespace;
            return initialNamespace;
        }
    }

    /** Reads maps once, however many ranges there are, and asks once where nothing is locked. */
    List<PageStates> read(List<MemoryRange> ranges) {
        long from = -1;
        long to = 0;
        for (MemoryRange each : ranges) {
            from = Unsigned.min(from, each.address());
            to = Unsigned.max(to, each.end());
        }
        List<Mapping> mappings = proc.mappings(from, to).orElse(null);
        boolean noneLocked = ranges.size() > 1 && oracle.ask(from, to - from) == Tristate.NO;
        Rights rights = new Rights();
        List<PageStates> answers = new ArrayList<>(ranges.size());
        for (MemoryRange each : ranges) {
            PageStates.Builder states = PageStates.unknown(each, pageSize);
            if (mappings != null) {
                read(states, each, mappings, noneLocked, rights);
            }
            answers.add(states.build());
        }
        return answers;
    }

    private void read(
            PageStates.Builder states, MemoryRange range, List<Mapping> mappings, boolean noneLocked, Rights rights) {
        long at = range.address();
        for (int i = firstAfter(mappings, at); i < mappings.size(); i++) {
            if (Long.compareUnsigned(mappings.get(i).start, range.end()) >= 0) {
                break;
            }
            Mapping part = mappings.get(i).clip(range.address(), range.end());
            unmapped(states, range, at, part.start);
            if (isWhole(part)) {
                Tristate flagged = noneLocked ? Tristate.NO : oracle.locked(part);
                for (long from = part.start; from != part.end; ) {
                    long length = Math.min(part.end - from, PAGES_AT_ONCE * pageSize);
                    mapped(states, range, part.clip(from, from + length), flagged, rights);
                    from += length;
                }
            }
            at = part.end;
        }
        unmapped(states, range, at, range.end());
    }

    /** The first mapping that ends after an address. */
    private static int firstAfter(List<Mapping> mappings, long address) {
        int low = 0;
        int high = mappings.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(mappings.get(middle).end, address) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
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
    private void mapped(PageStates.Builder states, MemoryRange range, Mapping part, Tristate flagged, Rights rights) {
        int count = (int) (part.length() / pageSize);
        byte[] vector = new byte[count];
        boolean asked = calls.mincore(part.start, part.length(), vector) == 0;
        boolean truthful = asked && isTrue(part, vector, rights);
        // Where no page is locked and mincore is believed, the page table adds nothing.
        boolean enough = truthful && flagged == Tristate.NO;
        Residency residency = new Residency(
                asked ? vector : null,
                enough
                        ? null
                        : proc.pagemap(Long.divideUnsigned(part.start, pageSize), count)
                                .orElse(null),
                truthful);
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
    private boolean isTrue(Mapping part, byte[] vector, Rights rights) {
        if (part.anonymous()) {
            return true;
        }
        for (byte each : vector) {
            if ((each & 1) == 0) {
                return true;
            }
        }
        return mayAsk(part, rights);
    }

    /** Whether mincore answers this process about the file behind a mapping. */
    private boolean mayAsk(Mapping part, Rights rights) {
        if (rights.ownsEveryFile() == Tristate.YES) {
            return true;
        }
        // Elsewhere than in the initial namespace, different foreign users show as the same number.
        Optional<ProcFiles.FileFacts> file = proc.file(part);
        return file.isPresent()
                && (rights.status().fileUser().equals(OptionalLong.of(file.get().owner))
                                && rights.inInitialNamespace() == Tristate.YES
                        || rights.status().actsAsRealUser() && proc.mayWrite(part));
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
