// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.PageLocker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How much of a Java heap that grows stays locked, by collector and by what was locked before it grew. Prints the table of
 * docs/semantics.md; takes half a minute. With the scope and options as arguments it is the JVM that grows, and prints the MiB in memory
 * that are not locked, and all that are in memory.
 */
final class GrowthMain {
    private static final long MIB = 1 << 20;
    private static final String[] COLLECTORS = {"Serial", "Parallel", "G1", "Z", "Shenandoah"};
    private static final String[][] LOCKS = {{"CURRENT"}, {"CURRENT_AND_FUTURE"}, {"CURRENT_AND_FUTURE", "ON_FAULT"}};

    private GrowthMain() {}

    public static void main(String[] lock) throws Exception {
        if (lock.length > 0) {
            grow(lock);
            return;
        }
        System.out.println(
                "| collector | `CURRENT` | `CURRENT_AND_FUTURE` | the same with `ON_FAULT` | `CURRENT`, `-Xms` = `-Xmx`,"
                        + " `-XX:+AlwaysPreTouch` |\n| --- | --- | --- | --- | --- |");
        for (String collector : COLLECTORS) {
            StringBuilder row = new StringBuilder("| " + collector);
            for (String[] each : LOCKS) {
                row.append(" | ").append(run(collector, "-Xms32m", each));
            }
            row.append(" | ").append(run(collector, "-Xms512m -XX:+AlwaysPreTouch", LOCKS[0]));
            System.out.println(row + " |");
        }
    }

    private static String run(String collector, String heap, String... lock) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+Use" + collector + "GC",
                "-Xmx512m"));
        command.addAll(List.of(heap.split(" ")));
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), GrowthMain.class.getName()));
        command.addAll(List.of(lock));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() == 0 ? output.trim() : "failed";
    }

    private static void grow(String[] lock) throws IOException {
        LockOption[] options = new LockOption[lock.length - 1];
        for (int i = 0; i < options.length; i++) {
            options[i] = LockOption.valueOf(lock[i + 1]);
        }
        AddressSpaceLock all = PageLocker.system().lockAddressSpace(AddressSpaceScope.valueOf(lock[0]), options);
        List<byte[]> live = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            live.add(new byte[(int) MIB - 32]);
        }
        long unlocked = 0;
        long resident = 0;
        long rss = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith("Rss:")) {
                rss = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                resident += rss;
            } else if (line.startsWith("VmFlags:") && !(line + " ").contains(" lo ") && !line.contains(" io ")) {
                unlocked += rss;
            }
        }
        System.out.println(unlocked / MIB + " of " + resident / MIB + (all.isValid() ? "" : " (not valid)"));
        System.exit(live.isEmpty() ? 1 : 0);
    }
}
