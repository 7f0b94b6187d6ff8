// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Which binding a JVM takes with this artifact on its path, and what it loads then: in child JVMs. */
@EnabledOnOs(OS.LINUX)
@Timeout(120)
class ChoiceTest {
    private static final String ALLOWED = "--enable-native-access=ALL-UNNAMED";

    @TempDir
    private Path temporary;

    /** Locks a page and says how. */
    static final class Locking {
        public static void main(String[] arguments) {
            try {
                PageLocker locker = PageLocker.system();
                try (PageLock lock = locker.lock(ByteBuffer.allocateDirect(1))) {
                    System.out.println("locked " + lock.isValid());
                }
                System.out.println("binding " + locker.backendInfo().binding().orElse("?"));
                System.out.println("notes " + locker.backendInfo().notes());
            } catch (PageLockException e) {
                System.out.println("refused " + e.getMessage());
            }
        }
    }

    private static final String[] PATH = System.getProperty("java.class.path").split(File.pathSeparator);

    private static String path(String... unwanted) {
        return Arrays.stream(PATH)
                .filter(each -> Arrays.stream(unwanted).noneMatch(each::contains))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private String run(String java, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java, "-Xmx64m", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
        command.add("-Djava.io.tmpdir=" + temporary);
        command.add("-Djna.tmpdir=" + temporary);
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile("pagelock", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "hangs");
            return Files.readString(out);
        } finally {
            Files.delete(out);
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** On the class path. */
    private String locking(String path, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-cp", path, Locking.class.getName()));
        return run(java(), all.toArray(new String[0]));
    }

    private static void assertSays(String output, String... words) {
        for (String each : words) {
            assertTrue(output.contains(each), () -> "no \"" + each + "\" in: " + output);
        }
    }

    @Test
    void noClassOfJnaIsLoadedAndNoFileIsMade() throws Exception {
        String output = locking(path(), ALLOWED, "-Xlog:class+load");
        assertSays(output, "locked true", "binding foreign", "notes []", "io.pagelock.binding.foreign.ForeignLibrary");
        assertFalse(
                output.contains("com.sun.jna"),
                () -> output.lines()
                        .filter(line -> line.contains("com.sun.jna"))
                        .collect(Collectors.joining("\n")));
        try (Stream<Path> files = Files.list(temporary)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void theJarOfJnaIsNotNeeded() throws Exception {
        String without = path("/jna-");
        assertFalse(without.contains("jna-"));
        assertSays(locking(without, ALLOWED), "locked true", "binding foreign");
        assertSays(locking(without, ALLOWED, "-Dio.pagelock.binding=foreign"), "locked true", "binding foreign");
    }

    @Test
    void thePropertyDecides() throws Exception {
        String jna = locking(path(), ALLOWED, "-Dio.pagelock.binding=jna", "-Xlog:class+load");
        assertSays(jna, "locked true", "binding jna", "com.sun.jna.Native ");
        assertFalse(jna.contains("ForeignBinding"), "loaded for nothing");
        assertSays(
                locking(path(), ALLOWED, "-Dio.pagelock.binding=jni"),
                "refused",
                "'jni'; bindings found here: foreign, jna");
        assertSays(
                locking(path("binding-foreign" + File.separator + "target" + File.separator + "classes"), ALLOWED),
                "locked true",
                "binding jna");
    }

    @Test
    void whereNothingMayCallCBothReasonsAreGiven() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "--illegal-native-access came with 24");
        String forced = locking(path(), "--illegal-native-access=deny", "-Dio.pagelock.binding=foreign");
        assertSays(
                forced,
                "refused",
                "foreign-function API",
                "IllegalCallerException",
                "--enable-native-access=ALL-UNNAMED");
        String output = locking(path(), "--illegal-native-access=deny");
        assertSays(output, "refused", "--enable-native-access=ALL-UNNAMED", "the binding foreign is not used");
    }

    /** As modules each has its own right. */
    @Test
    void jnaTakesOverWhereItAloneMayCallC() throws Exception {
        assertSays(modules("io.pagelock.binding.foreign"), "locked true", "binding foreign", "notes []");
        assertSays(
                modules("com.sun.jna"),
                "locked true",
                "binding jna",
                "the binding foreign is not used: the foreign-function API cannot be used",
                "IllegalCallerException");
    }

    private String modules(String allowed) throws IOException, InterruptedException {
        return run(
                java(),
                "--enable-native-access=" + allowed,
                Runtime.version().feature() >= 24 ? "--illegal-native-access=deny" : "-Dx=y",
                "-p",
                Arrays.stream(PATH)
                        .filter(each -> each.matches(".*/(core|backend-support|backend-linux|binding-foreign)/target/"
                                + "(classes|pagelock-[a-z-]+[0-9][^/]*(?<!tests)\\.jar)|.*/jna-[0-9.]*jar"))
                        .collect(Collectors.joining(File.pathSeparator)),
                "--add-modules=ALL-MODULE-PATH",
                "--patch-module=io.pagelock.binding.foreign="
                        + Arrays.stream(PATH)
                                .filter(each -> each.endsWith("binding-foreign/target/test-classes"))
                                .findFirst()
                                .orElseThrow(),
                "-m",
                "io.pagelock.binding.foreign/" + Locking.class.getName());
    }

    @Test
    void aJvmBefore22PassesOverIt() throws Exception {
        String jvm = System.getenv("PAGELOCK_JVM32");
        assumeTrue(jvm != null || "true".equals(System.getenv("CI")), "no older JVM, see tools/jvm32");
        String output = run(jvm + "/bin/java", "-cp", path(), Locking.class.getName());
        assertSays(output, "locked true", "binding jna", "notes []");
        output = run(jvm + "/bin/java", "-Dio.pagelock.binding=foreign", "-cp", path(), Locking.class.getName());
        assertSays(output, "refused", "'foreign'; bindings found here: jna");
    }
}
