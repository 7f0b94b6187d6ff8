// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import java.io.Serializable;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;

/** On the kernel of this machine, which is the witness. */
@EnabledOnOs(OS.LINUX)
class SecretPoolTest {
    private final PageLocker locker = PageLocker.system();
    private final int page = (int) locker.pageSize();
    private final long before = ProcWitness.lockedBytes();
    private final SecretPool pool = SecretPool.create(locker);

    @AfterEach
    void nothingIsLeft() {
        pool.close();
        assertEquals(before, ProcWitness.lockedBytes());
    }

    private long addressOf(Secret secret) {
        Pages pages = secret.slot.slab.pages;
        return locker.rangeOf(pages.block()).address()
                + pages.offset()
                + (long) secret.slot.index * secret.slot.slab.slotSize();
    }

    /** What is in the memory of a slot, whether it is open or not. */
    private static byte[] memoryOf(Slot slot) {
        ByteBuffer block = slot.slab.pages.block().duplicate();
        block.position(slot.slab.pages.offset() + slot.index * slot.slab.slotSize());
        byte[] bytes = new byte[slot.size];
        block.get(bytes);
        return bytes;
    }

    private static byte[] pattern(int size, int seed) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (seed + i * 7 + 1);
        }
        return bytes;
    }

    @Test
    void secretsOf32BytesFillAPageBeforeTheyTakeAnother() {
        List<Secret> all = new ArrayList<>();
        for (int i = 0; i < page / 32; i++) {
            all.add(pool.allocate(32));
        }
        assertEquals(before + page, ProcWitness.lockedBytes());
        all.add(pool.allocate(32));
        assertEquals(before + 2 * page, ProcWitness.lockedBytes());
        assertEquals(2 * page, pool.statistics().bytes());
        assertEquals(all.size(), pool.statistics().openSecrets());
    }

    @Test
    void everyProtectionIsOnThePagesAndReported() {
        boolean guards = PageLockers.ability(locker, MemoryGuarding.class).isPresent();
        try (Secret secret = pool.allocate(32)) {
            long address = addressOf(secret) & -page;
            assertTrue(ProcWitness.smaps(address, "VmFlags").orElseThrow().contains("lo"));
            for (MemoryGuard guard : List.of(MemoryGuard.NOT_DUMPED, MemoryGuard.NOT_INHERITED)) {
                assertEquals(guards, ProcWitness.isGuarded(address, guard), guard.toString());
            }
            for (long neighbour : new long[] {address - page, address + page}) {
                assertEquals(guards, ProcWitness.isGuarded(neighbour, MemoryGuard.NO_ACCESS));
            }
            List<Protection> always = List.of(Protection.LOCKED, Protection.WIPED_AT_EXIT, Protection.WIPED_ON_CLOSE);
            for (Protection each : Protection.values()) {
                boolean kept = each != Protection.SECRET_MEMORY && (guards || always.contains(each));
                assertEquals(Tristate.of(kept), pool.kept(each), each.toString());
                assertEquals(Tristate.of(kept), secret.kept(each), each.toString());
            }
        }
    }

    @Test
    void endOfAPoolLeavesNoGuardBehind() {
        List<Long> pages = new ArrayList<>();
        // Kept, so that the collector does not free them meanwhile.
        List<ByteBuffer> blocks = new ArrayList<>();
        for (Secret each : List.of(pool.allocate(32), pool.allocate(3 * page))) {
            blocks.add(each.slot.slab.pages.block());
            for (int i = -1; i <= each.slot.slab.pages.length() / page; i++) {
                pages.add((addressOf(each) & -page) + i * (long) page);
            }
        }
        pool.close();
        for (long each : pages) {
            for (MemoryGuard guard : MemoryGuard.values()) {
                assertFalse(ProcWitness.isGuarded(each, guard), guard + " after the end of the pool");
            }
        }
        assertEquals(2, blocks.size());
    }

    @Test
    void secretMemoryIsUnknownToTheRestOfTheKernel() {
        assumeTrue(
                PageLockers.ability(locker, MemoryGuarding.class)
                        .map(guarding -> guarding.guards().contains(MemoryGuard.SECRET))
                        .orElse(false),
                "this kernel has no memfd_secret");
        try (SecretPool hidden = SecretPool.builder(locker)
                .require(
                        Protection.SECRET_MEMORY,
                        Protection.LOCKED,
                        Protection.NOT_DUMPED,
                        Protection.NOT_INHERITED,
                        Protection.GUARD_PAGES)
                .build()) {
            Secret secret = hidden.allocate(32);
            secret.write(pattern(32, 5));
            assertTrue(ProcWitness.isGuarded(addressOf(secret), MemoryGuard.SECRET));
            assertTrue(ProcWitness.isGuarded(addressOf(secret), MemoryGuard.NOT_DUMPED));
            assertTrue(ProcWitness.isGuarded(addressOf(secret), MemoryGuard.NOT_INHERITED));
            assertTrue(ProcWitness.smaps(addressOf(secret), "VmFlags")
                    .orElseThrow()
                    .contains("lo"));
            assertEquals(before + 2 * page, ProcWitness.lockedBytes());
            assertEquals(Tristate.YES, hidden.kept(Protection.LOCKED));
            assertTrue(secret.contentEquals(pattern(32, 5)));
        }
    }

    @Test
    void everySizeReadsWhatWasWritten() {
        int[] sizes = {1, 15, 16, 17, 32, 63, 64, 65, 100, page / 2, page / 2 + 1, page, page + 1, 1 << 15};
        for (int size : sizes) {
            byte[] bytes = pattern(size, size);
            try (Secret secret = pool.allocate(size)) {
                assertEquals(size, secret.size());
                assertArrayEquals(new byte[size], memoryOf(secret.slot), "zeros at first");
                secret.write(bytes);
                byte[] read = new byte[size];
                secret.read(read);
                assertArrayEquals(bytes, read);
                ByteBuffer target = ByteBuffer.allocateDirect(size);
                secret.read(0, target, size);
                assertEquals(ByteBuffer.wrap(bytes), target.flip());
                assertEquals(bytes[size - 1], secret.get(size - 1));
                assertTrue(secret.contentEquals(bytes));
                secret.put(size - 1, (byte) (bytes[size - 1] + 1));
                assertFalse(secret.contentEquals(bytes));
                secret.write(0, ByteBuffer.wrap(bytes));
                byte[] seen = secret.withBytes(copy -> {
                    assertArrayEquals(bytes, copy);
                    return copy;
                });
                assertArrayEquals(new byte[size], seen, "the copy is wiped");
            }
        }
        assertEquals(0, pool.statistics().openSecrets());
    }

    @Test
    void nothingOutsideASecretIsReachable() {
        Secret secret = pool.allocate(20);
        Secret neighbour = pool.allocate(20);
        neighbour.write(pattern(20, 1));
        byte[] array = new byte[40];
        List<Executable> calls = List.of(
                () -> secret.get(-1),
                () -> secret.get(20),
                () -> secret.put(20, (byte) 1),
                () -> secret.write(new byte[21]),
                () -> secret.read(new byte[21]),
                () -> secret.write(1, array, 0, 20),
                () -> secret.read(Integer.MAX_VALUE, array, 0, 2),
                () -> secret.read(0, array, 39, 2),
                () -> secret.write(0, array, -1, 2),
                () -> secret.write(0, array, 0, -1),
                () -> secret.write(1, ByteBuffer.allocate(20)),
                () -> secret.read(1, ByteBuffer.allocate(40), 20),
                () -> secret.read(0, ByteBuffer.allocate(40), -1));
        for (int i = 0; i < calls.size(); i++) {
            assertThrows(IndexOutOfBoundsException.class, calls.get(i), "call " + i);
        }
        assertThrows(BufferOverflowException.class, () -> secret.read(0, ByteBuffer.allocate(3), 4));
        assertTrue(secret.contentEquals(new byte[20]));
        assertTrue(neighbour.contentEquals(pattern(20, 1)));
    }

    private static List<Executable> everyUse(Secret secret) {
        return List.of(
                () -> secret.get(0),
                () -> secret.put(0, (byte) 1),
                () -> secret.write(new byte[1]),
                () -> secret.write(0, new byte[1], 0, 1),
                () -> secret.write(0, ByteBuffer.allocate(1)),
                () -> secret.read(new byte[1]),
                () -> secret.read(0, new byte[1], 0, 1),
                () -> secret.read(0, ByteBuffer.allocate(1), 1),
                () -> secret.withBytes(copy -> copy),
                () -> secret.contentEquals(new byte[1]),
                () -> secret.contentEquals(secret));
    }

    @Test
    void closedSecretIsWipedAndRefusesEveryUseAlsoWhenItsMemoryIsAnothers() {
        Secret secret = pool.allocate(32);
        secret.write(pattern(32, 1));
        secret.close();
        assertArrayEquals(new byte[32], memoryOf(secret.slot));
        Secret next = pool.allocate(32);
        next.write(pattern(32, 2));
        assertEquals(secret.slot.index, next.slot.index);
        everyUse(secret).forEach(use -> assertThrows(IllegalStateException.class, use));
        secret.close();
        assertTrue(next.contentEquals(pattern(32, 2)));
        assertThrows(IllegalStateException.class, () -> next.contentEquals(secret));
        assertFalse(secret.isOpen());
        assertEquals(Tristate.UNKNOWN, secret.kept(Protection.LOCKED));
        assertEquals(1, pool.statistics().openSecrets());
    }

    @Test
    void closedPoolWipesAndRefusesEverything() {
        List<Secret> secrets = List.of(pool.allocate(32), pool.allocate(3 * page));
        secrets.forEach(secret -> secret.write(pattern(secret.size(), 3)));
        pool.close();
        for (Secret secret : secrets) {
            assertArrayEquals(new byte[secret.size()], memoryOf(secret.slot));
            everyUse(secret).forEach(use -> assertThrows(IllegalStateException.class, use));
            secret.close();
        }
        assertThrows(IllegalStateException.class, () -> pool.allocate(32));
        assertThrows(IllegalStateException.class, () -> pool.allocate(page));
        pool.close();
        assertEquals(0, pool.statistics().bytes());
        assertEquals(0, pool.statistics().openSecrets());
        assertEquals(Tristate.UNKNOWN, pool.kept(Protection.LOCKED));
    }

    @Test
    void emptyPagesServeOtherSizesAndGoWhenTrimmed() {
        pool.allocate(32).close();
        pool.allocate(1000).close();
        assertEquals(before + page, ProcWitness.lockedBytes());
        Secret large = pool.allocate(page);
        assertEquals(before + 2 * page, ProcWitness.lockedBytes());
        large.close();
        assertEquals(before + page, ProcWitness.lockedBytes());
        pool.trim();
        assertEquals(before, ProcWitness.lockedBytes());
        Secret again = pool.allocate(32);
        assertEquals(before + page, ProcWitness.lockedBytes());
        again.close();
        assertEquals(2 * page, pool.statistics().highWaterBytes());
    }

    /** Against a model: random sizes and ends, every secret keeps its own bytes. */
    @Test
    void secretsDoNotDisturbEachOther() {
        Random random = new Random(11);
        List<Secret> open = new ArrayList<>();
        List<byte[]> contents = new ArrayList<>();
        for (int step = 0; step < 5000; step++) {
            if (open.size() < 100 && random.nextInt(100) < 55) {
                byte[] bytes = pattern(1 + random.nextInt(random.nextInt(50) == 0 ? page : 100), step);
                Secret secret = pool.allocate(bytes.length);
                assertTrue(secret.contentEquals(new byte[bytes.length]));
                secret.write(bytes);
                open.add(secret);
                contents.add(bytes);
            } else if (!open.isEmpty()) {
                int at = random.nextInt(open.size());
                assertTrue(open.get(at).contentEquals(contents.get(at)));
                open.remove(at).close();
                contents.remove(at);
            }
        }
        for (int i = 0; i < open.size(); i++) {
            assertTrue(open.get(i).contentEquals(contents.get(i)));
            open.get(i).close();
        }
        pool.trim();
        assertEquals(0, pool.statistics().bytes());
    }

    @Test
    void usedUpBudgetNamesBudgetAndLimit() {
        try (SecretPool small = SecretPool.builder(locker)
                .require(Protection.LOCKED)
                .budget(2 * page)
                .build()) {
            List<Secret> all = new ArrayList<>();
            for (int i = 0; i < 2 * page / 32; i++) {
                all.add(small.allocate(32));
            }
            PageLockException refused = assertThrows(PageLockException.class, () -> small.allocate(32));
            assertEquals(Reason.OVER_LIMIT, refused.reason());
            for (String part : List.of("budget is 8192 bytes", "256 secrets", "limit of locked memory: soft")) {
                assertTrue(refused.getMessage().contains(part) || page != 4096, refused.getMessage());
            }
            assertThrows(PageLockException.class, () -> small.allocate(3 * page));
            all.get(7).close();
            all.set(7, small.allocate(30));
            assertEquals(2 * page, small.statistics().highWaterBytes());
            // Empty pages make room for others.
            all.forEach(Secret::close);
            try (Secret large = small.allocate(2 * page)) {
                assertTrue(large.isOpen());
            }
        }
        assertThrows(
                PageLockException.class,
                () -> SecretPool.builder(locker).budget(page - 1).build());
        assertThrows(
                IllegalArgumentException.class, () -> SecretPool.builder(locker).budget(0));
    }

    @Test
    void sizesThatCannotBeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> pool.allocate(0));
        assertThrows(IllegalArgumentException.class, () -> pool.allocate(-1));
        assertThrows(IllegalArgumentException.class, () -> pool.allocate(Integer.MAX_VALUE));
    }

    @Test
    void equalContentsAreEqualAndNothingElse() {
        Secret one = pool.allocate(33);
        Secret same = pool.allocate(33);
        Secret shorter = pool.allocate(32);
        one.write(pattern(33, 4));
        same.write(pattern(33, 4));
        shorter.write(pattern(32, 4));
        assertTrue(one.contentEquals(same) && one.contentEquals(one));
        assertFalse(one.contentEquals(shorter) || shorter.contentEquals(one));
        assertFalse(one.contentEquals(pattern(32, 4)) || shorter.contentEquals(pattern(33, 4)));
        for (int i = 0; i < 33; i++) {
            same.put(i, (byte) (same.get(i) ^ 0x80));
            assertFalse(one.contentEquals(same), "byte " + i);
            same.put(i, (byte) (same.get(i) ^ 0x80));
        }
    }

    @Test
    void secretHasNoTextAndNoSerialisedForm() {
        Secret secret = pool.allocate(5);
        secret.write("hello".getBytes(StandardCharsets.US_ASCII));
        assertEquals("Secret (open)", secret.toString());
        assertFalse(Serializable.class.isAssignableFrom(Secret.class));
        assertFalse(Arrays.stream(Secret.class.getMethods())
                .anyMatch(method -> method.getReturnType() == String.class
                        && !method.getName().equals("toString")));
    }

    @Test
    void lostSecretIsWipedCountedAndItsMemoryUsedAgain() throws Exception {
        Slot slot = lose();
        await(() -> pool.statistics().lostSecrets() == 1);
        assertEquals(0, pool.statistics().openSecrets());
        assertArrayEquals(new byte[32], memoryOf(slot));
        assertEquals(slot.slab, pool.allocate(32).slot.slab);
    }

    private Slot lose() {
        Secret secret = pool.allocate(32);
        secret.write(pattern(32, 9));
        return secret.slot;
    }

    @Test
    void lostPoolGivesItsMemoryBackWhenItsLastSecretIsGone() throws Exception {
        Secret secret = SecretPool.create(locker).allocate(32);
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(20);
            secret.write(pattern(32, i));
        }
        assertEquals(before + 2 * page, ProcWitness.lockedBytes());
        secret = null;
        await(() -> ProcWitness.lockedBytes() == before + page);
    }

    private static void await(BooleanSupplier done) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not collected");
            System.gc();
            Thread.sleep(10);
        }
    }

    private static void inThreads(int threads, Callable<Void> work) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Void>> futures = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                futures.add(executor.submit(work));
            }
            for (Future<Void> each : futures) {
                each.get(2, TimeUnit.MINUTES);
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void manyThreadsEachReadTheirOwnBytes() throws Exception {
        inThreads(8, () -> {
            int seed = (int) Thread.currentThread().getId();
            List<Secret> mine = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                Secret secret = pool.allocate(1 + i % 64);
                secret.write(pattern(secret.size(), seed));
                mine.add(secret);
                if (mine.size() == 20) {
                    for (Secret each : mine) {
                        assertTrue(each.contentEquals(pattern(each.size(), seed)));
                        each.close();
                    }
                    mine.clear();
                }
            }
            mine.forEach(Secret::close);
            return null;
        });
        assertEquals(0, pool.statistics().openSecrets());
        // At most 8 threads with 20 secrets each of 64 bytes, and a page that is not full for each of 3 sizes.
        assertTrue(pool.statistics().highWaterBytes() <= 160 * 64 + 3 * page + page, pool.toString());
    }

    @Test
    void readersBesideACloseAreRefusedAndNeverSeeHalfASecret() throws Exception {
        for (int round = 0; round < 20; round++) {
            SecretPool closing = SecretPool.create(locker);
            Secret secret = closing.allocate(64);
            byte[] bytes = pattern(64, 1);
            secret.write(bytes);
            Thread closer = new Thread(round % 2 == 0 ? closing::close : secret::close);
            inThreads(2, () -> {
                try {
                    for (int i = 0; i < 10_000; i++) {
                        if (i == 100) {
                            startOnce(closer);
                        }
                        byte[] read = new byte[64];
                        secret.read(read);
                        assertArrayEquals(bytes, read);
                    }
                } catch (IllegalStateException closed) {
                    assertFalse(secret.isOpen());
                }
                return null;
            });
            closer.join();
            closing.close();
        }
    }

    private static synchronized void startOnce(Thread thread) {
        if (thread.getState() == Thread.State.NEW) {
            thread.start();
        }
    }
}
