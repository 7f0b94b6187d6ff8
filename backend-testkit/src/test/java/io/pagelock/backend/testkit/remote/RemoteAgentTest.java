// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent by its wire: whatever comes gets a clear answer, and ends that session and nothing else. */
@EnabledOnOs(OS.LINUX)
class RemoteAgentTest {
    private static RemoteAgent agent;

    @BeforeAll
    static void start() {
        agent = RemoteAgent.here();
    }

    @AfterAll
    static void stop() {
        if (agent != null) {
            agent.close();
        }
    }

    /** A client that may say anything. */
    private static final class Client implements AutoCloseable {
        private final Socket socket;
        private final DataInputStream in;
        private final DataOutputStream out;

        private Client() throws IOException {
            socket = new Socket(agent.host(), Integer.parseInt(agent.port()));
            socket.setSoTimeout(60_000);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
        }

        private String open(String line) throws IOException {
            out.write((line + "\n").getBytes(StandardCharsets.ISO_8859_1));
            return line();
        }

        private Client open() throws IOException {
            String answer = open("pagelock-remote 1 " + agent.key());
            assertTrue(answer.startsWith("ok\tLinux\t"), answer);
            return this;
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
                line.append((char) next);
            }
            return line.toString();
        }

        private void send(int id, String function, Object... arguments) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream frame = new DataOutputStream(bytes);
            frame.writeInt(id);
            frame.writeByte(function.length());
            frame.writeBytes(function);
            frame.writeByte(arguments.length);
            for (Object each : arguments) {
                if (each instanceof byte[]) {
                    frame.writeBytes("m\1");
                    frame.writeInt(((byte[]) each).length);
                    frame.write((byte[]) each);
                } else {
                    frame.writeByte('i');
                    frame.writeLong(((Number) each).longValue());
                }
            }
            out.writeInt(bytes.size());
            out.write(bytes.toByteArray());
        }

        /** Sends bytes as a frame, and no more after them. */
        private void sendRaw(int length, byte... bytes) throws IOException {
            out.writeInt(length);
            out.write(bytes);
            socket.shutdownOutput();
        }

        /** The result of a call. */
        private long result(int id) throws IOException {
            int length = in.readInt();
            assertEquals(id, in.readInt());
            byte[] rest = new byte[length - 4];
            in.readFully(rest);
            assertEquals(0, rest[0], new String(rest, StandardCharsets.ISO_8859_1));
            return new DataInputStream(new java.io.ByteArrayInputStream(rest, 1, 8)).readLong();
        }

        /** Why the session ended; and it has. */
        private String refusal() throws IOException {
            int length = in.readInt();
            in.readInt();
            assertEquals(1, in.read());
            byte[] why = new byte[length - 5];
            in.readFully(why);
            assertEquals(-1, in.read(), "the session goes on");
            return new String(why, StandardCharsets.ISO_8859_1);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "pagelock-remote 1 0123456789abcdef0123456789abcdef, wrong key",
        "pagelock-remote 1, 'this is a remote-agent of pagelock, version 1'",
        "'pagelock-remote 1 ', wrong key",
        "pagelock-remote 2 x, 'this is a remote-agent of pagelock, version 1'",
        "GET / HTTP/1.1, 'this is a remote-agent of pagelock, version 1'"
    })
    void whoHasNotTheKeyIsRefused(String line, String why) throws IOException {
        try (Client client = new Client()) {
            assertEquals("no\t" + why, client.open(line));
            assertEquals(-1, client.in.read());
        }
        assertServes();
    }

    @Test
    void aPartOfTheKeyAndMoreThanItAreNotTheKey() throws IOException {
        String key = agent.key();
        for (String wrong : new String[] {key.substring(1), key.substring(0, key.length() - 1), key + "0", key + key}) {
            try (Client client = new Client()) {
                assertEquals("no\twrong key", client.open("pagelock-remote 1 " + wrong));
            }
        }
    }

    @Test
    void aLineWithoutAnEndIsRefused() throws IOException {
        try (Client client = new Client()) {
            client.out.write(new byte[255]);
            assertEquals("no\tno line with a key came", client.line());
        }
        assertServes();
    }

    private static void assertServes() throws IOException {
        try (Client client = new Client().open()) {
            client.send(7, "getpagesize");
            assertTrue(client.result(7) >= 4096);
        }
    }

    @Test
    void callsWorkAndMemoryGoesThereAndBack() throws IOException {
        try (Client client = new Client().open()) {
            client.send(1, "agent_map", 2);
            long memory = client.result(1);
            client.send(2, "agent_write", memory, new byte[] {42});
            assertEquals(0, client.result(2));
            client.send(3, "mlock", memory, 1);
            assertEquals(0, client.result(3));
            client.send(4, "agent_locked", memory);
            assertEquals(1, client.result(4));
        }
    }

    @Test
    void aSessionEndsByExit() throws Exception {
        long process;
        try (Client client = new Client().open()) {
            client.send(1, "getpid");
            process = client.result(1);
            client.send(2, "exit", 0);
            assertEquals(-1, client.in.read());
        }
        long end = System.nanoTime() + 60_000_000_000L;
        while (isAlive(Path.of("/proc/" + process + "/status"))) {
            assertTrue(System.nanoTime() < end, "the session's process goes on");
            Thread.sleep(10);
        }
        assertServes();
    }

    private static boolean isAlive(Path status) {
        try {
            return !Files.readString(status).contains("zombie");
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void requestsThatMakeNoSenseEndTheSessionAndSayWhy() throws IOException {
        assertRefused("unknown function", client -> client.send(1, "system"));
        assertRefused("unknown function", client -> client.send(1, ""));
        assertRefused("wrong number of arguments", client -> client.send(1, "mlock", 1));
        assertRefused("wrong kind of argument", client -> client.send(1, "mlock", 1, new byte[8]));
        assertRefused("number too large for this system", client -> client.send(1, "mlockall", 1L << 40));
        assertRefused("text without an end", client -> client.send(1, "open", new byte[] {'/'}, 0));
        assertRefused("short request", client -> client.sendRaw(3));
        assertRefused("request too long", client -> client.sendRaw(1 << 30));
        assertRefused("short request", client -> client.sendRaw(6, new byte[] {0, 0, 0, 1, 5, 'm'}));
        // One argument is announced and none comes.
        assertRefused(
                "short request",
                client -> client.sendRaw(14, "\0\0\0\1\10mlockall\1".getBytes(StandardCharsets.US_ASCII)));
        // Memory of 4 GiB that is said to come.
        byte[] huge = "\0\0\0\1\4open\2m\1xxxx".getBytes(StandardCharsets.ISO_8859_1);
        java.util.Arrays.fill(huge, huge.length - 4, huge.length, (byte) 0xff);
        assertRefused("too much memory", client -> client.sendRaw(huge.length, huge));
    }

    private interface Request {
        void send(Client client) throws IOException;
    }

    private static void assertRefused(String why, Request request) throws IOException {
        try (Client client = new Client().open()) {
            request.send(client);
            assertEquals(why, client.refusal());
        }
        assertServes();
    }

    @Test
    void aRequestThatBreaksOffEndsTheSession() throws IOException {
        try (Client client = new Client().open()) {
            client.sendRaw(100, (byte) 0);
            assertEquals(-1, client.in.read());
        }
        assertServes();
    }

    @Test
    void anAddressWhereNothingIsEndsTheSessionWithTheSignal() throws IOException {
        assertRefused("signal 11 ended the session", client -> client.send(1, "agent_write", 8, new byte[] {1}));
        // What the C library finds to be no memory of its own.
        assertRefused("signal 06 ended the session", client -> {
            client.send(1, "agent_map", 1);
            client.send(2, "agent_free", client.result(1) + 16);
        });
    }

    @Test
    void aClientMayKeepSeveralCallsUnderWay() throws IOException {
        try (Client client = new Client().open()) {
            for (int i = 0; i < 100; i++) {
                client.send(i, "getpid");
            }
            long[] seen = new long[100];
            for (int i = 0; i < 100; i++) {
                client.in.readInt();
                seen[client.in.readInt()]++;
                client.in.readFully(new byte[13]);
            }
            for (long each : seen) {
                assertEquals(1, each);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-DAGENT_THREADS", "-m32", "-m32 -DAGENT_THREADS"})
    void itCompilesAsStrictlyAsC89Allows(String options, @TempDir Path directory) throws Exception {
        if (options.contains("-m32") && System.getenv("CI") == null) {
            Path empty = Files.writeString(directory.resolve("empty.c"), "#include <sys/socket.h>\n");
            assumeTrue(
                    ChildProcess.of("cc", "-m32", "-fsyntax-only", empty.toString())
                                    .run()
                                    .status()
                            == 0,
                    "the C compiler cannot build for 32 bits; install gcc-multilib");
        }
        compiles("cc", options);
    }

    /** Of both widths and both orders of bytes. The headers come with Debian's libc6-dev-ARCH-cross; clang needs nothing besides. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "aarch64-linux-gnu",
                "arm-linux-gnueabihf",
                "mips-linux-gnu",
                "powerpc-linux-gnu",
                "s390x-linux-gnu",
                "sparc64-linux-gnu"
            })
    void itCompilesForOtherProcessors(String target) {
        Path headers = Path.of("/usr", target, "include");
        boolean isThere = Files.isExecutable(Path.of("/usr/bin/clang")) && Files.exists(headers.resolve("stdio.h"));
        assumeTrue(isThere || System.getenv("CI") != null, "needs clang and " + headers);
        // RLIM_INFINITY is a long long in these headers.
        String options = "--target=" + target + " -isystem " + headers + " -Wno-long-long";
        compiles("clang", options);
        compiles("clang", options + " -DAGENT_THREADS");
    }

    private static void compiles(String compiler, String options) {
        List<String> command = new ArrayList<>(
                List.of(compiler, "-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"));
        if (!options.isEmpty()) {
            command.addAll(List.of(options.split(" ")));
        }
        command.add(StandIn.source("remote-agent.c").toString());
        ChildProcess.of(command).run().succeeded();
    }

    @Test
    void anAgentThatIsNotThereIsNamed() {
        RemoteAgent none = RemoteAgent.at("127.0.0.1:1", "key");
        Path library = StandIn.compile(Path.of("src/test/c/remote-any.c"));
        AssertionError error = assertThrows(AssertionError.class, () -> RemoteMachine.open(library, none));
        assertEquals("cannot connect to 127.0.0.1:1", error.getMessage());
        RemoteAgent wrong = RemoteAgent.at(agent.toString(), "not the key");
        error = assertThrows(AssertionError.class, () -> RemoteMachine.open(library, wrong));
        assertTrue(error.getMessage().endsWith("refuses: wrong key"), error.getMessage());
        try (RemoteMachine machine = RemoteMachine.open(library, agent)) {
            assertEquals("Linux", machine.host().osName());
            error = assertThrows(AssertionError.class, () -> machine.touch(8));
            assertTrue(error.getMessage().endsWith("signal 11 ended the session"), error.getMessage());
        }
    }

    private static RemoteMachine machine() {
        return RemoteMachine.open(StandIn.compile(Path.of("src/test/c/remote-any.c")), agent);
    }

    @Test
    void aChildHasTheMemoryAndNoLocksAndBlocksAlone() {
        try (RemoteMachine machine = machine()) {
            long page = machine.map(1);
            machine.touch(page);
            assertEquals(0, machine.call("mlock", page, machine.pageSize()));
            try (RemoteMachine child = machine.fork()) {
                assertNotEquals(machine.processId(), child.processId());
                assertFalse(child.isLocked(page));
                RemoteMachine.Out byteThere = new RemoteMachine.Out(1);
                child.call("agent_read", page, byteThere);
                assertEquals(1, byteThere.bytes()[0]);
                child.start("agent_pause");
                assertFalse(child.result(50).isPresent());
                assertTrue(machine.isLocked(page));
            }
            assertTrue(machine.isLocked(page));
        }
    }

    @Test
    void aChildThatHasEndedIsNamedAndTheSessionGoesOn() {
        try (RemoteMachine machine = machine();
                RemoteMachine child = machine.fork();
                RemoteMachine other = machine.fork()) {
            AssertionError error = assertThrows(AssertionError.class, () -> child.call("exit", 3));
            assertTrue(error.getMessage().contains("child " + child.processId()), error.getMessage());
            error = assertThrows(AssertionError.class, () -> other.touch(8));
            assertTrue(error.getMessage().endsWith("signal 11 ended the session"), error.getMessage());
            assertEquals(-1, machine.call("agent_ask", 7, new byte[1]));
            assertTrue(machine.map(1) > 0);
        }
    }

    @Test
    void theSuperuserBecomesAnOrdinaryUser() {
        try (RemoteMachine machine = machine()) {
            assumeTrue(machine.isSuperuser(), "the agent is not root's");
            machine.becomeOrdinaryUser(4 * machine.pageSize());
            long memory = machine.map(5);
            assertEquals(0, machine.call("mlock", memory, 4 * machine.pageSize()));
            assertTrue(machine.isLocked(memory) && machine.isResident(memory), "its files in /proc are root's");
            assertEquals(-1, machine.call("mlock", memory, 5 * machine.pageSize()));
            assertEquals("ENOMEM", machine.errnoName());
            assertEquals(-1, machine.call("setuid", 0));
            assertEquals("EPERM", machine.errnoName());
        }
    }

    /** Bytes of 1 to 9, for an agent whose order is the other one. */
    @ParameterizedTest
    @CsvSource({"1, 123456789", "2, 214365879", "4, 432187659", "8, 876543219", "24, 216543879", "124, 132765489"})
    void membersAreTurnedRoundEachByItself(String units, String expected) {
        byte[] bytes = "123456789".getBytes(StandardCharsets.US_ASCII);
        NativeLibrary.getInstance(
                        StandIn.compile(Path.of("src/test/c/remote-any.c")).toString())
                .getFunction("turn")
                .invokeVoid(new Object[] {bytes, bytes.length, units});
        assertEquals(expected, new String(bytes, StandardCharsets.US_ASCII));
    }
}
