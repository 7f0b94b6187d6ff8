// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The recipe of the container, built by Buildah as it is published, and run. No network: the image that it begins with is laid out from
 * this machine's packages, and its Java is this machine's.
 */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class ContainerTest {
    private static final String HELD = "/usr/bin/dpkg";

    @TempDir
    static Path directory;

    private static String version;

    @BeforeAll
    static void buildTheRecipe() throws Exception {
        boolean isThere = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(each -> Files.isExecutable(Path.of(each, "buildah")));
        boolean isRoot = System.getProperty("user.name").equals("root");
        assumeTrue(isThere && isRoot || System.getenv("CI") != null, "needs buildah and root");
        version = Staged.version();
        String jar = Staged.jar("pagelock-cli").toString().replaceFirst("\\.jar$", "-all.jar");
        Path packages = directory.resolve("packages");
        Path base = directory.resolve("base/root");
        ChildProcess.of("../tools/package-command", jar, packages.toString())
                .run()
                .succeeded();
        ChildProcess.of("src/test/resources/container/base", base.toString())
                .run()
                .succeeded();
        Path first = Files.writeString(directory.resolve("base/Containerfile"), "FROM scratch\nCOPY root /\n");
        build("docker.io/library/debian:stable-slim", first);
        build("pagelock", packages.resolve("Containerfile"));
    }

    /** Before JUnit, which warns of each link that leads elsewhere. */
    @AfterAll
    static void remove() {
        ChildProcess.of("sh", "-c", "rm -rf --one-file-system " + directory + "/*")
                .run()
                .succeeded();
    }

    private static void build(String name, Path recipe) {
        String output = buildah(
                        "bud",
                        "--isolation",
                        "chroot",
                        "--pull-never",
                        "-t",
                        name,
                        "-f",
                        recipe.toString(),
                        recipe.getParent().toString())
                .succeeded();
        assertTrue(output.contains(name), output);
    }

    private static ChildProcess.Ended buildah(String... arguments) {
        List<String> command = new ArrayList<>(List.of("buildah", "--storage-driver", "vfs"));
        command.addAll(List.of("--root", directory.resolve("storage").toString()));
        command.addAll(List.of("--runroot", directory.resolve("run").toString()));
        command.addAll(List.of(arguments));
        return ChildProcess.of(command).run();
    }

    /** Runs the entry point of the recipe in a new container. */
    private static ChildProcess.Ended run(String memlock, List<String> options, String... arguments) throws Exception {
        String container = buildah("from", "--pull-never", "--ulimit", "memlock=" + memlock + ":" + memlock, "pagelock")
                .succeeded()
                .trim();
        List<String> command = new ArrayList<>(List.of("run", "--isolation", "chroot"));
        Path java = Path.of(System.getProperty("java.home"));
        List<Path> mounted = new ArrayList<>(List.of(java, java.toRealPath()));
        try (var settings = Files.newDirectoryStream(Path.of("/etc"), "java*")) {
            settings.forEach(mounted::add);
        }
        mounted.stream().distinct().forEach(each -> command.addAll(List.of("-v", each + ":" + each + ":ro")));
        command.addAll(List.of("--env", "JAVA_HOME=" + java));
        command.addAll(options);
        command.addAll(List.of(container, "--", "/usr/bin/pagelock"));
        command.addAll(List.of(arguments));
        ChildProcess.Ended ended = buildah(command.toArray(new String[0]));
        buildah("rm", container).succeeded();
        return ended;
    }

    @Test
    void itsEntryPointIsTheCommandAndItsUserIsNotRoot() {
        assertEquals(
                "nobody [/usr/bin/pagelock]",
                buildah(
                                "inspect",
                                "--type",
                                "image",
                                "--format",
                                "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}",
                                "pagelock")
                        .succeeded()
                        .trim());
    }

    @Test
    void locksWithinTheLimitThatItIsGiven() throws Exception {
        String limit = "1048576";
        assertEquals(
                "pagelock " + version + "\n", run(limit, List.of(), "--version").succeeded());
        String held = run(limit, List.of(), "hold", "--for", "1ms", HELD).succeeded();
        assertTrue(held.contains("locked: 1 file"), held);
        String doctor = run(limit, List.of(), "doctor").succeeded();
        assertTrue(doctor.contains("1048576 bytes"), doctor);
    }

    @Test
    void withoutAFlagTheRefusalNamesTheFlag() throws Exception {
        ChildProcess.Ended refused = run("0", List.of(), "hold", "--for", "1ms", HELD);
        assertTrue(
                refused.status() != 0 && refused.toString().contains("docker run --ulimit memlock="),
                refused.toString());
    }

    /** For another user, an engine may leave the capability in the bounding set, where it is of no use. */
    @Test
    void theCapabilityServesRoot() throws Exception {
        List<String> capability = List.of("--cap-add", "CAP_IPC_LOCK");
        assertTrue(run("0", capability, "hold", "--for", "1ms", HELD).status() != 0);
        List<String> asRoot = List.of("--cap-add", "CAP_IPC_LOCK", "--user", "root");
        String held = run("0", asRoot, "hold", "--for", "1ms", HELD).succeeded();
        assertTrue(held.contains("locked: 1 file"), held);
    }
}
