// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.engine.PageLockers;
import java.lang.invoke.MethodHandles;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** aio_mlock, the seed of this backend, through the stand-in. */
@Timeout(300)
class AioLocksTest {
    private static final long PAGE = FreeBsd.PAGE;
    private static final int QUEUE = 256;
    private static final long SECONDS = 1_000_000_000L;

    private final List<Pointer> foreign = new ArrayList<>();
    /** Nanoseconds. Stands still but where a test lets jobs wait for too long. */
    private final AtomicLong clock = new AtomicLong(1);

    private StandIn kernel;
    private FreeBsdBackend backend;
    private PageLocker locker;

    @BeforeEach
    void boot() {
        kernel = FreeBsd.standIn();
        backend = FreeBsd.backend(clock::get);
        locker = PageLockers.over(backend);
        assertEquals(0, kernel.get("jobs"), "jobs of an earlier test");
    }

    @AfterEach
    void halt() throws InterruptedException {
        FreeBsd.reboot();
        await(() -> kernel.get("queued") + kernel.get("running") == 0);
        foreign.forEach(block -> kernel.call("aio_return", block));
        await(() -> kernel.get("jobs") == 0);
        kernel.reset();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + 60 * SECONDS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "waited for too long");
            Thread.sleep(1);
        }
    }

    private static MemoryRange pages(long address, long count) {
        return MemoryRange.of(address, count * PAGE);
    }

    private PendingLock submit(long address, long pages) {
        return locker.lockAsync(pages(address, pages));
    }

    private static PageLock result(PendingLock pending) throws Exception {
        return pending.get(60, TimeUnit.SECONDS);
    }

    private static PageLockException refusal(Reason reason, PendingLock pending, String... words) {
        ExecutionException failed = assertThrows(ExecutionException.class, () -> pending.get(60, TimeUnit.SECONDS));
        PageLockException refused = (PageLockException) failed.getCause();
        assertEquals(reason, refused.reason(), refused.getMessage());
        for (String word : words) {
            String all = refused.getMessage() + refused.remedies();
            assertTrue(all.contains(word), "no \"" + word + "\" in: " + all);
        }
        return refused;
    }

    /** Fills the queue with jobs that other code of this process never reaps. */
    private void fill(int jobs) {
        long address = kernel.map(1);
        for (int i = 0; i < jobs; i++) {
            Memory block = new Memory(FreeBsd.LAYOUT.size);
            assertEquals(0, FreeBsd.submitForeign(block, address, 0));
            foreign.add(block);
        }
    }

    private void assertAllReaped(long submitted) throws InterruptedException {
        await(() -> kernel.get("jobs") == foreign.size());
        assertEquals(submitted, kernel.calls("aio_return"));
    }

    @Test
    void aLockBySystemLocksAndIsReapedOnce() throws Exception {
        long address = kernel.map(3);
        try (PageLock lock = result(submit(address, 2))) {
            assertEquals("110", kernel.locked(address, 3));
            assertTrue(lock.isValid());
            assertEquals(0, kernel.calls("mlock"));
            assertAllReaped(1);
        }
        assertEquals("000", kernel.locked(address, 3));
    }

    /** Only a large range is locked in steps, which end at multiples of their size. */
    @Test
    void aSmallLockIsOneJobWhereverItLies() throws Exception {
        long step = 4 << 20;
        long address = kernel.map(step / PAGE + 2);
        long multiple = address + step & -step;
        try (PageLock lock = result(submit(multiple - PAGE, 2))) {
            assertTrue(lock.isValid());
            assertAllReaped(1);
        }
    }

    @Test
    void lockAsyncReturnsWhileTheKernelIsAtIt() throws Exception {
        kernel.set("aio_hold", 1);
        PendingLock pending = submit(kernel.map(1), 1);
        await(() -> kernel.get("running") == 1);
        assertFalse(pending.isDone());
        kernel.set("aio_hold", 0);
        result(pending).close();
    }

    @Test
    void theThreadThatWaitsIsOneDaemonAndDoesNotPoll() throws Exception {
        kernel.set("aio_hold", 1);
        long address = kernel.map(8);
        List<PendingLock> pending = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            pending.add(submit(address + i * PAGE, 1));
        }
        // A thread that is still busy with the submissions calls once for each.
        long calls;
        do {
            calls = kernel.calls("kevent");
            Thread.sleep(300);
        } while (calls == 0 || kernel.calls("kevent") != calls);
        long threads = threads().count();
        long since = System.nanoTime();
        calls = kernel.calls("kevent");
        Thread.sleep(300);
        long more = kernel.calls("kevent") - calls;
        // Once a second each, and those of earlier tests that have not ended yet.
        long most = threads * (1 + (System.nanoTime() - since) / SECONDS);
        assertTrue(more <= most, threads + " threads called kevent " + more + " times while nothing happened");
        assertEquals(0, kernel.calls("aio_error"));
        assertEquals(0, kernel.calls("aio_suspend"));
        kernel.set("aio_hold", 0);
        for (PendingLock each : pending) {
            result(each).close();
        }
        threads().forEach(thread -> assertTrue(thread.isDaemon()));
    }

    private static Stream<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("pagelock-aio"));
    }

    @Test
    void aLateRefusalIsExplainedLikeThatOfMlock() throws Exception {
        long address = kernel.map(8);
        kernel.set("others_wired", 401644);
        refusal(Reason.NO_LOCKABLE_MEMORY, submit(address, 1), "vm.max_user_wired");
        kernel.set("others_wired", 0);

        kernel.set("unprivileged_mlock", 0);
        kernel.set("euid", 1001);
        refusal(Reason.NOT_PERMITTED, submit(address, 1), "EPERM", "security.bsd.unprivileged_mlock=1");
        kernel.set("jailed", 1);
        refusal(Reason.NOT_PERMITTED, submit(address, 1), "EPERM", "allow.mlock");
        kernel.set("jailed", 0);
        kernel.set("unprivileged_mlock", 1);

        kernel.fail("aio_job", 1, 22);
        refusal(Reason.UNKNOWN, submit(address, 1), "EINVAL", "aio_mlock");
        long file = kernel.mapFile(3);
        kernel.set("unreadable", file + PAGE);
        refusal(Reason.IO_ERROR, submit(file, 3), "ENOMEM", "0x" + Long.toHexString(file + PAGE));
        kernel.set("unreadable", 0);
        kernel.fail("aio_job", 1, 85);
        refusal(Reason.CANCELLED, submit(address, 1), "ECANCELED");
        assertAllReaped(6);
        assertEquals("00000000", kernel.locked(address, 8));
    }

    @Test
    void aRefusedSubmissionIsExplained() {
        long address = kernel.map(1);
        kernel.fail("aio_mlock", 1, 35);
        refusal(Reason.QUEUE_FULL, submit(address, 1), "EAGAIN", "vfs.aio.max_aio_queue_per_proc");
        kernel.fail("aio_mlock", 1, 22);
        refusal(Reason.UNKNOWN, submit(address, 1), "EINVAL");
        assertEquals(0, kernel.calls("aio_return"));
    }

    @Test
    void aLengthThatFreeBsd10DoesNotTakeIsExplained() {
        kernel.set("osreldate", 1004000);
        kernel.set("nbytes_max", Integer.MAX_VALUE);
        FreeBsdBackend old = FreeBsd.backend();
        // The engine's steps are shorter. Refused for its length, so nothing has to be there; low enough for 32 bits.
        PageLockException refused =
                assertThrows(PageLockException.class, () -> old.lockAsync(16 * PAGE, 1L << 31, ignored -> {}));
        assertEquals(Reason.NOT_SUPPORTED, refused.reason());
        assertTrue(refused.detail().contains("2147483648"), refused.detail());
        assertTrue(refused.detail().contains("debug.iosize_max_clamp"), refused.detail());
    }

    @Test
    void withoutTheModuleAioMlockIsNeverCalled() throws Exception {
        kernel.set("aio_feature", 0);
        backend = FreeBsd.backend();
        assertFalse(backend.capabilities().contains(Capability.NATIVE_ASYNC));
        assertTrue(backend.info().notes().toString().contains("kldload aio"));
        long address = kernel.map(1);
        PageLock lock = result(PageLockers.over(backend).lockAsync(pages(address, 1)));
        assertEquals("1", kernel.locked(address, 1));
        lock.close();
        assertEquals(0, kernel.calls("aio_mlock"));
        assertEquals(1, kernel.calls("mlock"));
    }

    @Test
    void aQueueFullOfOthersIsAReason() {
        fill(QUEUE);
        refusal(Reason.QUEUE_FULL, submit(kernel.map(1), 1), "256 per process", "1024 in all");
    }

    @Test
    void aQueueFullOverAllProcessesIsAReason() {
        kernel.set("others_aio", 1024);
        refusal(Reason.QUEUE_FULL, submit(kernel.map(1), 1), "vfs.aio.max_aio_queue");
    }

    @Test
    void beyondTheLimitJobsWaitForOurOwn() throws Exception {
        fill(QUEUE - 1);
        kernel.set("aio_hold", 1);
        long address = kernel.map(3);
        List<PendingLock> pending = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pending.add(submit(address + i * PAGE, 1));
        }
        assertEquals(QUEUE, kernel.get("jobs"));
        assertFalse(pending.get(2).isDone());
        kernel.set("aio_hold", 0);
        List<PageLock> locks = new ArrayList<>();
        for (PendingLock each : pending) {
            locks.add(result(each));
        }
        assertEquals("111", kernel.locked(address, 3));
        locks.forEach(PageLock::close);
        assertAllReaped(3);
    }

    @Test
    void ifOthersTakeTheRoomThatWasWaitedForTheQueueIsFull() throws Exception {
        fill(QUEUE - 1);
        kernel.set("aio_hold", 1);
        long address = kernel.map(3);
        PendingLock first = submit(address, 1);
        PendingLock second = submit(address + PAGE, 1);
        PendingLock third = submit(address + 2 * PAGE, 1);
        kernel.set("others_aio", 1024);
        kernel.set("aio_hold", 0);
        result(first).close();
        refusal(Reason.QUEUE_FULL, second);
        refusal(Reason.QUEUE_FULL, third);
        assertEquals("000", kernel.locked(address, 3));
    }

    @Test
    void cancelledInTheKernelsQueueIsNeverLocked() throws Exception {
        kernel.set("aio_queue_hold", 1);
        long address = kernel.map(1);
        PendingLock pending = submit(address, 1);
        assertEquals(1, kernel.get("queued"));
        assertTrue(pending.cancel(true));
        assertThrows(CancellationException.class, pending.toCompletableFuture()::join);
        assertAllReaped(1);
        kernel.set("aio_queue_hold", 0);
        assertEquals(0, kernel.calls("aio_job"));
        assertEquals("0", kernel.locked(address, 1));
        locker.lock(pages(address, 1)).close();
    }

    /** All threads of the kernel are blocked by others' jobs that never end. */
    @Test
    void whatTheKernelDoesNotBeginIsCalledOffAndLockedByMlock() throws Exception {
        kernel.set("aio_queue_hold", 1);
        long address = kernel.map(3);
        PendingLock first = submit(address, 1);
        PendingLock second = submit(address + PAGE, 2);
        clock.addAndGet(AioJobs.PATIENCE_NANOS);
        List<PageLock> locks = Arrays.asList(result(first), result(second));
        assertEquals("111", kernel.locked(address, 3));
        assertEquals(0, kernel.calls("aio_job"));
        assertEquals(2, kernel.calls("mlock"));
        locks.forEach(PageLock::close);
        assertAllReaped(2);
    }

    @Test
    void whatWaitsForRoomIsCalledOffWithIt() throws Exception {
        fill(QUEUE - 1);
        kernel.set("aio_queue_hold", 1);
        long address = kernel.map(3);
        List<PendingLock> pending = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pending.add(submit(address + i * PAGE, 1));
        }
        clock.addAndGet(AioJobs.PATIENCE_NANOS);
        for (PendingLock each : pending) {
            result(each).close();
        }
        assertEquals(3, kernel.calls("mlock"));
        kernel.set("aio_queue_hold", 0);
        assertAllReaped(kernel.calls("aio_return"));
    }

    @Test
    void whatRunsIsNotCalledOffHoweverLongItTakes() throws Exception {
        kernel.set("aio_hold", 1);
        PendingLock pending = submit(kernel.map(1), 1);
        await(() -> kernel.get("running") == 1);
        clock.addAndGet(3600 * SECONDS);
        await(() -> kernel.calls("aio_cancel") == 1);
        long looks = kernel.calls("kevent");
        await(() -> kernel.calls("kevent") >= looks + 2);
        assertFalse(pending.isDone());
        assertEquals(1, kernel.calls("aio_cancel"), "asked again and again");
        kernel.set("aio_hold", 0);
        result(pending).close();
        assertEquals(0, kernel.calls("mlock"));
    }

    @Test
    void inCapabilityModeAThreadLocks() throws Exception {
        kernel.set("capmode", 1);
        long address = kernel.map(1);
        try (PageLock lock = result(submit(address, 1))) {
            assertEquals("1", kernel.locked(address, 1));
            assertTrue(lock.isValid());
        }
        assertEquals(1, kernel.calls("mlock"));
    }

    @Test
    void cancelledWhileRunningIsUnlockedWhenItIsDone() throws Exception {
        kernel.set("aio_hold", 1);
        long address = kernel.map(2);
        PendingLock pending = submit(address, 2);
        await(() -> kernel.get("running") == 1);
        assertTrue(pending.cancel(true));
        assertEquals(1, kernel.calls("aio_cancel"));
        kernel.set("aio_hold", 0);
        assertAllReaped(1);
        await(() -> locker.statistics().openHandles() == 0);
        assertEquals("00", kernel.locked(address, 2));
    }

    @Test
    void cancelledWhenDoneDoesNothing() throws Exception {
        long address = kernel.map(1);
        PendingLock pending = submit(address, 1);
        PageLock lock = result(pending);
        assertFalse(pending.cancel(true));
        assertEquals("1", kernel.locked(address, 1));
        assertEquals(0, kernel.calls("aio_cancel"));
        lock.close();
    }

    @Test
    void cancelledBeforeItIsQueuedIsReportedAtOnceAndNeverSubmitted() throws Exception {
        fill(QUEUE - 1);
        kernel.set("aio_hold", 1);
        long address = kernel.map(2);
        PendingLock running = submit(address, 1);
        PendingLock waiting = submit(address + PAGE, 1);
        long submissions = kernel.calls("aio_mlock");
        assertTrue(waiting.cancel(true));
        // The range is free again although nothing in the queue has moved.
        locker.lock(pages(address + PAGE, 1)).close();
        assertEquals(submissions, kernel.calls("aio_mlock"));
        kernel.set("aio_hold", 0);
        result(running).close();
        assertAllReaped(1);
    }

    @Test
    void aioCancelByOtherCodeCannotMeanOurJobs() throws Exception {
        kernel.set("aio_queue_hold", 1);
        PendingLock pending = submit(kernel.map(1), 1);
        assertEquals(3, kernel.call("aio_cancel", 0, null), "AIO_ALLDONE");
        kernel.set("aio_queue_hold", 0);
        result(pending).close();
    }

    @Test
    void theBufferOfAJobCannotBeCollected() throws Exception {
        kernel.set("aio_hold", 1);
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) (8 * PAGE));
        WeakReference<ByteBuffer> reference = new WeakReference<>(buffer);
        AtomicReference<PageLock> arrived = new AtomicReference<>();
        locker.lockAsync(buffer).thenAccept(arrived::set);
        buffer = null;
        await(() -> kernel.get("running") == 1);
        for (int i = 0; i < 5; i++) {
            System.gc();
            // Whatever is freed is overwritten by something soon.
            ByteBuffer.allocateDirect((int) (8 * PAGE)).put(new byte[(int) (8 * PAGE)]);
            new Memory(FreeBsd.LAYOUT.size).clear();
            Thread.sleep(10);
        }
        assertNotNull(reference.get(), "the buffer was collected while the kernel was locking it");
        kernel.set("aio_hold", 0);
        await(() -> arrived.get() != null);
        assertNotNull(reference.get(), "the buffer of an open handle was collected");
        assertTrue(arrived.get().isValid());
        arrived.getAndSet(null).close();
        assertAllReaped(1);
    }

    @Test
    void tenThousandLocksThroughTheQueueAreAllThereAndAllUnlocked() throws Exception {
        int count = 10_000;
        long before = ProcWitness.lockedBytes();
        long address = kernel.map(count);
        AtomicInteger locked = new AtomicInteger();
        List<CompletableFuture<?>> all = new ArrayList<>();
        // However quick the kernel is, its queue gets full.
        for (int i = 0; i < count; i++) {
            kernel.set("aio_hold", i <= QUEUE ? 1 : 0);
            all.add(submit(address + i * PAGE, 1).toCompletableFuture().thenAccept(lock -> {
                locked.incrementAndGet();
                lock.close();
            }));
        }
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(120, TimeUnit.SECONDS);
        assertEquals(count, locked.get());
        assertEquals(before, ProcWitness.lockedBytes());
        assertEquals(count, kernel.calls("aio_job"));
        long refused = kernel.calls("aio_mlock") - count;
        assertTrue(refused > 0, "the queue was never full");
        assertTrue(refused < count / 100, refused + " calls for which there was no room");
        assertAllReaped(count);
        assertEquals(0, locker.statistics().openHandles());
    }

    @Test
    void withoutKqueueJobsAreAwaitedByAioSuspend() throws Exception {
        kernel.fail("kqueue", 1, 24);
        kernel.set("aio_hold", 1);
        long address = kernel.map(3);
        List<PendingLock> pending = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pending.add(submit(address + i * PAGE, 1));
        }
        await(() -> kernel.calls("aio_suspend") > 0);
        kernel.set("aio_hold", 0);
        List<PageLock> locks = new ArrayList<>();
        for (PendingLock each : pending) {
            locks.add(result(each));
        }
        assertEquals("111", kernel.locked(address, 3));
        locks.forEach(PageLock::close);
        assertEquals(1, kernel.calls("kqueue"));
        assertAllReaped(3);
    }

    @Test
    void withoutKqueueALongJobDelaysNoLaterOne() throws Exception {
        kernel.fail("kqueue", 1, 24);
        kernel.set("aio_hold", 8 * PAGE);
        PendingLock slow = submit(kernel.map(8), 8);
        await(() -> kernel.calls("aio_suspend") >= 1);
        result(submit(kernel.map(1), 1)).close();
        assertFalse(slow.isDone());
        kernel.set("aio_hold", 0);
        result(slow).close();
        assertAllReaped(2);
    }

    @Test
    void withoutKqueueThousandsOfLocksAreAllThereToo() throws Exception {
        kernel.fail("kqueue", 1, 24);
        int count = 2_000;
        long before = ProcWitness.lockedBytes();
        long address = kernel.map(count);
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(submit(address + i * PAGE, 1).thenAccept(PageLock::close).toCompletableFuture());
        }
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(120, TimeUnit.SECONDS);
        assertEquals(before, ProcWitness.lockedBytes());
        assertAllReaped(count);
    }

    @Test
    void withoutKqueueACancelledBacklogIsReported() throws Exception {
        kernel.fail("kqueue", 1, 24);
        fill(QUEUE - 1);
        kernel.set("aio_hold", 1);
        long address = kernel.map(2);
        PendingLock running = submit(address, 1);
        PendingLock waiting = submit(address + PAGE, 1);
        await(() -> kernel.calls("aio_suspend") >= 1);
        assertTrue(waiting.cancel(true));
        locker.lock(pages(address + PAGE, 1)).close();
        kernel.set("aio_hold", 0);
        result(running).close();
    }

    @Test
    void aKqueueThatOtherCodeClosesLosesNoJob() throws Exception {
        kernel.set("aio_hold", 1);
        PendingLock before = submit(kernel.map(1), 1);
        await(() -> kernel.get("running") == 1);
        kernel.call("close", (int) kernel.get("kqueue"));
        PendingLock after = submit(kernel.map(1), 1);
        kernel.set("aio_hold", 0);
        result(before).close();
        result(after).close();
        assertAllReaped(2);
    }

    /** Leaves the thread asleep in kevent, without a job. */
    private int idle() throws Exception {
        result(submit(kernel.map(1), 1)).close();
        // The first job may have come before the first sleep, or within it.
        await(() -> kernel.calls("kevent") > 0);
        Thread.sleep(300);
        return (int) kernel.get("kqueue");
    }

    private static void soon(PendingLock pending) throws Exception {
        pending.get(60, TimeUnit.SECONDS).close();
    }

    @Test
    void aKqueueThatIsClosedWhileTheThreadIsIdleDelaysNothing() throws Exception {
        kernel.call("close", idle());
        soon(submit(kernel.map(1), 1));
        soon(submit(kernel.map(1), 1));
        assertAllReaped(3);
    }

    @Test
    void aDescriptorThatIsNoKqueueAnyMoreDelaysNothing() throws Exception {
        int queue = idle();
        kernel.call("close", queue);
        Function.getFunction("c", "dup2").invokeInt(new Object[] {2, queue});
        try {
            soon(submit(kernel.map(1), 1));
            assertAllReaped(2);
        } finally {
            kernel.call("close", queue);
        }
    }

    @Test
    void aCancelledBacklogIsReportedWithAClosedKqueueToo() throws Exception {
        fill(QUEUE - 1);
        kernel.set("aio_hold", 1);
        long address = kernel.map(2);
        PendingLock running = submit(address, 1);
        PendingLock waiting = submit(address + PAGE, 1);
        await(() -> kernel.calls("kevent") > 0);
        Thread.sleep(100);
        kernel.call("close", (int) kernel.get("kqueue"));
        assertTrue(waiting.cancel(true));
        // On a thread of its own, so that this test fails rather than waits without an end.
        soon(locker.lockAsync(Arrays.asList(pages(address + PAGE, 1)), task -> new Thread(task, "lock").start()));
        kernel.set("aio_hold", 0);
        result(running).close();
        assertAllReaped(1);
    }

    @Test
    void interruptedWaitsAreResumed() throws Exception {
        kernel.fail("kevent", 1, 4);
        result(submit(kernel.map(1), 1)).close();
        kernel.fail("kqueue", 1, 24);
        kernel.fail("aio_suspend", 1, 4);
        PageLocker other = PageLockers.over(FreeBsd.backend());
        result(other.lockAsync(pages(kernel.map(1), 1))).close();
    }

    @Test
    void aReportThatThrowsHarmsNoOther() throws Exception {
        CountDownLatch reported = new CountDownLatch(1);
        long address = kernel.map(2);
        backend.lockAsync(address, PAGE, refusal -> {
            reported.countDown();
            throw new IllegalStateException("on purpose");
        });
        assertTrue(reported.await(60, TimeUnit.SECONDS));
        result(submit(address + PAGE, 1)).close();
    }

    /** The thread that waits for ends neither runs callbacks nor waits for them. */
    @Test
    void callbacksThatLockOverlappingMemoryOrBlockStopNothing() throws Exception {
        long address = kernel.map(8);
        CountDownLatch release = new CountDownLatch(1);
        List<String> threads = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<Void>> all = new ArrayList<>();
        // A lock that comes while a callback's wide one is under way waits for its turn and is not the system's any
        // more.
        kernel.set("aio_hold", 1);
        for (int i = 0; i < 4; i++) {
            all.add(submit(address + i * PAGE, 1).toCompletableFuture().thenAccept(lock -> {
                threads.add(Thread.currentThread().getName());
                locker.lock(pages(address, 4)).close();
                lock.close();
            }));
        }
        CompletableFuture<Void> blocked = submit(address + 4 * PAGE, 1)
                .toCompletableFuture()
                .thenAccept(lock -> {
                    threads.add(Thread.currentThread().getName());
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    lock.close();
                });
        kernel.set("aio_hold", 0);
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(60, TimeUnit.SECONDS);
        soon(submit(address + 6 * PAGE, 1));
        release.countDown();
        blocked.get(60, TimeUnit.SECONDS);
        assertFalse(threads.contains("pagelock-aio"), threads.toString());
        assertAllReaped(6);
    }

    /** Calls of the stand-in, one of which throws the first so many times. */
    private static <T> T failing(Class<T> calls, T real, String function, int times) {
        AtomicInteger left = new AtomicInteger(times);
        return calls.cast(
                Proxy.newProxyInstance(calls.getClassLoader(), new Class<?>[] {calls}, (proxy, method, args) -> {
                    if (method.getName().equals(function) && left.getAndDecrement() > 0) {
                        throw new OutOfMemoryError("on purpose");
                    }
                    return method.invoke(real, args);
                }));
    }

    private AioLocks aioLocks(FreeBsdCalls calls, AioCalls aioCalls) {
        KernelState state = new KernelState(calls);
        FreeBsdFailure failure = new FreeBsdFailure(
                state, new Mappings(calls, state.pageSize()), new Residency(calls, state), new FreeBsdRemedies(state));
        return new AioLocks(aioCalls, FreeBsd.libc(), FreeBsd.LAYOUT, failure, clock::get);
    }

    private static CompletableFuture<Optional<PageLockException>> lock(AioLocks locks, long address) {
        CompletableFuture<Optional<PageLockException>> end = new CompletableFuture<>();
        locks.lock(address, PAGE, refusal -> end.complete(Optional.ofNullable(refusal)));
        return end;
    }

    @Test
    void aRefusalThatCannotBeExplainedIsReportedWithItsNumber() throws Exception {
        FreeBsdCalls calls = FreeBsdCalls.bind(FreeBsd.libc());
        AioLocks locks = aioLocks(
                failing(FreeBsdCalls.class, calls, "getrlimit", 1),
                FreeBsd.libc().bind(MethodHandles.lookup(), AioCalls.class));
        long address = kernel.map(2);
        kernel.fail("aio_job", 1, 12);
        PageLockException refused =
                lock(locks, address).get(60, TimeUnit.SECONDS).get();
        assertEquals(Reason.UNKNOWN, refused.reason());
        assertTrue(refused.getMessage().contains("ENOMEM"), refused.getMessage());
        assertEquals(Optional.empty(), lock(locks, address + PAGE).get(60, TimeUnit.SECONDS));
    }

    @Test
    void aThreadThatFailsIsReplaced() throws Exception {
        AioCalls calls = FreeBsd.libc().bind(MethodHandles.lookup(), AioCalls.class);
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> {});
        try {
            AioLocks locks =
                    aioLocks(FreeBsdCalls.bind(FreeBsd.libc()), failing(AioCalls.class, calls, "aio_error", 2));
            assertEquals(Optional.empty(), lock(locks, kernel.map(1)).get(60, TimeUnit.SECONDS));
            assertEquals(Optional.empty(), lock(locks, kernel.map(1)).get(60, TimeUnit.SECONDS));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void theProcessEndsWithJobsPending() throws Exception {
        String output = new ChildJvm()
                .in(Path.of("."))
                .within(Duration.ofMinutes(3))
                .run(Pending.class)
                .succeeded();
        assertTrue(output.contains("pending 3"), output);
    }

    /** A process that ends while the kernel is at it, and others wait. */
    static final class Pending {
        private Pending() {}

        public static void main(String[] arguments) {
            StandIn kernel = FreeBsd.standIn();
            PageLocker locker = PageLockers.over(FreeBsd.backend());
            kernel.set("aio_hold", 1);
            List<PendingLock> pending = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                pending.add(locker.lockAsync(MemoryRange.of(kernel.map(4), 4 * PAGE)));
            }
            System.out.println(
                    "pending " + pending.stream().filter(each -> !each.isDone()).count());
        }
    }
}
