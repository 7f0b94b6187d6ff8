// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.standin.OrdinaryUser;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import java.io.File;
import java.io.RandomAccessFile;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** How JVMs end with secrets in them, and the life of a user who may lock 64 KiB. */
@EnabledOnOs(OS.LINUX)
class EndOfJvmTest {
    private static final int SIZE = 64;

    @TempDir
    Path directory;

    private String run(List<String> before, String... arguments) {
        return new ChildJvm()
                .through(before)
                .options("-Xmx24m")
                .in(directory)
                .run(Child.class, arguments)
                .output();
    }

    @Test
    void endOfTheJvmWipesWhatIsOpen() throws Exception {
        assertEquals(
                "YES, closed, wiped", run(List.of(), "exit", "WIPED_AT_EXIT").trim());
        assertEquals("NO, open, not wiped", run(List.of(), "exit", "LOCKED").trim());
    }

    /** Compiled code may let go of a secret in the middle of its last use. */
    @Test
    void secretInItsLastUseIsNotTakenForLost() throws Exception {
        assertEquals("reachable, read", run(List.of(), "lastUse").trim());
        assertEquals("reachable, closed, lost 0", run(List.of(), "lastClose").trim());
    }

    @Test
    void aPoolThatIsMadeAfterTheWipeDoesNotPromiseOne() throws Exception {
        assertEquals(
                "NO, the JVM is shutting down, NOT_SUPPORTED",
                run(List.of(), "late").trim());
    }

    @Test
    void whereNoPoolIsOpenNoThreadAndNoHookIsKept() throws Exception {
        assertEquals("ended, ended", run(List.of(), "idle").trim());
    }

    /** A real core dump. The same bytes are also in memory that is not guarded, to prove that the dump is complete. */
    @Test
    void coreDumpHoldsNoSecret() throws Exception {
        String pattern =
                Files.readString(Path.of("/proc/sys/kernel/core_pattern")).trim();
        assumeTrue(pattern.startsWith("core"), "core dumps go to " + pattern);
        String output = run(List.of("prlimit", "--core=unlimited:unlimited"), "crash");
        File[] cores = directory.toFile().listFiles((in, name) -> name.startsWith("core"));
        assumeTrue(cores.length == 1, "no core dump may be made here: " + output);
        assertTrue(output.contains("NOT_DUMPED YES"), output);
        assertEquals(true, holds(cores[0], Child.bytes(1)), "the dump lacks unguarded memory");
        assertFalse(holds(cores[0], Child.bytes(2)), "the dump holds the secret");
        Files.delete(cores[0].toPath());
    }

    private static boolean holds(File file, byte[] bytes) throws Exception {
        try (RandomAccessFile in = new RandomAccessFile(file, "r");
                FileChannel channel = in.getChannel()) {
            for (long from = 0; from < channel.size(); from += 1 << 28) {
                long count = Math.min(channel.size() - from, (1 << 28) + SIZE);
                MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, from, count);
                byte[] there = new byte[bytes.length];
                for (int at = 0; at <= map.limit() - bytes.length; at += 8) {
                    if (map.get(at) == bytes[0] && map.get(at + 1) == bytes[1]) {
                        map.position(at);
                        map.get(there);
                        if (Arrays.equals(there, bytes)) {
                            return true;
                        }
                    }
                }
            }
            return false;
        }
    }

    @Test
    void ordinaryUserHasEverything() {
        OrdinaryUser.passes(SecretPoolTest.class, 65536);
    }

    /** Peers, with a page or more for each secret, end after 15. */
    @Test
    void quotaOfAnOrdinaryUserHolds2048Secrets() {
        OrdinaryUser.passes(Quota.class, 65536);
    }

    @Test
    void secretMemoryOverTheLimitOfAnOrdinaryUserNamesTheNumbersAndWhatToDo() {
        OrdinaryUser.passes(SecretQuota.class, 65536);
    }

    static class SecretQuota {
        @Test
        void refusalNamesTheNumbersAndWhatToDo() {
            PageLocker locker = PageLocker.system();
            assumeTrue(
                    PageLockers.ability(locker, MemoryGuarding.class)
                            .map(guarding -> guarding.guards().contains(MemoryGuard.SECRET))
                            .orElse(false),
                    "this kernel has no memfd_secret");
            try (SecretPool pool =
                    SecretPool.builder(locker).require(Protection.SECRET_MEMORY).build()) {
                Secret first = pool.allocate(16);
                first.put(0, (byte) 7);
                PageLockException refused = assertThrows(PageLockException.class, () -> pool.allocate(1 << 20));
                assertEquals(Reason.OVER_LIMIT, refused.reason());
                assertTrue(
                        refused.getMessage()
                                .contains(
                                        "asked for 1048576 bytes (1 MiB), already locked 4096 bytes (4 KiB), soft limit 65536 bytes"),
                        refused::getMessage);
                assertTrue(
                        refused.remedies().get(0).contains("Raise RLIMIT_MEMLOCK to at least 1052672 bytes"),
                        refused::toString);
                assertEquals(7, first.get(0));
            }
            try (SecretPool pool = SecretPool.builder(locker)
                            .prefer(Protection.SECRET_MEMORY)
                            .build();
                    Secret large = pool.allocate(1 << 20)) {
                large.put(1 << 19, (byte) 7);
                assertEquals(7, large.get(1 << 19));
                assertTrue(pool.whyNot(Protection.SECRET_MEMORY).orElseThrow().contains("soft limit 65536 bytes"));
            }
        }
    }

    static class Quota {
        @Test
        void quotaHoldsAsManySecretsAsItHasBytes() {
            try (SecretPool pool = SecretPool.create(PageLocker.system())) {
                List<Secret> all = new ArrayList<>();
                for (int i = 0; i < 65536 / 32; i++) {
                    all.add(pool.allocate(32));
                }
                assertEquals(Tristate.YES, pool.kept(Protection.LOCKED));
                PageLockException refused = assertThrows(PageLockException.class, () -> pool.allocate(32));
                assertEquals(Reason.OVER_LIMIT, refused.reason());
                all.get(1000).close();
                all.set(1000, pool.allocate(32));
            }
        }
    }

    /** What runs in a JVM of its own. */
    static final class Child {
        /** Not in any array of the child. */
        private static byte at(int seed, int index) {
            return (byte) (seed * 97 + index * index * 31 + index * 7 + 11);
        }

        static byte[] bytes(int seed) {
            byte[] bytes = new byte[SIZE];
            for (int i = 0; i < SIZE; i++) {
                bytes[i] = at(seed, i);
            }
            return bytes;
        }

        private static Secret fill(SecretPool pool) {
            Secret secret = pool.allocate(SIZE);
            for (int i = 0; i < SIZE; i++) {
                secret.put(i, at(2, i));
            }
            return secret;
        }

        public static void main(String[] arguments) throws Exception {
            if (arguments[0].equals("exit")) {
                exit(Protection.valueOf(arguments[1]));
            } else if (arguments[0].startsWith("last")) {
                lastUse(arguments[0].equals("lastClose"));
            } else if (arguments[0].equals("late")) {
                late();
            } else if (arguments[0].equals("idle")) {
                idle();
            } else {
                crash();
            }
        }

        private static volatile Secret given;

        private static void use() {
            Secret mine = given;
            given = null;
            mine.read(new byte[SIZE]);
        }

        private static void close() {
            Secret mine = given;
            given = null;
            mine.close();
        }

        private static void late() {
            SecretPool pool = SecretPool.create(PageLocker.system());
            Secret secret = fill(pool);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                while (secret.isOpen()) {
                    Thread.yield();
                }
                SecretPool late = SecretPool.create(PageLocker.system());
                System.out.print(late.kept(Protection.WIPED_AT_EXIT) + ", "
                        + late.whyNot(Protection.WIPED_AT_EXIT).orElse("kept") + ", ");
                try {
                    SecretPool.builder(PageLocker.system())
                            .require(Protection.WIPED_AT_EXIT)
                            .build();
                } catch (PageLockException e) {
                    System.out.println(e.reason().name());
                }
            }));
            System.exit(0);
        }

        private static boolean isThreadThere() {
            return Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().equals("pagelock-secrets"));
        }

        private static void idle() throws Exception {
            // The second one needs another thread and another hook.
            for (String each : List.of("", ", ")) {
                SecretPool pool = SecretPool.create(PageLocker.system());
                fill(pool);
                if (!isThreadThere() || !Reaper.isHooked()) {
                    System.out.println("no thread or no hook");
                }
                pool.close();
                while (isThreadThere() || Reaper.isHooked()) {
                    Thread.sleep(10);
                }
                System.out.print(each + "ended");
            }
        }

        private static void lastUse(boolean close) throws Exception {
            SecretPool pool = SecretPool.create(PageLocker.system());
            for (int i = 0; i < 50_000; i++) {
                given = pool.allocate(SIZE);
                if (close) {
                    close();
                } else {
                    use();
                }
            }
            given = pool.allocate(SIZE);
            WeakReference<Secret> seen = new WeakReference<>(given);
            Slot slot = given.slot;
            String[] outcome = {"read"};
            Thread user = new Thread(() -> {
                try {
                    if (close) {
                        close();
                        outcome[0] = "closed";
                    } else {
                        use();
                    }
                } catch (IllegalStateException e) {
                    outcome[0] = e.getMessage();
                }
            });
            synchronized (slot) {
                user.start();
                while (user.getState() != Thread.State.BLOCKED) {
                    Thread.sleep(1);
                }
                System.gc();
                System.out.print(seen.get() == null ? "collected, " : "reachable, ");
            }
            user.join();
            System.out.println(
                    outcome[0] + (close ? ", lost " + pool.statistics().lostSecrets() : ""));
        }

        private static void exit(Protection protection) {
            SecretPool pool =
                    SecretPool.builder(PageLocker.system()).require(protection).build();
            Secret secret = fill(pool);
            boolean wiped = pool.kept(Protection.WIPED_AT_EXIT) == Tristate.YES;
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(wiped ? 60 : 1);
                while (secret.isOpen() && System.nanoTime() < deadline) {
                    Thread.yield();
                }
                ByteBuffer block = secret.slot.slab.pages.block();
                int zeros = 0;
                for (int i = 0; i < SIZE; i++) {
                    zeros += block.get(secret.slot.slab.pages.offset() + i) == 0 ? 1 : 0;
                }
                System.out.println(pool.kept(Protection.WIPED_AT_EXIT) + ", " + (secret.isOpen() ? "open" : "closed")
                        + ", " + (zeros == SIZE ? "wiped" : "not wiped"));
            }));
            System.exit(0);
        }

        private static void crash() throws Exception {
            SecretPool pool = SecretPool.create(PageLocker.system());
            Secret secret = fill(pool);
            ByteBuffer control = ByteBuffer.allocateDirect(SIZE);
            for (int i = 0; i < SIZE; i++) {
                control.put(i, at(1, i));
            }
            System.out.println(
                    "NOT_DUMPED " + pool.kept(Protection.NOT_DUMPED) + " " + secret.isOpen() + control.capacity());
            System.out.flush();
            new ProcessBuilder(
                            "kill",
                            "-ABRT",
                            Long.toString(ProcessHandle.current().pid()))
                    .start()
                    .waitFor();
            Thread.sleep(60_000);
        }
    }
}
