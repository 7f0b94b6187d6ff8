// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.ByteSize;
import io.pagelock.PageLocker;
import io.pagelock.spi.DaemonThread;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/**
 * Counts and reports handles that were dropped without close. Loggers are the program's code: they may block, throw or lock memory
 * themselves, so a thread of its own calls them, with a short queue before it, and nothing waits for that thread.
 */
final class Leaks {
    /** The values of {@link PageLocker#LEAKS_PROPERTY}. */
    enum Level {
        OFF,
        COUNT,
        REPORT,
        TRACE
    }

    /** How many handles have their place recorded however quickly they follow each other. */
    static final int FIRST_PLACES = 64;
    /** Later, a place is recorded this long after the one before: 50 us for a deep stack, a thousandth of the time. */
    static final long PLACE_NANOS = 50_000_000;
    /** How many places have their first leak logged however quickly they follow each other. */
    static final int FIRST_REPORTS = 10;
    /** Later, a leak is logged this long after the one before. */
    static final long REPORT_NANOS = 60_000_000_000L;

    private static final int MOST_WAITING = 64;
    private static final int MOST_RECENT = 10;

    /** Where a handle was made. Holds no class, which would keep the class loader of an application. */
    static final class Place {
        private final StackTraceElement[] frames;
        private final WeakReference<Object> owner;

        private Place(StackTraceElement[] frames, Object owner) {
            this.frames = frames;
            this.owner = new WeakReference<>(owner);
        }

        @Override
        public String toString() {
            return frames.length == 0 ? "" : frames[0].toString();
        }
    }

    private final Level level;
    private final BiConsumer<String, Throwable> log;
    private final AtomicLong count = new AtomicLong();

    private final AtomicInteger spare = new AtomicInteger(FIRST_PLACES);
    private volatile long nextPlace = System.nanoTime();

    // Guarded by this.
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final Deque<Leak> recent = new ArrayDeque<>();
    private boolean isRunning;

    // Of the reporting thread alone, of which there is one at a time.
    private FlightEvents flight;
    private final Set<String> loggedPlaces = new HashSet<>();
    private long lastLogged;

    Leaks(String value, BiConsumer<String, Throwable> log) {
        this.log = log;
        Level known = Level.REPORT;
        String wrong = value;
        for (Level each : Level.values()) {
            if (value == null
                    || value.isEmpty()
                    || each.name().toLowerCase(Locale.ROOT).equals(value)) {
                known = value == null || value.isEmpty() ? known : each;
                wrong = null;
            }
        }
        level = known;
        if (wrong != null) {
            enqueue(() -> log.accept(
                    "-D" + PageLocker.LEAKS_PROPERTY + "=" + value
                            + " is none of off, count, report and trace; report is used instead",
                    null));
        }
    }

    /** The leaks of an engine, as the system properties have it. */
    static Leaks configured() {
        String value = null;
        try {
            value = System.getProperty(PageLocker.LEAKS_PROPERTY);
        } catch (SecurityException e) {
            // A security manager that lets nobody choose.
            value = null;
        }
        // No lambda: this is part of the first lock.
        return new Leaks(value, new BiConsumer<String, Throwable>() {
            @Override
            public void accept(String message, Throwable place) {
                LeakLog.warn(message, place);
            }
        });
    }

    long count() {
        return count.get();
    }

    /**
     * Records where the caller makes a handle, if this one is among those.
     *
     * @param now what the clock says, which the caller has read anyhow
     * @param owner what keeps the memory mapped; may be null
     * @return the place; null if it is not recorded
     */
    Place place(long now, Object owner) {
        if (level == Level.REPORT) {
            if (now - nextPlace >= 0) {
                nextPlace = now + PLACE_NANOS;
            } else if (spare.get() <= 0 || spare.getAndDecrement() <= 0) {
                return null;
            }
        } else if (level != Level.TRACE) {
            return null;
        }
        try {
            return new Place(callers(new Throwable().getStackTrace()), owner);
        } catch (VirtualMachineError e) {
            // No memory or stack left; the lock stands all the same.
            return null;
        }
    }

    /** Leaves out the frames of this package; the rest is the API's caller. */
    private static StackTraceElement[] callers(StackTraceElement[] frames) {
        String here = Leaks.class.getName().replace("Leaks", "");
        int first = 0;
        while (first < frames.length - 1 && frames[first].getClassName().startsWith(here)) {
            first++;
        }
        return Arrays.copyOfRange(frames, first, frames.length);
    }

    /**
     * Counts a dropped handle and has it reported. Needs no code of the program and waits for nothing.
     *
     * @param place where it was made; null if that was not recorded
     */
    void dropped(long start, long bytes, Place place) {
        if (level == Level.OFF) {
            return;
        }
        long number = count.incrementAndGet();
        try {
            Leak leak = new Leak(number, start, bytes, place);
            synchronized (this) {
                recent.addLast(leak);
                if (recent.size() > MOST_RECENT) {
                    recent.removeFirst();
                }
            }
            enqueue(leak);
        } catch (OutOfMemoryError e) {
            // Counted is better than nothing; the pages must be unlocked now.
            return;
        }
    }

    /** The last leaks, for people. */
    List<String> recent() {
        List<String> all = new ArrayList<>();
        synchronized (this) {
            recent.forEach(each -> all.add(each.toString()));
        }
        return all;
    }

    private synchronized void enqueue(Runnable report) {
        if (waiting.size() >= MOST_WAITING) {
            // The log is slower than the leaks; the number in the next report says so.
            return;
        }
        waiting.addLast(report);
        if (!isRunning) {
            isRunning = true;
            try {
                DaemonThread.of("pagelock-leaks", this::run).start();
            } catch (OutOfMemoryError | RuntimeException e) {
                // No thread to be had; the next leak tries again.
                isRunning = false;
            }
        }
    }

    private void run() {
        for (Runnable next = take(); next != null; next = take()) {
            try {
                next.run();
            } catch (Throwable e) {
                // A log handler of the program. Later leaks must be reported all the same.
                continue;
            }
        }
    }

    private synchronized Runnable take() {
        Runnable next = waiting.pollFirst();
        isRunning = next != null;
        return next;
    }

    /** One dropped handle. */
    private final class Leak implements Runnable {
        private final long number;
        private final long start;
        private final long bytes;
        private final Place place;
        private final boolean isMemoryInUse;

        Leak(long number, long start, long bytes, Place place) {
            this.number = number;
            this.start = start;
            this.bytes = bytes;
            this.place = place;
            isMemoryInUse = place != null && place.owner.get() != null;
        }

        @Override
        public void run() {
            if (flight == null) {
                flight = new FlightEvents(FlightEvents.Kind.LEAK);
            }
            Object event = flight.begin();
            if (event != null) {
                flight.end(event, bytes, place == null ? "" : place.toString());
            }
            if (isLogged()) {
                Throwable madeHere = null;
                if (place != null) {
                    madeHere = new Throwable("the handle was made here");
                    madeHere.setStackTrace(place.frames);
                }
                log.accept(this.toString(), madeHere);
            }
        }

        private boolean isLogged() {
            long now = System.nanoTime();
            boolean isFirst =
                    loggedPlaces.size() < FIRST_REPORTS && loggedPlaces.add(place == null ? "" : place.toString());
            if (level == Level.COUNT || level == Level.REPORT && !isFirst && now - lastLogged < REPORT_NANOS) {
                return false;
            }
            lastLogged = now;
            return true;
        }

        @Override
        public String toString() {
            return "a PageLock over " + ByteSize.format(bytes) + " at 0x" + Long.toHexString(start)
                    + " was dropped without close, so its pages are unlocked"
                    + (isMemoryInUse ? " although their memory is still in use" : "")
                    + ". Keep the handle as long as the pages must stay locked, and close it. It was made "
                    + (place == null
                            ? "at a place that was not recorded; -D" + PageLocker.LEAKS_PROPERTY
                                    + "=trace records it for every handle"
                            : "at " + place)
                    + " (dropped so far: " + number + ")";
        }
    }
}
