// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LockPolicy;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A program under each policy, as an ordinary user with room for 64 KiB, with the kernel's count as the witness. */
class PoliciesTest {
    /** The main class of the child JVM; the argument is the policy. */
    public static final class Program {
        private Program() {}

        public static void main(String[] args) throws Exception {
            PageLocker locker = PageLocker.system(LockPolicy.valueOf(args[0]));
            ByteBuffer small = ByteBuffer.allocateDirect(16 * 1024);
            try (PageLock fits = locker.lock(small);
                    PageLock tooMuch = locker.lock(ByteBuffer.allocateDirect(1 << 20))) {
                System.out.println(fits.isValid() + " " + tooMuch.isValid() + " "
                        + tooMuch.failure().get().reason() + " " + (kernelLocked() > 0));
                System.out.println(locker.report().kept() + " "
                        + (locker.report().lockedBytes() == 1024 * kernelLocked()) + " "
                        + !locker.report().notLocked().get(0).remedies().isEmpty());
                if (fits.isValid()) {
                    // One engine, one count.
                    PageLocker.system().lock(small).close();
                    System.out.println("still locked: " + (kernelLocked() > 0));
                }
            }
            System.out.println(locker.report().kept() + " " + kernelLocked());
        }

        private static long kernelLocked() throws Exception {
            try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                return lines.filter(line -> line.startsWith("VmLck:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum();
            }
        }
    }

    /** Without the right to exceed the limit, which is all that makes root another user here. */
    private static String run(String policy, String... options) throws Exception {
        return Jars.application()
                .options(options)
                .through("prlimit", "--memlock=65536", "setpriv", "--inh-caps=-all", "--bounding-set=-ipc_lock")
                .run(Program.class, policy)
                .toString();
    }

    @Test
    void bestEffortLocksWhatFitsAndSaysWhatDoesNot() throws Exception {
        assertEquals(
                "0\ntrue false over the limit true\nNO true true\nstill locked: true\nYES 0\n", run("BEST_EFFORT"));
    }

    @Test
    void bestEffortWithoutABackendSaysThatNothingIsLocked() throws Exception {
        assertEquals(
                "0\nfalse false not supported false\nNO true true\nYES 0\n",
                run("BEST_EFFORT", "-Dio.pagelock.backend=other"));
    }

    @Test
    void offLoadsNoBackend() throws Exception {
        String output = run("OFF", "-Xlog:class+load:stdout");
        assertTrue(output.contains("false false not supported false\n"), output);
        assertTrue(output.contains("io.pagelock.internal.PolicyLocker "), "classes are not listed");
        assertFalse(output.contains("com.sun.jna."), "JNA was loaded");
        assertFalse(output.contains("io.pagelock.backend."), "a backend was loaded");
    }
}
