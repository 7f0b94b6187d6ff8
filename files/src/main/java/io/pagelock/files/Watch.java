// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Looks after held files: a lock keeps the pages that a mapping has, and not the file. What truncates it, punches holes into it
 * or takes its name leaves fewer of its pages in memory, or those of a file that nobody reads any more.
 */
final class Watch {
    /** How many files are looked at each time, about 10 ms; of more, each has its turn. */
    private static final int FILES = 5000;
    /** How many pages are asked for each time, for evictions that leave no trace at the file, and at once. */
    private static final long PAGES = 1 << 18;
    /** After so many mappings that are no longer used, the garbage collector is asked to unmap them. */
    private static final int DROPPED = 256;

    private final List<HeldFile> files = new ArrayList<>();
    private final Locking locking;
    private final PageLocker locker;
    private final FileLockOptions options;
    private final Map<HeldFile, Set<String>> reported = new IdentityHashMap<>();
    private int nextFile;
    private int nextForPages;
    private int dropped;

    Watch(Locking locking, FileLockOptions options) {
        for (HeldFile each : locking.files()) {
            if (each.isMapped() && (each.lockedBytes() > 0 || options.isOnFault())) {
                files.add(each);
            }
        }
        this.locking = locking;
        this.locker = locking.locker();
        this.options = options;
    }

    /** Looks at some files, in turn. */
    List<FileChange> look() {
        Map<HeldFile, Optional<MappedFile.Change>> suspects = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(FILES, files.size()); i++) {
            HeldFile file = files.get(nextFile++ % files.size());
            Optional<MappedFile.Change> change = file.mapped().change();
            if (file.mapped().isTouched() || change.isPresent()) {
                suspects.put(file, change);
            }
        }
        nextFile = files.isEmpty() ? 0 : nextFile % files.size();
        long pages = 0;
        for (int i = 0; i < files.size() && pages < PAGES && !options.isOnFault(); i++) {
            HeldFile file = files.get(nextForPages++ % files.size());
            pages += file.pages();
            suspects.putIfAbsent(file, Optional.empty());
        }
        nextForPages = files.isEmpty() ? 0 : nextForPages % files.size();
        return report(suspects);
    }

    /** Looks at all files a last time, without locking any of them again. */
    List<FileChange> lookAtAll() {
        List<Optional<MappedFile.Change>> all = new ArrayList<>(Collections.nCopies(files.size(), Optional.empty()));
        Crew.run(all.size(), i -> all.set(i, files.get(i).mapped().change()));
        Map<HeldFile, Optional<MappedFile.Change>> suspects = new LinkedHashMap<>();
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).isPresent()) {
                suspects.put(files.get(i), all.get(i));
            }
        }
        return report(suspects, false);
    }

    private List<FileChange> report(Map<HeldFile, Optional<MappedFile.Change>> suspects) {
        return report(suspects, options.onChange() == ChangePolicy.RELOCK);
    }

    private List<FileChange> report(Map<HeldFile, Optional<MappedFile.Change>> suspects, boolean relock) {
        Map<HeldFile, Long> missing = missing(suspects.keySet());
        List<FileChange> changes = new ArrayList<>();
        suspects.forEach((file, change) -> {
            long lost = missing.getOrDefault(file, 0L);
            if (change.isPresent() || lost > 0) {
                report(file, change, lost, relock, changes);
            }
        });
        return changes;
    }

    private void report(
            HeldFile file, Optional<MappedFile.Change> change, long missing, boolean relock, List<FileChange> changes) {
        FileChange.Kind kind = change.map(each -> each.kind).orElse(FileChange.Kind.LOST_PAGES);
        String what = change.map(each -> each.what).orElse("lost pages");
        // What was written in place is in the pages that are held.
        boolean stale = kind != FileChange.Kind.VANISHED && (kind != FileChange.Kind.WRITTEN || missing > 0);
        // Without another try, that of the last one stands.
        Optional<FileLockException> failure =
                file.change().filter(last -> !relock && last.kind() == kind).flatMap(FileChange::failure);
        boolean again = relock && stale;
        if (again) {
            failure = locking.relock(file);
            if (++dropped % DROPPED == 0) {
                System.gc();
            }
        }
        boolean relocked = again && !failure.isPresent();
        FileChange report = new FileChange(file, kind, what, missing, relocked, failure.orElse(null));
        file.changed(report);
        // Once of each kind, since a file may be written to all the time; and once more if it is locked again after
        // all.
        if (reported.computeIfAbsent(file, key -> new HashSet<>()).add(kind + " " + (missing > 0) + relocked)) {
            changes.add(report);
        }
        if (relocked) {
            reported.remove(file);
        }
    }

    /** Counts the pages that are not in memory, of files that should be there whole. */
    private Map<HeldFile, Long> missing(Set<HeldFile> some) {
        Map<HeldFile, Long> missing = new IdentityHashMap<>();
        List<HeldFile> owners = new ArrayList<>();
        List<MemoryRange> ranges = new ArrayList<>();
        long pages = 0;
        for (HeldFile file : some) {
            if (options.isOnFault() || file.problem().isPresent()) {
                continue;
            }
            for (MemoryRange each : file.mapped().segments()) {
                owners.add(file);
                ranges.add(each);
                pages += each.length() / locker.pageSize() + 1;
                if (pages >= PAGES) {
                    count(owners, ranges, missing);
                    pages = 0;
                }
            }
        }
        count(owners, ranges, missing);
        return missing;
    }

    private void count(List<HeldFile> owners, List<MemoryRange> ranges, Map<HeldFile, Long> missing) {
        if (ranges.isEmpty()) {
            return;
        }
        List<PageStates> states = locker.pageStates(ranges);
        for (int i = 0; i < states.size(); i++) {
            missing.merge(owners.get(i), (long) states.get(i).countResident(Tristate.NO), Long::sum);
        }
        owners.clear();
        ranges.clear();
    }
}
