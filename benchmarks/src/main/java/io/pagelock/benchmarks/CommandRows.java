// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** The command beside vmtouch, which is C: one large file and many small ones, in the page cache and dropped from it. */
final class CommandRows {
    private static final int FILES = 10_000;
    private static final int SMALL = 8192;
    private static final int LARGE = 1 << 30;

    private final Path command =
            Baseline.BUILT.resolve("../../pagelock").toAbsolutePath().normalize();
    private final Path dir = Baseline.BUILT.resolve("command-files").toAbsolutePath();
    private final Path pid = dir.resolve("pid");
    private final Report report;
    private final int rounds;

    CommandRows(Report report, int rounds) {
        this.report = report;
        this.rounds = rounds;
    }

    void run() throws IOException {
        if (Arrays.stream(System.getenv("PATH").split(":")).noneMatch(each -> new File(each, "vmtouch").canExecute())) {
            System.err.println("vmtouch is not installed; the command is not compared");
            return;
        }
        Path small = Files.createDirectories(dir.resolve("small"));
        write(small);
        Path empty = Files.write(dir.resolve("empty"), new byte[0]);
        millis(command.toString(), "--version");
        report.heading(
                "The command beside vmtouch",
                "The start of the JVM is that of the same command for an empty file. vmtouch holds as a daemon (-d -l -w), and the"
                        + " figure ends when it has locked everything.",
                "what",
                "vmtouch",
                "pagelock",
                "its start",
                "without its start, of vmtouch");
        for (String verb : new String[] {"status", "hold"}) {
            for (String what : new String[] {"large", "small"}) {
                for (boolean dropped : verb.equals("hold") ? new boolean[] {false, true} : new boolean[] {false}) {
                    row(verb, dir.resolve(what), dropped, empty);
                }
            }
        }
        delete(small);
        Files.delete(dir.resolve("large"));
    }

    private void row(String verb, Path path, boolean dropped, Path empty) throws IOException {
        Sample own = new Sample();
        Sample start = new Sample();
        Sample peer = new Sample();
        Sample ratio = new Sample();
        for (int i = 0; i < rounds; i++) {
            prepare(path, dropped);
            double theirs = vmtouch(verb, path);
            prepare(path, dropped);
            double ours = pagelock(verb, path);
            double alone = pagelock(verb, empty);
            peer.add(theirs);
            own.add(ours);
            start.add(alone);
            ratio.add(Math.max(0, ours - alone) / theirs);
        }
        String what = "`" + verb + "` of " + (path.endsWith("large") ? "a file of 1 GiB" : "10,000 files of 8 KiB")
                + (dropped ? ", dropped" : ", cached");
        report.atMost(
                what + ", without the JVM's start", "vmtouch", ratio, verb.equals("status") ? 3 : dropped ? 1.2 : 2);
        report.row(what, peer.text(" ms"), own.text(" ms"), start.text(" ms"), ratio.text(""));
    }

    private void prepare(Path path, boolean dropped) {
        millis("vmtouch", "-q", "-m", "2G", dropped ? "-e" : "-t", path.toString());
    }

    private double pagelock(String verb, Path path) {
        return verb.equals("status")
                ? millis(command.toString(), "status", path.toString())
                : millis(command.toString(), "hold", "--for", "1ms", path.toString());
    }

    private double vmtouch(String verb, Path path) throws IOException {
        if (verb.equals("status")) {
            return millis("vmtouch", "-m", "2G", path.toString());
        }
        double millis = millis("vmtouch", "-q", "-d", "-l", "-w", "-m", "2G", "-P", pid.toString(), path.toString());
        String daemon = Files.readString(pid).trim();
        millis("kill", daemon);
        while (Files.exists(Path.of("/proc", daemon))) {
            Thread.onSpinWait();
        }
        return millis;
    }

    private static double millis(String... arguments) {
        try {
            long begin = System.nanoTime();
            Process process = new ProcessBuilder(arguments)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(10, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new IllegalStateException(String.join(" ", arguments) + " failed");
            }
            return (System.nanoTime() - begin) / 1e6;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void write(Path small) throws IOException {
        Random random = new Random(1);
        byte[] block = new byte[1 << 20];
        random.nextBytes(block);
        try (FileOutputStream out = new FileOutputStream(dir.resolve("large").toFile())) {
            for (int i = 0; i < LARGE / block.length; i++) {
                out.write(block);
            }
            out.getFD().sync();
        }
        byte[] few = Arrays.copyOf(block, SMALL);
        for (int i = 0; i < FILES; i++) {
            Files.write(small.resolve("f" + i), few);
        }
        millis("sync");
    }

    private static void delete(Path small) throws IOException {
        List<Path> all = new ArrayList<>();
        try (var files = Files.newDirectoryStream(small)) {
            files.forEach(all::add);
        }
        for (Path each : all) {
            Files.delete(each);
        }
        Files.delete(small);
    }
}
