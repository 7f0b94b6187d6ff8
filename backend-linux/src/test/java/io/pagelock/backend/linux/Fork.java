// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Forks children that read memory, by {@code src/test/c/fork.c}. */
final class Fork {
    private static final NativeLibrary LIBRARY = load();

    /** Whether there is a compiler for this JVM, and the source, which a child JVM of a test lacks. */
    static final boolean IS_POSSIBLE = LIBRARY != null;

    private Fork() {}

    private static NativeLibrary load() {
        Path source = Path.of("src/test/c/fork.c").toAbsolutePath();
        if (!Files.exists(source) || Host.current().bits() == 32) {
            return null;
        }
        try {
            Path library = Files.createTempFile("pagelock", ".fork.so");
            List<String> command = List.of("gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString());
            Process compiler = new ProcessBuilder(command).inheritIO().start();
            assertEquals(0, compiler.waitFor(), command::toString);
            NativeLibrary loaded = NativeLibrary.getInstance(library.toString());
            Files.delete(library);
            return loaded;
        } catch (IOException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw new AssertionError("no C compiler", e);
            }
            return null;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The byte, or -1 if the child has no such page. */
    static int childReads(long address) {
        int read = LIBRARY.getFunction("child_reads").invokeInt(new Object[] {new Pointer(address)});
        assertEquals(true, read >= -1, "fork failed");
        return read;
    }
}
