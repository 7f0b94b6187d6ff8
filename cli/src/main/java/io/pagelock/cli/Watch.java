// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import java.nio.MappedByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Looks after held files: a lock keeps the pages that a mapping has, and not the file. What truncates it, punches holes into it
 * or takes its name leaves fewer of its pages in memory, or those of a file that nobody reads any more.
 */
final class Watch {
    /** How many files are looked at each time, about 10 ms; of more, each has its turn. */
    private static final int FILES = 2000;
    /** How many pages are asked for each time, for evictions that leave no trace at the file. */
    private static final long PAGES = 1 << 18;

    private final List<HeldFile> files = new ArrayList<>();
    private final PageLocker locker;
    private final boolean onFault;
    private final Console console;
    private final Set<String> reported = new HashSet<>();
    private int nextFile;
    private int nextForPages;

    Watch(List<HeldFile> held, PageLocker locker, boolean onFault, Console console) {
        for (HeldFile each : held) {
            if (each.mapped().isPresent() && each.lockedBytes() > 0) {
                files.add(each);
            }
        }
        this.locker = locker;
        this.onFault = onFault;
        this.console = console;
    }

    /** Looks at some files, in turn, and warns of what happened to them. */
    void look() {
        for (int i = 0; i < Math.min(FILES, files.size()); i++) {
            HeldFile file = files.get(nextFile++ % files.size());
            MappedFile mapped = file.mapped().get();
            Optional<String> change = mapped.change();
            if (mapped.isTouched() || change.isPresent()) {
                report(file, change);
            }
        }
        nextFile = files.isEmpty() ? 0 : nextFile % files.size();
        long pages = 0;
        for (int i = 0; i < files.size() && pages < PAGES && !onFault; i++) {
            HeldFile file = files.get(nextForPages++ % files.size());
            pages += pages(file);
            report(file, Optional.empty());
        }
        nextForPages = files.isEmpty() ? 0 : nextForPages % files.size();
    }

    /** Looks at all files a last time; afterwards each of them knows what happened to it. */
    void lookAtAll() {
        for (HeldFile file : files) {
            file.mapped().get().change().ifPresent(what -> report(file, Optional.of(what)));
        }
    }

    private long pages(HeldFile file) {
        return (file.bytes() + locker.pageSize() - 1) / locker.pageSize();
    }

    private void report(HeldFile file, Optional<String> change) {
        long missing = onFault || file.problem().isPresent() ? 0 : missing(file);
        if (!change.isPresent() && missing == 0) {
            return;
        }
        String what = change.orElse("lost pages from memory");
        file.changed(what, missing);
        // Once of each kind, since a file may be written to all the time.
        if (reported.add(what.split(" ")[0] + (missing > 0) + "/" + System.identityHashCode(file))) {
            console.warn(console.name(file.path()) + " " + what + " while it is held; " + meaning(what)
                    + (missing == 0 ? "" : "; " + missing + " of " + pages(file) + " pages are no longer in memory"));
        }
    }

    private static String meaning(String change) {
        return change.startsWith("vanished") || change.startsWith("was replaced")
                ? "the file that was there stays locked"
                : change.startsWith("grew")
                        ? "what was added is not locked"
                        : "what is written or read again may not be locked";
    }

    private long missing(HeldFile file) {
        long missing = 0;
        for (MappedByteBuffer segment : file.mapped().get().segments()) {
            PageStates states = locker.pageStates(segment);
            missing += states.countResident(Tristate.NO);
        }
        return missing;
    }
}
