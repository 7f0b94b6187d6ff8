// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(value = OS.LINUX, disabledReason = "JNA has another place elsewhere, and no mount namespaces")
@Timeout(600)
class JnaSetupTest {
    @TempDir
    Path dir;

    @Test
    void withoutAHomeJnaUnpacksIntoADirectoryThatIsGoneAfterwards() throws Exception {
        Path file = Files.createFile(dir.resolve("a"));
        Path temporary = Files.createDirectory(dir.resolve("tmp"));
        for (String home : List.of("?", "/nonexistent", "")) {
            try (Pagelock.Running run = new Pagelock()
                    .with("XDG_CACHE_HOME", "")
                    .jvmArguments("-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary)
                    .startIn("cd '" + dir + "' && exec \"$@\" status a")) {
                assertEquals("", run.expect(0).err());
            }
            try (Stream<Path> left = Files.list(temporary)) {
                assertEquals(0, left.count(), home);
            }
        }
        try (Stream<Path> here = Files.list(dir)) {
            assertEquals(List.of(file, temporary), here.sorted().toList());
        }
    }

    @Test
    void withoutAnyDirectoryTheRemedyCanBeFollowed() throws Exception {
        Path file = Files.write(dir.resolve("a"), new byte[1]);
        List<String> none = List.of("-Duser.home=?", "-Djava.io.tmpdir=" + dir.resolve("none"));
        Pagelock pagelock = new Pagelock().with("XDG_CACHE_HOME", "");
        try (Pagelock.Running run =
                pagelock.jvmArguments(none.toArray(new String[0])).start("hold", "--for", "1ms", file)) {
            String refused = run.expect(1).err();
            assertTrue(
                    refused.contains("pagelock: cannot make a directory for JNA's native library in java.io.tmpdir: "
                            + dir.resolve("none") + ": no such file or directory"),
                    refused);
            assertTrue(refused.contains("PAGELOCK_OPTS='-Djna.tmpdir=DIRECTORY'"), refused);
        }
        List<String> followed = new ArrayList<>(none);
        followed.add("-Djna.tmpdir=" + dir);
        try (Pagelock.Running run =
                pagelock.jvmArguments(followed.toArray(new String[0])).start("hold", "--for", "1ms", file)) {
            run.expect(0);
        }
    }

    /** Where a home is mounted noexec, the remedy works as it is printed. */
    @Test
    void theRemedyForAHomeWithoutExecutionCanBeFollowed() throws Exception {
        assumeTrue(Pagelock.isRoot(), "only root mounts");
        Pagelock.needs("unshare");
        Path home = Files.createDirectory(dir.resolve("home"));
        Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
        String refused = run(home, List.of());
        assertTrue(refused.startsWith("1\n"), refused);
        assertTrue(!refused.contains("\tat "), refused);
        Matcher option = Pattern.compile("given to this command as PAGELOCK_OPTS='(-Djna.tmpdir=)DIRECTORY'")
                .matcher(refused);
        assertTrue(option.find(), refused);
        // As the launcher does with PAGELOCK_OPTS, see LauncherTest.
        String followed = run(home, List.of(option.group(1) + elsewhere));
        assertTrue(followed.startsWith("0\n"), followed);
    }

    private static String run(Path home, List<String> options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("-Duser.home=" + home));
        arguments.addAll(options);
        List<String> command = new ArrayList<>(List.of(
                "unshare",
                "-m",
                "sh",
                "-c",
                "mount -t tmpfs -o noexec none '" + home + "' && exec \"$@\" hold --for 1ms /proc/self/exe",
                "sh"));
        command.addAll(new Pagelock()
                .with("XDG_CACHE_HOME", "")
                .jvmArguments(arguments.toArray(new String[0]))
                .command());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("XDG_CACHE_HOME");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + "\n" + output;
    }
}
