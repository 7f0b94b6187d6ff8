// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import io.pagelock.Forecast;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The files of one {@code hold}: mapped, locked, unlocked. Either all of them are locked, or what can be. */
final class Holding {
    /** The most that is locked by one call; a multiple of every page size, as are all steps. */
    static final int STEP = 64 << 20;

    private static final int FIRST_STEP = 1 << 20;
    private static final int MIN_STEP = 64 << 10;
    // A step takes about this long, so that progress shows and a signal is heeded on slow storage, too.
    private static final long QUICK_NANOS = 100_000_000;
    private static final long SLOW_NANOS = 400_000_000;
    private static final int STEP_FILES = 4096;

    /** A part of a file that is locked at once. */
    private static final class Window {
        private final HeldFile file;
        private final ByteBuffer buffer;

        Window(HeldFile file, ByteBuffer buffer) {
            this.file = file;
            this.buffer = buffer;
        }

        /** From one of the remaining bytes to another. */
        Window part(int from, int to) {
            ByteBuffer part = buffer.duplicate();
            part.limit(buffer.position() + to);
            part.position(buffer.position() + from);
            return new Window(file, part);
        }
    }

    private final PageLocker locker;
    private final LockOption[] options;
    private final boolean bestEffort;
    private final Console console;
    private final List<HeldFile> files = new ArrayList<>();
    private final List<Left> vanished = new ArrayList<>();
    private final Deque<PageLock> handles = new ArrayDeque<>();
    private Failure full;

    Holding(PageLocker locker, boolean onFault, boolean bestEffort, Console console) {
        this.locker = locker;
        this.options = onFault ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        this.bestEffort = bestEffort;
        this.console = console;
    }

    List<HeldFile> files() {
        return Collections.unmodifiableList(files);
    }

    /** Files that were in a directory when it was listed and are gone now, which is the way of directories. */
    List<Left> vanished() {
        return Collections.unmodifiableList(vanished);
    }

    /**
     * Maps what was listed.
     *
     * @throws Failure if something cannot be mapped and everything is asked for, or a signal came
     */
    void map(FileList list, MappingBudget budget, StopSignal stop) {
        for (Left each : list.failed()) {
            fail(new HeldFile(each.path(), each.why()), each.why());
        }
        long needed = list.files().stream()
                .mapToLong(file -> MappedFile.segmentsFor(file.bytes()))
                .sum();
        if (needed > budget.available() && !bestEffort) {
            throw budget.exceeded("cannot map " + list.files().size() + " files", needed);
        }
        long left = budget.available();
        for (FileList.Entry entry : list.files()) {
            stop.check();
            if (MappedFile.segmentsFor(entry.bytes()) > left) {
                Failure why = budget.exceeded(console.name(entry.path()), needed);
                files.add(new HeldFile(entry.path(), why));
            } else {
                left -= map(entry);
            }
        }
    }

    private int map(FileList.Entry entry) {
        try {
            MappedFile mapped = MappedFile.map(entry);
            files.add(new HeldFile(mapped));
            return mapped.segments().size();
        } catch (NoSuchFileException e) {
            Failure why = Failure.of(console.name(entry.path()), e);
            if (entry.path() == entry.argument()) {
                fail(new HeldFile(entry.path(), why), why);
            } else {
                vanished.add(new Left(
                        entry.path(),
                        new Failure("VANISHED", console.name(entry.path()) + ": vanished after listing")));
            }
        } catch (IOException e) {
            Failure why = e.getCause() instanceof OutOfMemoryError
                    ? new Failure(
                            "NO_ADDRESS_SPACE",
                            console.name(entry.path())
                                    + ": the system refused to map it: no address space or mapping left",
                            "Hold fewer files, or raise the limit on the address space (ulimit -v).",
                            e)
                    : Failure.of(console.name(entry.path()), e);
            fail(new HeldFile(entry.path(), why), why);
        }
        return 0;
    }

    private void fail(HeldFile file, Failure why) {
        if (!bestEffort) {
            throw why;
        }
        files.add(file);
    }

    /** What there is to lock, in whole pages. */
    long pageBytes() {
        return files.stream().mapToLong(file -> pageBytes(file.bytes())).sum();
    }

    long bytes() {
        return files.stream().mapToLong(HeldFile::bytes).sum();
    }

    /** What is or was locked, in whole pages. */
    long lockedBytes() {
        return files.stream().mapToLong(HeldFile::lockedBytes).sum();
    }

    long lockedFiles() {
        return files.stream().filter(file -> file.lockedBytes() > 0).count();
    }

    long changedFiles() {
        return files.stream().filter(file -> file.change().isPresent()).count();
    }

    boolean isComplete() {
        return files.stream().noneMatch(file -> file.problem().isPresent());
    }

    private long pageBytes(long bytes) {
        return (bytes + locker.pageSize() - 1) / locker.pageSize() * locker.pageSize();
    }

    /**
     * Locks what was mapped.
     *
     * @throws Failure if something cannot be locked and everything is asked for, or a signal came; see {@link #discard}
     */
    void lock(Progress progress, StopSignal stop) {
        if (!bestEffort) {
            askAhead();
        }
        int size = FIRST_STEP;
        int least = (int) Math.max(MIN_STEP, locker.pageSize());
        Iterator<Window> segments = segments().iterator();
        Window left = null;
        while (left != null || segments.hasNext()) {
            stop.check();
            List<Window> step = new ArrayList<>();
            int room = size;
            while (room > 0 && step.size() < STEP_FILES && (left != null || segments.hasNext())) {
                Window next = left == null ? segments.next() : left;
                int bytes = next.buffer.remaining();
                step.add(bytes > room ? next.part(0, room) : next);
                left = bytes > room ? next.part(room, bytes) : null;
                room -= (int) Math.min(room, pageBytes(bytes));
            }
            long start = System.nanoTime();
            lock(step);
            long nanos = System.nanoTime() - start;
            progress.add(step.stream().mapToLong(w -> w.buffer.remaining()).sum());
            size = nanos < QUICK_NANOS
                    ? Math.min(STEP, 2 * size)
                    : nanos > SLOW_NANOS ? Math.max(least, size / 2) : size;
        }
    }

    /** Asks before gigabytes are read only to be dropped again. */
    private void askAhead() {
        Forecast forecast = locker.forecast(pageBytes());
        Reason reason = forecast.reason().orElse(null);
        boolean limit = reason == Reason.OVER_LIMIT || reason == Reason.NOT_PERMITTED;
        // On fault, memory is needed only for what will be touched.
        if (forecast.fits() == Tristate.NO && (limit || options.length == 0)) {
            throw Failure.of("cannot lock " + all(), forecast);
        }
    }

    /** What was asked for. */
    private String all() {
        return files.size() == 1 ? what(files.get(0)) : describe(files.size(), bytes());
    }

    /** What to do about the limit, in numbers for everything that was asked for and not only for the part that failed. */
    private List<String> remedies(PageLockException e) {
        Forecast forecast = locker.forecast(pageBytes() - lockedBytes());
        return forecast.reason().filter(e.reason()::equals).isPresent() ? forecast.remedies() : e.remedies();
    }

    /** Each segment as one window. */
    private List<Window> segments() {
        List<Window> windows = new ArrayList<>();
        for (HeldFile file : files) {
            file.mapped().ifPresent(mapped -> mapped.segments().forEach(each -> windows.add(new Window(file, each))));
        }
        return windows;
    }

    private void lock(List<Window> step) {
        List<ByteBuffer> buffers = new ArrayList<>();
        step.forEach(window -> buffers.add(window.buffer));
        try {
            handles.push(locker.lock(buffers.stream().map(locker::rangeOf).collect(Collectors.toList()), options));
            step.forEach(window -> window.file.locked(pageBytes(window.buffer.remaining())));
        } catch (PageLockException e) {
            if (!bestEffort) {
                throw explain(step, e);
            }
            step.forEach(this::lockIfPossible);
        }
    }

    /** All that a caller needs who can live without the lock: one catch. */
    private void lockIfPossible(Window window) {
        if (full != null) {
            window.file.failed(new Failure(
                    full.reason(),
                    what(window.file) + ": " + Reason.OVER_LIMIT
                            + ": no room left under the limit (used by the preceding" + " files)",
                    full.remedies(),
                    null));
            return;
        }
        try {
            handles.push(locker.lock(window.buffer, options));
            window.file.locked(pageBytes(window.buffer.remaining()));
        } catch (PageLockException e) {
            Failure why = Failure.of(what(window.file), e, remedies(e));
            window.file.failed(why);
            if (e.reason() == Reason.OVER_LIMIT) {
                lockHead(window, why);
            }
        }
    }

    /** Locks as much of the window as the limit leaves room for. Where that is nothing, no later file need be tried. */
    private void lockHead(Window window, Failure why) {
        long room = locker.limits().lockable().bytes().orElse(0);
        long fits = room - room % locker.pageSize();
        if (fits == 0) {
            full = why;
        } else if (fits < window.buffer.remaining()) {
            lockIfPossible(window.part(0, (int) fits));
        }
    }

    private Failure explain(List<Window> step, PageLockException e) {
        Optional<HeldFile> culprit = culprit(step, e);
        if (!culprit.isPresent()) {
            return Failure.of("cannot lock " + all(), e, remedies(e));
        }
        Optional<String> change = culprit.get().mapped().flatMap(MappedFile::change);
        return Failure.of(
                change.map(what -> console.name(culprit.get().path()) + " " + what + " while it was being locked")
                        .orElse(what(culprit.get())),
                e,
                remedies(e));
    }

    private Optional<HeldFile> culprit(List<Window> step, PageLockException e) {
        if (!e.range().isPresent()) {
            return Optional.empty();
        }
        MemoryRange range = e.range().get();
        HeldFile found = null;
        for (Window window : step) {
            if (range.overlaps(locker.rangeOf(window.buffer)) && found != window.file) {
                if (found != null) {
                    return Optional.empty();
                }
                found = window.file;
            }
        }
        return Optional.ofNullable(found);
    }

    private String what(HeldFile file) {
        return console.name(file.path()) + ", " + ByteSize.format(file.bytes());
    }

    static String describe(long count, long bytes) {
        return count + (count == 1 ? " file, " : " files, ") + ByteSize.format(bytes);
    }

    /**
     * Unlocks everything.
     *
     * @return why something is still locked; normally nothing
     */
    Optional<Failure> unlock() {
        Failure first = null;
        Deque<PageLock> refused = new ArrayDeque<>();
        while (!handles.isEmpty()) {
            PageLock handle = handles.pop();
            try {
                handle.close();
            } catch (PageLockException e) {
                refused.push(handle);
                first = first == null ? Failure.of("cannot unlock everything", e) : first;
            }
        }
        handles.addAll(refused);
        return Optional.ofNullable(first);
    }

    /** Unlocks everything because it came to nothing, see {@link #unlock}. */
    Optional<Failure> discard() {
        files.forEach(HeldFile::discarded);
        return unlock();
    }
}
