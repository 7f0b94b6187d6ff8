// SPDX-License-Identifier: Apache-2.0
package io.pagelock.binding.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Which binding a JVM takes with this artifact on its path, and what it loads then: in child JVMs. */
@EnabledOnOs(OS.LINUX)
@Timeout(600)
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

    /** It gets no right that a test does not give. */
    private ChildJvm jvm(Path home) {
        return new ChildJvm()
                .java(home.resolve("bin").resolve("java"))
                .options("-Djava.io.tmpdir=" + temporary, "-Djna.tmpdir=" + temporary);
    }

    private ChildJvm jvm() {
        return jvm(Path.of(System.getProperty("java.home")));
    }

    /** On the class path. */
    private String locking(String path, String... options) {
        return jvm().classPath(path).options(options).run(Locking.class).output();
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

    /** The property is set in images that GraalVM builds; this JVM can make classes all the same. */
    @Test
    void inANativeImageItIsJna() {
        String image = "-Dorg.graalvm.nativeimage.imagecode=runtime";
        assertSays(locking(path(), ALLOWED, image), "locked true", "binding jna", "which a native image cannot load");
        assertSays(locking(path(), ALLOWED, image, "-Dio.pagelock.binding=foreign"), "refused", "binding=jna");
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

    private String modules(String allowed) {
        return jvm().classPath("")
                .options(
                        "--enable-native-access=" + allowed,
                        Runtime.version().feature() >= 24 ? "--illegal-native-access=deny" : "-Dx=y",
                        "-p",
                        Arrays.stream(PATH)
                                .filter(
                                        each -> each.matches(
                                                ".*/(core|backend-support|backend-linux|binding-foreign)/target/"
                                                        + "(classes|pagelock-[a-z-]+[0-9][^/]*(?<!tests)\\.jar)|.*/jna-jpms-[0-9.]*jar"))
                                .collect(Collectors.joining(File.pathSeparator)),
                        "--add-modules=ALL-MODULE-PATH",
                        "--patch-module=io.pagelock.binding.foreign="
                                + Arrays.stream(PATH)
                                        .filter(each -> each.endsWith("binding-foreign/target/test-classes"))
                                        .findFirst()
                                        .orElseThrow())
                .run("-m", "io.pagelock.binding.foreign/" + Locking.class.getName())
                .output();
    }

    @Test
    void aJvmBefore22PassesOverIt() {
        String home = System.getenv("PAGELOCK_JVM32");
        assumeTrue(home != null || "true".equals(System.getenv("CI")), "no older JVM, see tools/jvm32");
        ChildJvm older = jvm(Path.of(home)).classPath(path());
        assertSays(older.run(Locking.class).output(), "locked true", "binding jna", "notes []");
        older.options("-Dio.pagelock.binding=foreign");
        assertSays(older.run(Locking.class).output(), "refused", "'foreign'; bindings found here: jna");
    }
}
