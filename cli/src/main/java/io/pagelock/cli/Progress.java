// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Shows how far a long lock has come. A thread draws it, so that something shows also while the system is slow; it takes no
 * part in the locking.
 */
abstract class Progress implements AutoCloseable {
    private final long total;
    private final LongSupplier nanoTime;
    private final long start;
    private final Thread ticker;
    private long done;
    private boolean closed;
    private volatile String verb = "locking";

    private Progress(long total, LongSupplier nanoTime, Duration interval) {
        this.total = total;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.ticker = new Thread(() -> tick(interval), "pagelock-progress");
        ticker.setDaemon(true);
    }

    /** A bar on a terminal, otherwise a line each second and at the end. */
    static Progress on(Console console, long total) {
        return on(console, "locking", total);
    }

    private static Progress on(Console console, String verb, long total) {
        Progress progress =
                console.isInteractive() ? new Bar(console, total) : new Lines(console, total, System::nanoTime);
        progress.verb = verb;
        progress.ticker.start();
        return progress;
    }

    /** So many bytes are done. */
    final synchronized void at(long bytes) {
        done = bytes;
        update();
    }

    /** Begins to show when the work begins, since only then it is known how much there is. */
    static final class Holder implements AutoCloseable {
        private final Console console;
        private final String verb;
        private Progress progress;

        Holder(Console console, String verb) {
            this.console = console;
            this.verb = verb;
        }

        void at(long bytes, long total) {
            if (progress == null && total > 0) {
                progress = on(console, verb, total);
            } else if (progress != null) {
                progress.at(bytes);
            }
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }

    private void tick(Duration interval) {
        try {
            while (true) {
                synchronized (this) {
                    wait(interval.toMillis());
                    if (closed) {
                        return;
                    }
                    update();
                }
            }
        } catch (InterruptedException e) {
            // Nobody has a reason to; without it, only fewer lines show.
        }
    }

    final synchronized void update() {
        show(done, nanoTime.getAsLong() - start);
    }

    abstract void show(long bytes, long nanos);

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    final String verb() {
        return verb;
    }

    final long total() {
        return total;
    }

    static String rate(long bytes, long nanos) {
        double perSecond = bytes * 1e9 / Math.max(1, nanos);
        String[] units = {"B/s", "KiB/s", "MiB/s", "GiB/s"};
        int unit = 0;
        while (perSecond >= 1024 && unit < units.length - 1) {
            perSecond /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", perSecond, units[unit]);
    }

    /** The time left if it goes on as so far. */
    static Optional<Duration> left(long bytes, long total, long nanos) {
        return bytes == 0
                ? Optional.empty()
                : Optional.of(Duration.ofNanos((long) ((double) nanos / bytes * (total - bytes))));
    }

    static final class Lines extends Progress {
        private static final Duration INTERVAL = Duration.ofSeconds(1);
        // The ticker comes a little early or late; a line each time it comes is what is wanted.
        private static final long SLACK = Duration.ofMillis(100).toNanos();

        private final Console console;
        private long next = INTERVAL.toNanos();

        Lines(Console console, long total, LongSupplier nanoTime) {
            super(total, nanoTime, INTERVAL);
            this.console = console;
        }

        @Override
        void show(long bytes, long nanos) {
            if (bytes < total() && nanos < next - SLACK) {
                return;
            }
            next = nanos + INTERVAL.toNanos();
            String time = left(bytes, total(), nanos)
                    .map(d -> ", " + d.getSeconds() + " s left")
                    .orElse("");
            console.err()
                    .println(String.format(
                            Locale.ROOT,
                            "%s: %s of %s, %.0f%%, %s%s",
                            verb(),
                            ByteSize.format(bytes),
                            ByteSize.format(total()),
                            100.0 * bytes / total(),
                            rate(bytes, nanos),
                            time));
        }
    }

    private static final class Bar extends Progress {
        private static final long MEBI = 1 << 20;
        private static final int MIN_CELLS = 5;
        private static final Duration INTERVAL = Duration.ofMillis(200);

        private final Console console;
        private final char full;
        private final String edge;
        private long next;

        Bar(Console console, long total) {
            super(total, System::nanoTime, INTERVAL);
            this.console = console;
            boolean blocks = console.hasBlocks();
            full = blocks ? '█' : '=';
            edge = blocks ? "│" : "|";
        }

        @Override
        void show(long bytes, long nanos) {
            if (bytes < total() && nanos < next) {
                return;
            }
            next = nanos + INTERVAL.toNanos() / 2;
            long unit = total() < 10 * MEBI ? 1024 : MEBI;
            String head = String.format(Locale.ROOT, "%s %3d%% %s", verb(), bytes * 100 / total(), edge);
            String tail = String.format(
                    Locale.ROOT,
                    "%s %d/%d %s (%s / %s) %s ",
                    edge,
                    bytes / unit,
                    total() / unit,
                    unit == MEBI ? "MiB" : "KiB",
                    clock(Optional.of(Duration.ofNanos(nanos))),
                    clock(left(bytes, total(), nanos)),
                    rate(bytes, nanos));
            int cells = Math.max(MIN_CELLS, console.columns() - 1 - head.length() - tail.length());
            StringBuilder line = new StringBuilder("\r").append(head);
            for (int i = 0; i < cells; i++) {
                line.append(i < cells * (double) bytes / total() ? full : ' ');
            }
            console.err().print(line.append(tail));
            console.err().flush();
        }

        private static String clock(Optional<Duration> time) {
            return time.map(Duration::getSeconds)
                    .map(s -> String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60))
                    .orElse("?");
        }

        @Override
        public synchronized void close() {
            super.close();
            update();
            console.err().println();
        }
    }
}
