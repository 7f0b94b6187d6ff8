// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * What a lock is worth: requests that read a hot mapped file, in a control group whose memory others fill with files that they read, with
 * the file locked and without. A request reads a byte of each of 64 random pages. Arguments: a directory on the disk in question;
 * the size of the hot file, of the group and of what the others read, in MiB; seconds. Needs the right to make a control group.
 */
final class WorthMain {
    private static final int MIB = 1 << 20;
    private static final int PLACES = 64;
    private static final int READERS = 2;
    private static final long SLOW = 100_000;

    private WorthMain() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("child")) {
            child(Path.of(args[1]), Path.of(args[2]), args[3].equals("locked"), Integer.parseInt(args[4]));
            return;
        }
        Path directory = Files.createTempDirectory(Path.of(args[0]), "worth");
        int hotMib = Integer.parseInt(args[1]);
        int groupMib = Integer.parseInt(args[2]);
        int readersMib = Integer.parseInt(args[3]);
        Path hot = write(directory.resolve("hot"), hotMib);
        Path cold = write(directory.resolve("cold"), readersMib);
        run("sync");
        System.out.println("A hot file of " + hotMib + " MiB in a control group of " + groupMib + " MiB, beside "
                + READERS + " readers of " + readersMib + " MiB, " + args[4] + " s each:\n");
        System.out.println("| the file is | requests | p50 | p90 | p99 | over 100 us | major faults |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        try {
            for (String how : new String[] {"not locked", "locked", "not locked", "locked"}) {
                System.out.println("| " + how + " | " + inGroup(groupMib, hot, cold, how, args[4]) + " |");
            }
        } finally {
            Files.delete(hot);
            Files.delete(cold);
            Files.delete(directory);
        }
    }

    private static Path write(Path path, int mib) throws IOException {
        byte[] block = new byte[MIB];
        new Random(1).nextBytes(block);
        try (OutputStream out = Files.newOutputStream(path)) {
            for (int i = 0; i < mib; i++) {
                out.write(block);
            }
        }
        return path;
    }

    /** Runs a child in a control group of its own, of version 1 or 2. */
    private static String inGroup(int mib, Path hot, Path cold, String how, String seconds) throws Exception {
        boolean v1 = Files.isDirectory(Path.of("/sys/fs/cgroup/memory"));
        Path group = Files.createTempDirectory(Path.of(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup"), "worth");
        Files.writeString(group.resolve(v1 ? "memory.limit_in_bytes" : "memory.max"), Long.toString((long) mib * MIB));
        try {
            // What is in the page cache is charged to whoever read it first, so nothing must be there.
            run("dd", "of=" + hot, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
            run("dd", "of=" + cold, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
            return run(
                    "sh",
                    "-c",
                    "echo $$ > '" + group + "/cgroup.procs' && exec \"$@\"",
                    "sh",
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    WorthMain.class.getName(),
                    "child",
                    hot.toString(),
                    cold.toString(),
                    how,
                    seconds);
        } finally {
            Files.delete(group);
        }
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String out = new String(process.getInputStream().readAllBytes()).trim();
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " failed: " + out);
        }
        return out;
    }

    private static void child(Path hot, Path cold, boolean locked, int seconds) throws Exception {
        try (FileChannel channel = FileChannel.open(hot)) {
            MappedByteBuffer file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            file.load();
            PageLock lock = locked ? PageLocker.system().lock(file) : null;
            for (int i = 0; i < READERS; i++) {
                Thread reader = new Thread(() -> readForever(cold));
                reader.setDaemon(true);
                reader.start();
            }
            requests(file, TimeUnit.SECONDS.toNanos(5));
            long faults = majorFaults();
            long[] times = requests(file, TimeUnit.SECONDS.toNanos(seconds));
            faults = majorFaults() - faults;
            java.util.Arrays.sort(times);
            long slow =
                    java.util.Arrays.stream(times).filter(time -> time > SLOW).count();
            System.out.printf(
                    java.util.Locale.ROOT,
                    "%d | %s | %s | %s | %.1f %% | %d%n",
                    times.length,
                    text(times[times.length / 2]),
                    text(times[(int) (times.length * 0.9)]),
                    text(times[(int) (times.length * 0.99)]),
                    100.0 * slow / times.length,
                    faults);
            if (lock != null) {
                lock.close();
            }
        }
    }

    private static String text(long nanos) {
        return nanos >= 1_000_000 ? Sample.number(nanos / 1e6) + " ms" : Sample.number(nanos / 1e3) + " us";
    }

    private static long[] requests(ByteBuffer file, long nanos) {
        SplittableRandom random = new SplittableRandom(1);
        List<Long> times = new ArrayList<>();
        long end = System.nanoTime() + nanos;
        long sum = 0;
        for (long begin = System.nanoTime(); begin < end; begin = System.nanoTime()) {
            for (int i = 0; i < PLACES; i++) {
                sum += file.get(random.nextInt(file.capacity()));
            }
            times.add(System.nanoTime() - begin);
            // A server that is not saturated.
            java.util.concurrent.locks.LockSupport.parkNanos(500_000);
        }
        if (sum == 42) {
            System.err.println("Never seen; the sum must be used.");
        }
        return times.stream().mapToLong(each -> each).toArray();
    }

    private static void readForever(Path path) {
        ByteBuffer part = ByteBuffer.allocateDirect(MIB);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            while (true) {
                part.clear();
                if (channel.read(part) <= 0) {
                    channel.position(0);
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static long majorFaults() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[9]);
    }
}
