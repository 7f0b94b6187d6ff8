// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.engine.PageLockers;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine under several threads, with calls that are held up in the kernel. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineThreadsTest {
    private static final long PAGE = 4096;

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });

    private FakeKernel kernel;
    private PageLocker locker;
    private long memory;

    private void start(KernelRules rules) {
        kernel = new FakeKernel(rules.withPageSize(PAGE));
        kernel.setPrivileged(rules.has(KernelRules.Trait.PRIVILEGE_IS_NEEDED));
        locker = PageLockers.over(new FakeBackend(kernel));
        memory = kernel.map(32, Kind.ANONYMOUS);
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private MemoryRange pages(int first, int count) {
        return MemoryRange.of(memory + first * PAGE, count * PAGE);
    }

    static List<KernelRules> systems() {
        return List.of(Systems.of("linux"), Systems.of("freebsd"), Systems.of("solaris"));
    }

    /** A call that waits in the kernel until it is let go. */
    private final class HeldUp implements AutoCloseable {
        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CountDownLatch until = new CountDownLatch(1);

        private HeldUp(Call which, long where) {
            kernel.intercept((call, address, length) -> {
                if (call == which && address == where && until.getCount() > 0) {
                    arrived.countDown();
                    await(until);
                }
                return Errno.OK;
            });
        }

        private void awaitArrival() throws InterruptedException {
            assertTrue(arrived.await(60, TimeUnit.SECONDS), "the call never reached the kernel");
        }

        @Override
        public void close() {
            until.countDown();
        }
    }

    private <T> Future<T> start(Callable<T> task) {
        return threads.submit(task);
    }

    private static <T> T within(Future<T> task) throws Exception {
        return task.get(60, TimeUnit.SECONDS);
    }

    private static boolean isWaiting(Future<?> task) throws InterruptedException {
        Thread.sleep(50);
        return !task.isDone();
    }

    @ParameterizedTest
    @MethodSource("systems")
    void L16_aHolderNeverFindsItsPageUnlocked(KernelRules rules) throws Exception {
        start(rules);
        long end = System.nanoTime() + 1_000_000_000L / systems().size();
        Callable<Integer> holder = () -> {
            int rounds = 0;
            for (; rounds < 10 || System.nanoTime() < end; rounds++) {
                try (PageLock lock = locker.lock(pages(0, 1))) {
                    assertTrue(kernel.isLocked(memory), "round " + rounds);
                }
            }
            return rounds;
        };
        Future<Integer> first = start(holder);
        Future<Integer> second = start(holder);
        within(first);
        within(second);
        assertEquals(0, kernel.lockedBytes());
    }

    @ParameterizedTest
    @MethodSource("systems")
    void eightThreadsLeaveNothingLocked(KernelRules rules) throws Exception {
        start(rules);
        long seed = System.nanoTime();
        List<Future<Void>> all = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
            SplittableRandom random = new SplittableRandom(seed + thread);
            boolean spaces = thread == 0;
            all.add(start(() -> {
                Deque<AutoCloseable> open = new ArrayDeque<>();
                for (int i = 0; i < 2000; i++) {
                    if (open.size() > random.nextInt(6)) {
                        (random.nextBoolean() ? open.pollFirst() : open.pollLast()).close();
                    } else if (spaces && random.nextInt(10) == 0) {
                        open.add(locker.lockAddressSpace(AddressSpaceScope.values()[random.nextInt(2)]));
                    } else {
                        int first = random.nextInt(24);
                        MemoryRange range = pages(first, 1 + random.nextInt(8));
                        boolean onFault = rules.has(KernelRules.Trait.ON_FAULT) && random.nextInt(4) == 0;
                        PageLock lock = onFault ? locker.lock(range, LockOption.ON_FAULT) : locker.lock(range);
                        open.add(lock);
                        // While everything is dropped and locked again, FreeBSD and others have a gap.
                        boolean steady = !spaces && !rules.has(KernelRules.Trait.FAILED_LOCK_ALL_LEAVES_FUTURE);
                        assertTrue(onFault || !steady || lock.isValid(), "seed " + seed);
                    }
                }
                while (!open.isEmpty()) {
                    open.poll().close();
                }
                return null;
            }));
        }
        for (Future<Void> each : all) {
            each.get(60, TimeUnit.SECONDS);
        }
        assertEquals(0, kernel.lockedBytes(), "seed " + seed);
        assertEquals(0, locker.statistics().openHandles());
        assertEquals(0, locker.statistics().lockedBytes());
        assertEquals(0, locker.statistics().leftoverBytes());
        assertEquals(FakeKernel.Mode.NONE, kernel.future());
    }

    @ParameterizedTest
    @MethodSource("systems")
    void L16_handlesOutliveLocksOfThreadsThatComeAndGo(KernelRules rules) throws Exception {
        start(rules);
        PageLock steady = locker.lock(pages(4, 8));
        CountDownLatch done = new CountDownLatch(4);
        List<Future<Void>> all = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            SplittableRandom random = new SplittableRandom(thread);
            all.add(start(() -> {
                for (int i = 0; i < 1500; i++) {
                    locker.lock(pages(random.nextInt(12), 1 + random.nextInt(8)))
                            .close();
                }
                done.countDown();
                return null;
            }));
        }
        while (!done.await(0, TimeUnit.MILLISECONDS)) {
            assertTrue(kernel.isAllLocked(memory + 4 * PAGE, 8 * PAGE));
        }
        for (Future<Void> each : all) {
            within(each);
        }
        steady.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L15_aLongLockDelaysNoOtherRangeAndNoQuestion() throws Exception {
        start(Systems.of("linux"));
        PageLock open = locker.lock(pages(8, 1));
        try (HeldUp held = new HeldUp(Call.MLOCK, memory)) {
            Future<PageLock> slow = start(() -> locker.lock(pages(0, 2)));
            held.awaitArrival();
            within(start(() -> {
                locker.lock(pages(4, 2)).close();
                open.close();
                locker.statistics();
                locker.limits();
                locker.pageStates(pages(0, 8));
                locker.forecast(PAGE);
                return null;
            }));
            within(start(() -> {
                AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
                all.close();
                return null;
            }));
            assertFalse(slow.isDone());
            Future<PageLock> same = start(() -> locker.lock(pages(1, 1)));
            assertTrue(isWaiting(same), "two calls for one page were under way");
            held.close();
            PageLock second = within(same);
            within(slow).close();
            assertTrue(kernel.isLocked(memory + PAGE));
            second.close();
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @ParameterizedTest
    @MethodSource("systems")
    void aLockInFlightIsNotLostWhenTheAddressSpaceIsUnlocked(KernelRules rules) throws Exception {
        start(rules);
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        // Held up after the kernel has locked, so that munlockall drops what the call just did.
        kernel.intercept(new FakeKernel.Interceptor() {
            @Override
            public Errno before(Call call, long address, long length) {
                return Errno.OK;
            }

            @Override
            public void after(Call call, long address, long length, Errno result) {
                if (call == Call.MLOCK && address == memory && until.getCount() > 0) {
                    arrived.countDown();
                    await(until);
                }
            }
        });
        Future<PageLock> slow = start(() -> locker.lock(pages(0, 2)));
        assertTrue(arrived.await(60, TimeUnit.SECONDS));
        within(start(() -> {
            all.close();
            return null;
        }));
        until.countDown();
        try (PageLock lock = within(slow)) {
            assertTrue(kernel.isAllLocked(memory, 2 * PAGE), "the lock was dropped and not repeated");
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aLockInFlightThatIsWeakenedIsAskedForAgainBeforeItEnds() throws Exception {
        start(Systems.of("linux"));
        CountDownLatch locked = new CountDownLatch(1);
        CountDownLatch weakened = new CountDownLatch(1);
        CountDownLatch untilLocked = new CountDownLatch(1);
        CountDownLatch untilWeakened = new CountDownLatch(1);
        kernel.intercept(new FakeKernel.Interceptor() {
            @Override
            public Errno before(Call call, long address, long length) {
                return Errno.OK;
            }

            @Override
            public void after(Call call, long address, long length, Errno result) {
                if (call == Call.MLOCK && address == memory) {
                    locked.countDown();
                    await(untilLocked);
                } else if (call == Call.MLOCKALL) {
                    weakened.countDown();
                    await(untilWeakened);
                }
            }
        });
        Future<PageLock> slow = start(() -> locker.lock(pages(0, 2)));
        assertTrue(locked.await(60, TimeUnit.SECONDS));
        Future<AddressSpaceLock> all =
                start(() -> locker.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT));
        assertTrue(weakened.await(60, TimeUnit.SECONDS));
        untilLocked.countDown();
        assertTrue(isWaiting(slow), "a lock that was weakened ended");
        untilWeakened.countDown();
        try (PageLock lock = within(slow)) {
            assertEquals(2, kernel.count(Call.MLOCK));
        }
        within(all).close();
        assertEquals(0, kernel.lockedBytes());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(120, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aHandleClosedWhileAnotherLocksTheSamePagesLeavesThem() throws Exception {
        start(Systems.of("linux"));
        PageLock first = locker.lock(pages(0, 2));
        try (HeldUp held = new HeldUp(Call.MLOCK, memory)) {
            Future<PageLock> second = start(() -> locker.lock(pages(0, 2)));
            held.awaitArrival();
            first.close();
            assertEquals(0, kernel.count(Call.MUNLOCK), "the second lock is under way and needs the pages");
            held.close();
            PageLock lock = within(second);
            assertTrue(kernel.isAllLocked(memory, 2 * PAGE));
            lock.close();
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aLockFailingWhileAnotherHandleClosedUnlocksForBoth() throws Exception {
        start(Systems.of("linux"));
        PageLock first = locker.lock(pages(0, 2));
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK) {
                arrived.countDown();
                await(until);
                return Errno.EAGAIN;
            }
            return Errno.OK;
        });
        Future<PageLock> second = start(() -> locker.lock(pages(0, 4)));
        assertTrue(arrived.await(60, TimeUnit.SECONDS));
        first.close();
        until.countDown();
        ExecutionException failure = assertThrows(ExecutionException.class, () -> within(second));
        assertTrue(failure.getCause() instanceof PageLockException, failure.toString());
        assertEquals(0, kernel.lockedBytes(), "what the closed handle left to the failing one");
        assertEquals(0, locker.statistics().lockedBytes());
    }

    @Test
    void aLockWaitsForAnUnlockThatBeganBesideAFailedLock() throws Exception {
        start(Systems.of("linux"));
        PageLock first = locker.lock(pages(0, 2));
        CountDownLatch failing = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        CountDownLatch untilFailed = new CountDownLatch(1);
        CountDownLatch untilClosed = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && length == 4 * PAGE) {
                return Errno.EAGAIN;
            }
            if (call == Call.MUNLOCK && address == memory + 2 * PAGE) {
                failing.countDown();
                await(untilFailed);
            } else if (call == Call.MUNLOCK && address == memory) {
                closing.countDown();
                await(untilClosed);
            }
            return Errno.OK;
        });
        Future<PageLock> failed = start(() -> locker.lock(pages(0, 4)));
        assertTrue(failing.await(60, TimeUnit.SECONDS));
        Future<Void> closed = start(() -> {
            first.close();
            return null;
        });
        assertTrue(closing.await(60, TimeUnit.SECONDS));
        untilFailed.countDown();
        assertThrows(ExecutionException.class, () -> within(failed));
        Future<PageLock> second = start(() -> locker.lock(pages(1, 1)));
        assertTrue(isWaiting(second), "a lock overtook the unlock of its page");
        untilClosed.countDown();
        within(closed);
        try (PageLock lock = within(second)) {
            assertTrue(kernel.isLocked(memory + PAGE));
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aLockWaitsForTheUnlockOfItsPages() throws Exception {
        start(Systems.of("linux"));
        PageLock first = locker.lock(pages(0, 2));
        try (HeldUp held = new HeldUp(Call.MUNLOCK, memory)) {
            Future<Void> closing = start(() -> {
                first.close();
                return null;
            });
            held.awaitArrival();
            Future<PageLock> second = start(() -> locker.lock(pages(1, 2)));
            assertTrue(isWaiting(second), "a lock overtook the unlock of its page");
            held.close();
            within(closing);
            try (PageLock lock = within(second)) {
                assertTrue(kernel.isAllLocked(memory + PAGE, 2 * PAGE));
            }
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L8_twoThreadsCloseOneHandle() throws Exception {
        start(Systems.of("linux"));
        PageLock lock = locker.lock(pages(0, 2));
        try (HeldUp held = new HeldUp(Call.MUNLOCK, memory)) {
            Future<Void> first = start(() -> {
                lock.close();
                return null;
            });
            held.awaitArrival();
            within(start(() -> {
                lock.close();
                return null;
            }));
            held.close();
            within(first);
        }
        assertEquals(1, kernel.count(Call.MUNLOCK));
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void anInterruptedThreadWaitsItsTurnAndStaysInterrupted() throws Exception {
        start(Systems.of("linux"));
        try (HeldUp held = new HeldUp(Call.MLOCK, memory)) {
            Future<PageLock> slow = start(() -> locker.lock(pages(0, 2)));
            held.awaitArrival();
            CountDownLatch begun = new CountDownLatch(1);
            Future<Boolean> interrupted = start(() -> {
                Thread.currentThread().interrupt();
                begun.countDown();
                try (PageLock lock = locker.lock(pages(0, 2))) {
                    return Thread.interrupted();
                }
            });
            begun.await();
            assertTrue(isWaiting(interrupted));
            within(start(() -> {
                locker.lock(pages(8, 1)).close();
                return null;
            }));
            held.close();
            within(slow).close();
            assertTrue(within(interrupted), "the interrupt was swallowed");
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void anInterruptedThreadLocksAndClosesAsUsualAndStaysInterrupted() {
        start(Systems.of("linux"));
        Thread.currentThread().interrupt();
        try (PageLock one = locker.lock(pages(0, 2));
                PageLock batch = locker.lock(List.of(pages(6, 1), pages(1, 2)))) {
            assertTrue(one.isValid() && batch.isValid());
            assertTrue(kernel.isAllLocked(memory, 3 * PAGE) && kernel.isLocked(memory + 6 * PAGE));
            assertThrows(PageLockException.class, () -> locker.lock(pages(31, 2)), "a hole");
        }
        assertTrue(Thread.interrupted(), "the interrupt was swallowed");
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void anInterruptedWaitForAnAsynchronousLockDoesNotDisturbIt() throws Exception {
        start(Systems.of("linux"));
        try (HeldUp held = new HeldUp(Call.MLOCK, memory)) {
            PendingLock pending = locker.lockAsync(pages(0, 2));
            held.awaitArrival();
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, pending::get);
            held.close();
            try (PageLock lock = within(pending)) {
                assertTrue(lock.isValid() && kernel.isAllLocked(memory, 2 * PAGE));
            }
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aHandleDroppedWhileAnotherThreadLocksIsUnlockedOnce() throws Exception {
        start(Systems.of("linux"));
        PageLock open = locker.lock(pages(0, 2));
        for (int i = 0; i < 20; i++) {
            locker.lock(pages(i % 4, 4));
        }
        long end = System.nanoTime() + 60_000_000_000L;
        while (locker.statistics().leakedHandles() < 20 || kernel.lockedBytes() > 2 * PAGE) {
            assertTrue(System.nanoTime() < end, "leaked " + locker.statistics().leakedHandles());
            locker.lock(pages(2, 4)).close();
            assertTrue(kernel.isAllLocked(memory, 2 * PAGE));
            System.gc();
            Thread.sleep(5);
        }
        open.close();
        assertEquals(0, kernel.lockedBytes());
        assertEquals(0, locker.statistics().openHandles());
    }

    /** What a lock under way should have locked again for others is lost with it, full or on fault. */
    @Test
    void A3_everyHandleThatIsLostWithALockUnderWaySaysSo() throws Exception {
        start(Systems.of("linux"));
        PageLock full = locker.lock(pages(0, 3));
        PageLock onFault = locker.lock(pages(4, 2), LockOption.ON_FAULT);
        AddressSpaceLock space = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        PendingLock pending;
        try (HeldUp held = new HeldUp(Call.MLOCK, memory + 2 * PAGE)) {
            pending = locker.lockAsync(pages(2, 3));
            held.awaitArrival();
            space.close();
            kernel.setLimit(PAGE);
        }
        assertThrows(ExecutionException.class, () -> within(pending));
        assertFalse(full.isValid(), "page 2 is not locked any more");
        assertFalse(onFault.isValid(), "page 4 is not locked any more");
        full.close();
        onFault.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L19_moreLocksThanTheQueueTakesAllEnd() throws Exception {
        start(Systems.of("freebsd"));
        kernel.aio().setLimit(4);
        List<PendingLock> pending = new ArrayList<>();
        kernel.aio().hold(true);
        for (int i = 0; i < 32; i++) {
            pending.add(locker.lockAsync(pages(i, 1)));
        }
        assertEquals(4, kernel.aio().unreaped());
        kernel.aio().hold(false);
        for (PendingLock each : pending) {
            within(each).close();
        }
        assertEquals(0, kernel.aio().unreaped());
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L19_aQueueFullOfOthersIsRefusedByName() {
        start(Systems.of("freebsd"));
        kernel.aio().setOthers(1024);
        PendingLock pending = locker.lockAsync(pages(0, 1));
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> within(pending));
        assertEquals(Reason.QUEUE_FULL, ((PageLockException) thrown.getCause()).reason());
        assertEquals(0, locker.statistics().openHandles());
    }

    /** By the backend while the queue is full, and by a system that can call off what waits for its threads. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void L19_whatIsCancelledInTheQueueNeverLocks(boolean bySystem) throws Exception {
        KernelRules rules = Systems.of("freebsd");
        start(bySystem ? rules : rules.without(KernelRules.Trait.CANCELS_QUEUED));
        int running = bySystem ? 31 : 1;
        CountDownLatch others = new CountDownLatch(bySystem ? 1 : 0);
        kernel.aio().hold(true);
        if (bySystem) {
            // Of 32 threads, one waits with a job of other code.
            kernel.aio().mlock(new FakeAio.Block(memory, 0, -1), others::countDown);
        } else {
            kernel.aio().setLimit(1);
        }
        List<PendingLock> pending = new ArrayList<>();
        for (int i = 0; i < running; i++) {
            pending.add(locker.lockAsync(pages(i, 1)));
        }
        PendingLock last = locker.lockAsync(pages(31, 1));
        assertTrue(last.cancel(false));
        awaitHandles(running);
        kernel.aio().hold(false);
        for (PendingLock each : pending) {
            within(each).close();
        }
        await(others);
        assertEquals(running + (bySystem ? 1 : 0), kernel.count(Call.MLOCK));
        assertFalse(kernel.isLocked(memory + 31 * PAGE));
    }

    /** 64 MiB in pages of 2 MiB. */
    private MemoryRange startLarge() {
        kernel = new FakeKernel(Systems.of("freebsd").withPageSize(2L << 20));
        locker = PageLockers.over(new FakeBackend(kernel));
        memory = kernel.map(32, Kind.ANONYMOUS);
        return MemoryRange.of(memory, 64L << 20);
    }

    @Test
    void L20_theSystemLocksALargeRangeInStepsToo() throws Exception {
        MemoryRange all = startLarge();
        PendingLock pending = locker.lockAsync(all);
        PageLock lock = within(pending);
        assertTrue(kernel.count(Call.MLOCK) > 1, "one call held the memory map for all of it");
        assertTrue(kernel.isAllLocked(memory, all.length()));
        assertEquals(all.length(), pending.lockedBytes());
        lock.close();
        assertEquals(0, kernel.aio().unreaped());
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L19_whatTheSystemLocksIsCancelledAtTheNextStep() throws Exception {
        MemoryRange all = startLarge();
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && address != memory) {
                arrived.countDown();
                await(until);
            }
            return Errno.OK;
        });
        PendingLock pending = locker.lockAsync(all);
        assertTrue(arrived.await(60, TimeUnit.SECONDS));
        assertEquals(4L << 20, pending.lockedBytes());
        assertTrue(pending.cancel(false));
        until.countDown();
        awaitHandles(0);
        assertEquals(2, kernel.count(Call.MLOCK));
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void A3_aLockThatBeganAfterALossIsNotLost() throws Exception {
        start(Systems.of("freebsd"));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        PageLock lost = locker.lock(pages(0, 2));
        PageLock other = locker.lock(pages(8, 2));
        AtomicBoolean refuse = new AtomicBoolean(true);
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch until = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && address == memory && refuse.getAndSet(false)) {
                return Errno.EAGAIN;
            }
            if (call == Call.MLOCK && address == memory + 8 * PAGE) {
                arrived.countDown();
                await(until);
            }
            return Errno.OK;
        });
        Future<Void> closing = start(() -> {
            all.close();
            return null;
        });
        assertTrue(arrived.await(60, TimeUnit.SECONDS));
        PageLock late = locker.lock(pages(0, 2));
        until.countDown();
        assertThrows(ExecutionException.class, () -> within(closing));
        assertFalse(lost.isValid());
        assertTrue(late.isValid() && kernel.isAllLocked(memory, 2 * PAGE));
        // A handle that nobody has would not be locked again.
        other.close();
    }

    @ParameterizedTest
    @MethodSource("unexpected")
    void A3_whatIsNotLockedAgainIsLostWhateverTheBackendThrows(Throwable thrown) {
        start(Systems.of("freebsd"));
        AtomicBoolean fails = new AtomicBoolean();
        locker = PageLockers.over(new PassingBackend(new FakeBackend(kernel)) {
            @Override
            public Optional<List<MemoryRange>> mapped(MemoryRange range) {
                if (fails.get()) {
                    EngineThreadsTest.<RuntimeException>sneak(thrown);
                }
                return super.mapped(range);
            }
        });
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        PageLock first = locker.lock(pages(0, 4));
        kernel.unmap(memory + PAGE, 1);
        PageLock second = locker.lock(pages(8, 2));
        fails.set(true);
        try {
            all.close();
        } catch (PageLockException | OutOfMemoryError e) {
            fails.set(false);
        }
        assertFalse(all.isValid());
        assertTrue(kernel.isLocked(memory) || !first.isValid());
        assertTrue(kernel.isAllLocked(memory + 8 * PAGE, 2 * PAGE) || !second.isValid());
        fails.set(false);
        first.close();
        second.close();
        assertEquals(0, kernel.lockedBytes());
    }

    static List<Throwable> unexpected() {
        return List.of(new IllegalStateException("unreadable"), new OutOfMemoryError("test"));
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void A9_aLargeLockThatFailsDoesNotWeakenTheAddressSpace() throws Exception {
        start(Systems.of("linux"));
        long large = kernel.map(4096, Kind.ANONYMOUS);
        CountDownLatch looked = new CountDownLatch(1);
        CountDownLatch untilCovered = new CountDownLatch(1);
        CountDownLatch weak = new CountDownLatch(1);
        CountDownLatch untilCancelled = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK2) {
                looked.countDown();
                await(untilCovered);
            } else if (call == Call.MLOCK) {
                weak.countDown();
                await(untilCancelled);
            }
            return Errno.OK;
        });
        PendingLock pending = locker.lockAsync(MemoryRange.of(large, 4096 * PAGE));
        assertTrue(looked.await(60, TimeUnit.SECONDS));
        AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
        untilCovered.countDown();
        assertTrue(weak.await(60, TimeUnit.SECONDS));
        assertTrue(pending.cancel(false));
        untilCancelled.countDown();
        awaitHandles(0);
        assertEquals(FakeKernel.Mode.FULL, kernel.mode(large + 4000 * PAGE));
        all.close();
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L18_aFailedLockThatCouldNotBeUndoneIsNoLeak() throws Exception {
        start(Systems.of("linux"));
        kernel.failAt(Call.MLOCK, 1, Errno.EAGAIN);
        kernel.throwAt(Call.MUNLOCK, 1, new OutOfMemoryError("test"), false);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 2)));
        for (int i = 0; i < 10; i++) {
            System.gc();
            Thread.sleep(20);
        }
        locker.lock(pages(20, 1)).close();
        awaitHandles(0);
        assertEquals(0, locker.statistics().leakedHandles());
        assertEquals(0, kernel.lockedBytes());
    }

    /** Takes the ten seconds that the reaper waits for handles. */
    @Test
    void L18_theReaperTriesAgainWithoutAnyCall() throws Exception {
        start(Systems.of("linux"));
        kernel.unmap(memory + 2 * PAGE, 1);
        // Not what an unlock over a hole leaves, so the engine does not go round.
        kernel.failAt(Call.MUNLOCK, 1, Errno.EPERM);
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 4)));
        assertTrue(locker.statistics().leftoverBytes() > 0);
        long end = System.nanoTime() + 100_000_000_000L;
        while (locker.statistics().leftoverBytes() > 0) {
            assertTrue(System.nanoTime() < end, "the reaper does not try again");
            Thread.sleep(10);
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void L18_everyHoldThatIsLeftOverHasItsTurn() throws Exception {
        start(Systems.of("linux"));
        AtomicBoolean fails = new AtomicBoolean(true);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && fails.get()) {
                return Errno.EAGAIN;
            }
            if (call == Call.MUNLOCK && (address == memory + 8 * PAGE || address == memory && fails.get())) {
                throw new OutOfMemoryError("test");
            }
            return Errno.OK;
        });
        assertThrows(PageLockException.class, () -> locker.lock(pages(0, 2)));
        assertThrows(PageLockException.class, () -> locker.lock(pages(8, 2)));
        fails.set(false);
        for (int i = 0; i < 3; i++) {
            locker.lock(pages(20, 1)).close();
        }
        assertEquals(0, locker.statistics().openHandles());
        assertEquals(
                2 * PAGE,
                locker.statistics().leftoverBytes(),
                "the one that always fails keeps the other from its turn");
    }

    @Test
    void whoWaitsForWhatAFailedLockGivesUpIsToldAtOnce() throws Exception {
        start(Systems.of("linux"));
        PageLock first = locker.lock(pages(0, 2));
        CountDownLatch locking = new CountDownLatch(1);
        CountDownLatch untilLocked = new CountDownLatch(1);
        CountDownLatch untilUnlocked = new CountDownLatch(1);
        kernel.intercept((call, address, length) -> {
            if (call == Call.MLOCK && length == 4 * PAGE) {
                locking.countDown();
                await(untilLocked);
                return Errno.EAGAIN;
            }
            if (call == Call.MUNLOCK && address == memory + 2 * PAGE) {
                await(untilUnlocked);
            }
            return Errno.OK;
        });
        Future<PageLock> failed = start(() -> locker.lock(pages(0, 4)));
        assertTrue(locking.await(60, TimeUnit.SECONDS));
        Future<PageLock> waiting = start(() -> locker.lock(pages(0, 1)));
        PendingLock parked = locker.lockAsync(pages(1, 1));
        assertTrue(isWaiting(waiting) && isWaiting(parked));
        untilLocked.countDown();
        within(waiting).close();
        within(parked).close();
        assertFalse(failed.isDone());
        untilUnlocked.countDown();
        assertThrows(ExecutionException.class, () -> within(failed));
        first.close();
        assertEquals(0, kernel.lockedBytes());
    }

    private void awaitHandles(long count) throws InterruptedException {
        long end = System.nanoTime() + 60_000_000_000L;
        while (locker.statistics().openHandles() != count) {
            assertTrue(
                    System.nanoTime() < end,
                    () -> "still open: " + locker.statistics().openHandles());
            Thread.sleep(1);
        }
    }
}
