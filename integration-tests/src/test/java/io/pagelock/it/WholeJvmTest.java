// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that know nothing of pagelock, locked by the agent; what the kernel counts is the witness. */
@EnabledOnOs(OS.LINUX)
class WholeJvmTest {
    @ParameterizedTest
    @CsvSource({"Serial, committed", "Z, 'committed,future,on-fault'"})
    void committedMemoryStaysLockedWhileItGrows(String collector, String options) throws Exception {
        growsLocked(collector, options);
    }

    @ParameterizedTest
    @EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
    @CsvSource({
        "Serial, 'committed,future,on-fault'",
        "Parallel, committed",
        "Parallel, 'committed,future,on-fault'",
        "G1, committed",
        "G1, 'committed,on-fault'",
        "G1, 'committed,future,on-fault,required'",
        "Z, committed",
    })
    void committedMemoryStaysLockedWithEveryCollector(String collector, String options) throws Exception {
        growsLocked(collector, options);
    }

    /** Of the address space that was reserved, the part that is in use is locked, and the rest is not charged. */
    private static void growsLocked(String collector, String options) throws Exception {
        try (AgentJvm jvm =
                AgentJvm.start("-XX:+Use" + collector + "GC", AgentJvm.agent(options + ",interval=200ms"))) {
            jvm.await("begun");
            jvm.awaitLocked();
            long before = jvm.kib("VmLck");
            jvm.tell("grow");
            jvm.awaitLocked();
            long after = jvm.kib("VmLck");
            assertTrue(after > before + 100_000, before + " KiB before, " + after + " KiB now");
            assertTrue(after < jvm.kib("VmSize") / 2, after + " KiB of " + jvm.kib("VmSize"));
            String report = jvm.tell("report");
            assertTrue(report.contains("\nKept=true\n") && report.contains("Problems=[]"), report);
            assertTrue(report.contains("LockedBy=the agent's own copy"), report);
            assertTrue(jvm.end().startsWith("0\nbegun\n"));
        }
    }

    @Test
    void currentAndFutureLockEverything() throws Exception {
        try (AgentJvm jvm = AgentJvm.start("-XX:+UseG1GC", AgentJvm.agent("current,future,on-fault"))) {
            jvm.await("begun");
            jvm.tell("grow");
            assertTrue(
                    jvm.kib("VmLck") > jvm.kib("VmSize") * 9 / 10, jvm.kib("VmLck") + " KiB of " + jvm.kib("VmSize"));
            assertTrue(jvm.unlockedKib() < 1024, jvm.unlockedKib() + " KiB");
            String report = jvm.tell("report");
            assertTrue(report.contains("CommittedBytes=-1") && report.contains("Kept=true"), report);
        }
    }

    /** The smallest server of the JDK, locked without a change of its command line. */
    @Test
    void aServerIsLockedThroughTheEnvironment() throws Exception {
        try (AgentJvm jvm = AgentJvm.start(
                Map.of("JAVA_TOOL_OPTIONS", AgentJvm.agent("current,future,on-fault,required")),
                Jars.jvm(List.of()),
                new String[0],
                PlainProgram.class.getName())) {
            jvm.await("begun");
            int port = Integer.parseInt(jvm.tell("serve")
                    .lines()
                    .filter(line -> line.startsWith("port="))
                    .findFirst()
                    .orElseThrow()
                    .substring(5));
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://" + InetAddress.getLoopbackAddress().getHostAddress() + ":" + port + "/")
                            .toURL()
                            .openConnection();
            try (InputStream in = connection.getInputStream()) {
                assertEquals("served", new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
            assertTrue(jvm.kib("VmLck") > jvm.kib("VmSize") * 9 / 10);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"current,future,required", "committed,required", "committed,future,on-fault,required"})
    void aRequiredLockThatIsRefusedEndsTheJvmWithTheReason(String options) throws Exception {
        try (AgentJvm jvm = AgentJvm.start(AgentJvm.asUserWithLimit(65536), AgentJvm.agent(options))) {
            String output = jvm.end();
            assertTrue(output.startsWith("1\npagelock-agent: refused: "), output);
            assertTrue(output.contains("65536") || output.contains("64 KiB"), output);
            assertTrue(output.contains("ulimit -l") || output.contains("memlock"), output);
            assertEquals(2, output.lines().count(), output);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"current,future", "", "committed,future"})
    void otherwiseTheProgramRunsOnAfterOneLineOfWarning(String options) throws Exception {
        try (AgentJvm jvm = AgentJvm.start(AgentJvm.asUserWithLimit(65536), AgentJvm.agent(options))) {
            jvm.await("begun");
            String report = jvm.tell("report");
            assertTrue(report.contains("Kept=false"), report);
            String output = jvm.end();
            assertTrue(output.startsWith("0\npagelock-agent: not locked: "), output);
            assertEquals(
                    1,
                    output.lines()
                            .filter(line -> line.startsWith("pagelock-agent"))
                            .count(),
                    output);
        }
    }

    /** B4: a copy of the program would otherwise lock the future when its own lock ends, and the JVM could map nothing more. */
    @Test
    void B4_whatWasLeftOutForTheLimitIsNotMarkedAsLocked() throws Exception {
        try (AgentJvm jvm =
                AgentJvm.start(AgentJvm.asUserWithLimit(65536), AgentJvm.agent("committed,future,on-fault"))) {
            jvm.await("begun");
            String report = jvm.tell("report");
            assertTrue(report.lines().anyMatch("Mark=CURRENT ON_FAULT"::equals), report);
        }
        try (AgentJvm jvm = AgentJvm.start(AgentJvm.agent("committed,future,on-fault"))) {
            jvm.await("begun");
            String report = jvm.tell("report");
            assertTrue(report.lines().anyMatch("Mark=CURRENT_AND_FUTURE ON_FAULT"::equals), report);
        }
    }

    /** The limit suffices for what is in use, and not for the address space. */
    @Test
    void anOrdinaryUserLocksWhatIsInUseUnderALimitBelowTheAddressSpace() throws Exception {
        try (AgentJvm jvm = AgentJvm.start(
                AgentJvm.asUserWithLimit(800L << 20), "-XX:+UseSerialGC", AgentJvm.agent("committed,required"))) {
            jvm.await("begun");
            jvm.tell("grow");
            jvm.awaitLocked();
            assertTrue(jvm.kib("VmSize") > 1 << 20, jvm.kib("VmSize") + " KiB");
        }
        try (AgentJvm jvm = AgentJvm.start(
                AgentJvm.asUserWithLimit(800L << 20), "-XX:+UseSerialGC", AgentJvm.agent("current,required"))) {
            assertTrue(jvm.end().startsWith("1\npagelock-agent: refused: "));
        }
    }

    @Test
    void anUnknownOptionIsNamedWithWhatIsAllowed() throws Exception {
        try (AgentJvm jvm = AgentJvm.start(AgentJvm.agent("curent"))) {
            assertEquals(
                    "1\npagelock-agent: refused: unknown option 'curent'; allowed are current, future, committed, on-fault,"
                            + " required, best-effort and interval=TIME (such as 500ms, 10s or 2m), separated by commas\n",
                    jvm.end());
        }
    }

    @Test
    void aRunningJvmIsLockedByAttaching() throws Exception {
        try (AgentJvm jvm = AgentJvm.start()) {
            jvm.await("begun");
            assertEquals(0, jvm.kib("VmLck"));
            String output = attach(jvm, "committed,interval=200ms");
            assertTrue(output.startsWith("0\nprocess " + jvm.pid() + ": locked until it ends"), output);
            jvm.awaitLocked();
            jvm.tell("grow");
            jvm.awaitLocked();
            assertEquals(
                    "1\npagelock: process " + jvm.pid() + ": pagelock-agent is already active in this JVM\n",
                    attach(jvm, "current,future,on-fault"));
            // What is locked is still so.
            assertTrue(propertiesOf(jvm).contains("\nio.pagelock.agent=locked\n"), propertiesOf(jvm));
            assertTrue(jvm.end().startsWith("0\n"));
        }
    }

    private static String propertiesOf(AgentJvm jvm) throws IOException {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process process =
                new ProcessBuilder(jcmd, "-J-Xmx64m", Long.toString(jvm.pid()), "VM.system_properties").start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void whatIsRequiredOfARunningJvmAndRefusedLeavesItAsItWas() throws Exception {
        try (AgentJvm jvm = AgentJvm.start(AgentJvm.asUserWithLimit(65536))) {
            jvm.await("begun");
            String output = attach(jvm, "committed,required", "--agent=" + AgentJvm.JAR);
            assertTrue(output.startsWith("1\npagelock: process " + jvm.pid() + ": "), output);
            assertTrue(output.contains("64 KiB") || output.contains("65536"), output);
            assertEquals(0, jvm.kib("VmLck"));
            output = attach(jvm, "nonsense", "--agent=" + AgentJvm.JAR, "--json");
            assertTrue(output.startsWith("1\n") && output.contains("unknown option 'nonsense'; allowed are"), output);
            assertTrue(output.contains("\"result\": \"failed\""), output);
            output = attach(jvm, "committed,best-effort", "--agent=" + AgentJvm.JAR);
            assertTrue(output.startsWith("0\npagelock: process " + jvm.pid() + ": not locked: "), output);
            assertTrue(jvm.end().startsWith("0\n"));
        }
    }

    @Test
    void attachingSaysWhatIsMissing() throws Exception {
        Process none = new ProcessBuilder("sleep", "600").start();
        try {
            String output = attach(none.pid(), List.of());
            assertTrue(
                    output.startsWith(
                            "1\npagelock: process " + none.pid() + ": it is not a JVM; it received no signal\n"),
                    output);
            // The SIGQUIT by which the JDK asks a JVM to listen would have ended it.
            assertTrue(none.isAlive());
        } finally {
            none.destroyForcibly();
        }
        // With -Xrs alone, a JVM listens from its start and needs no signal.
        try (AgentJvm jvm = AgentJvm.start("-Xrs", "-XX:+DisableAttachMechanism")) {
            jvm.await("begun");
            String output = attach(jvm);
            assertTrue(output.contains("it does not handle SIGQUIT") && output.contains("-Xrs"), output);
            assertTrue(jvm.end().startsWith("0\n"));
        }
        try (AgentJvm jvm = AgentJvm.start()) {
            jvm.await("begun");
            String output = attach(jvm.pid(), List.of("--limit-modules", "java.base,java.logging,java.sql"));
            assertTrue(output.contains("lacks the module jdk.attach") && output.contains("JVMTI.agent_load"), output);
        }
    }

    private static String attach(AgentJvm jvm, String... arguments) {
        return attach(jvm.pid(), List.of(), arguments);
    }

    static String attach(long pid, List<String> options, String... arguments) {
        List<String> all = new ArrayList<>(List.of("attach", Long.toString(pid)));
        all.addAll(List.of(arguments));
        return Jars.jvm(Jars.all())
                // The JDK gives a JVM ten seconds to listen, which on a busy machine may be too few.
                .options("-Dsun.tools.attach.attachTimeout=120000")
                .options(options.toArray(new String[0]))
                .run("io.pagelock.cli.Main", all.toArray(new String[0]))
                .toString();
    }

    @Test
    void aJvmWithoutJmxIsLockedToo() throws Exception {
        try (AgentJvm jvm = AgentJvm.start(
                "--limit-modules", "java.base,java.instrument,java.logging", AgentJvm.agent("committed"))) {
            jvm.await("begun");
            assertFalse(jvm.end().contains("pagelock-agent"));
        }
    }
}
