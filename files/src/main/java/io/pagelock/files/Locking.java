// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Maps and locks files in steps: either all of them, or what can be. Used by one thread at a time. */
final class Locking {
    /** The most that is locked by one call; a multiple of every page size, as are all steps. */
    static final int STEP = 64 << 20;

    private static final int FIRST_STEP = 1 << 20;
    private static final int MIN_STEP = 64 << 10;
    // A step takes about this long, so that progress shows and a signal is heeded on slow storage, too.
    private static final long QUICK_NANOS = 100_000_000;
    private static final long SLOW_NANOS = 400_000_000;
    private static final int STEP_FILES = 4096;
    private static final int READERS = 4;
    // Each splits mappings while it is being locked.
    private static final int RUNS = 256;
    // Each takes a look at all mappings, and the next one is refused, too.
    private static final int MOST_REFUSALS = 8;

    /** What a forecast can say. */
    private static final Set<Reason> FORECAST =
            EnumSet.of(Reason.OVER_LIMIT, Reason.NOT_PERMITTED, Reason.NO_LOCKABLE_MEMORY);

    /** A part of a file that is locked at once. */
    private static final class Window {
        private final HeldFile file;
        private final MemoryRange range;

        Window(HeldFile file, MemoryRange range) {
            this.file = file;
            this.range = range;
        }

        Window part(long from, long to) {
            return new Window(file, Locking.part(range, from, to - from));
        }
    }

    private final PageLocker locker;
    private final FileLockOptions options;
    private final LockOption[] lockOptions;
    private final boolean bestEffort;
    private final List<HeldFile> files = new ArrayList<>();
    private final List<FileLockException> vanished = new ArrayList<>();
    private final Deque<PageLock> handles = new ArrayDeque<>();
    /** Why no further file need be tried; null while one may succeed. */
    private FileLockException full;
    /** How many were refused in a row because something had run out. */
    private int refusals;

    /** What is left of it. */
    private long budget;

    Locking(PageLocker locker, FileLockOptions options) {
        this.locker = locker;
        this.options = options;
        this.lockOptions = options.isOnFault() ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        this.bestEffort = options.isBestEffort() || locker.policy() != LockPolicy.REQUIRED;
        this.budget = wholeBudget();
        if (options.isOnFault() && locker.policy() == LockPolicy.REQUIRED) {
            for (Capability each : new Capability[] {Capability.LOCK_ON_FAULT, Capability.RESIDENT_PAGES}) {
                if (!locker.capabilities().contains(each)) {
                    throw new UnsupportedOperationException("to lock on fault, this system lacks " + each);
                }
            }
        }
    }

    static FileLockException cancelled() {
        return new FileLockException(
                FileLockException.CANCELLED, null, "cancelled while locking; everything is unlocked again", null);
    }

    private void checkCancelled() {
        if (options.cancelled().getAsBoolean()) {
            throw cancelled();
        }
    }

    PageLocker locker() {
        return locker;
    }

    List<HeldFile> files() {
        return Collections.unmodifiableList(files);
    }

    /** Files that were in a directory when it was listed and are gone now, which is the way of directories. */
    List<FileLockException> vanished() {
        return Collections.unmodifiableList(vanished);
    }

    /**
     * Maps what was listed.
     *
     * @throws FileLockException if something cannot be mapped and everything is asked for, or it was cancelled
     */
    void map(FileListing list, MappingBudget mappings) {
        for (FileLockException each : list.failed()) {
            fail(new HeldFile(each.path().get(), each), each);
        }
        List<FileEntry> entries = list.files();
        long needed = 0;
        int fit = 0;
        for (FileEntry each : entries) {
            needed += MappedFile.segmentsFor(each.bytes());
            fit += needed <= mappings.available() ? 1 : 0;
        }
        if (fit < entries.size() && !bestEffort) {
            throw mappings.exceeded(null, "cannot map " + entries.size() + " files", needed);
        }
        HeldFile[] mapped = new HeldFile[fit];
        // Those in the middle of a directory that are gone.
        FileLockException[] gone = new FileLockException[fit];
        Crew.run(fit, i -> {
            checkCancelled();
            mapped[i] = map(entries.get(i), gone, i);
        });
        for (int i = 0; i < fit; i++) {
            if (mapped[i] == null) {
                vanished.add(gone[i]);
            } else {
                files.add(mapped[i]);
            }
        }
        for (FileEntry each : entries.subList(fit, entries.size())) {
            files.add(new HeldFile(
                    each.path(), mappings.exceeded(each.path(), FileLockException.name(each.path()), needed)));
        }
        for (HeldFile each : files) {
            if (!each.isMapped() && !bestEffort) {
                throw each.problem().get();
            }
        }
    }

    private HeldFile map(FileEntry entry, FileLockException[] gone, int index) {
        try {
            return new HeldFile(MappedFile.map(entry, locker), locker.pageSize());
        } catch (NoSuchFileException e) {
            if (entry.path() == entry.argument()) {
                return new HeldFile(entry.path(), FileLockException.of(entry.path(), e));
            }
            gone[index] = new FileLockException(
                    FileLockException.VANISHED, entry.path(), entry + ": vanished after listing", e);
            return null;
        } catch (IOException e) {
            return new HeldFile(entry.path(), explain(entry, e));
        }
    }

    private static FileLockException explain(FileEntry entry, IOException e) {
        return e.getCause() instanceof OutOfMemoryError
                ? new FileLockException(
                        FileLockException.NO_ADDRESS_SPACE,
                        entry.path(),
                        entry + ": the system refused to map it: no address space or no mapping is left",
                        e,
                        "Hold fewer files, or raise the limit on the address space (ulimit -v).")
                : FileLockException.of(entry.path(), e);
    }

    private void fail(HeldFile file, FileLockException why) {
        if (!bestEffort) {
            throw why;
        }
        files.add(file);
    }

    /** What there is to lock, in whole pages. */
    private long pageBytes() {
        return Math.min(
                wholeBudget(),
                files.stream()
                        .mapToLong(file -> file.pages() * locker.pageSize())
                        .sum());
    }

    private long wholeBudget() {
        return options.budget() & -locker.pageSize();
    }

    private long bytes() {
        return files.stream().mapToLong(HeldFile::bytes).sum();
    }

    private long lockedBytes() {
        return files.stream().mapToLong(HeldFile::lockedBytes).sum();
    }

    private long pageBytes(long bytes) {
        return bytes + locker.pageSize() - 1 & -locker.pageSize();
    }

    /**
     * Locks what was mapped.
     *
     * @throws FileLockException if something cannot be locked and everything is asked for, nothing can be, or it was cancelled;
     *     see {@link #discard}
     */
    void lock() {
        boolean wasAllowed = budget > 0;
        if (pageBytes() == 0 && wasAllowed) {
            return;
        }
        if (!bestEffort) {
            askAhead();
        }
        long total = bytes();
        long done = 0;
        options.progress().at(0, total);
        int size = FIRST_STEP;
        int least = (int) Math.max(MIN_STEP, locker.pageSize());
        Iterator<Window> segments = segments().iterator();
        Window left = null;
        ColdFiles cold = new ColdFiles();
        while (left != null || segments.hasNext()) {
            checkCancelled();
            List<Window> step = new ArrayList<>();
            int room = size;
            while (room > 0 && step.size() < STEP_FILES && (left != null || segments.hasNext())) {
                Window next = left == null ? segments.next() : left;
                long bytes = next.range.length();
                step.add(bytes > room ? next.part(0, room) : next);
                left = bytes > room ? next.part(room, bytes) : null;
                room -= (int) Math.min(room, pageBytes(bytes));
            }
            long start = System.nanoTime();
            List<Window> within = withinBudget(step);
            if (full == null && !options.isOnFault() && within.size() > 1 && cold.isDue()) {
                cold.looked(readAhead(within));
            }
            lock(step, within);
            long nanos = System.nanoTime() - start;
            cold.locked(step.size(), nanos);
            done += step.stream().mapToLong(w -> w.range.length()).sum();
            options.progress().at(Math.min(done, total), total);
            size = nanos < QUICK_NANOS
                    ? Math.min(STEP, 2 * size)
                    : nanos > SLOW_NANOS ? Math.max(least, size / 2) : size;
        }
        checkCancelled();
        Optional<FileLockException> first = files.stream()
                .filter(each -> each.problem().isPresent())
                .findFirst()
                .flatMap(HeldFile::problem);
        if (first.isPresent() && lockedBytes() == 0 && wasAllowed && locker.policy() == LockPolicy.REQUIRED) {
            throw new FileLockException(
                    first.get().reason(),
                    null,
                    "nothing could be locked",
                    first.get().remedies(),
                    first.get().getCause());
        }
    }

    /** Asks before gigabytes are read only to be dropped again. */
    private void askAhead() {
        Forecast forecast = locker.forecast(pageBytes());
        Reason reason = forecast.reason().orElse(null);
        boolean limit = reason == Reason.OVER_LIMIT || reason == Reason.NOT_PERMITTED;
        // On fault, memory is needed only for what will be touched.
        if (forecast.fits() == Tristate.NO && (limit || !options.isOnFault())) {
            throw FileLockException.of("cannot lock " + all(), forecast);
        }
    }

    /** What was asked for. */
    private String all() {
        return files.size() == 1 ? what(files.get(0)) : files.size() + " files, " + ByteSize.format(bytes());
    }

    /** What to do about the limit, in numbers for everything that was asked for and not only for the part that failed. */
    private List<String> remedies(PageLockException e) {
        if (!FORECAST.contains(e.reason())) {
            return e.remedies();
        }
        Forecast forecast = locker.forecast(Math.max(0, pageBytes() - lockedBytes()));
        return forecast.reason().filter(e.reason()::equals).isPresent() ? forecast.remedies() : e.remedies();
    }

    /** Each segment as one window. */
    private List<Window> segments() {
        List<Window> windows = new ArrayList<>();
        for (HeldFile file : files) {
            if (file.isMapped()) {
                file.mapped().segments().forEach(each -> windows.add(new Window(file, each)));
            }
        }
        return windows;
    }

    /** What the budget has room for, if all of it can be locked. */
    private List<Window> withinBudget(List<Window> step) {
        List<Window> within = new ArrayList<>(step.size());
        long room = budget;
        for (Window each : step) {
            if (room > 0) {
                within.add(each.part(0, Math.min(room, each.range.length())));
            }
            room -= Math.min(room, pageBytes(each.range.length()));
        }
        return within;
    }

    /** Says so of what was cut off or left out. */
    private void beyondBudget(List<Window> step, List<Window> within) {
        for (int i = 0; i < step.size(); i++) {
            Window each = step.get(i);
            if (i >= within.size() || within.get(i).range.length() < each.range.length()) {
                each.file.failed(beyondBudget(each.file, each.file.lockedBytes() == 0 && budget < wholeBudget()));
            }
        }
    }

    private FileLockException beyondBudget(HeldFile file, boolean usedByOthers) {
        return new FileLockException(
                FileLockException.OVER_BUDGET,
                file.path(),
                what(file) + ": no room left in the budget of " + ByteSize.format(options.budget())
                        + (usedByOthers ? " (used by the preceding files)" : ""),
                null);
    }

    private void lock(List<Window> step, List<Window> within) {
        // Under RELOCK a handle of its own for each, so that one file can be let go.
        if (options.onChange() != ChangePolicy.RELOCK && lockTogether(within)) {
            beyondBudget(step, within);
            return;
        }
        for (Window each : step) {
            // What could not be locked leaves its part of the budget to the next one.
            List<Window> asked = Collections.singletonList(each);
            List<Window> part = withinBudget(asked);
            part.forEach(this::lockAlone);
            beyondBudget(asked, part);
        }
    }

    /** What a file lacks is reported of the file, so a handle without a lock is a refusal here. */
    private static PageLock strictly(PageLock handle) {
        if (handle.failure().isPresent()) {
            handle.close();
            throw handle.failure().get();
        }
        return handle;
    }

    /** Returns whether it is done; if not, each window is to be tried alone. */
    private boolean lockTogether(List<Window> step) {
        if (step.isEmpty()) {
            return true;
        }
        if (full != null) {
            return false;
        }
        try {
            handles.push(locked(step, locker.lock(ranges(step), lockOptions)));
            return true;
        } catch (PageLockException e) {
            if (!bestEffort) {
                throw explain(step, e);
            }
            return false;
        }
    }

    /**
     * Reads small files that are not in memory side by side, where a lock would wait for one after the other.
     *
     * @return whether there were any
     */
    private boolean readAhead(List<Window> step) {
        List<MappedFile> missing = step.stream()
                .map(each -> each.file.mapped())
                .filter(each -> each.bytes() <= STEP && each.isMissing())
                .collect(Collectors.toList());
        Crew.run(missing.size(), READERS, i -> {
            if (!options.cancelled().getAsBoolean()) {
                missing.get(i).readAhead();
            }
        });
        return !missing.isEmpty();
    }

    private static List<MemoryRange> ranges(List<Window> step) {
        return step.stream().map(each -> each.range).collect(Collectors.toList());
    }

    /** Counts what a handle locked; when it throws, that is unlocked again. */
    private PageLock locked(List<Window> step, PageLock handle) {
        strictly(handle);
        try {
            locked(step);
            return handle;
        } catch (RuntimeException | Error e) {
            try {
                handle.close();
            } catch (PageLockException stuck) {
                e.addSuppressed(stuck);
                handles.push(handle);
            }
            throw e;
        }
    }

    private void locked(List<Window> step) {
        long[] locked = new long[step.size()];
        List<PageStates> states = options.isOnFault() ? locker.pageStates(ranges(step)) : Collections.emptyList();
        for (int i = 0; i < locked.length; i++) {
            MemoryRange range = step.get(i).range;
            if (options.isOnFault()) {
                List<MemoryRange> runs = runs(states.get(i), range);
                keepResident(runs);
                locked[i] = runs.stream().mapToLong(MemoryRange::length).sum();
            } else {
                locked[i] = pageBytes(range.length());
            }
        }
        for (int i = 0; i < locked.length; i++) {
            step.get(i).file.locked(locked[i]);
            budget -= pageBytes(step.get(i).range.length());
        }
    }

    /** What is in memory. */
    private static List<MemoryRange> runs(PageStates states, MemoryRange of) {
        List<MemoryRange> runs = new ArrayList<>();
        long page = states.pageSize();
        for (int from = 0, to; from < states.pageCount(); from = to + 1) {
            for (to = from; to < states.pageCount() && states.resident(to) == Tristate.YES; to++) {
                continue;
            }
            if (to > from) {
                runs.add(part(
                        states.range(),
                        from * page,
                        (to - from) * page,
                        of.owner().orElse(of)));
            }
        }
        return runs;
    }

    /** Under the lock on fault, pages stay locked that were once brought in; for that, they are locked for a moment. */
    private void keepResident(List<MemoryRange> runs) {
        for (int i = 0; i < runs.size(); i += RUNS) {
            strictly(locker.lock(runs.subList(i, Math.min(i + RUNS, runs.size()))))
                    .close();
        }
    }

    private static MemoryRange part(MemoryRange range, long from, long length) {
        return part(range, from, length, range.owner().orElse(range));
    }

    private static MemoryRange part(MemoryRange range, long from, long length, Object owner) {
        return MemoryRange.of(range.address() + from, length, owner);
    }

    /** All that a caller needs who can live without the lock: one catch. */
    private void lockAlone(Window window) {
        checkCancelled();
        if (full != null) {
            window.file.failed(FileLockException.following(
                    full,
                    window.file.path(),
                    what(window.file) + ": " + Reason.valueOf(full.reason())
                            + ": no room left (used by the preceding files)"));
            return;
        }
        try {
            window.file.keep(locked(Collections.singletonList(window), locker.lock(window.range, lockOptions)));
            refusals = 0;
        } catch (PageLockException e) {
            if (!bestEffort) {
                throw explain(Collections.singletonList(window), e);
            }
            FileLockException why = FileLockException.of(window.file.path(), what(window.file), e, remedies(e));
            window.file.failed(why);
            if (e.reason() == Reason.OVER_LIMIT) {
                lockHead(window, why);
            } else if ((e.reason() == Reason.NO_LOCKABLE_MEMORY || e.reason() == Reason.TOO_MANY_MAPPINGS)
                    && ++refusals == MOST_REFUSALS) {
                full = why;
            }
        }
    }

    /** Locks as much of the window as the limit leaves room for. Where that is nothing, no later file need be tried. */
    private void lockHead(Window window, FileLockException why) {
        long room = locker.limits().lockable().bytes().orElse(0);
        long fits = room - room % locker.pageSize();
        if (fits == 0) {
            full = why;
        } else if (fits < window.range.length()) {
            lockAlone(window.part(0, fits));
        }
    }

    private FileLockException explain(List<Window> step, PageLockException e) {
        HeldFile culprit = culprit(step, e);
        if (culprit == null) {
            return FileLockException.of(null, "cannot lock " + all(), e, remedies(e));
        }
        String what = culprit.mapped()
                .change()
                .map(change ->
                        FileLockException.name(culprit.path()) + " " + change.what + " while it was being locked")
                .orElse(what(culprit));
        return FileLockException.of(culprit.path(), what, e, remedies(e));
    }

    private static HeldFile culprit(List<Window> step, PageLockException e) {
        HeldFile found = null;
        for (Window window : step) {
            if (e.range().isPresent() && e.range().get().overlaps(window.range) && found != window.file) {
                if (found != null) {
                    return null;
                }
                found = window.file;
            }
        }
        return found;
    }

    private static String what(HeldFile file) {
        return FileLockException.name(file.path()) + ", " + ByteSize.format(file.bytes());
    }

    /**
     * Maps and locks a held file as it is now, and lets go of what was held. Where the limit has room for only one of them, it
     * lets go first.
     *
     * @return why it failed; what was held stays held then
     */
    Optional<FileLockException> relock(HeldFile file) {
        FileEntry entry = file.mapped().entry();
        try {
            MappedFile now = MappedFile.map(entry.again(), locker);
            List<PageLock> old = new ArrayList<>(file.handles());
            List<PageLock> taken = new ArrayList<>();
            long before = file.lockedBytes();
            long most = budget > Long.MAX_VALUE - before ? Long.MAX_VALUE : budget + before;
            Forecast forecast = locker.forecast(Math.max(0, Math.min(most, pageBytes(now)) - before));
            if (forecast.fits() == Tristate.NO
                    && forecast.reason().filter(Reason.OVER_LIMIT::equals).isPresent()) {
                return Optional.of(FileLockException.of(what(file) + ": cannot lock it again", forecast));
            }
            long locked;
            try {
                locked = lock(now, most, taken);
            } catch (PageLockException e) {
                if (e.reason() != Reason.OVER_LIMIT) {
                    throw e;
                }
                locked = lockInstead(file, now, most, old, taken);
            }
            unlock(old);
            // What could not be unlocked is closed with the others.
            taken.addAll(old);
            file.replace(now, taken, locked);
            budget = most == Long.MAX_VALUE ? most : most - locked;
            return locked == most && locked < file.pages() * locker.pageSize()
                    ? Optional.of(beyondBudget(file, locked == 0))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.of(explain(entry, e));
        } catch (PageLockException e) {
            return Optional.of(
                    FileLockException.of(file.path(), what(file) + ": cannot lock it again", e, e.remedies()));
        } catch (FileLockException e) {
            return Optional.of(e);
        }
    }

    private long pageBytes(MappedFile file) {
        return file.segments().stream()
                .mapToLong(each -> pageBytes(each.length()))
                .sum();
    }

    /** Lets go of what is held before it locks. When it throws, what was held is held again, if it still can be. */
    private long lockInstead(HeldFile file, MappedFile now, long most, List<PageLock> old, List<PageLock> taken) {
        unlock(old);
        try {
            return lock(now, most, taken);
        } catch (RuntimeException | Error e) {
            long locked = 0;
            try {
                locked = lock(file.mapped(), file.lockedBytes(), old);
            } catch (PageLockException | FileLockException again) {
                e.addSuppressed(again);
            }
            budget += Math.min(file.lockedBytes() - locked, Long.MAX_VALUE - budget);
            file.replace(file.mapped(), old, locked);
            throw e;
        }
    }

    /** Locks as much as the budget allows; returns how many bytes that are, in whole pages. When it throws, nothing is taken. */
    private long lock(MappedFile file, long most, List<PageLock> taken) {
        long locked = 0;
        try {
            for (MemoryRange each : file.segments()) {
                for (long at = 0; at < each.length() && locked < most; ) {
                    checkCancelled();
                    long length = Math.min(Math.min(STEP, each.length() - at), most - locked);
                    taken.add(strictly(locker.lock(part(each, at, length), lockOptions)));
                    locked += pageBytes(length);
                    at += length;
                }
            }
            return locked;
        } catch (RuntimeException | Error e) {
            unlock(taken);
            throw e;
        }
    }

    /** Closes what can be closed and removes it. */
    private static Optional<PageLockException> unlock(Collection<PageLock> some) {
        PageLockException first = null;
        for (Iterator<PageLock> all = some.iterator(); all.hasNext(); ) {
            try {
                all.next().close();
                all.remove();
            } catch (PageLockException e) {
                first = first == null ? e : first;
            }
        }
        return Optional.ofNullable(first);
    }

    /**
     * Unlocks everything.
     *
     * @return why something is still locked; normally nothing
     */
    Optional<FileLockException> unlock() {
        Optional<PageLockException> first = unlock(handles);
        for (HeldFile each : files) {
            Optional<PageLockException> own = unlock(each.handles());
            first = first.isPresent() ? first : own;
        }
        return first.map(e -> FileLockException.of(null, "cannot unlock everything", e, e.remedies()));
    }

    /** Unlocks everything because it came to nothing, see {@link #unlock}. */
    Optional<FileLockException> discard() {
        files.forEach(HeldFile::discarded);
        return unlock();
    }
}
