// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeCalls;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The commands that read and change the page cache, and what hold does while files change; on the real kernel. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "needs the Linux page cache")
@Timeout(600)
class PageCacheProcessTest {
    private static final int PAGE = 4096;

    @TempDir
    Path dir;

    /** Written to disk, so that it can be dropped. */
    private Path file(String name, int pages) throws IOException {
        Path path = dir.resolve(name);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(pages * PAGE));
            channel.force(true);
        }
        return path;
    }

    private static long residentPages(Path path) throws Exception {
        try (Pagelock.Running status = new Pagelock().start("status", "--json", path)) {
            return status.expect(0)
                    .json()
                    .getAsJsonArray("files")
                    .get(0)
                    .getAsJsonObject()
                    .get("residentPages")
                    .getAsLong();
        }
    }

    private void evict(Path path) throws Exception {
        try (Pagelock.Running evict = new Pagelock().start("evict", "--json", path)) {
            evict.expect(0);
            assumeTrue(
                    evict.json().get("residentPages").getAsLong() == 0,
                    "this file system keeps its files in memory, as tmpfs does");
        }
    }

    @Test
    void whatWasInMemoryIsBroughtInAgain() throws Exception {
        // Random access, so that the kernel reads nothing ahead.
        Path a = file("a", 8);
        evict(a);
        assertEquals(0, residentPages(a));
        try (Pagelock.Running touch = new Pagelock().start("touch", "--range", "8k-16k", "--json", a)) {
            touch.expect(0);
        }
        Path set = dir.resolve("set");
        long pages = residentPages(a);
        assertTrue(pages >= 2, pages + " pages");
        try (Pagelock.Running status = new Pagelock().start("status", "--json", a)) {
            Files.writeString(set, status.expect(0).out());
        }
        evict(a);
        try (Pagelock.Running touch = new Pagelock().start("touch", "--from", set)) {
            touch.expect(0);
        }
        assertTrue(residentPages(a) >= pages);
        try (Pagelock.Running touch = new Pagelock().start("touch", "--json", a)) {
            touch.expect(0);
            assertEquals(8 * PAGE, touch.json().get("bytes").getAsLong());
        }
        assertEquals(8, residentPages(a));
    }

    @Test
    void changedFileIsLockedAgainAndReported() throws Exception {
        Path a = file("a", 2);
        try (Pagelock.Running hold = new Pagelock().start("hold", "--on-change=relock", a)) {
            hold.awaitReady();
            Files.move(file("new", 5), a, StandardCopyOption.REPLACE_EXISTING);
            hold.awaitOnStandardError(
                    ".*a was replaced by another file while it is held; it is locked again as it is now");
            assertEquals(5 * PAGE, hold.lockedBytes());
            hold.signal("TERM").expect(0);
            assertTrue(hold.err().contains("was replaced by another file while it was held, and was locked again"));
        }
    }

    @Test
    void changeFailsIfAskedTo() throws Exception {
        Path a = file("a", 2);
        try (Pagelock.Running hold = new Pagelock().start("hold", "--json", "--on-change=fail", a)) {
            hold.awaitLineOnStandardError("ready");
            Files.delete(a);
            hold.expect(1);
            assertEquals("CHANGED", hold.json().get("reason").getAsString());
            assertEquals("change", hold.json().get("endedBy").getAsString());
        }
    }

    @Test
    void onFaultLocksWhatIsInMemory() throws Exception {
        Path a = file("a", 4);
        try (RandomAccessFile file = new RandomAccessFile(a.toFile(), "rw")) {
            file.setLength(8 * PAGE);
        }
        try (Pagelock.Running hold = new Pagelock().start("hold", "--on-fault", a)) {
            hold.awaitReady();
            hold.awaitOnStandardError(".*the kernel does not lock pages that other processes bring in later");
            assertTrue(hold.out().contains("locked, of what is in memory: 1 file, 16384 bytes"), hold::toString);
            try (Pagelock.Running evict = new Pagelock().start("evict", a)) {
                evict.expect(0);
            }
            assertEquals(4, residentPages(a));
            hold.signal("TERM").expect(0);
        }
    }

    @Test
    void pidFileIsThereWhileFilesAreHeld() throws Exception {
        Path pid = dir.resolve("pid");
        try (Pagelock.Running hold = new Pagelock().start("hold", "--pid-file", pid, file("a", 1))) {
            hold.awaitReady();
            assertEquals(hold.pid() + "\n", Files.readString(pid));
            hold.signal("TERM").expect(0);
            assertFalse(Files.exists(pid));
        }
        try (Pagelock.Running hold = new Pagelock().start("hold", "--pid-file", "/proc/none/pid", dir.resolve("a"))) {
            hold.expect(1);
            assertFalse(hold.out().contains("ready"), hold::toString);
            assertTrue(
                    hold.err().contains("--pid-file: cannot write /proc/none/pid: no such file or directory"),
                    hold::toString);
        }
    }

    @Test
    void pidFileThatAKilledProcessLeftHalfWrittenDoesNotMatter() throws Exception {
        Path pid = dir.resolve("pid");
        String self = Files.readSymbolicLink(Path.of("/proc/self")).toString();
        Files.write(dir.resolve(".pagelock-" + self), new byte[1]);
        try (PidFile file = PidFile.write(pid)) {
            assertEquals(self + "\n", Files.readString(pid));
            Files.delete(pid);
            // Whoever is here now is not read, which may have no end.
            Files.createSymbolicLink(pid, Path.of("/dev/zero"));
        }
        assertTrue(Files.isSymbolicLink(pid));
        assertTrue(Files.exists(dir.resolve(".pagelock-" + self)), "a file of another process was removed");
    }

    /** To root, /dev/null is a file that can be replaced. */
    @Test
    void whatIsNoRegularFileIsNotReplacedByAPidFile() throws Exception {
        Path pipe = dir.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        Failure refused = assertThrows(Failure.class, () -> PidFile.write(pipe));
        assertEquals("--pid-file: cannot write " + pipe + ": it is no regular file", refused.getMessage());
        assertTrue(Files.exists(pipe) && !Files.isRegularFile(pipe));
    }

    /** A name given by mistake, be it that of a held file, costs no data. */
    @Test
    void pidFileTakesThePlaceOfNothingElse() throws Exception {
        Path data = Files.write(dir.resolve("data"), new byte[100]);
        Path text = Files.writeString(dir.resolve("text"), "12a\n");
        for (Path each : List.of(data, text)) {
            Failure refused =
                    assertThrows(Failure.class, () -> PidFile.write(each).close());
            assertTrue(refused.getMessage().contains("something other than a pid file"), refused::getMessage);
        }
        assertEquals(100, Files.size(data));
        assertEquals("12a\n", Files.readString(text));
        for (String old : List.of("", "4711\n", "4711")) {
            Path pid = Files.writeString(dir.resolve("old"), old);
            PidFile.write(pid).close();
            assertFalse(Files.exists(pid));
        }
    }

    /** A link that another user placed must not choose the file that is written. */
    @Test
    void pidFileTakesThePlaceOfALinkAndNotOfItsTarget() throws Exception {
        Path target = Files.writeString(dir.resolve("target"), "4711\n");
        Path pid = Files.createSymbolicLink(dir.resolve("link"), target);
        try (PidFile file = PidFile.write(pid)) {
            assertTrue(Files.isRegularFile(pid, LinkOption.NOFOLLOW_LINKS));
            assertEquals("4711\n", Files.readString(target));
        }
    }

    @Test
    void pidFileOfAnotherProcessStays() throws Exception {
        Path pid = dir.resolve("taken");
        String other;
        try (PidFile file = PidFile.write(pid)) {
            // As long as ours.
            other = Files.readString(pid).replaceAll("[0-9]", "0");
            Files.writeString(pid, other);
        }
        assertEquals(other, Files.readString(pid));
    }

    /** What a service manager calls. */
    interface ReceiveCalls extends NativeCalls {
        int socket(int domain, int type, int protocol);

        int bind(int fd, byte[] address, int length);

        int recv(int fd, byte[] buf, long len, int flags);

        int close(int fd);
    }

    @Test
    void serviceManagerIsNotified() {
        ReceiveCalls calls = CLibrary.open(Host.current()).bind(MethodHandles.lookup(), ReceiveCalls.class);
        for (String name : new String[] {
            dir + "/socket", "@pagelock-test-" + ProcessHandle.current().pid()
        }) {
            int fd = calls.socket(1, 2, 0);
            byte[] bytes = (name + (name.startsWith("@") ? "" : "\0")).getBytes(StandardCharsets.UTF_8);
            bytes[0] = name.startsWith("@") ? 0 : bytes[0];
            ByteBuffer address = ByteBuffer.allocate(2 + bytes.length).order(ByteOrder.nativeOrder());
            address.putShort((short) 1).put(bytes);
            assertEquals(0, calls.bind(fd, address.array(), address.capacity()));
            assertEquals(Optional.empty(), new ServiceManager(name).send("READY=1\n"));
            byte[] text = new byte[100];
            int length = calls.recv(fd, text, text.length, 0);
            assertEquals("READY=1\n", new String(text, 0, length, StandardCharsets.UTF_8));
            calls.close(fd);
        }
        assertTrue(new ServiceManager("/nothing/here").send("READY=1\n").isPresent());
    }

    /** With as many messages as its queue takes, a further one would wait for the manager. */
    @Test
    void serviceManagerThatDoesNotReadIsNotWaitedForWithoutEnd() {
        ReceiveCalls calls = CLibrary.open(Host.current()).bind(MethodHandles.lookup(), ReceiveCalls.class);
        String name = dir + "/deaf";
        byte[] bytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
        ByteBuffer address = ByteBuffer.allocate(2 + bytes.length).order(ByteOrder.nativeOrder());
        address.putShort((short) 1).put(bytes);
        int fd = calls.socket(1, 2, 0);
        assertEquals(0, calls.bind(fd, address.array(), address.capacity()));
        Optional<String> why = Optional.empty();
        while (!why.isPresent()) {
            why = new ServiceManager(name).send("READY=1\n");
        }
        assertEquals("it does not read NOTIFY_SOCKET, whose queue is full", why.get());
        calls.close(fd);
    }

    @Test
    void withoutAServiceManagerNothingIsSent() {
        assertEquals(Optional.empty(), new ServiceManager(null).send("READY=1\n"));
    }
}
