// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.Forecast;
import io.pagelock.LockOption;
import io.pagelock.LockPolicy;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Against the real kernel, with its smaps as the witness. Locks few pages, so that an ordinary user may run it. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "reads /proc/self/smaps")
@Timeout(300)
class FileLockerTest {
    private static final int PAGE = (int) PageLocker.system().pageSize();
    private static final String DELETED = " (deleted)";

    private final FileLocker locker = FileLocker.system();

    @TempDir
    Path dir;

    private Path file(String name, int pages) throws IOException {
        return Files.write(dir.resolve(name), new byte[pages * PAGE]);
    }

    private static void resize(Path path, int pages) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength((long) pages * PAGE);
        }
    }

    private static MappedFile mapped(Path path) throws IOException {
        return MappedFile.map(FileSelection.of(path).list().files().get(0), PageLocker.system());
    }

    /** What is nowhere but in memory, as in tmpfs, is not brought in by reading, nor dropped. */
    private void needsPageCache() throws IOException {
        Path hole = file("hole", 0);
        resize(hole, 1);
        assertEquals(PAGE, Files.readAllBytes(hole).length);
        assumeFalse(mapped(hole).isMissing(), "this file system does not read files into memory");
    }

    /** The pages that the kernel has in memory of locked mappings with this name. */
    private static long lockedPages(Object name) throws IOException {
        return pagesOfLocked(name, "Rss:");
    }

    /** Adds up a line of the locked mappings with this name. */
    private static long pagesOfLocked(Object name, String line) throws IOException {
        long pages = 0;
        long of = 0;
        boolean named = false;
        for (String each : Files.readAllLines(Path.of("/proc/self/smaps"), StandardCharsets.ISO_8859_1)) {
            if (each.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                named = each.endsWith(" " + name);
            } else if (named && each.startsWith(line)) {
                of = Long.parseLong(each.replaceAll("\\D", "")) * 1024 / PAGE;
            } else if (named && each.startsWith("VmFlags:") && each.contains(" lo")) {
                pages += of;
            }
        }
        return pages;
    }

    private HeldFiles required(Path... paths) {
        return locker.lock(FileSelection.of(paths), FileLockOptions.required());
    }

    @Test
    void filesAreLockedUntilClosed() throws IOException {
        Path a = file("a", 2);
        Path b = file("d/b".replace('/', '-'), 1);
        HeldFiles held = required(a, b);
        assertEquals(2, lockedPages(a));
        assertEquals(1, lockedPages(b));
        assertEquals(3 * PAGE, held.lockedBytes());
        assertTrue(held.isComplete());
        held.close();
        held.close();
        assertEquals(0, lockedPages(a) + lockedPages(b));
    }

    @Test
    void aBudgetHoldsWhenAFileIsLockedAgain() throws IOException {
        Path a = file("a", 1);
        Path b = file("b", 3);
        List<FileChange> changes = new ArrayList<>();
        FileLockOptions options =
                FileLockOptions.bestEffort().budget(3L * PAGE).onChange(ChangePolicy.RELOCK, changes::add);
        try (HeldFiles held = locker.lock(FileSelection.of(a, b), options)) {
            assertEquals(3 * PAGE, held.lockedBytes());
            resize(a, 8);
            held.check();
            assertEquals(3 * PAGE, held.lockedBytes());
            assertEquals(1, lockedPages(a));
            assertTrue(changes.get(0).failure().orElseThrow().getMessage().contains("budget"), changes.toString());
            resize(b, 1);
            held.check();
            assertEquals(1, lockedPages(b));
            resize(a, 9);
            held.check();
            assertEquals(2, lockedPages(a));
        }
        assertEquals(0, lockedPages(a) + lockedPages(b));
    }

    @Test
    void aListenerThatThrowsDoesNotEndTheWatch() throws Exception {
        Path a = file("a", 2);
        BlockingQueue<FileChange> seen = new LinkedBlockingQueue<>();
        FileLockOptions options = FileLockOptions.required()
                .watch(Duration.ofMillis(5))
                .onChange(ChangePolicy.REPORT, change -> {
                    seen.add(change);
                    throw new IllegalStateException("of the listener");
                });
        try (HeldFiles held = locker.lock(FileSelection.of(a), options)) {
            resize(a, 3);
            assertEquals(FileChange.Kind.GREW, seen.take().kind());
            resize(a, 1);
            assertEquals(FileChange.Kind.SHRANK, seen.take().kind());
        } catch (IllegalStateException e) {
            // The last look reports, too.
            assertEquals("of the listener", e.getMessage());
        }
    }

    @Test
    void readingAheadBringsFilesIn() throws IOException {
        needsPageCache();
        Path a = file("a", 2);
        resize(a, 5);
        MappedFile mapped = mapped(a);
        assertTrue(mapped.isMissing());
        mapped.readAhead();
        assertFalse(mapped.isMissing());
        PageStates states = PageLocker.system().pageStates(mapped.segments()).get(0);
        assertEquals(5, states.countResident(Tristate.YES));
    }

    /** Takes its time, knows nothing of buffers, and keeps what was in memory before a lock and how much was read until then. */
    private static final class SlowLocker implements InvocationHandler {
        private static final long NANOS = 10 * ColdFiles.SLOW_NANOS;

        private final List<Integer> loaded = new ArrayList<>();
        private final List<Long> read = new ArrayList<>();
        private long before;

        PageLocker locker() {
            return (PageLocker)
                    Proxy.newProxyInstance(PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, this);
        }

        private static long readByThisThread() throws IOException {
            String io = Files.readAllLines(Path.of("/proc/thread-self/io")).get(0);
            return Long.parseLong(io.replace("rchar: ", ""));
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            if (method.getName().equals("rangeOf")) {
                MemoryRange range = PageLocker.system().rangeOf((ByteBuffer) arguments[0]);
                return MemoryRange.of(range.address(), range.length());
            }
            if (!method.getName().equals("lock")) {
                return method.invoke(PageLocker.system(), arguments);
            }
            read.add(readByThisThread() - before);
            Collection<?> ranges = (Collection<?>) arguments[0];
            loaded.add((int) ranges.stream()
                    .filter(each ->
                            PageLocker.system().pageStates((MemoryRange) each).countResident(Tristate.YES) > 0)
                    .count());
            LockSupport.parkNanos(NANOS * ranges.size());
            Object lock = method.invoke(PageLocker.system(), arguments);
            before = readByThisThread();
            return lock;
        }
    }

    /** The first step of a lock is 1 MiB. However long it took, the next is 512 KiB at least, and takes all that is left here. */
    @Test
    void whereLocksAreSlowFilesThatAreNotInMemoryAreReadAhead() throws IOException {
        needsPageCache();
        int size = 16 << 10;
        List<Path> paths = new ArrayList<>();
        for (int i = 0; i < 64 + 24; i++) {
            Path each = file("f" + i, 0);
            resize(each, size / PAGE);
            paths.add(each);
        }
        for (Path each : paths.subList(64, 76)) {
            assertEquals(size, Files.readAllBytes(each).length);
        }
        SlowLocker slow = new SlowLocker();
        FileSelection files = FileSelection.of(paths.toArray(new Path[0]));
        try (HeldFiles held = FileLocker.over(slow.locker()).lock(files, FileLockOptions.required())) {
            assertEquals(88 * size, held.lockedBytes());
        }
        assertEquals(List.of(0, 24), slow.loaded);
        // With what else this thread reads: its own numbers, and classes.
        long read = slow.read.get(1);
        assertTrue(
                read >= 12 * size && read < 18 * size, "12 files of " + size + " are missing, and read were " + read);
    }

    @Test
    void ofAMissingFileAmongRequiredOnesNothingIsLocked() throws IOException {
        Path a = file("a", 1);
        FileLockException e = assertThrows(FileLockException.class, () -> required(a, dir.resolve("missing")));
        assertEquals(FileLockException.NO_SUCH_FILE, e.reason());
        assertEquals(dir.resolve("missing"), e.path().get());
        assertEquals(0, lockedPages(a));
    }

    /** By the policy of the locker, without an option: nothing is locked, nothing is thrown, and each file says why. */
    @Test
    void underAnotherPolicyEachFileSaysThatItIsNotLocked() throws Exception {
        Path a = file("a", 1);
        FileLocker off = FileLocker.over(PageLocker.system(LockPolicy.OFF));
        for (FileLockOptions options :
                List.of(FileLockOptions.required(), FileLockOptions.required().onFault())) {
            try (HeldFiles held = off.lock(FileSelection.of(a), options)) {
                assertEquals(0, held.lockedBytes());
                assertEquals(0, held.files().get(0).lockedBytes());
                assertFalse(held.isComplete());
                FileLockException why = held.files().get(0).problem().get();
                assertTrue(why.getMessage().contains("switched off"), why.getMessage());
                assertEquals(List.of(), held.check());
            }
        }
        try (HeldFiles held =
                off.lockAsync(FileSelection.of(a), FileLockOptions.required()).get()) {
            assertFalse(held.isComplete());
        }
        assertEquals(0, lockedPages(a));
    }

    @Test
    void bestEffortLocksTheOthers() throws IOException {
        Path a = file("a", 1);
        try (HeldFiles held = locker.lock(FileSelection.of(dir.resolve("missing"), a), FileLockOptions.bestEffort())) {
            assertEquals(1, lockedPages(a));
            assertFalse(held.isComplete());
            assertEquals(PAGE, held.lockedBytes());
        }
    }

    @Test
    void budgetGoesToTheFirstFilesAndEndsWithinOne() throws IOException {
        Path a = file("a", 2);
        Path b = file("b", 2);
        Path c = file("c", 1);
        try (HeldFiles held = locker.lock(
                FileSelection.of(b, a, c), FileLockOptions.required().budget(3L * PAGE + 1))) {
            assertEquals(2, lockedPages(b));
            assertEquals(1, lockedPages(a));
            assertEquals(0, lockedPages(c));
            assertEquals(3L * PAGE, held.lockedBytes());
            assertEquals(
                    FileLockException.OVER_BUDGET,
                    held.files().get(1).problem().get().reason());
            assertEquals(
                    FileLockException.OVER_BUDGET,
                    held.files().get(2).problem().get().reason());
        }
    }

    /** A system locker, but that something happens before each lock. */
    private static PageLocker beforeEachLock(Callable<?> action) {
        return (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("lock")) {
                        action.call();
                    }
                    try {
                        return method.invoke(PageLocker.system(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void aFileThatCannotBeLockedLeavesItsPartOfTheBudgetToTheOthers() throws IOException {
        for (ChangePolicy policy : List.of(ChangePolicy.REPORT, ChangePolicy.RELOCK)) {
            Path a = file("a", 2);
            Path b = file("b", 2);
            Path c = file("c", 2);
            FileLocker over = FileLocker.over(beforeEachLock(() -> {
                resize(a, 0);
                return null;
            }));
            FileLockOptions options =
                    FileLockOptions.bestEffort().budget(3L * PAGE).onChange(policy, change -> {});
            try (HeldFiles held = over.lock(FileSelection.of(a, b, c), options)) {
                assertEquals(
                        Reason.CANNOT_BE_PAGED_IN.name(),
                        held.files().get(0).problem().get().reason());
                assertEquals(2, lockedPages(b));
                assertTrue(held.files().get(1).problem().isEmpty());
                assertEquals(1, lockedPages(c));
                assertEquals(
                        FileLockException.OVER_BUDGET,
                        held.files().get(2).problem().get().reason());
                assertEquals(3L * PAGE, held.lockedBytes());
            }
        }
    }

    /** A system locker that locks the first range on fault, but not for a moment what is in memory of it. */
    private static PageLocker refusingToBringInTheFirst() {
        AtomicReference<MemoryRange> first = new AtomicReference<>();
        return (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("lock")) {
                        MemoryRange range = arguments[0] instanceof Collection<?> all
                                ? (MemoryRange) all.iterator().next()
                                : (MemoryRange) arguments[0];
                        first.compareAndSet(null, range);
                        if (((LockOption[]) arguments[1]).length == 0
                                && first.get().overlaps(range)) {
                            throw PageLockException.because(Reason.OVER_LIMIT).build();
                        }
                    }
                    return method.invoke(PageLocker.system(), arguments);
                });
    }

    @Test
    void aFileThatIsNotKeptOnFaultIsUnlockedAgain() throws IOException {
        assumeTrue(PageLocker.system().capabilities().contains(Capability.LOCK_ON_FAULT));
        Path a = file("a", 2);
        Path b = file("b", 1);
        FileLockOptions options = FileLockOptions.bestEffort().onFault();
        try (HeldFiles held = FileLocker.over(refusingToBringInTheFirst()).lock(FileSelection.of(a, b), options)) {
            assertEquals(
                    Reason.OVER_LIMIT.name(),
                    held.files().get(0).problem().get().reason());
            assertEquals(0, pagesOfLocked(a, "Size:"));
            assertEquals(1, lockedPages(b));
            assertEquals(PAGE, held.lockedBytes());
        }
    }

    @Test
    void theRemedyOfALimitIsForAllThatTheBudgetAllows() throws IOException {
        Path a = file("a", 2);
        Path b = file("b", 2);
        List<Long> asked = new ArrayList<>();
        PageLocker full = (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("lock")) {
                        throw PageLockException.because(Reason.OVER_LIMIT).build();
                    }
                    if (method.getName().equals("forecast")) {
                        asked.add((Long) arguments[0]);
                    }
                    return method.invoke(PageLocker.system(), arguments);
                });
        assertThrows(
                FileLockException.class,
                () -> FileLocker.over(full)
                        .lock(
                                FileSelection.of(a, b),
                                FileLockOptions.bestEffort().budget(3L * PAGE)));
        assertEquals(List.of(3L * PAGE, 3L * PAGE), asked);
    }

    @Test
    void rangeIsRoundedOutward() throws IOException {
        Path a = file("a", 6);
        try (HeldFiles held = locker.lock(FileSelection.of(a).range(PAGE + 1, 2L * PAGE), FileLockOptions.required())) {
            assertEquals(3, lockedPages(a));
            assertEquals(2L * PAGE, held.bytes());
        }
        try (HeldFiles held = locker.lock(FileSelection.of(a).range(6L * PAGE, 1), FileLockOptions.required())) {
            assertEquals(0, held.lockedBytes());
        }
        Path b = Files.write(dir.resolve("b"), new byte[PAGE + 1]);
        try (HeldFiles held = locker.lock(FileSelection.of(b).range(2L * PAGE, PAGE), FileLockOptions.required())) {
            assertEquals(0, held.lockedBytes());
            assertEquals(0, lockedPages(b));
        }
    }

    @Test
    void onFaultLocksWhatIsInMemoryAndBringsNothingIn() throws IOException {
        Path a = file("a", 3);
        resize(a, 6);
        try (HeldFiles held =
                locker.lock(FileSelection.of(a), FileLockOptions.required().onFault())) {
            assertEquals(3, lockedPages(a));
            assertEquals(3L * PAGE, held.lockedBytes());
        }
        assertEquals(0, lockedPages(a));
    }

    @Test
    void withoutAThreadAnAsynchronousLockFails() {
        PendingFiles pending = new PendingFiles();
        OutOfMemoryError none = new OutOfMemoryError("unable to create native thread");
        pending.startIn(new Thread() {
            @Override
            public synchronized void start() {
                throw none;
            }
        });
        assertSame(none, assertThrows(ExecutionException.class, pending::get).getCause());
    }

    @Test
    void asynchronousLockCompletesWithTheFiles() throws Exception {
        Path a = file("a", 3);
        PendingFiles pending = locker.lockAsync(FileSelection.of(a), FileLockOptions.required());
        try (HeldFiles held = pending.get()) {
            assertEquals(3, lockedPages(a));
            assertEquals(3L * PAGE, pending.lockedBytes());
            assertEquals(3L * PAGE, pending.totalBytes());
        }
    }

    @Test
    void cancelledLockLeavesNothingLocked() throws Exception {
        Path a = file("a", 3);
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        PendingFiles pending =
                locker.lockAsync(FileSelection.of(a), FileLockOptions.required().progress((done, total) -> {
                    began.countDown();
                    await(cancelled);
                }));
        began.await();
        assertTrue(pending.cancel(true));
        cancelled.countDown();
        assertThrows(CancellationException.class, pending::get);
        while (lockedPages(a) > 0) {
            Thread.sleep(1);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private HeldFiles watched(ChangePolicy policy, Path path) {
        return locker.lock(FileSelection.of(path), FileLockOptions.required().onChange(policy, change -> {}));
    }

    private void replace(Path path, int pages) throws IOException {
        Files.move(file("new", pages), path, StandardCopyOption.REPLACE_EXISTING);
    }

    private static FileChange only(List<FileChange> changes) {
        assertEquals(1, changes.size(), changes.toString());
        return changes.get(0);
    }

    @Test
    void quietFileHasNoChange() throws IOException {
        try (HeldFiles held = watched(ChangePolicy.RELOCK, file("a", 2))) {
            assertEquals(List.of(), held.check());
            assertEquals(List.of(), held.check());
        }
    }

    @Test
    void replacedFileIsReportedOnceAndTheOldOneStaysLocked() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.REPORT, a)) {
            replace(a, 3);
            assertEquals(FileChange.Kind.REPLACED, only(held.check()).kind());
            assertEquals(List.of(), held.check());
            assertEquals(2, lockedPages(a + DELETED));
            assertEquals(0, lockedPages(a));
        }
    }

    @Test
    void replacedFileIsLockedAgainAndTheOldOneLetGo() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.RELOCK, a)) {
            for (int pages = 3; pages < 6; pages++) {
                replace(a, pages);
                FileChange change = only(held.check());
                assertTrue(change.isRelocked(), change::toString);
                assertEquals(pages, lockedPages(a));
                assertEquals(0, lockedPages(a + DELETED));
                assertEquals((long) pages * PAGE, held.lockedBytes());
            }
        }
        assertEquals(0, lockedPages(a));
    }

    @Test
    void sizeIsFollowed() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.RELOCK, a)) {
            resize(a, 1);
            assertEquals(FileChange.Kind.SHRANK, only(held.check()).kind());
            assertEquals(1, lockedPages(a));
            resize(a, 4);
            assertEquals(FileChange.Kind.GREW, only(held.check()).kind());
            assertEquals(4, lockedPages(a));
            resize(a, 0);
            assertEquals(FileChange.Kind.SHRANK, only(held.check()).kind());
            assertEquals(0, held.lockedBytes());
        }
    }

    @Test
    void pagesThatWereLostAreReportedAndBroughtBack() throws IOException {
        Path a = file("a", 3);
        for (ChangePolicy policy : List.of(ChangePolicy.REPORT, ChangePolicy.RELOCK)) {
            try (HeldFiles held = watched(policy, a)) {
                // As a hole that is punched: the size stays, and the pages go.
                resize(a, 0);
                resize(a, 3);
                FileChange change = only(held.check());
                assertEquals(3, change.missingPages());
                assertEquals(policy == ChangePolicy.RELOCK ? 3 : 0, lockedPages(a));
                assertEquals(
                        policy == ChangePolicy.RELOCK ? 0 : 3,
                        held.files().get(0).missingPages());
            }
        }
    }

    /** What is written past the page cache is dropped from it, locked or not: open(2) Linux, O_DIRECT. */
    @Test
    void pagesThatAWritePastThePageCacheDroppedAreReportedAndBroughtBack() throws IOException {
        needsPageCache();
        Path a = file("a", 4);
        for (ChangePolicy policy : List.of(ChangePolicy.REPORT, ChangePolicy.RELOCK)) {
            try (HeldFiles held = watched(policy, a)) {
                assertEquals(4, lockedPages(a));
                ChildProcess.Ended written = ChildProcess.of(
                                "dd",
                                "if=/dev/zero",
                                "of=" + a,
                                "bs=" + 3 * PAGE,
                                "count=1",
                                "oflag=direct",
                                "conv=notrunc")
                        .run();
                assumeTrue(written.status() == 0, () -> "this file system has no direct I/O: " + written);
                FileChange change = only(held.check());
                // The fourth page goes with them where the kernel keeps all four together.
                assertTrue(change.missingPages() >= 3, change.missingPages() + " pages");
                assertEquals(policy == ChangePolicy.RELOCK ? 4 : 4 - change.missingPages(), lockedPages(a));
                assertEquals(policy == ChangePolicy.RELOCK, change.isRelocked());
            }
        }
    }

    @Test
    void whatIsWrittenInPlaceIsReportedAndStaysLocked() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.RELOCK, a)) {
            try (RandomAccessFile file = new RandomAccessFile(a.toFile(), "rw")) {
                file.write(1);
            }
            Files.setLastModifiedTime(a, java.nio.file.attribute.FileTime.fromMillis(1));
            FileChange change = only(held.check());
            assertEquals(FileChange.Kind.WRITTEN, change.kind());
            assertEquals(0, change.missingPages());
            assertEquals(2, lockedPages(a));
        }
    }

    @Test
    void deletedFileIsReportedAndFoundAgainUnderItsName() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.RELOCK, a)) {
            Files.delete(a);
            assertEquals(FileChange.Kind.VANISHED, only(held.check()).kind());
            assertEquals(2, lockedPages(a + DELETED));
            replace(a, 1);
            assertTrue(only(held.check()).isRelocked());
            assertEquals(1, lockedPages(a));
        }
    }

    /** A question that fails is no answer: the file is not reported as unchanged. */
    @Test
    void aFileThatCannotBeLookedAtAnyMoreIsReported() throws IOException {
        for (ChangePolicy policy : List.of(ChangePolicy.REPORT, ChangePolicy.RELOCK)) {
            Path above = Files.createDirectories(dir.resolve("above-" + policy));
            Path a = Files.write(above.resolve("a"), new byte[2 * PAGE]);
            Path b = file("b" + policy, 1);
            try (HeldFiles held = locker.lock(
                    FileSelection.of(a, b), FileLockOptions.required().onChange(policy, change -> {}))) {
                Files.delete(a);
                Files.delete(above);
                Files.write(above, new byte[0]);
                Files.delete(b);
                Files.createSymbolicLink(b, b.getFileName());
                List<FileChange> changes = held.check();
                assertEquals(2, changes.size(), changes.toString());
                for (FileChange each : changes) {
                    // Newer JVMs know that a path through a file leads nowhere.
                    boolean vanished = each.kind() == FileChange.Kind.VANISHED;
                    assertTrue(vanished || each.kind() == FileChange.Kind.UNREADABLE, each::toString);
                    assertEquals(
                            policy == ChangePolicy.RELOCK && !vanished,
                            each.failure().isPresent(),
                            each::toString);
                }
                assertEquals(List.of(), held.check());
                assertEquals(2, lockedPages(a + DELETED));
                assertEquals(1, lockedPages(b + DELETED));
            }
        }
    }

    @Test
    void whatIsNoFileAnyMoreIsNotSaidToBeGone() throws IOException {
        Path a = file("a", 2);
        try (HeldFiles held = watched(ChangePolicy.RELOCK, a)) {
            Files.delete(a);
            Files.createDirectory(a);
            FileLockException why = only(held.check()).failure().orElseThrow();
            assertTrue(why.getMessage().contains("no longer a regular file"), why::getMessage);
            assertEquals(2, lockedPages(a + DELETED));
        }
    }

    /** A system locker with a limit of its own for one range after the other. */
    private static PageLocker limited(long bytes, Tristate forecast) {
        AtomicLong room = new AtomicLong(bytes);
        return (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("forecast")) {
                        boolean fits = (Long) arguments[0] <= room.get();
                        return fits
                                ? new Forecast(Tristate.YES, (Long) arguments[0], null, "", List.of())
                                : new Forecast(
                                        forecast,
                                        (Long) arguments[0],
                                        forecast == Tristate.NO ? Reason.OVER_LIMIT : null,
                                        "for a test",
                                        List.of());
                    }
                    if (!method.getName().equals("lock")) {
                        return method.invoke(PageLocker.system(), arguments);
                    }
                    long asked = ((MemoryRange) arguments[0]).length();
                    if (asked > room.get()) {
                        throw PageLockException.because(Reason.OVER_LIMIT).build();
                    }
                    room.addAndGet(-asked);
                    return counted(
                            (PageLock) method.invoke(PageLocker.system(), arguments), () -> room.addAndGet(asked));
                });
    }

    /** A handle whose first close runs something. */
    private static PageLock counted(PageLock lock, Runnable atClose) {
        AtomicBoolean closed = new AtomicBoolean();
        return (PageLock) Proxy.newProxyInstance(
                PageLock.class.getClassLoader(), new Class<?>[] {PageLock.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close") && !closed.getAndSet(true)) {
                        atClose.run();
                    }
                    return method.invoke(lock, arguments);
                });
    }

    /** Also where no forecast says so before. */
    @Test
    void whatOutgrowsTheLimitStaysLockedAsItWas() throws IOException {
        for (Tristate forecast : List.of(Tristate.NO, Tristate.UNKNOWN)) {
            Path a = file("a", 2);
            List<FileChange> changes = new ArrayList<>();
            try (HeldFiles held = FileLocker.over(limited(3L * PAGE, forecast))
                    .lock(
                            FileSelection.of(a),
                            FileLockOptions.bestEffort().onChange(ChangePolicy.RELOCK, changes::add))) {
                resize(a, 4);
                assertEquals(
                        Reason.OVER_LIMIT.name(),
                        only(held.check()).failure().orElseThrow().reason());
                assertEquals(2, lockedPages(a));
                assertEquals(2L * PAGE, held.lockedBytes());
                assertEquals(List.of(), held.check());
                resize(a, 3);
                assertTrue(only(held.check()).isRelocked(), changes::toString);
                assertEquals(3, lockedPages(a));
                assertEquals(3L * PAGE, held.lockedBytes());
            }
            assertEquals(0, lockedPages(a));
        }
    }

    @Test
    void failUnlocksEverything() throws IOException {
        Path a = file("a", 2);
        Path b = file("b", 2);
        try (HeldFiles held = locker.lock(
                FileSelection.of(a, b), FileLockOptions.required().onChange(ChangePolicy.FAIL, change -> {}))) {
            assertFalse(held.failure().isPresent());
            Files.delete(a);
            held.check();
            assertEquals(FileLockException.CHANGED, held.failure().get().reason());
            assertEquals(0, lockedPages(b) + lockedPages(a + DELETED));
        }
    }

    @Test
    void watcherTellsTheListener() throws Exception {
        Path a = file("a", 2);
        BlockingQueue<FileChange> changes = new LinkedBlockingQueue<>();
        try (HeldFiles held = locker.lock(
                FileSelection.of(a),
                FileLockOptions.required()
                        .onChange(ChangePolicy.RELOCK, changes::add)
                        .watch(Duration.ofMillis(1)))) {
            replace(a, 3);
            assertEquals(a, changes.take().path());
            assertEquals(3, lockedPages(a));
        }
    }

    @Test
    void lastLookReportsWhatNobodyLookedFor() throws IOException {
        Path a = file("a", 2);
        List<FileChange> changes = new ArrayList<>();
        HeldFiles held = locker.lock(
                FileSelection.of(a), FileLockOptions.required().onChange(ChangePolicy.REPORT, changes::add));
        replace(a, 1);
        held.close();
        assertEquals(FileChange.Kind.REPLACED, only(changes).kind());
        assertEquals(
                FileChange.Kind.REPLACED, held.files().get(0).change().get().kind());
    }

    @Test
    void anInterruptedThreadLocksAllFilesAndStaysInterrupted() throws IOException {
        Path a = file("a", 2);
        Path b = file("b", 3);
        FileLockOptions options = FileLockOptions.bestEffort().onChange(ChangePolicy.RELOCK, change -> {});
        Thread.currentThread().interrupt();
        try (HeldFiles held = locker.lock(FileSelection.of(a, b), options)) {
            assertTrue(held.isComplete(), () -> held.files().get(0).problem().toString());
            replace(a, 1);
            assertTrue(held.check().get(0).isRelocked());
            assertEquals(1, lockedPages(a));
            List<FileLockException> failed = new ArrayList<>();
            FilePages.bringIn(
                    PageLocker.system(),
                    FileSelection.of(dir).list().files(),
                    failed::add,
                    (done, total) -> {},
                    () -> false);
            assertEquals(List.of(), failed);
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aBudgetOfLessThanAPageIsNoFailureEither() throws IOException {
        Path a = file("a", 2);
        for (long budget : new long[] {0, 1, PAGE - 1}) {
            for (FileLockOptions options : List.of(FileLockOptions.required(), FileLockOptions.bestEffort())) {
                try (HeldFiles held = locker.lock(FileSelection.of(a), options.budget(budget))) {
                    assertEquals(0, held.lockedBytes());
                    assertEquals(
                            FileLockException.OVER_BUDGET,
                            held.files().get(0).problem().orElseThrow().reason());
                }
            }
        }
    }

    private static boolean isAnyWatcherThere() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("pagelock-files-watch"));
    }

    @Test
    void noWatcherOutlivesItsFilesHoweverLongItsInterval() throws Exception {
        Path a = file("a", 1);
        for (int i = 0; i < 50; i++) {
            for (Duration interval : List.of(Duration.ofDays(1), Duration.ofSeconds(Long.MAX_VALUE))) {
                locker.lock(FileSelection.of(a), FileLockOptions.required().watch(interval))
                        .close();
            }
        }
        while (isAnyWatcherThere()) {
            Thread.sleep(10);
        }
        HeldFiles held =
                locker.lock(FileSelection.of(a), FileLockOptions.required().watch(Duration.ofSeconds(Long.MAX_VALUE)));
        Thread.sleep(10);
        assertTrue(isAnyWatcherThere());
        held.close();
    }

    @Test
    void filesThatNobodyKeepsAreUnlockedHoweverSeldomTheyAreWatched() throws Exception {
        Path a = file("a", 1);
        locker.lock(FileSelection.of(a), FileLockOptions.required().watch(Duration.ofDays(1)))
                .files();
        while (lockedPages(a) > 0) {
            System.gc();
            Thread.sleep(10);
        }
    }

    /** A locker that cannot look at pages any more. */
    private static PageLocker blind(AtomicBoolean isBlind) {
        return (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (isBlind.get() && method.getName().equals("pageStates")) {
                        throw new IllegalStateException("cannot look");
                    }
                    return method.invoke(PageLocker.system(), arguments);
                });
    }

    @Test
    void aCloseUnlocksAlsoIfTheLastLookFails() throws IOException {
        Path a = file("a", 2);
        AtomicBoolean isBlind = new AtomicBoolean();
        HeldFiles held = FileLocker.over(blind(isBlind)).lock(FileSelection.of(a), FileLockOptions.required());
        replace(a, 1);
        isBlind.set(true);
        assertThrows(IllegalStateException.class, held::close);
        assertEquals(0, lockedPages(a + DELETED));
        held.close();
    }

    /** Locks one range, and has no memory for more. */
    private static PageLocker withMemoryForOne(AtomicInteger asked) {
        AtomicInteger locked = new AtomicInteger();
        return (PageLocker) Proxy.newProxyInstance(
                PageLocker.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("lock")) {
                        asked.incrementAndGet();
                        if (arguments[0] instanceof Collection || locked.getAndIncrement() > 0) {
                            throw PageLockException.because(Reason.NO_LOCKABLE_MEMORY)
                                    .detail("for a test")
                                    .build();
                        }
                    }
                    return method.invoke(PageLocker.system(), arguments);
                });
    }

    @Test
    void whereMemoryHasRunOutFewFilesAreTried() throws IOException {
        for (int i = 0; i < 100; i++) {
            file("f" + i, 1);
        }
        AtomicInteger asked = new AtomicInteger();
        try (HeldFiles held =
                FileLocker.over(withMemoryForOne(asked)).lock(FileSelection.of(dir), FileLockOptions.bestEffort())) {
            assertEquals(PAGE, held.lockedBytes());
            for (HeldFile each : held.files().subList(1, 100)) {
                assertEquals(
                        Reason.NO_LOCKABLE_MEMORY.name(),
                        each.problem().orElseThrow().reason());
            }
            assertTrue(asked.get() <= 10, asked + " locks were tried");
        }
    }

    @Test
    void aListenerThatThrowsHearsOfTheOtherChangesAllTheSame() throws IOException {
        List<Path> seen = new ArrayList<>();
        FileLockOptions options = FileLockOptions.required().onChange(ChangePolicy.REPORT, change -> {
            seen.add(change.path());
            throw new IllegalStateException("of " + change.path());
        });
        Path a = file("a", 1);
        Path b = file("b", 1);
        Path c = file("c", 1);
        try (HeldFiles held = locker.lock(FileSelection.of(a, b, c), options)) {
            resize(a, 2);
            resize(c, 2);
            RuntimeException thrown = assertThrows(IllegalStateException.class, held::check);
            assertEquals("of " + a, thrown.getMessage());
            assertEquals("of " + c, thrown.getSuppressed()[0].getMessage());
            assertEquals(List.of(a, c), seen);
            assertEquals(List.of(), held.check());
            resize(b, 2);
            resize(a, 3);
        } catch (IllegalStateException e) {
            assertEquals(List.of(a, c, b), seen);
        }
    }

    @Test
    void pagesAreCountedWithoutBringingThemIn() throws IOException {
        Path a = file("a", 2);
        resize(a, 5);
        Path empty = file("empty", 0);
        List<String> seen = new ArrayList<>();
        FilePages.read(PageLocker.system(), FileSelection.of(a, empty).list().files(), new FilePages.Visitor() {
            @Override
            public void file(FileEntry file, long size) {
                seen.add("file " + size / PAGE);
            }

            @Override
            public void pages(FileEntry file, long firstPage, io.pagelock.PageStates states) {
                seen.add(firstPage + ": " + states.countResident(Tristate.YES) + " of " + states.pageCount());
            }

            @Override
            public void end(FileEntry file) {
                seen.add("end");
            }

            @Override
            public void failed(FileEntry file, FileLockException why) {
                throw why;
            }
        });
        assertEquals(List.of("file 5", "0: 2 of 5", "end", "file 0", "end"), seen);
    }
}
