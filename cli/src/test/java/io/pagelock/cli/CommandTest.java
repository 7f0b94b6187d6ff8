// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;

/** A command in this JVM over a locker that only counts. */
abstract class CommandTest {
    @TempDir
    Path dir;

    final FakeLocker locker = new FakeLocker();
    final StopSignal stop = new StopSignal(thread -> {});
    TestConsole console = new TestConsole();

    final int run(Object... args) {
        return run(locker, args);
    }

    final int run(Lockers lockers, Object... args) {
        String[] raw = Arrays.stream(args)
                .map(arg -> arg instanceof Path
                        ? FileNames.bytes((Path) arg)
                        : arg.toString().getBytes())
                .map(bytes -> new String(bytes, StandardCharsets.ISO_8859_1))
                .toArray(String[]::new);
        return Main.run(raw, lockers, console.console(), stop);
    }

    final Path file(String name, long bytes) throws IOException {
        Path path = dir.resolve(name);
        Files.createDirectories(path.getParent());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(bytes);
        }
        return path;
    }
}
