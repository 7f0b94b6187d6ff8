// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.ByteSize;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/** Shows how far a long lock has come. */
abstract class Progress implements AutoCloseable {
    private final long total;
    private final LongSupplier nanoTime;
    private final long start;
    private long done;

    private Progress(long total, LongSupplier nanoTime) {
        this.total = total;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
    }

    /** A bar on a terminal, otherwise a line now and then. */
    static Progress on(Console console, long total) {
        return console.isInteractive() ? new Bar(console, total) : new Lines(console, total, System::nanoTime);
    }

    /** So many bytes more are done. */
    final void add(long bytes) {
        done += bytes;
        show(done, nanoTime.getAsLong() - start);
    }

    abstract void show(long bytes, long nanos);

    @Override
    public void close() {}

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
        private static final long INTERVAL = Duration.ofSeconds(1).toNanos();

        private final Console console;
        private long next = INTERVAL;

        Lines(Console console, long total, LongSupplier nanoTime) {
            super(total, nanoTime);
            this.console = console;
        }

        @Override
        void show(long bytes, long nanos) {
            if (bytes < total() && nanos < next) {
                return;
            }
            next = nanos + INTERVAL;
            long seconds = left(bytes, total(), nanos).map(Duration::getSeconds).orElse(0L);
            console.err()
                    .println(String.format(
                            Locale.ROOT,
                            "locking: %s of %s, %.0f%%, %s, %d s left",
                            ByteSize.format(bytes),
                            ByteSize.format(total()),
                            100.0 * bytes / total(),
                            rate(bytes, nanos),
                            seconds));
        }
    }

    private static final class Bar extends Progress {
        private static final long MEBI = 1 << 20;

        private final ProgressBar bar;

        Bar(Console console, long total) {
            super(total, System::nanoTime);
            bar = new ProgressBarBuilder()
                    .setTaskName("locking")
                    .setInitialMax(total)
                    .setUnit(total < 10 * MEBI ? " KiB" : " MiB", total < 10 * MEBI ? 1024 : MEBI)
                    .setStyle(console.hasBlocks() ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(100)
                    .setEtaFunction(Bar::left)
                    .setConsumer(new Line(console))
                    .build();
        }

        // The library's own divides whole nanoseconds by bytes, which is 0 above 1 GB/s.
        private static Optional<Duration> left(ProgressState state) {
            return left(
                    state.getCurrent(),
                    state.getMax(),
                    state.getElapsedAfterStart().toNanos());
        }

        @Override
        void show(long bytes, long nanos) {
            bar.setExtraMessage(" " + rate(bytes, nanos));
            bar.stepTo(bytes);
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /** Draws on standard error; the library's own consumer would load a terminal library only to ask for the width. */
    private static final class Line implements ProgressBarConsumer {
        private final Console console;

        Line(Console console) {
            this.console = console;
        }

        @Override
        public int getMaxRenderedLength() {
            return console.columns() - 1;
        }

        @Override
        public void accept(String rendered) {
            console.err().print("\r" + rendered);
            console.err().flush();
        }

        @Override
        public void close() {
            console.err().println();
        }
    }
}
