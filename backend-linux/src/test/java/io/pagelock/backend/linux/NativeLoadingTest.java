// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Availability;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.spi.Host;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What a user reads when JNA's native library does not load, in child JVMs where it really does not. */
@EnabledOnOs(OS.LINUX)
class NativeLoadingTest {
    @TempDir
    private Path temporary;

    /** Prints the refusal of the provider and, from discovery, the report. */
    static final class Loading {
        public static void main(String[] arguments) {
            Availability availability = PageLocker.availability();
            System.out.println("available: " + availability.isAvailable() + " " + availability.candidates());
            System.out.println("remedy: " + availability.remedies().toString());
            try {
                new LinuxProvider().open(Host.current());
                System.out.println("opened");
            } catch (PageLockException e) {
                System.out.println(e.reason().name() + " " + e.getMessage());
            }
        }
    }

    private static void refuses(ChildJvm child, String... parts) {
        String output = child.run(Loading.class).succeeded();
        assertTrue(output.contains("available: false"), output);
        assertTrue(output.contains("NOT_SUPPORTED"), output);
        for (String part : parts) {
            String report = output.substring(0, output.indexOf("NOT_SUPPORTED"));
            assertTrue(report.contains(part), () -> "no \"" + part + "\" in: " + output);
        }
    }

    private static ChildJvm child() {
        return Life.ROOT.jvm();
    }

    @Test
    void otherwiseItOpens() {
        String output = child().run(Loading.class).succeeded();
        assertTrue(output.contains("available: true") && output.contains("opened"), output);
    }

    @Test
    void directoryMountedNoexec() throws IOException {
        ChildJvm child = child();
        assumeTrue("true".equals(System.getenv("CI")) || Witness.status("Uid").startsWith("0"), "only root can mount");
        Path directory = Files.createDirectory(temporary.resolve("noexec"));
        refuses(
                child.options("-Djna.tmpdir=" + directory)
                        .through(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount -t tmpfs -o noexec none \"$0\" && exec \"$@\"",
                                directory.toString()),
                "failed to map segment",
                "noexec",
                "-Djna.tmpdir=",
                "-Djna.boot.library.path=");
    }

    @Test
    void directoryThatCannotBeWritten() throws IOException {
        ChildJvm child = Life.USER_64K.jvm();
        Path directory = Files.createDirectory(
                temporary.resolve("ro"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
        refuses(child.options("-Djna.tmpdir=" + directory), "not writable", "-Djna.tmpdir=");
    }

    @Test
    void systemWithoutANativePart() {
        refuses(
                child().options("-Djna.prefix=linux-nothing"),
                "com/sun/jna/linux-nothing/libjnidispatch.so",
                "-Djna.prefix");
    }

    @Test
    void jarWithoutNativeParts() throws IOException {
        Path stripped = Files.copy(jna(), temporary.resolve("jna-stripped.jar"));
        try (FileSystem jar = FileSystems.newFileSystem(stripped)) {
            Path folder = jar.getPath("com/sun/jna");
            try (Stream<Path> all = Files.list(folder)) {
                for (Path each :
                        all.filter(path -> path.toString().contains("linux-")).collect(Collectors.toList())) {
                    Files.delete(each.resolve("libjnidispatch.so"));
                }
            }
        }
        refuses(
                child().classPath(classPath(stripped.toString())),
                "not found in resource path",
                "shaded or minimized",
                "net.java.dev.jna:jna");
    }

    @Test
    void noJarAtAll() {
        refuses(child().classPath(classPath(null)), "ClassNotFoundException: com.sun.jna", "net.java.dev.jna:jna");
    }

    @Test
    void unpackingForbidden() {
        refuses(child().options("-Djna.nounpack=true"), "-Djna.nounpack=true");
        refuses(child().options("-Djna.noclasspath=true"), "-Djna.noclasspath=true");
    }

    @Test
    void partOfAnotherProcessor() {
        String other = System.getProperty("os.arch").equals("aarch64") ? "linux-x86-64" : "linux-aarch64";
        refuses(child().options("-Djna.prefix=" + other), "another processor than " + System.getProperty("os.arch"));
    }

    @Test
    void partGivenByHand() throws IOException {
        try (FileSystem jar = FileSystems.newFileSystem(jna())) {
            String prefix = com.sun.jna.Platform.RESOURCE_PREFIX;
            Files.copy(
                    jar.getPath("com/sun/jna/" + prefix + "/libjnidispatch.so"),
                    temporary.resolve("libjnidispatch.so"));
        }
        // What the remedies recommend works.
        String output = child().options("-Djna.noclasspath=true", "-Djna.boot.library.path=" + temporary)
                .run(Loading.class)
                .succeeded();
        assertTrue(output.contains("available: true"), output);
    }

    private static Path jna() {
        return Path.of(Arrays.stream(parts())
                .filter(NativeLoadingTest::isJna)
                .findFirst()
                .orElseThrow());
    }

    private static String[] parts() {
        return System.getProperty("java.class.path").split(File.pathSeparator);
    }

    private static boolean isJna(String entry) {
        return Path.of(entry).getFileName().toString().matches("jna-jpms-\\d.*\\.jar");
    }

    /** The class path with another jar in place of JNA's. */
    private static String classPath(String instead) {
        assertEquals(1, Arrays.stream(parts()).filter(NativeLoadingTest::isJna).count());
        return Arrays.stream(parts())
                .map(each -> isJna(each) ? instead : each)
                .filter(each -> each != null)
                .collect(Collectors.joining(File.pathSeparator));
    }
}
