// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Locks one large range, in turn by C in a process of its own, by C in this process, by pagelock, and by C in a process of its
 * own with several threads. Arguments: {@code anonymous}, {@code cached} or {@code dropped}; bytes; rounds; the file for the
 * last two. Prints a line a round: program, library, pagelock, pagelock's close, and threads, in nanoseconds.
 */
final class LargeMain {
    private static final PageLocker LOCKER = PageLocker.system();

    private LargeMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        String kind = args[0];
        long bytes = Long.parseLong(args[1]);
        int rounds = Integer.parseInt(args[2]);
        String file = args.length > 3 ? args[3] : null;
        warmUp();
        for (int round = 0; round < rounds; round++) {
            long[] nanos = new long[5];
            for (int turn = 0; turn < 4; turn++) {
                prepare(kind, file);
                switch ((round + turn) % 4) {
                    case 0:
                        nanos[0] = program(bytes, file, false);
                        break;
                    case 1:
                        nanos[1] = library(bytes, file);
                        break;
                    case 2:
                        nanos[4] = program(bytes, file, true);
                        break;
                    default:
                        pagelock(bytes, file, nanos);
                }
            }
            System.out.println(nanos[0] + " " + nanos[1] + " " + nanos[2] + " " + nanos[3] + " " + nanos[4]);
        }
    }

    /** Loads what the first lock loads; that is measured elsewhere. */
    private static void warmUp() {
        long length = 8 << 20;
        long at = map(length, null);
        for (int i = 0; i < 20; i++) {
            LOCKER.lock(MemoryRange.of(at, length)).close();
        }
        Baseline.unmap(at, length);
    }

    private static void prepare(String kind, String file) throws IOException {
        if (kind.equals("dropped")) {
            Baseline.drop(file);
        } else if (kind.equals("cached")) {
            try (var in = Files.newInputStream(Path.of(file))) {
                byte[] buffer = new byte[1 << 20];
                while (in.read(buffer) > 0) {
                    // Only to have it in the page cache.
                }
            }
        }
    }

    private static long map(long bytes, String file) {
        return Baseline.checked(file == null ? Baseline.fresh(bytes) : Baseline.map_file(file, bytes));
    }

    private static long program(long bytes, String file, boolean sideBySide) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(Baseline.BUILT.resolve("baseline").toString()));
        if (sideBySide) {
            command.add("side-by-side");
        }
        command.addAll(file == null ? List.of("anonymous") : List.of("file", file));
        command.add(Long.toString(bytes));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = new String(process.getInputStream().readAllBytes()).trim();
        if (process.waitFor() != 0) {
            throw new IllegalStateException("the C program failed");
        }
        return Long.parseLong(line);
    }

    private static long library(long bytes, String file) throws IOException {
        long at = map(bytes, file);
        long nanos = Baseline.checked(Baseline.lock_nanos(at, bytes));
        check(at, bytes);
        Baseline.unlock(at, bytes);
        Baseline.unmap(at, bytes);
        return nanos;
    }

    private static void pagelock(long bytes, String file, long[] nanos) throws IOException {
        long at = map(bytes, file);
        long begin = System.nanoTime();
        PageLock lock = LOCKER.lock(MemoryRange.of(at, bytes));
        nanos[2] = System.nanoTime() - begin;
        check(at, bytes);
        begin = System.nanoTime();
        lock.close();
        nanos[3] = System.nanoTime() - begin;
        Baseline.unmap(at, bytes);
    }

    private static void check(long at, long bytes) throws IOException {
        Smaps smaps = Smaps.of(at, bytes);
        if (smaps.resident < bytes || smaps.locked < bytes) {
            throw new IllegalStateException(
                    "of " + bytes + " bytes " + smaps.resident + " are resident and " + smaps.locked + " locked");
        }
    }
}
