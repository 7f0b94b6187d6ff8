// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The command as one jar, as an archive and as a Debian package. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class CommandPackageTest {
    @TempDir
    static Path directory;

    private static Path jar;
    private static String version;

    @BeforeAll
    static void makePackages() throws Exception {
        version = Staged.version();
        jar = Path.of(Staged.jar("pagelock-cli").toString().replaceFirst("\\.jar$", "-all.jar"));
        for (String each : new String[] {"packages", "again"}) {
            ChildProcess.of(
                            "../tools/package-command",
                            jar.toString(),
                            directory.resolve(each).toString())
                    .run()
                    .succeeded();
        }
    }

    @Test
    void theJarRunsAlone() {
        ChildProcess.Ended ended = new ChildJvm().classPath("").run("-jar", jar.toString(), "doctor");
        assertTrue(ended.succeeded().contains("linux"), ended.toString());
    }

    @Test
    void whatTheJarBundlesIsNamedWithItsLicence() throws Exception {
        Set<String> roots = new TreeSet<>();
        String named;
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.endsWith(".class") && !name.startsWith("META-INF/"))
                    .forEach(name -> roots.add(name.split("/")[0] + "/" + name.split("/")[1]));
            named = new String(file.getInputStream(file.getEntry("META-INF/THIRD-PARTY.md"))
                    .readAllBytes());
        }
        assertEquals(Set.of("com/google", "com/sun", "io/pagelock", "picocli/CommandLine.class"), collapse(roots));
        for (String artifact : new String[] {"jna-jpms", "picocli", "gson", "error_prone_annotations"}) {
            assertTrue(named.contains(":" + artifact), artifact);
        }
    }

    /** Picocli's classes are in one folder. */
    private static Set<String> collapse(Set<String> roots) {
        Set<String> few = new TreeSet<>();
        roots.forEach(each -> few.add(each.startsWith("picocli/") ? "picocli/CommandLine.class" : each));
        return few;
    }

    @Test
    void theArchiveRunsWhereItIsUnpackedAndThroughALink() throws Exception {
        ChildProcess.of("tar", "-xzf", archive("packages").toString(), "-C", directory.toString())
                .run()
                .succeeded();
        Path unpacked = directory.resolve("pagelock-" + version);
        for (String file : new String[] {
            "share/man/man1/pagelock.1.gz",
            "share/bash-completion/completions/pagelock",
            "lib/systemd/system/pagelock@.service",
            "share/doc/pagelock/copyright",
            "share/doc/pagelock/THIRD-PARTY.md"
        }) {
            assertTrue(Files.size(unpacked.resolve(file)) > 200, file);
        }
        Path link = Files.createSymbolicLink(directory.resolve("a link"), unpacked.resolve("bin/pagelock"));
        assertEquals(
                "pagelock " + version + "\n",
                ChildProcess.of(link.toString(), "--version").run().succeeded());
        String held = ChildProcess.of(link.toString(), "hold", "--for", "1ms", jar.toString())
                .run()
                .succeeded();
        assertTrue(held.contains("locked"), held);
    }

    /** They would be taken by the jar. */
    @Test
    void closedFilesAreReplacedBeforeTheJvmOpensOthers() throws Exception {
        Path bin = Files.createDirectories(directory.resolve("some java/bin"));
        Path java = bin.resolve("java");
        Files.writeString(
                java,
                "#!/bin/sh\n(: 3<&0) 2>/dev/null || exit 10; (: 3>&1) 2>/dev/null || exit 11; (: 3>&2) || exit 12; exit 4\n");
        assertTrue(java.toFile().setExecutable(true));
        String command = "JAVA_HOME='" + bin.getParent() + "' exec sh ../cli/src/package/pagelock <&- >&- 2>&-";
        assertEquals(4, ChildProcess.of("sh", "-c", command).run().status());
    }

    @Test
    void twoPackagesOfOneJarAreTheSameBytes() throws Exception {
        assertArrayEquals(Files.readAllBytes(archive("packages")), Files.readAllBytes(archive("again")));
        assertArrayEquals(Files.readAllBytes(debian("packages")), Files.readAllBytes(debian("again")));
    }

    private static Path archive(String made) {
        return directory.resolve(made).resolve("pagelock-" + version + ".tar.gz");
    }

    private static Path debian(String made) {
        return directory.resolve(made).resolve("pagelock_" + version + "_all.deb");
    }

    /** Installed by dpkg in a root that holds nothing else; programs and libraries of this system are mounted over it read-only. */
    @Test
    void theDebianPackageIsInstalledAndRunsInACleanRoot() throws Exception {
        Path root = Files.createDirectories(directory.resolve("root"));
        Files.createDirectories(root.resolve("var/lib/dpkg/updates"));
        Files.createDirectories(root.resolve("var/lib/dpkg/info"));
        Files.createFile(root.resolve("var/lib/dpkg/status"));
        String dpkg = "dpkg --root=" + root + " --log=/dev/null ";

        ChildProcess.Ended without =
                ChildProcess.of("sh", "-c", dpkg + "-i " + debian("packages")).run();
        assertTrue(without.status() != 0 && without.output().contains("java8-runtime-headless"), without.toString());

        Path runtime = Files.createDirectories(directory.resolve("runtime/DEBIAN"));
        Files.writeString(
                runtime.resolve("control"),
                "Package: some-java\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
                        + "Provides: java8-runtime-headless\nDescription: stands for the Java of this system\n");
        ChildProcess.of(
                        "sh",
                        "-c",
                        "dpkg-deb --build " + runtime.getParent() + " " + directory + "/java.deb && " + dpkg + "-i "
                                + directory + "/java.deb " + debian("packages"))
                .run()
                .succeeded();
        assertTrue(ChildProcess.of("sh", "-c", dpkg + "--verify pagelock")
                .run()
                .succeeded()
                .isEmpty());

        String script =
                "set -e; cd " + root + "; mkdir -p bin lib lib64 proc etc tmp usr/lib/x86_64-linux-gnu usr/lib/jvm dev;"
                        + "for each in bin lib/$(uname -m)-linux-gnu lib64 etc usr/lib/jvm dev;"
                        + " do [ ! -e /$each ] || { mkdir -p $each; mount --rbind /$each $each; }; done;"
                        + "mount -t proc proc proc; export PATH=$PATH:/usr/sbin:/sbin; chroot=$(command -v chroot);"
                        + "export PATH=/bin JAVA_HOME=" + System.getProperty("java.home") + ";";
        String version = inside(script, "--version");
        assertEquals("pagelock " + CommandPackageTest.version + "\n", version);
        String doctor = inside(script, "doctor");
        assertTrue(Pattern.compile("(?i)linux").matcher(doctor).find(), doctor);

        ChildProcess.of("sh", "-c", dpkg + "-r pagelock").run().succeeded();
        assertTrue(Files.notExists(root.resolve("usr/bin/pagelock")));
    }

    private static String inside(String script, String argument) {
        return ChildProcess.of(
                        "unshare",
                        "--mount",
                        "--pid",
                        "--fork",
                        "sh",
                        "-c",
                        script + "exec $chroot . /usr/bin/pagelock " + argument)
                .run()
                .succeeded();
    }

    @Test
    void theRecipeOfTheContainerNamesWhatLockingNeeds() throws Exception {
        String recipe = Files.readString(directory.resolve("packages/Containerfile"));
        assertTrue(recipe.contains("--ulimit memlock=") && recipe.contains("--cap-add IPC_LOCK"), recipe);
        assertTrue(recipe.contains("ENTRYPOINT [\"/usr/bin/pagelock\"]"), recipe);
    }
}
