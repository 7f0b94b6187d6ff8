// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What remedies say is done as it is printed, and then the lock that was refused succeeds. */
@EnabledOnOs(OS.LINUX)
class RemediesTest {
    private static final String USER =
            "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --ambient-caps=-all";

    private static final String NO_SETCAP = "run ldconfig; not in this container or service";

    @TempDir
    private Path temporary;

    /** Locks 1 MiB, or prints the remedies. */
    static final class Locking {
        public static void main(String[] arguments) {
            PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
            try {
                locker.lock(memory(Libc.PROT_READ | Libc.PROT_WRITE)).close();
                System.out.println("locked");
            } catch (PageLockException e) {
                System.out.println(e.remedies());
            }
        }
    }

    private static MemoryRange memory(int protection) {
        long length = 1 << 20;
        return MemoryRange.of(Libc.mmap(0, length, protection, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0), length);
    }

    private static ChildJvm child() {
        return Life.ROOT.jvm();
    }

    private static String output(ChildJvm child) {
        return child.run(Locking.class).succeeded();
    }

    /** Runs it in a shell that has a mount namespace of its own, after some commands; {@code $@} is java. */
    private static ChildJvm inShell(String commands) {
        return child().through("unshare", "--mount", "sh", "-ec", commands, "sh");
    }

    private static String found(String pattern, String refusal) {
        Matcher matcher = Pattern.compile(pattern).matcher(refusal);
        assertTrue(matcher.find(), () -> "no " + pattern + " in " + refusal);
        return matcher.group(1);
    }

    private static void assertLocked(ChildJvm child) {
        assertEquals("locked", output(child).strip());
    }

    /** Of an ordinary user at 64 KiB who may still gain rights by files. */
    private static String refusalOfUser() {
        return output(inShell("exec prlimit --memlock=65536:65536 " + USER + " \"$@\""));
    }

    @BeforeEach
    void letAnyoneIn() throws IOException {
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void theHardLimitIsRaisedByRoot() {
        assertLocked(inShell("ulimit -S -l 64; " + found("as root, '(ulimit [^']*)'", refusalOfUser()) + "; exec "
                + USER + " \"$@\""));
    }

    @Test
    void inAUserNamespaceTheLimitIsRaisedOutside() {
        String refusal = Life.ROOT_OF_A_NAMESPACE.jvm().run(Locking.class).succeeded();
        assertFalse(refusal.contains("as root, 'ulimit") || refusal.contains("setcap"), refusal);
        String raise = found("outside this user namespace.*'(prlimit [^']*)'", refusal);
        assertLocked(inShell(raise.replace("PID", "$$") + "; exec unshare --user --map-root-user \"$@\""));
    }

    @Test
    void whereRootMayNotRaiseLimitsItIsDoneOutside() {
        String within = "setpriv --bounding-set=-ipc_lock,-sys_resource --inh-caps=-ipc_lock,-sys_resource";
        String refusal = output(inShell("exec prlimit --memlock=65536:65536 " + within + " \"$@\""));
        assertTrue(refusal.contains(NO_SETCAP), refusal);
        String raise = found("without CAP_SYS_RESOURCE\\), outside the container: '(prlimit [^']*)'", refusal);
        assertLocked(inShell(raise.replace("PID", "$$") + "; exec " + within + " \"$@\""));
    }

    @Test
    void whereFilesGiveNoRightsThatIsSaidOfSetcap() {
        String refusal = output(inShell("exec prlimit --memlock=65536:65536 " + USER + " --no-new-privs \"$@\""));
        assertTrue(refusal.contains(NO_SETCAP), refusal);
        assertTrue(refusal.contains("AmbientCapabilities"), refusal);
    }

    @Test
    void loginsGetTheLimitOfTheFile() throws IOException {
        assumeTrue(Files.exists(Path.of("/etc/security/limits.conf")), "no pam_limits here");
        String refusal = refusalOfUser();
        Path file = Files.writeString(
                temporary.resolve("limits.conf"),
                (found("lines '([^']*)'", refusal) + "\n" + found("lines '[^']*' and '([^']*)'", refusal) + "\n")
                        .replace("USER", "nobody"));
        assertLocked(inShell("mount --bind '" + file + "' /etc/security/limits.conf; PATH=$PATH:/sbin:/usr/sbin;"
                + " exec runuser -u nobody -- \"$@\""));
    }

    @Test
    void aProgramGetsTheRightByItsFile() throws IOException {
        String refusal = refusalOfUser();
        String setcap = found("'(setcap [^']*)'", refusal);
        assertTrue(
                refusal.contains("put its library directory into a file in /etc/ld.so.conf.d and run ldconfig"),
                refusal);
        String home = System.getProperty("java.home");
        String copy = temporary + "/jdk";
        assertTrue(setcap.endsWith(" " + home + "/bin/java"), setcap);
        List<String> script = new ArrayList<>(List.of(
                "PATH=$PATH:/sbin:/usr/sbin",
                "mkdir -p '" + copy + "/bin' '" + temporary + "/etc'",
                "cp '" + home + "/bin/java' '" + copy + "/bin/'",
                "for each in conf lib; do ln -s '" + home + "'/$each '" + copy + "'/$each; done",
                "mount -t tmpfs none '" + temporary + "/etc'",
                "cp -a /etc/. '" + temporary + "/etc'",
                "mount --bind '" + temporary + "/etc' /etc",
                setcap.replace(home, copy),
                "echo '" + copy + "/lib' >/etc/ld.so.conf.d/pagelock.conf",
                "ldconfig",
                "shift",
                "exec prlimit --memlock=65536:65536 " + USER + " '" + copy + "/bin/java' \"$@\""));
        assertLocked(inShell(String.join("\n", script)));
    }

    @Test
    void systemdKnowsTheSettings() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "no systemd here");
        String refusal = refusalOfUser();
        Path unit = Files.writeString(
                temporary.resolve("pagelock.service"),
                "[Service]\nExecStart=/bin/true\n" + found("(LimitMEMLOCK=\\d+)", refusal) + "\n"
                        + found("(AmbientCapabilities=\\w+)", refusal) + "\n"
                        + found("set (MemoryMax=\\d+)", groupIsFull()) + "\nSystemCallFilter=@memlock\n");
        Process process = new ProcessBuilder("systemd-analyze", "verify", "--man=no", unit.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        assertFalse(output.contains("Unknown key") || output.contains("Failed to parse"), output);
    }

    private static String groupIsFull() {
        MemoryUse group =
                MemoryUse.ofGroup("/a", "/sys/fs/cgroup/a/memory.max", 16 << 20, Long.MAX_VALUE, 0, 0, 1 << 20, 0);
        return MemoryRemedies.of(List.of(group), 32 << 20).toString();
    }

    /** Runs a command; returns all that it prints. */
    private static String outputOf(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // Its client reads the options before it looks for an engine, and none is needed.
        builder.environment().put("DOCKER_HOST", "unix:///nonexistent");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    @Test
    void theClientOfDockerTakesTheOptions() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/docker")), "no client of docker here");
        String profile = Files.writeString(temporary.resolve("profile"), "{}").toString();
        String refusal = refusalOfUser();
        String run = found("docker run (--ulimit memlock=\\d+:\\d+)", refusal) + " "
                + found("docker run (--cap-add IPC_LOCK)", refusal) + " "
                + found("docker run (--memory=\\d+)", groupIsFull()) + " --security-opt seccomp=" + profile;
        String update = found("docker update ([^)]*)\\)", groupIsFull());
        for (String arguments : List.of("run " + run, "update " + update)) {
            String output = outputOf(("/usr/bin/docker " + arguments + " none").split(" "));
            assertTrue(output.contains("Cannot connect to the Docker daemon"), arguments + ": " + output);
        }
        assertTrue(outputOf("/usr/bin/docker", "run", "--ulimit", "memlck=1:1", "none")
                .contains("invalid"));
    }

    @Test
    void kubernetesKnowsTheSettings() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/kubectl")), "no client of Kubernetes here");
        Path pod = Files.writeString(
                temporary.resolve("pod.yaml"),
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    "
                        + found("In Kubernetes, (securityContext: \\{.*?}})", refusalOfUser()) + "\n");
        String size = found("resources.limits.memory of the container to (\\d+Mi)", groupIsFull());
        // Reads the pod as what Kubernetes knows and leaves out the rest.
        String output = outputOf(
                "/usr/bin/kubectl",
                "set",
                "resources",
                "--local",
                "-f",
                pod.toString(),
                "--limits=memory=" + size,
                "-o",
                "json");
        assertTrue(output.contains("\"IPC_LOCK\""), output);
        assertTrue(output.contains("\"memory\": \"" + size + "\""), output);
    }

    @Test
    void memoryWithoutAccessIsLockedOnFault() {
        PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
        MemoryRange closed = memory(Libc.PROT_NONE);
        PageLockException refused = null;
        try {
            locker.lock(closed).close();
        } catch (PageLockException e) {
            refused = e;
        }
        assertTrue(refused != null && refused.remedies().contains("Lock on fault, which brings nothing in"));
        locker.lock(closed, LockOption.ON_FAULT).close();
        Libc.munmap(closed.address(), closed.length());
    }
}
