// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * The backend on the kernel of this machine, with calls of this JVM besides {@link LinuxKernelCases}; {@link Witness} says what is
 * really locked. Locks 64 KiB at most, so that it runs in every {@link Life} that may lock at all: see {@link LivesTest}.
 */
@EnabledOnOs(OS.LINUX)
class LinuxKernelTest extends LinuxKernelCases {
    @Override
    protected Harness open() {
        return new LinuxHarness();
    }

    private static final long PAGE = Libc.getpagesize();
    private static final int RW = Libc.PROT_READ | Libc.PROT_WRITE;
    private static final LinuxBackend BACKEND = (LinuxBackend) new LinuxProvider().open(Host.current());

    private final Deque<Runnable> undo = new ArrayDeque<>();
    private final long lockedBefore = Witness.lockedBytes();

    @AfterEach
    void clean() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }

    /** Private memory with a hole on either side. */
    private long map(long pages) {
        long all = Libc.mmap(0, (pages + 2) * PAGE, RW, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        Libc.munmap(all, PAGE);
        Libc.munmap(all + (pages + 1) * PAGE, PAGE);
        undo.push(() -> Libc.munmap(all + PAGE, pages * PAGE));
        return all + PAGE;
    }

    private Path file(long pages) throws IOException {
        Path file = Files.createTempFile("pagelock", ".data");
        undo.push(() -> file.toFile().delete());
        Files.write(file, new byte[(int) (pages * PAGE)]);
        return file;
    }

    private long map(Path file, long pages) {
        int fd = Libc.open(file, true);
        long at = Libc.mmap(0, pages * PAGE, RW, Libc.MAP_SHARED, fd, 0);
        Libc.close(fd);
        undo.push(() -> Libc.munmap(at, pages * PAGE));
        return at;
    }

    private static PageStates states(long address, long pages) {
        return BACKEND.pageStates(MemoryRange.of(address, pages * PAGE));
    }

    private static PageLockException refused(Reason reason, org.junit.jupiter.api.function.Executable call) {
        PageLockException thrown = assertThrows(PageLockException.class, call);
        assertEquals(reason, thrown.reason(), thrown.getMessage());
        return thrown;
    }

    @Test
    void directBufferIsWhereTheKernelLocksIt() {
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) (4 * PAGE));
        long first = BACKEND.address(buffer) + PAGE - 1 & -PAGE;
        buffer.put((int) (first - BACKEND.address(buffer)), (byte) 42);
        BACKEND.lock(first, PAGE, Set.of());
        assertTrue(Witness.locked(first));
        assertEquals(42, new com.sun.jna.Pointer(first).getByte(0));
        BACKEND.unlock(first, PAGE);
        assertEquals(BACKEND.address(buffer), BACKEND.address(buffer.duplicate().position(7)));
    }

    @Test
    void pastTheEndOfAFileCannotBePagedIn() throws IOException {
        long at = map(file(2), 4);
        PageLockException thrown = refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, 4 * PAGE, Set.of()));
        assertTrue(thrown.detail().contains("pagelock"), thrown.detail());
        assertTrue(thrown.detail().contains(2 * PAGE + " bytes"), thrown.detail());
        BACKEND.unlock(at, 4 * PAGE);
    }

    /** L1: its pages are marked as locked still, and not in memory. */
    @Test
    void aLockWithinAnotherBringsInWhatATruncatedFileLost() throws IOException {
        Path file = file(4);
        MemoryRange all = MemoryRange.of(map(file, 4), 4 * PAGE);
        PageLocker locker = PageLockers.over(BACKEND);
        try (PageLock outer = locker.lock(all);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(0);
            MemoryRange inner = MemoryRange.of(all.address() + PAGE, PAGE);
            refused(Reason.CANNOT_BE_PAGED_IN, () -> locker.lock(inner));
            Files.write(file, new byte[(int) (4 * PAGE)]);
            locker.lock(inner).close();
            assertEquals(Tristate.YES, states(inner.address(), 1).locked(0));
        }
    }

    @Test
    void memoryThatTheKernelMayDropIsRefusedThoughTheCallSucceeds() {
        long at = droppable(2);
        assertEquals(0, Libc.mlock(at, 2 * PAGE), "the kernel says success");
        assertFalse(Witness.flagged(at), "and has locked nothing");
        PageLockException thrown = refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, 2 * PAGE, Set.of()));
        assertTrue(thrown.detail().contains("MAP_DROPPABLE"), thrown.detail());
        refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, PAGE, Set.of(LockOption.ON_FAULT)));
    }

    @Test
    void memoryThatTheKernelMayDropIsFoundAmongOther() {
        long at = map(300);
        long small = at + 5 * PAGE;
        for (long page : new long[] {small, at + 290 * PAGE}) {
            Libc.mmap(page, PAGE, RW, Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE | Libc.MAP_FIXED, -1, 0);
        }
        refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at + 3 * PAGE, 4 * PAGE, Set.of()));
        Libc.munlock(at + 3 * PAGE, 4 * PAGE);
        assumeTrue(mayLock(300 * PAGE), "the limit is too small for the long range");
        refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at + 6 * PAGE, 290 * PAGE, Set.of()));
        Libc.munlock(at, 300 * PAGE);
        BACKEND.lock(at + 6 * PAGE, 280 * PAGE, Set.of());
        assertTrue(Witness.locked(at + 6 * PAGE));
        Libc.munlock(at, 300 * PAGE);
    }

    @Test
    void memoryThatTheKernelMayDropIsFoundAmongFiles() throws IOException {
        droppable(1);
        assumeTrue(mayLock(300 * PAGE), "the limit is too small for the range");
        Path file = Files.createTempFile("pagelock", ".file");
        long at = map(300);
        try {
            Files.write(file, new byte[(int) (100 * PAGE)]);
            int fd = Libc.open(file, false);
            for (int i = 0; i < 3; i++) {
                Libc.mmap(at + i * 100 * PAGE, 100 * PAGE, Libc.PROT_READ, Libc.MAP_SHARED | Libc.MAP_FIXED, fd, 0);
            }
            Libc.close(fd);
        } finally {
            Files.delete(file);
        }
        for (Set<LockOption> options : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
            BACKEND.lock(at, 300 * PAGE, options);
            for (int i = 0; i < 3; i++) {
                assertTrue(Witness.flagged(at + i * 100 * PAGE));
            }
            Libc.munlock(at, 300 * PAGE);
        }
        Libc.mmap(at + 250 * PAGE, PAGE, RW, Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE | Libc.MAP_FIXED, -1, 0);
        for (Set<LockOption> options : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
            refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, 300 * PAGE, options));
            Libc.munlock(at, 300 * PAGE);
        }
    }

    @Test
    void pageWithoutAccessIsFoundBesideMemoryThatTheKernelMayDrop() {
        droppable(1);
        long at = map(3);
        Libc.mmap(at, PAGE, RW, Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE | Libc.MAP_FIXED, -1, 0);
        Libc.mprotect(at + PAGE, PAGE, Libc.PROT_NONE);
        PageLockException thrown = refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, 3 * PAGE, Set.of()));
        assertTrue(thrown.detail().contains("PROT_NONE"), thrown.detail());
        Libc.munlock(at, 3 * PAGE);
    }

    @Test
    void memoryThatTheKernelKeepsLockedNeedsNoLock() {
        int fd = Libc.memfdSecret();
        assumeTrue(fd >= 0, "the kernel has no memfd_secret");
        Libc.ftruncate(fd, 2 * PAGE);
        long at = Libc.mmap(0, 2 * PAGE, RW, Libc.MAP_SHARED, fd, 0);
        Libc.close(fd);
        undo.push(() -> Libc.munmap(at, 2 * PAGE));
        assertEquals(lockedBefore + 2 * PAGE, Witness.lockedBytes(), "locked from the start");
        for (Set<LockOption> options : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
            PageLockException thrown = refused(Reason.CANNOT_BE_PAGED_IN, () -> BACKEND.lock(at, 2 * PAGE, options));
            assertTrue(thrown.detail().contains("memfd_secret"), thrown.detail());
            assertTrue(thrown.remedies().toString().contains("needs no lock"), thrown.remedies()::toString);
        }
        assertTrue(Witness.flagged(at));
    }

    private long droppable(long pages) {
        String[] release = System.getProperty("os.version").split("[.-]");
        int number = Integer.parseInt(release[0]) * 1000 + Integer.parseInt(release[1]);
        assumeTrue(number >= 6011, "MAP_DROPPABLE came with Linux 6.11");
        long at = Libc.mmap(0, pages * PAGE, RW, Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE, -1, 0);
        undo.push(() -> Libc.munmap(at, pages * PAGE));
        return at;
    }

    private static boolean mayLock(long bytes) {
        return Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0] >= bytes + Witness.lockedBytes() || privileged();
    }

    private static boolean privileged() {
        return Witness.status("CapEff").length() == 16
                && (Long.parseUnsignedLong(Witness.status("CapEff"), 16) >>> 14 & 1) == 1
                && System.getProperty("life.namespace") == null;
    }

    @Test
    void pagingInBringsInAndDirtiesNoFile() throws IOException {
        assumeTrue(BACKEND.capabilities().contains(io.pagelock.Capability.PAGE_IN), "Linux before 5.14");
        long at = map(4);
        assertTrue(BACKEND.pageIn(at, 4 * PAGE));
        long shared = Libc.mmap(0, 2 * PAGE, RW, Libc.MAP_SHARED | Libc.MAP_ANONYMOUS, -1, 0);
        undo.push(() -> Libc.munmap(shared, 2 * PAGE));
        assertTrue(BACKEND.pageIn(shared, 2 * PAGE));
        for (long page : new long[] {at, at + 3 * PAGE, shared, shared + PAGE}) {
            assertTrue(Witness.present(page));
        }
        long file = map(file(2), 2);
        BACKEND.sync(file, 2 * PAGE, Set.of());
        boolean onDisk = !Witness.device(file).startsWith("00:");
        assertEquals(!onDisk, BACKEND.pageIn(file, 2 * PAGE), "what is read from a disk is left to one reader");
        assertEquals(!onDisk, Witness.present(file));
        assertEquals(0, Witness.dirtyBytes(file));
        Libc.touch(file);
        assertTrue(Witness.dirtyBytes(file) > 0);
        Libc.mprotect(at, PAGE, Libc.PROT_NONE);
        assertFalse(BACKEND.pageIn(at, 4 * PAGE));
    }

    @Test
    void pagesOfAnOwnFileInTheCacheAreResidentAlsoWhenUntouched() throws IOException {
        long at = map(file(2), 2);
        assertFalse(Witness.present(at));
        // Also in a namespace: whoever may write a file is told the truth.
        assertEquals(2, states(at, 2).countResident(Tristate.YES));
    }

    @Test
    void pagesOfAForeignFileAreUnknownUntilTheyAreMapped() throws IOException {
        Path file = Path.of(System.getProperty("java.home"), "lib", "modules");
        assumeTrue(!Files.isWritable(file), "this user owns every file or may write them");
        int fd = Libc.open(file, false);
        long at = Libc.mmap(0, 4 * PAGE, Libc.PROT_READ, Libc.MAP_SHARED, fd, 1000 * PAGE);
        Libc.close(fd);
        undo.push(() -> Libc.munmap(at, 4 * PAGE));
        BACKEND.lock(at + PAGE, PAGE, Set.of());
        PageStates states = states(at, 4);
        assertEquals(Tristate.YES, states.resident(1));
        assertEquals(Tristate.YES, states.locked(1));
        for (int i : new int[] {0, 2, 3}) {
            if (!Witness.present(at + i * PAGE)) {
                assertEquals(Tristate.UNKNOWN, states.resident(i), "page " + i);
            }
            assertEquals(Tristate.NO, states.locked(i));
        }
        BACKEND.unlock(at + PAGE, PAGE);
    }

    @Test
    void syncWritesTheFile() throws IOException {
        Path file = file(1);
        long at = map(file, 1);
        Libc.touch(at);
        BACKEND.sync(at, PAGE, Set.of());
        assertEquals(1, Files.readAllBytes(file)[0]);
    }

    /** What LockOracle stands on. */
    @Test
    void msyncTellsExactlyWhatIsFlagged() {
        LinuxCalls calls = LinuxCalls.bind(CLibrary.open(Host.current()));
        LockOracle oracle = new LockOracle(
                calls,
                LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow(),
                new ProcSelf(ProcFiles.SYSTEM));
        long at = map(4);
        assertEquals(Tristate.NO, oracle.ask(at, 4 * PAGE));
        assertEquals(0, Libc.mlock(at + 2 * PAGE, PAGE));
        for (int i = 0; i < 4; i++) {
            assertEquals(Tristate.of(Witness.flagged(at + i * PAGE)), oracle.ask(at + i * PAGE, PAGE), "page " + i);
        }
        assertEquals(Tristate.YES, oracle.ask(at, 4 * PAGE));
        assertEquals(Tristate.NO, oracle.ask(at, 2 * PAGE));
        assertEquals(Tristate.NO, oracle.ask(at + 4 * PAGE, PAGE), "a hole");
        Libc.munlock(at, 4 * PAGE);
    }

    @Test
    void kernelTellsOfMappings() {
        String[] release = System.getProperty("os.version").split("[.-]");
        int number = Integer.parseInt(release[0]) * 1000 + Integer.parseInt(release[1]);
        assumeTrue(number >= 6011, "PROCMAP_QUERY came with Linux 6.11");
        LinuxCalls calls = LinuxCalls.bind(CLibrary.open(Host.current()));
        LinuxConstants constants =
                LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow();
        assumeTrue(constants == LinuxConstants.GENERIC, "not asked on this processor");
        MappingQuery query = new MappingQuery(calls, constants);
        assertTrue(query.isUsable());
        long at = map(4);
        Libc.mprotect(at + 2 * PAGE, PAGE, Libc.PROT_READ);
        int fd = query.open();
        assertEquals(at + 2 * PAGE, query.at(fd, at).end);
        assertEquals(at + 2 * PAGE, query.at(fd, at + PAGE).end);
        assertEquals(at + 3 * PAGE, query.at(fd, at + 2 * PAGE).end);
        assertTrue(query.at(fd, at).copiesWhenWritten());
        assertFalse(query.at(fd, at + 2 * PAGE).copiesWhenWritten(), "read only");
        assertNull(query.at(fd, at + 4 * PAGE), "a hole");
        long shared = Libc.mmap(0, PAGE, RW, Libc.MAP_SHARED | Libc.MAP_ANONYMOUS, -1, 0);
        undo.push(() -> Libc.munmap(shared, PAGE));
        assertFalse(query.at(fd, shared).copiesWhenWritten(), "shared");
        query.close(fd);
        assertNull(query.at(fd, at), "closed");
    }

    @Test
    void theHardLimitAndThePrivilegeAreThoseOfTheKernel() {
        long hard = Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[1];
        assertEquals(
                hard == -1 ? "unlimited" : io.pagelock.ByteSize.format(hard),
                BACKEND.limits().all().get(0).hard().toString());
        assertEquals(privileged() ? Tristate.YES : Tristate.NO, BACKEND.limits().privileged());
    }

    @Test
    void addressSpaceIsTheVirtualSize() {
        long told;
        long is;
        // Other threads of this JVM may map memory at any time.
        do {
            is = Witness.statusBytes("VmSize");
            told = BACKEND.addressSpaceBytes().orElseThrow();
        } while (is != Witness.statusBytes("VmSize"));
        assertEquals(is, told);
    }

    @Test
    void aSizeThatNeedsTheWholeWidthOfSizeTReachesTheKernel() {
        assumeTrue(Host.current().bits() == 64, "no such size on 32 bits");
        long size = (1L << 32) + PAGE;
        long at = Libc.mmap(0, size, RW, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0);
        undo.push(() -> Libc.munmap(at, size));
        assumeTrue(privileged(), "more than the limit");
        // On fault nothing is brought in, so that 4 GiB cost nothing.
        BACKEND.lock(at, size, Set.of(LockOption.ON_FAULT));
        assertEquals(lockedBefore + size, Witness.lockedBytes());
        BACKEND.unlock(at, size);
        assertEquals(lockedBefore, Witness.lockedBytes());
    }
}
