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
import java.nio.MappedByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The files of one {@code hold}: mapped, locked, unlocked. Either all of them are locked, or what can be. */
final class Holding implements AutoCloseable {
    /** How much is locked by one call, so that progress shows and a signal is heeded; a multiple of every page size. */
    static final int STEP = 64 << 20;

    private static final int STEP_FILES = 4096;

    /** A part of a file that is locked at once. */
    private static final class Window {
        private final HeldFile file;
        private final ByteBuffer buffer;

        Window(HeldFile file, ByteBuffer buffer) {
            this.file = file;
            this.buffer = buffer;
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
     * @throws Failure if something cannot be mapped and everything is asked for
     */
    void map(FileList list, MappingBudget budget) {
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

    boolean isComplete() {
        return files.stream().noneMatch(file -> file.problem().isPresent());
    }

    private long pageBytes(long bytes) {
        return (bytes + locker.pageSize() - 1) / locker.pageSize() * locker.pageSize();
    }

    /**
     * Locks what was mapped.
     *
     * @throws Failure if something cannot be locked and everything is asked for, or a signal came; close unlocks the rest
     */
    void lock(Progress progress, StopSignal stop) {
        if (!bestEffort) {
            askAhead();
        }
        for (List<Window> step : steps()) {
            if (stop.isRequested()) {
                throw interrupted();
            }
            lock(step);
            progress.add(step.stream().mapToLong(w -> w.buffer.remaining()).sum());
        }
    }

    static Failure interrupted() {
        return new Failure("INTERRUPTED", "interrupted by a signal while locking; everything is unlocked again");
    }

    /** Asks before gigabytes are read only to be dropped again. */
    private void askAhead() {
        Forecast forecast = locker.forecast(pageBytes());
        boolean refused = isRefusedAtOnce(forecast);
        // On fault, memory is needed only for what will be touched.
        if (forecast.fits() != Tristate.NO || !refused && options.length > 0) {
            return;
        }
        HeldFile largest = Collections.max(files, Comparator.comparingLong(HeldFile::bytes));
        MappedByteBuffer segment = segments(largest).get(0);
        if (refused && isRefusedAtOnce(locker.forecast(segment.capacity()))) {
            // It costs nothing to hear it from the system in its own words.
            try {
                locker.lock(segment, options).close();
            } catch (PageLockException e) {
                throw Failure.of(what(largest), e);
            }
        }
        throw Failure.of("cannot lock " + describe(files.size(), bytes()), forecast);
    }

    /** Whether the system would refuse before it brings in a single page. */
    private static boolean isRefusedAtOnce(Forecast forecast) {
        Reason reason = forecast.reason().orElse(null);
        return reason == Reason.OVER_LIMIT || reason == Reason.NOT_PERMITTED;
    }

    private static List<MappedByteBuffer> segments(HeldFile file) {
        return file.mapped().map(MappedFile::segments).orElse(Collections.emptyList());
    }

    /** Windows in the order of the files, as many together as make one step: small files cost one call. */
    private List<List<Window>> steps() {
        List<List<Window>> steps = new ArrayList<>();
        List<Window> step = new ArrayList<>();
        long bytes = 0;
        for (HeldFile file : files) {
            List<ByteBuffer> windows =
                    file.mapped().map(mapped -> mapped.windows(STEP)).orElse(Collections.emptyList());
            for (ByteBuffer window : windows) {
                if (bytes + window.remaining() > STEP && bytes > 0 || step.size() == STEP_FILES) {
                    steps.add(step);
                    step = new ArrayList<>();
                    bytes = 0;
                }
                step.add(new Window(file, window));
                bytes += window.remaining();
            }
        }
        if (!step.isEmpty()) {
            steps.add(step);
        }
        return steps;
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
                    what(window.file) + ": " + Reason.OVER_LIMIT + ", which the files before it use up",
                    full.remedy(),
                    null));
            return;
        }
        try {
            handles.push(locker.lock(window.buffer, options));
            window.file.locked(pageBytes(window.buffer.remaining()));
        } catch (PageLockException e) {
            Failure why = Failure.of(what(window.file), e);
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
            ByteBuffer head = window.buffer.duplicate();
            head.limit(head.position() + (int) fits);
            lockIfPossible(new Window(window.file, head));
        }
    }

    private Failure explain(List<Window> step, PageLockException e) {
        Optional<HeldFile> culprit = culprit(step, e);
        if (!culprit.isPresent()) {
            return Failure.of("cannot lock " + describe(files.size(), bytes()), e);
        }
        Optional<String> change = culprit.get().lookForChange();
        return Failure.of(
                change.map(what -> console.name(culprit.get().path()) + " " + what + " while it was being locked")
                        .orElse(what(culprit.get())),
                e);
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

    @Override
    public void close() {
        unlock();
    }
}
