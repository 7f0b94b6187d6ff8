// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.spi.Names;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FileListingTest {
    @TempDir
    Path dir;

    private FileListing list(Path... paths) {
        return FileSelection.of(paths).list();
    }

    private Path file(String name) throws IOException {
        Path path = dir.resolve(name);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, name);
    }

    private List<String> names(FileListing list) {
        return list.files().stream()
                .map(entry -> dir.relativize(entry.path()).toString())
                .collect(Collectors.toList());
    }

    private static List<String> reasons(List<FileLockException> left) {
        return left.stream().map(each -> each.reason()).collect(Collectors.toList());
    }

    @Test
    void directoriesAreListedToTheBottom() throws IOException {
        file("a");
        file("d/b");
        file("d/e/f/c");
        assertEquals(List.of("a", "d/b", "d/e/f/c"), names(list(dir)));
    }

    @Test
    void cancelIsHeededBetweenPathsThatWereGivenToo() throws IOException {
        Path a = file("a");
        AtomicInteger asked = new AtomicInteger();
        FileSelection many = FileSelection.of(Collections.nCopies(10, a));
        FileLockException cancelled =
                assertThrows(FileLockException.class, () -> many.list(() -> asked.incrementAndGet() == 5));
        assertEquals(FileLockException.CANCELLED, cancelled.reason());
        assertEquals(5, asked.get());
    }

    @Test
    void fileGivenTwiceCountsOnce() throws IOException {
        Path a = file("a");
        FileListing list = list(a, a, dir);
        assertEquals(List.of("a"), names(list));
        assertEquals(List.of("SAME_FILE", "SAME_FILE"), reasons(list.skipped()));
    }

    @Test
    void hardLinksCountOnce() throws IOException {
        Files.createLink(dir.resolve("b"), file("a"));
        FileListing list = list(dir);
        assertEquals(List.of("a"), names(list));
        assertTrue(list.skipped().get(0).getMessage().contains("the same file as " + dir.resolve("a")));
    }

    @Test
    void directoryGivenTwiceIsListedOnce() throws IOException {
        file("d/a");
        FileListing list = list(dir, dir.resolve("d"));
        assertEquals(List.of("d/a"), names(list));
        assertEquals(List.of("SAME_FILE"), reasons(list.skipped()));
    }

    @Test
    void linkAsAnArgumentIsFollowed() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link"), file("a"));
        assertEquals(List.of("link"), names(list(link)));
        file("d/b");
        Path directoryLink = Files.createSymbolicLink(dir.resolve("dlink"), dir.resolve("d"));
        assertEquals(List.of("dlink/b"), names(list(directoryLink)));
    }

    @Test
    void linksInADirectoryAreSkippedSoThatLoopsEnd() throws IOException {
        file("d/a");
        Files.createSymbolicLink(dir.resolve("d/loop"), dir);
        Files.createSymbolicLink(dir.resolve("d/dangling"), dir.resolve("nothing"));
        FileListing list = list(dir);
        assertEquals(List.of("d/a"), names(list));
        assertEquals(List.of("SYMBOLIC_LINK", "SYMBOLIC_LINK"), reasons(list.skipped()));
        assertEquals(List.of(), reasons(list.failed()));
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "needs mkfifo")
    void fifosAndSocketsInADirectoryAreSkippedAndNeverOpened() throws Exception {
        file("a");
        assertEquals(
                0,
                new ProcessBuilder("mkfifo", dir.resolve("fifo").toString())
                        .start()
                        .waitFor());
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(dir.resolve("socket")));
            // To open the fifo would wait for a writer.
            FileListing list = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> list(dir));
            assertEquals(List.of("a"), names(list));
            assertEquals(List.of("NOT_A_FILE", "NOT_A_FILE"), reasons(list.skipped()));
        }
    }

    @Test
    void deviceAsAnArgumentFails() {
        assertEquals(List.of("NOT_A_FILE"), reasons(list(Path.of("/dev/null")).failed()));
    }

    @Test
    void missingArgumentFailsByName() {
        FileListing list = list(dir.resolve("missing"));
        assertEquals(List.of("NO_SUCH_FILE"), reasons(list.failed()));
        assertTrue(list.failed().get(0).getMessage().startsWith(dir.resolve("missing") + ": no such file"));
    }

    @Test
    void danglingLinkAsAnArgumentFails() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("dangling"), dir.resolve("nothing"));
        assertEquals(List.of("NO_SUCH_FILE"), reasons(list(link).failed()));
    }

    @Test
    void namesKeepTheirBytes() throws IOException {
        byte[] name = (dir + "/a b\377").getBytes(StandardCharsets.ISO_8859_1);
        Files.createFile(Names.path(name));
        FileListing list = list(dir);
        assertEquals(1, list.files().size());
        assertEquals(dir + "/a b\\xff", list.files().get(0).toString());
    }

    @Test
    void emptyDirectoryHasNothing() {
        FileListing list = list(dir);
        assertEquals(List.of(), names(list));
        assertEquals(List.of(), reasons(list.skipped()));
        assertEquals(List.of(), reasons(list.failed()));
    }
}
