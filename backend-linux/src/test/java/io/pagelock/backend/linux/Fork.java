// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import org.opentest4j.TestAbortedException;

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
            return NativeLibrary.getInstance(StandIn.compile(source).toString());
        } catch (TestAbortedException e) {
            return null;
        }
    }

    /** The byte, or -1 if the child has no such page. */
    static int childReads(long address) {
        int read = LIBRARY.getFunction("child_reads").invokeInt(new Object[] {new Pointer(address)});
        assertEquals(true, read >= -1, "fork failed");
        return read;
    }
}
