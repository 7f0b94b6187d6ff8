// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** A server of others, from its published jars: a Kafka broker, which knows nothing of pagelock, locked by the agent. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class KafkaTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    /** ApiVersions, version 0, correlation id 7, no client id: the first request of every client. */
    private static final byte[] REQUEST = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, -1, -1};
    /** The same correlation id, and no error. */
    private static final byte[] ANSWER = {0, 0, 0, 7, 0, 0};

    private static ChildJvm kafka() {
        List<String> jars = Arrays.stream(System.getProperty("java.class.path").split(":"))
                .filter(each -> each.endsWith(".jar") && !each.contains("pagelock") && !each.contains("/jna-"))
                .collect(Collectors.toList());
        return new ChildJvm().classPath(String.join(":", jars));
    }

    /** Two that are free now, outside of those from which the kernel chooses for connections. */
    private static int ports() throws IOException {
        for (int port = 20000 + (int) (ProcessHandle.current().pid() % 4000) * 2; port < 32000; port += 2) {
            try (ServerSocket one = new ServerSocket(port, 1, LOOPBACK);
                    ServerSocket other = new ServerSocket(port + 1, 1, LOOPBACK)) {
                return Math.min(one.getLocalPort(), other.getLocalPort());
            } catch (IOException e) {
                // Taken.
                continue;
            }
        }
        throw new IOException("no port is free");
    }

    private static Path configuration(Path directory, int port) throws IOException {
        String host = LOOPBACK.getHostAddress();
        return Files.writeString(
                directory.resolve("server.properties"),
                String.join(
                        "\n",
                        "process.roles=broker,controller",
                        "node.id=1",
                        "listeners=PLAINTEXT://" + host + ":" + port + ",CONTROLLER://" + host + ":" + (port + 1),
                        "controller.listener.names=CONTROLLER",
                        "controller.quorum.voters=1@" + host + ":" + (port + 1),
                        "log.dirs=" + directory.resolve("data"),
                        "offsets.topic.replication.factor=1"));
    }

    /** Asks until the broker answers. */
    private static byte[] answer(AgentJvm broker, int port) throws Exception {
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(180); System.nanoTime() < end; ) {
            assertTrue(broker.isAlive(), "the broker has ended");
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(LOOPBACK, port), 1000);
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(REQUEST);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                in.readInt();
                byte[] beginning = new byte[ANSWER.length];
                in.readFully(beginning);
                return beginning;
            } catch (IOException e) {
                Thread.sleep(200);
            }
        }
        throw new AssertionError("the broker does not answer");
    }

    @Test
    void aBrokerIsLockedAndServes(@TempDir Path directory) throws Exception {
        int port = ports();
        String configuration = configuration(directory, port).toString();
        kafka().run("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAQ", "-c", configuration)
                .succeeded();
        try (AgentJvm broker = AgentJvm.start(
                Map.of(),
                kafka(),
                new String[] {AgentJvm.agent("committed,future,on-fault,required")},
                "kafka.Kafka",
                configuration)) {
            assertArrayEquals(ANSWER, answer(broker, port));
            broker.awaitLocked();
            long locked = broker.kib("VmLck");
            long space = broker.kib("VmSize");
            assertTrue(locked > 100_000 && locked < space / 2, locked + " of " + space + " KiB");
            assertEquals(143, broker.terminate());
        }
    }
}
