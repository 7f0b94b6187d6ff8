// SPDX-License-Identifier: Apache-2.0
package io.pagelock.schedules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The engine under a scheduler that decides which thread runs, so that orders are tried which do not come up by themselves.
 * Fray needs JDK 25, whose classes it instruments while it links a run-time image, and its native library is for x86-64.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@EnabledForJreRange(min = JRE.JAVA_25, max = JRE.JAVA_25)
class SchedulesTest {
    private static final Path WORK = Path.of("target/fray").toAbsolutePath();
    private static final Path JDK = WORK.resolve("jdk");
    /** For the classes that Fray instruments, which it leaves behind. */
    private static final Path TEMPORARY = WORK.resolve("tmp");

    private static final List<Path> CLASS_PATH = Stream.of(
                    System.getProperty("java.class.path").split(":"))
            .map(Path::of)
            .collect(Collectors.toList());
    /** Of each program. */
    private static final int SCHEDULES = Integer.getInteger("pagelock.schedules", 90);

    /** Until a mistake must have been found. */
    private static final String MOST_SCHEDULES = "3000";

    private static final Duration BOUND = Duration.ofMinutes(15);

    private static final List<String> PROGRAMS = List.of(
            "drops : l01 c | l0 c | l1 c",
            "drops : l01 c | l0 c",
            "drops : l0 c | A E",
            "drops : l0 d | l0 c",
            "drops : l0 b | l0 c",
            "drops unlock1 : l0 d | l1 c | l1 c",
            "drops : l0 | A E",
            "drops : l0 c | A",
            "drops : l01 c | F E | f0 c",
            "drops lock2 : l01 c | l0 c",
            "drops lock2 : l01 c | l0 c | A E",
            "drops lockAll1 : l0 c | A E",
            "drops unlock1 : l01 c c | l1 c",
            "drops unlock1 : l0 c c | l1 b | A E",
            "drops : a01 w c | l0 c",
            "drops : a01 x w | l0 c | l1 c",
            "drops : a0 w c | a01 w c | A E",
            "keeps : l01 c | A E | l0 d",
            "keeps : l0 c | O E",
            "keeps lock2 unlock1 : l01 c | l0 c | A E",
            "keeps native : a01 w c | l0 c",
            "drops lockAll1 unlockAll1 : A l1 c | l0 c",
            "keeps breaks lockAll1 unlockAll1 unlock2 : A l1 c | l0 c c");

    private static Path jar(String prefix) {
        return CLASS_PATH.stream()
                .filter(entry -> entry.getFileName().toString().startsWith(prefix))
                .findFirst()
                .orElseThrow();
    }

    /** What jlink loads, not what the programs see. */
    private static boolean isForJlink(Path entry) {
        return entry.getFileName().toString().matches("(fray-instrumentation-(jdk|base)|fray-runtime)-.*");
    }

    @BeforeAll
    static void linkJdk() throws Exception {
        if (Files.exists(JDK)) {
            return;
        }
        Files.createDirectories(WORK);
        try (ZipFile zip = new ZipFile(jar("fray-jvmti").toFile());
                InputStream library = zip.getInputStream(zip.getEntry("libjvmti.so"))) {
            Files.copy(library, WORK.resolve("libjvmti.so"));
        }
        String path = CLASS_PATH.stream()
                .filter(entry -> isForJlink(entry)
                        || entry.getFileName().toString().matches("(asm|kotlin-stdlib|kotlin-reflect|annotations)-.*"))
                .map(Path::toString)
                .collect(Collectors.joining(":"));
        Files.createDirectories(TEMPORARY);
        run(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "jlink").toString(),
                        "-J-Djava.io.tmpdir=" + TEMPORARY,
                        "-J-javaagent:" + jar("fray-instrumentation-jdk"),
                        "-J--module-path=" + path,
                        "-J--add-modules=org.pastalab.fray.instrumentation.jdk",
                        "-J--class-path=" + path,
                        "--output=" + JDK,
                        "--add-modules=java.se,jdk.unsupported",
                        "--fray-instrumentation"))
                .succeeded();
    }

    private static ChildProcess.Ended run(List<String> command) {
        return ChildProcess.of(command).within(BOUND).run();
    }

    private static List<String> explorer(List<Path> classPath) {
        List<String> command = new ArrayList<>(List.of(
                JDK.resolve("bin/java").toString(),
                "-ea",
                "-Djava.io.tmpdir=" + TEMPORARY,
                "-javaagent:" + jar("fray-instrumentation-agent"),
                "-agentpath:" + WORK.resolve("libjvmti.so")));
        for (String open : List.of(
                "java.lang",
                "java.lang.reflect",
                "java.util",
                "java.util.concurrent.atomic",
                "java.io",
                "sun.nio.ch")) {
            command.addAll(List.of("--add-opens", "java.base/" + open + "=ALL-UNNAMED"));
        }
        String path = classPath.stream()
                .filter(entry ->
                        !isForJlink(entry) && !entry.getFileName().toString().startsWith("fray-instrumentation-agent"))
                .map(Path::toString)
                .collect(Collectors.joining(":"));
        command.addAll(List.of(
                "-cp", path, Explorer.class.getName(), WORK.resolve("report").toString()));
        return command;
    }

    @Test
    void handlesStayLockedAndTableAndKernelAgreeInEveryOrderTried() throws Exception {
        List<String> command = explorer(CLASS_PATH);
        command.addAll(List.of(Integer.toString(SCHEDULES), "1"));
        command.addAll(PROGRAMS);
        String output = run(command).output();
        for (String program : PROGRAMS) {
            assertTrue(output.contains(Explorer.NOTHING_FOUND + program + "\n"), output);
        }
    }

    /**
     * A mistake in the engine, which some order of one program shows.
     *
     * @param file the file of the engine
     * @param text what is replaced, which it has once
     * @param instead the mistake
     * @param program the program that shows it
     */
    record Mistake(String name, String file, String text, String instead, String program) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Mistake> mistakes() {
        return List.of(
                new Mistake(
                        "the end of a call wakes nobody",
                        "LockTable",
                        "queue.ended(start, end);",
                        "return;",
                        "drops : l01 c | l0 c | l1 c"),
                new Mistake(
                        "only the first of the queue is woken",
                        "TurnQueue",
                        "comeFirst(later);",
                        "return;",
                        "drops : l01 c | l0 c | l1 c"),
                new Mistake(
                        "a call is not entered as under way",
                        "RangeLocks",
                        "begun = !lacksMappings && table.tryBegin(call);",
                        "begun = !lacksMappings;",
                        "drops : l01 c | l0 c"),
                new Mistake(
                        "a lock does not wait for a drop before it asks again",
                        "LockTable",
                        "awaitShared();\n        boolean outdated",
                        "boolean outdated",
                        "drops : l0 c | A E"),
                new Mistake(
                        "an address-space lock does not wait for unlocks",
                        "LockTable",
                        "coveredFully |= fully;\n        awaitUnlocks();",
                        "coveredFully |= fully;",
                        "drops : l0 c | A"),
                new Mistake(
                        "a drop does not wait for unlocks",
                        "LockTable",
                        "exclusive = true;\n        awaitUnlocks();",
                        "exclusive = true;",
                        "keeps breaks lockAll1 unlockAll1 unlock2 : A l1 c | l0 c c"),
                new Mistake(
                        "a drop does not look whether there are handles",
                        "Renewal",
                        "!evenIfHeld && table.holds.count() > 0",
                        "false",
                        "drops lockAll1 unlockAll1 : A l1 c | l0 c"),
                new Mistake(
                        "a close does not wait for a drop",
                        "LockTable",
                        "awaitShared();\n        Span part",
                        "Span part",
                        "drops : l0 c | A E"),
                new Mistake(
                        "a lock does not ask again after a drop",
                        "LockTable",
                        "if (isOutdated(call)) {",
                        "if (false) {",
                        "drops : l0 c | A E"),
                new Mistake(
                        "an undo does not look who else closed",
                        "LockTable",
                        "call.renewedTo = piece.end;",
                        "call.renewedTo = piece.end; pages.remove(piece.start, piece.end, call.isOnFault(call.part), false); advance(call);",
                        "drops lock2 : l01 c | l0 c | A E"),
                new Mistake(
                        "a leak is handled twice",
                        "LockTable",
                        "hold.state != Hold.State.LOCKED && hold.state != Hold.State.ORPHANED",
                        "hold.state == Hold.State.NEW",
                        "drops : l0 b | l0 c"),
                new Mistake(
                        "a sweep does not look again",
                        "Sweep",
                        "look.isLeftover() && isTried(sweep)",
                        "isTried(sweep)",
                        "drops unlock1 : l0 d | l1 c | l1 c"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    @EnabledIfSystemProperty(named = "pagelock.schedules", matches = "\\d{4,}")
    void aPlantedMistakeIsFound(Mistake mistake, @TempDir Path classes) throws Exception {
        assertTrue(PROGRAMS.contains(mistake.program), "without the mistake, it is not known to pass");
        Path source = Path.of("../core/src/main/java/io/pagelock/internal", mistake.file + ".java");
        String text = Files.readString(source);
        int at = text.indexOf(mistake.text);
        assertTrue(at >= 0 && text.indexOf(mistake.text, at + 1) < 0, mistake.text + " is not once in " + source);
        Path planted = classes.resolve(mistake.file + ".java");
        Files.writeString(planted, text.replace(mistake.text, mistake.instead));
        String path = CLASS_PATH.stream().map(Path::toString).collect(Collectors.joining(":"));
        assertEquals(
                0,
                ToolProvider.findFirst("javac")
                        .orElseThrow()
                        .run(
                                System.out,
                                System.err,
                                "-nowarn",
                                "-cp",
                                path,
                                "-d",
                                classes.toString(),
                                planted.toString()));
        List<Path> first = new ArrayList<>(List.of(classes));
        first.addAll(CLASS_PATH);
        List<String> command = explorer(first);
        command.addAll(List.of(MOST_SCHEDULES, "1", mistake.program));
        String output = run(command).output();
        assertTrue(output.contains("Error found at iter"), output);
    }
}
