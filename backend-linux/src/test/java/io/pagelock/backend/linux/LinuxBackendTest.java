// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.InOrder;

/** The calls that the backend makes, and what it makes of their results. */
class LinuxBackendTest {
    private static final int PAGE = ScriptedCalls.PAGE;

    private static final Set<Capability> ALL = EnumSet.of(
            Capability.LOCK_ON_FAULT,
            Capability.LOCK_ADDRESS_SPACE,
            Capability.LOCK_ADDRESS_SPACE_ON_FAULT,
            Capability.SYNC,
            Capability.RESIDENT_PAGES,
            Capability.LOCKED_PAGES,
            Capability.LOCKED_BYTES,
            Capability.PAGE_IN);

    private final ProcTexts proc = new ProcTexts();

    private static Set<Capability> allBut(Capability... missing) {
        Set<Capability> rest = EnumSet.copyOf(ALL);
        rest.removeAll(List.of(missing));
        return rest;
    }

    private LinuxBackend backend(LinuxCalls calls, LinuxConstants constants, String release, int bits) {
        return new LinuxBackend(
                calls, constants, proc, buffer -> 0x1234, new Host("Linux", release, "amd64", bits), "/jdk/bin/java");
    }

    /** An old kernel, which needs no second look at a success. */
    private LinuxBackend old(ScriptedCalls calls) {
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "5.10.0", 64);
        calls.log.clear();
        return backend;
    }

    private LinuxBackend recent(ScriptedCalls calls) {
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "6.11.0-rc1", 64);
        calls.log.clear();
        return backend;
    }

    private static ScriptedCalls calls() {
        ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);
        calls.lockFlags = true;
        return calls;
    }

    /** A kernel in whose place somebody answers, or which passes over what it is given. */
    private static ScriptedCalls lockingNothing() {
        return new ScriptedCalls(LinuxConstants.GENERIC);
    }

    /** Without what reads files in, and how the answers are told apart. */
    private static List<String> made(ScriptedCalls calls) {
        return calls.log.stream()
                .filter(call -> !call.equals("errno")
                        && !call.equals("open")
                        && !call.startsWith("madvise")
                        && !call.startsWith("mincore"))
                .collect(Collectors.toList());
    }

    // What a lock costs

    @Test
    void lockAndUnlockOnAnOldKernelAreOneCallEachAndReadNothing() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        backend.lock(0x10000, PAGE, Set.of());
        assertEquals(List.of("mlock(10000, 1000)", "msync(10000, 1000, 3)"), made(calls), "the first is looked at");
        backend.unlock(0x10000, PAGE);
        withinAMoment(calls, () -> {
            backend.lock(0x10000, PAGE, Set.of());
            backend.unlock(0x10000, PAGE);
        });
        assertEquals(List.of("mlock(10000, 1000)", "munlock(10000, 1000)"), calls.log);
        assertEquals(List.of(), proc.opened);
    }

    /** Does it until the mappings are remembered from the time before: a machine that stalls may take longer than that. */
    private void withinAMoment(ScriptedCalls calls, Runnable action) {
        for (int i = 0; i == 0 || i < 100 && !proc.opened.isEmpty(); i++) {
            proc.opened.clear();
            calls.log.clear();
            action.run();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlock", "mlock2", "munlock"})
    void refusalWithoutACauseIsAskedOnceMore(String function) {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        calls.failOnce(function, "ENOMEM");
        lockOrUnlock(backend, function);
        assertEquals(
                2,
                calls.log.stream()
                        .filter(call -> call.startsWith(function + "("))
                        .count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlock", "mlock2", "munlock"})
    void refusalThatStaysWithoutACauseIsReported(String function) {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        calls.fail(function, "ENOMEM");
        PageLockException thrown = assertThrows(PageLockException.class, () -> lockOrUnlock(backend, function));
        assertEquals(Reason.UNKNOWN, thrown.reason());
        assertEquals(
                2,
                calls.log.stream()
                        .filter(call -> call.startsWith(function + "("))
                        .count());
    }

    @Test
    void refusalWithACauseIsNotAskedAgain() {
        ScriptedCalls calls = calls().failOnce("mlock", "ENOMEM");
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> old(calls).lock(0x10000, 17 * PAGE, Set.of()));
        assertEquals(Reason.OVER_LIMIT, thrown.reason());
        assertEquals(
                1, calls.log.stream().filter(call -> call.startsWith("mlock(")).count());
    }

    private static void lockOrUnlock(LinuxBackend backend, String function) {
        if (function.equals("munlock")) {
            backend.unlock(0x10000, PAGE);
        } else {
            backend.lock(0x10000, PAGE, function.equals("mlock2") ? Set.of(LockOption.ON_FAULT) : Set.of());
        }
    }

    @Test
    void lockOfAPageOnARecentKernelAsksOnceWhetherItIsLocked() {
        ScriptedCalls calls = calls();
        calls.lockFlags = true;
        LinuxBackend backend = recent(calls);
        withinAMoment(calls, () -> backend.lock(0x10000, PAGE, Set.of()));
        assertEquals(List.of("mlock(10000, 1000)", "msync(10000, 1000, 3)", "errno"), calls.log);
        assertEquals(List.of(), proc.opened);
    }

    @Test
    void lockOfSeveralPagesAsksForEach() {
        ScriptedCalls calls = calls();
        calls.lockFlags = true;
        recent(calls).lock(0x10000, 3 * PAGE, Set.of(LockOption.ON_FAULT));
        assertEquals(
                List.of(
                        "mlock2(10000, 3000, 1)",
                        "msync(10000, 1000, 3)",
                        "msync(11000, 1000, 3)",
                        "msync(12000, 1000, 3)"),
                made(calls));
    }

    @Test
    void lockOfManyPagesAsksByMapping() {
        ScriptedCalls calls = calls();
        calls.lockFlags = true;
        LinuxBackend backend = recent(calls);
        proc.maps(
                "00010000-00200000 rw-p 00000000 00:00 0 ",
                "00200000-00300000 rw-p 00000000 00:00 0 ",
                "00300000-00400000 rw-p 00000000 00:00 0 ");
        backend.lock(0x100000, 0x180000, Set.of());
        assertEquals(
                List.of("mlock(100000, 180000)", "msync(100000, 100000, 3)", "msync(200000, 80000, 3)"), made(calls));
        calls.log.clear();
        backend.lock(0x100000, 0x180000, Set.of());
        assertFalse(calls.log.contains("open"), "tried once");
    }

    @Test
    void lockOfManyPagesAsksWhereMappingsEndIfTheKernelTells() {
        ScriptedCalls calls = calls();
        calls.lockFlags = true;
        calls.ends.addAll(List.of(0x108000L, 0x200000L));
        LinuxBackend backend = recent(calls);
        proc.opened.clear();
        backend.lock(0x100000, 16 * PAGE, Set.of());
        assertEquals(
                List.of(
                        // Does it answer at all? Is it of a file?
                        "ioctl(7, c0686611, 0)",
                        "close(7)",
                        "ioctl(7, c0686611, 100000)",
                        "close(7)",
                        "ioctl(7, c0686611, 108000)",
                        "close(7)",
                        "mlock(100000, 10000)",
                        "ioctl(7, c0686611, 100000)",
                        "msync(100000, 8000, 3)",
                        "ioctl(7, c0686611, 108000)",
                        "msync(108000, 8000, 3)",
                        "close(7)"),
                made(calls));
        assertEquals(List.of(), proc.opened);
    }

    @Test
    void filesAreNotAskedAboutOnceAPartIsFoundLocked() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = recent(calls);
        proc.maps(
                "00100000-00140000 r--s 00000000 fe:00 77                     /a",
                "00140000-00180000 r--s 00000000 fe:00 78                     /b",
                "00180000-001c0000 rw-p 00000000 00:00 0 ",
                "001c0000-00200000 r--s 00000000 fe:00 79                     /c");
        backend.lock(0x100000, 0x100000, Set.of(LockOption.ON_FAULT));
        List<String> asked = List.of("msync(100000, 40000, 3)", "msync(180000, 40000, 3)");
        assertEquals(asked, asked(calls));
        calls.log.clear();
        calls.ends.addAll(List.of(0x140000L, 0x180000L, 0x1c0000L, 0x200000L));
        calls.inodes.putAll(Map.of(0x140000L, 77L, 0x180000L, 78L, 0x200000L, 79L));
        recent(calls).lock(0x100000, 0x100000, Set.of(LockOption.ON_FAULT));
        assertEquals(asked, asked(calls), "the same where the kernel shows where mappings end");
    }

    @Test
    void filesAreAskedAboutWhileNothingIsFoundLocked() {
        ScriptedCalls calls = lockingNothing();
        LinuxBackend backend = recent(calls);
        proc.maps(
                "00100000-00140000 rw-s 00000000 00:05 70                     /dev/fb0",
                "00140000-00200000 r--s 00000000 fe:00 78                     /b");
        smaps("00100000-00140000 rw-s 00000000 00:05 70                     /dev/fb0", "rd wr sh io");
        backend.lock(0x100000, 0x100000, Set.of(LockOption.ON_FAULT));
        assertEquals(List.of("msync(100000, 40000, 3)", "msync(140000, c0000, 3)"), asked(calls));
    }

    private static List<String> asked(ScriptedCalls calls) {
        return calls.log.stream().filter(call -> call.startsWith("msync(1")).collect(Collectors.toList());
    }

    @Test
    void descriptorIsClosedWhateverIsFound() {
        ScriptedCalls calls = lockingNothing();
        calls.ends.add(0x200000L);
        LinuxBackend backend = recent(calls);
        assertThrows(PageLockException.class, () -> backend.lock(0x100000, 16 * PAGE, Set.of()));
        assertAllClosed(calls);
        calls.log.clear();
        // The kernel stops answering; what is mapped is read then.
        calls.ends.clear();
        calls.ends.add(0x90000L);
        smaps("100000-200000 rw-p 00000000 00:00 0", "rd wr ht");
        backend.lock(0x100000, 16 * PAGE, Set.of());
        assertAllClosed(calls);
        assertTrue(proc.opened.contains("/proc/self/maps"));
    }

    private static void assertAllClosed(ScriptedCalls calls) {
        int opened = Collections.frequency(calls.log, "open");
        assertTrue(opened > 0);
        assertEquals(opened, Collections.frequency(calls.log, "close(7)"));
    }

    @Test
    void mappingsAreNotAskedForWhereVariableArgumentsAreSpecial() {
        ScriptedCalls calls = new ScriptedCalls(LinuxConstants.POWERPC);
        calls.ends.add(0x200000L);
        backend(calls, LinuxConstants.POWERPC, "6.18.0", 64);
        assertFalse(calls.log.toString().contains("open"), calls.log.toString());
    }

    /** The engine has found it locked, and asks the kernel for it all the same. */
    @Test
    void aPageIsLockedAgainWithoutAskingWhetherItIs() {
        ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);
        calls.lockFlags = true;
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "6.18.0", 64);
        PageLocker locker = PageLockers.over(backend);
        MemoryRange page = MemoryRange.of(0x10000, PAGE);
        PageLock first = locker.lock(page);
        calls.log.clear();
        PageLock second = locker.lock(page);
        assertEquals(
                List.of("msync(10000, 1000, 3)", "mlock(10000, 1000)"),
                calls.log.stream().filter(each -> each.matches("ms.*|ml.*")).collect(Collectors.toList()));
        second.close();
        first.close();
    }

    /** From the third lock within another on, when the kernel has been asked once whether the page is of a file. */
    @Test
    void aPageOfNoFileIsOnlyAskedForAgain() {
        assertEquals(List.of("msync(10000, 1000, 3)"), callsOfLaterLock(0, false));
        List<String> locked = List.of("msync(10000, 1000, 3)", "mlock(10000, 1000)");
        assertEquals(locked, callsOfLaterLock(42, false), "a file may have been truncated");
        assertEquals(locked, callsOfLaterLock(0, true), "an address-space lock may have locked what is not in memory");
        assertEquals(locked, callsOfLaterLock(0, false, LockOption.ON_FAULT), "it need not be in memory");
    }

    /** Returns the calls of a full lock of a page that one with these options holds, and was locked within it before. */
    private List<String> callsOfLaterLock(long inode, boolean future, LockOption... options) {
        ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);
        calls.lockFlags = true;
        calls.ends.add(0x20000L);
        calls.inodes.put(0x20000L, inode);
        PageLocker locker = PageLockers.over(backend(calls, LinuxConstants.GENERIC, "6.18.0", 64));
        MemoryRange page = MemoryRange.of(0x10000, PAGE);
        PageLock first = locker.lock(page, options);
        List<PageLock> within = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            within.add(locker.lock(page));
        }
        within.forEach(PageLock::close);
        if (future) {
            locker.lockAddressSpace(AddressSpaceScope.FUTURE);
        }
        calls.log.clear();
        locker.lock(page);
        // A handle that nobody has would be unlocked.
        assertTrue(first.isValid());
        return calls.log.stream().filter(each -> each.matches("ms.*|ml.*")).collect(Collectors.toList());
    }

    @Test
    void errnoIsNotReadAfterASuccess() {
        LinuxCalls calls = mock(LinuxCalls.class);
        when(calls.getpagesize()).thenReturn(PAGE);
        when(calls.has("mlock2")).thenReturn(true);
        when(calls.msync(0x10000, PAGE, 3)).thenReturn(-1);
        when(calls.errno()).thenReturn(16);
        proc.status(4, "0000000000000000");
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "5.10.0", 64);
        backend.lock(0x10000, PAGE, Set.of());
        backend.lock(0x10000, PAGE, Set.of(LockOption.ON_FAULT));
        backend.unlock(0x10000, PAGE);
        backend.lockAll(AddressSpaceScope.CURRENT, Set.of());
        backend.unlockAll(List.of());
        backend.sync(0x10000, PAGE, Set.of());
        // Once, since an answer is told by it: the first lock is looked at.
        verify(calls, times(1)).errno();
    }

    @Test
    void errnoIsReadOnceAndBeforeAnythingElseAfterAFailure() {
        LinuxCalls calls = mock(LinuxCalls.class);
        when(calls.getpagesize()).thenReturn(PAGE);
        when(calls.mlock(anyLong(), anyLong())).thenReturn(-1);
        // The second answer would be that of a call made while looking for the cause.
        when(calls.errno()).thenReturn(11, 12);
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "5.10.0", 64);
        PageLockException thrown = assertThrows(PageLockException.class, () -> backend.lock(0x10000, PAGE, Set.of()));
        assertEquals(11, thrown.errno().getAsInt());
        InOrder order = inOrder(calls);
        order.verify(calls).mlock(0x10000, PAGE);
        order.verify(calls).errno();
        order.verify(calls, never()).msync(anyLong(), anyLong(), anyInt());
    }

    // Constants reach the kernel

    @ParameterizedTest
    @CsvSource({"GENERIC, 1, 2, 4", "POWERPC, 8192, 16384, 32768", "ALPHA, 8192, 16384, 32768", "MIPS, 1, 2, 4"})
    void lockAllPassesTheFlagsOfTheProcessor(LinuxConstants constants, int current, int future, int onFault) {
        ScriptedCalls calls = new ScriptedCalls(constants);
        calls.lockFlags = true;
        proc.status(4, "0000000000000000");
        LinuxBackend backend = backend(calls, constants, "5.10.0", 64);
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.lockAll(AddressSpaceScope.CURRENT, Set.of());
        backend.lockAll(AddressSpaceScope.FUTURE, Set.of());
        backend.lockAll(AddressSpaceScope.CURRENT_AND_FUTURE, Set.of(LockOption.ON_FAULT));
        assertEquals(
                List.of(
                        "mlockall(" + current + ")",
                        "mlockall(" + future + ")",
                        "mlockall(" + (current | future | onFault) + ")"),
                made(calls));
    }

    @ParameterizedTest
    @CsvSource({"GENERIC, 4, 1, 2", "ALPHA, 2, 1, 4", "SPARC, 4, 1, 2"})
    void syncPassesTheFlagsOfTheProcessor(LinuxConstants constants, int sync, int async, int invalidate) {
        ScriptedCalls calls = new ScriptedCalls(constants);
        calls.lockFlags = true;
        proc.status(4, "0000000000000000");
        LinuxBackend backend = backend(calls, constants, "5.10.0", 64);
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.sync(0x10000, PAGE, Set.of());
        backend.sync(0x10000, PAGE, EnumSet.of(SyncOption.ASYNC));
        backend.sync(0x10000, PAGE, Set.of(SyncOption.INVALIDATE));
        assertEquals(
                List.of(
                        "msync(10000, 1000, " + sync + ")",
                        "msync(10000, 1000, " + async + ")",
                        "msync(10000, 1000, " + (sync | invalidate) + ")"),
                calls.log);
    }

    @ParameterizedTest
    @CsvSource({"GENERIC, 8", "MIPS, 9", "ALPHA, 9", "SPARC, 8", "POWERPC, 8"})
    void limitIsThatOfTheProcessor(LinuxConstants constants, int resource) {
        ScriptedCalls calls = new ScriptedCalls(constants);
        calls.lockFlags = true;
        proc.status(4, "0000000000000000");
        LinuxBackend backend = backend(calls, constants, "5.10.0", 64);
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.limits();
        assertEquals(List.of("getrlimit(" + resource + ")"), calls.log);
    }

    // Capabilities

    @Test
    void everythingIsDeclaredOnARecentKernel() {
        LinuxBackend backend = backend(calls(), LinuxConstants.GENERIC, "6.18.44", 64);
        assertEquals(ALL, backend.capabilities());
        assertEquals(List.of(), backend.info().notes());
        assertEquals("Linux 6.18.44", backend.info().system());
        assertThrows(
                UnsupportedOperationException.class,
                () -> backend.capabilities().clear());
    }

    @Test
    void kernelWithoutMlock2LosesTheCapabilityAndNothingElse() {
        ScriptedCalls calls = calls().fail("mlock2", "ENOSYS");
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "3.10.0", 64);
        assertEquals(allBut(Capability.LOCK_ON_FAULT, Capability.LOCK_ADDRESS_SPACE_ON_FAULT), backend.capabilities());
        assertTrue(
                backend.info().notes().get(0).contains("ENOSYS"),
                backend.info().notes().toString());
        assertDoesNotThrow(() -> backend.lock(0x10000, PAGE, Set.of()));
    }

    @Test
    void libraryWithoutMlock2IsNotAsked() {
        ScriptedCalls calls = calls();
        calls.mlock2 = false;
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "6.1.0", 64);
        assertFalse(backend.capabilities().contains(Capability.LOCK_ON_FAULT));
        assertFalse(calls.log.toString().contains("mlock2"), calls.log.toString());
    }

    @Test
    void refusalOfMlock2ForTheLimitIsNoLackOfIt() {
        ScriptedCalls calls = calls().fail("mlock2", "EPERM");
        calls.soft = 0;
        assertTrue(backend(calls, LinuxConstants.GENERIC, "6.1.0", 64)
                .capabilities()
                .contains(Capability.LOCK_ON_FAULT));
        calls.soft = 65536;
        assertFalse(backend(calls, LinuxConstants.GENERIC, "6.1.0", 64)
                .capabilities()
                .contains(Capability.LOCK_ON_FAULT));
    }

    @Test
    void withoutProcLookingIsNotDeclared() {
        proc.files.clear();
        LinuxBackend backend = backend(calls(), LinuxConstants.GENERIC, "6.1.0", 64);
        assertEquals(
                allBut(Capability.LOCKED_BYTES, Capability.LOCKED_PAGES, Capability.RESIDENT_PAGES, Capability.PAGE_IN),
                backend.capabilities());
        assertEquals(2, backend.info().notes().size());
        assertEquals(Optional.empty(), backend.mapped(MemoryRange.of(0x10000, PAGE)));
        assertFalse(backend.addressSpaceBytes().isPresent());
        assertFalse(backend.limits().lockedBytes().isPresent());
        assertEquals(Tristate.UNKNOWN, backend.limits().privileged());
        PageStates states = backend.pageStates(MemoryRange.of(0x10000, 2 * PAGE));
        assertEquals(2, states.countLocked(Tristate.UNKNOWN));
        assertEquals(2, states.countResident(Tristate.UNKNOWN));
    }

    @Test
    void kernelThatKnowsNoPopulateDoesNotPageIn() {
        LinuxBackend backend = backend(calls().fail("madvise", "EINVAL"), LinuxConstants.GENERIC, "5.10.0", 64);
        assertEquals(allBut(Capability.PAGE_IN), backend.capabilities());
    }

    @Test
    void pagingInWritesOnlyWhereThatMakesACopy() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        proc.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 rw-s 00000000 00:05 77        /memfd:some (deleted)",
                "00030000-00040000 r--p 00000000 00:05 77        /memfd:some (deleted)",
                "00040000-00050000 rw-p 00000000 fe:00 78        /data/file",
                "00050000-00060000 rw-s 00000000 fe:00 78        /data/file",
                "00060000-00070000 r--p 00000000 fe:00 78        /data/file");
        assertTrue(backend.pageIn(0x18000, 0x30000));
        assertEquals(
                List.of(
                        "open",
                        "madvise(18000, 8000, 23)",
                        "madvise(20000, 10000, 22)",
                        "madvise(30000, 10000, 22)",
                        "madvise(40000, 8000, 23)"),
                calls.log);
        assertFalse(backend.pageIn(0x50000, 0x10000), "reads from a disk");
        assertFalse(backend.pageIn(0x60000, 0x10000), "reads from a disk");
        assertEquals(5, calls.log.size());
        assertFalse(old(calls().fail("madvise", "EFAULT")).pageIn(0x10000, PAGE));
        proc.without("/proc/self/maps");
        assertFalse(old(calls()).pageIn(0x10000, PAGE));
    }

    @Test
    void pagingInAsksTheKernelForTheMappingsIfItTells() {
        ScriptedCalls calls = calls();
        calls.ends.addAll(List.of(0x20000L, 0x30000L, 0x40000L));
        // Readable and writable, the second one shared; the third one only readable.
        calls.mappingFlags.putAll(Map.of(0x20000L, 3L, 0x30000L, 11L, 0x40000L, 1L));
        LinuxBackend backend = recent(calls);
        assertTrue(backend.pageIn(0x18000, 0x20000));
        assertEquals(
                List.of("madvise(18000, 8000, 23)", "madvise(20000, 10000, 22)", "madvise(30000, 8000, 22)"),
                calls.log.stream().filter(each -> each.startsWith("madvise")).collect(Collectors.toList()));
        assertFalse(backend.pageIn(0x38000, 0x10000), "a hole at the end");
        // Major 0 and minor 5, as memory has, and then major 254 and minor 0.
        boolean majorIsLow = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        calls.mappingDevice = majorIsLow ? 5L << 32 : 5;
        assertTrue(backend.pageIn(0x20000, 0x20000));
        calls.mappingDevice = majorIsLow ? 254 : 254L << 32;
        assertTrue(backend.pageIn(0x10000, 0x10000));
        assertFalse(backend.pageIn(0x20000, 0x10000), "reads from a disk");
        assertFalse(backend.pageIn(0x30000, 0x10000), "reads from a disk");
        assertEquals(7, calls.log.stream().filter("close(7)"::equals).count());
    }

    // Success in name only

    @Test
    void successThatLockedNothingIsAFailure() {
        LinuxBackend backend = recent(lockingNothing());
        smaps("10000-20000 rw-p 00000000 00:00 0", "rd wr mr mw me nr wf dd dp");
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> backend.lock(0x10000, 2 * PAGE, Set.of()));
        assertEquals(Reason.CANNOT_BE_PAGED_IN, thrown.reason());
        assertTrue(thrown.detail().contains("MAP_DROPPABLE"), thrown.detail());
        assertFalse(thrown.errno().isPresent(), "no call failed");
    }

    @ParameterizedTest
    @CsvSource({"rd wr sh pf io de dd", "rd wr mr mw me ht", "rd wr mm"})
    void memoryThatNeedsNoLockIsASuccess(String flags) {
        LinuxBackend backend = recent(lockingNothing());
        smaps("10000-20000 rw-p 00000000 00:00 0", flags);
        assertDoesNotThrow(() -> backend.lock(0x10000, 2 * PAGE, Set.of()));
    }

    @ParameterizedTest
    @CsvSource({"6.18.0", "6.1.0", "3.10.0"})
    void plainMemoryIsNeverExempt(String release) {
        smaps("10000-20000 rw-p 00000000 00:00 0", "rd wr mr mw me ac");
        PageLockException thrown = assertThrows(
                PageLockException.class,
                () -> backend(lockingNothing(), LinuxConstants.GENERIC, release, 64)
                        .lock(0x10000, PAGE, Set.of()));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
    }

    /** Nothing tells files of a DAX file system from others, but that locking works elsewhere. */
    @Test
    void aFileIsExemptOnlyWhereLockingWorksAtAll() {
        ScriptedCalls calls = lockingNothing();
        LinuxBackend backend = recent(calls);
        smaps("10000-20000 rw-s 00000000 fe:00 7 /dax/file", "rd wr sh mr mw me ms");
        assertEquals(
                Reason.NOT_SUPPORTED,
                assertThrows(PageLockException.class, () -> backend.lock(0x10000, PAGE, Set.of()))
                        .reason());
        // The page at the address of every buffer here.
        calls.lockedFrom(0x2000, 1);
        assertDoesNotThrow(() -> backend.lock(0x10000, PAGE, Set.of()));
    }

    @Test
    void successThatCannotBeExplainedIsAFailure() {
        LinuxBackend backend = recent(lockingNothing());
        PageLockException thrown = assertThrows(PageLockException.class, () -> backend.lock(0x10000, PAGE, Set.of()));
        assertEquals(Reason.UNKNOWN, thrown.reason());
    }

    @Test
    void releaseThatCannotBeReadIsCheckedAsIfRecent() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "next", 64);
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.lock(0x10000, PAGE, Set.of());
        assertEquals(List.of("mlock(10000, 1000)", "msync(10000, 1000, 3)", "errno"), calls.log);
    }

    private void smaps(String line, String flags) {
        proc.put("/proc/self/smaps", line + " \nSize:  64 kB\nVmFlags: " + flags + " \n");
    }

    // The end of an address-space lock

    @Test
    void unlockAllGoesRoundWhatIsKept() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        proc.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 r--p 00000000 00:00 0 ",
                "00050000-00060000 rw-p 00000000 00:00 0 ",
                "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]");
        backend.unlockAll(List.of(
                MemoryRange.of(0x10000, PAGE), MemoryRange.of(0x1f000, 2 * PAGE), MemoryRange.of(0x40000, 17 * PAGE)));
        assertEquals(
                List.of("mlockall(5)", "munlock(11000, e000)", "munlock(21000, f000)", "munlock(51000, f000)"),
                calls.log);
    }

    @Test
    void unlockAllOfEverythingIsOneCall() {
        ScriptedCalls calls = calls();
        old(calls).unlockAll(List.of());
        assertEquals(List.of("munlockall()"), calls.log);
    }

    /** Only munlockall can end future locking then. */
    @Test
    void unlockAllOfFutureWithoutTheRightToLockAllUnlocksEverything() {
        ScriptedCalls calls = calls().fail("mlockall(5)", "ENOMEM");
        LinuxBackend backend = old(calls);
        proc.status(4, "0000000000000000");
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.lockAll(AddressSpaceScope.FUTURE, Set.of());
        backend.unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals(List.of("mlockall(2)", "mlockall(5)", "munlockall()"), calls.log);
        calls.log.clear();
        backend.unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals(List.of("mlockall(5)", "munlock(11000, 1f000)"), calls.log);
    }

    @Test
    void unlockAllOfCurrentNeedsNoRight() {
        ScriptedCalls calls = calls().fail("mlockall(5)", "ENOMEM");
        LinuxBackend backend = old(calls);
        proc.status(4, "0000000000000000");
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.lockAll(AddressSpaceScope.FUTURE, Set.of());
        // Ends what came before: mlockall(2).
        backend.lockAll(AddressSpaceScope.CURRENT, Set.of());
        calls.fail("mlockall(2)", "ENOMEM");
        assertThrows(PageLockException.class, () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()));
        calls.log.clear();
        backend.unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals(List.of("mlockall(5)", "munlock(11000, 1f000)"), calls.log);
    }

    @Test
    void unlockAllOfFutureWithoutOnFaultUnlocksEverything() {
        ScriptedCalls calls = calls();
        calls.mlock2 = false;
        LinuxBackend backend = old(calls);
        proc.status(4, "0000000000000000");
        backend.lock(0x10000, PAGE, Set.of());
        backend.unlock(0x10000, PAGE);
        calls.log.clear();
        backend.lockAll(AddressSpaceScope.FUTURE, Set.of());
        backend.unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals(List.of("mlockall(2)", "munlockall()"), calls.log);
    }

    @Test
    void unlockAllThatLeavesSomethingLockedUnlocksEverythingAtLast() {
        ScriptedCalls calls = calls().fail("munlock", "ENOMEM");
        calls.lockedFrom(0x12000, 1);
        LinuxBackend backend = old(calls);
        backend.unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals("munlockall()", calls.log.get(calls.log.size() - 1));
        assertEquals(
                16,
                calls.log.stream()
                        .filter(each -> each.startsWith("munlock(11000"))
                        .count());
    }

    /** Another thread unmaps the second of three adjacent mappings once they were read. */
    @Test
    void unlockAllGoesMappingByMappingOnceOneWasGone() {
        proc.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 r--p 00000000 00:00 0 ",
                "00030000-00040000 rw-p 00000000 00:00 0 ");
        ScriptedCalls calls = calls().fail("munlock(11000, 2f000)", "ENOMEM");
        calls.lockedFrom(0x30000, 1);
        old(calls).unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertEquals(
                List.of(
                        "mlockall(5)",
                        "munlock(11000, 2f000)",
                        "munlock(11000, f000)",
                        "munlock(20000, 10000)",
                        "munlock(30000, 10000)"),
                calls.log.stream().filter(each -> each.contains("lock")).collect(Collectors.toList()));
    }

    @Test
    void refusedUnlockOfWhatIsNotLockedDoesNotMatter() {
        ScriptedCalls calls = calls().fail("munlock", "ENOMEM");
        old(calls).unlockAll(List.of(MemoryRange.of(0x10000, PAGE)));
        assertFalse(calls.log.contains("munlockall()"), calls.log.toString());
    }

    @Test
    void refusedMunlockallIsThrown() {
        PageLockException thrown = assertThrows(
                PageLockException.class,
                () -> old(calls().fail("munlockall", "EINTR")).unlockAll(List.of()));
        assertEquals("munlockall", thrown.function().orElse(""));
        assertEquals("EINTR", thrown.errnoName().orElse(""));
    }

    @Test
    void failedLockAllLeavesNothing() {
        assertTrue(old(calls()).failedLockAllLeavesNothing());
    }

    // Looking

    private static long entry(boolean present, boolean swapped) {
        return (present ? 1L << 63 : 0) | (swapped ? 1L << 62 : 0);
    }

    /** The entries from page 0 on, in the order of bytes of this machine, as the kernel writes them. */
    private void pagemap(long firstPage, long... entries) {
        ByteBuffer bytes =
                ByteBuffer.allocate((int) (firstPage + entries.length) * 8).order(ByteOrder.nativeOrder());
        for (int i = 0; i < entries.length; i++) {
            bytes.putLong((int) (firstPage + i) * 8, entries[i]);
        }
        proc.files.put("/proc/self/pagemap", bytes.array());
    }

    private static String states(PageStates states) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < states.pageCount(); i++) {
            text.append(states.locked(i).name().charAt(0))
                    .append(states.resident(i).name().charAt(0))
                    .append(' ');
        }
        return text.toString().trim();
    }

    @Test
    void pageOfALockedMappingIsLockedOnceItIsInThePageTable() {
        ScriptedCalls calls = calls();
        calls.lockedFrom(0x10000, 16);
        LinuxBackend backend = old(calls);
        calls.resident = 0;
        pagemap(16, entry(true, false), entry(false, false), entry(false, true));
        assertEquals("YY NN NN", states(backend.pageStates(MemoryRange.of(0x10000, 3 * PAGE))));
        calls.resident = 1;
        // Swapped out or just being moved: that cannot be told.
        assertEquals("YY NY UY", states(backend.pageStates(MemoryRange.of(0x10000, 3 * PAGE))));
    }

    @Test
    void pageOfAMappingThatIsNotLockedIsNotLocked() {
        LinuxBackend backend = old(calls());
        pagemap(16, entry(true, false));
        assertEquals(
                "NY NN",
                states(backend.pageStates(MemoryRange.of(0xf000, 2 * PAGE))).replaceAll("(\\w\\w) (\\w\\w)", "$2 $1"));
    }

    @Test
    void withoutPagemapTheKindOfLockDecides() {
        ScriptedCalls calls = calls();
        calls.lockedFrom(0x10000, 16);
        LinuxBackend backend = old(calls);
        MemoryRange range = MemoryRange.of(0x10000, PAGE);
        smaps("10000-20000 rw-p 00000000 00:00 0", "rd wr lo ac");
        assertEquals("YY", states(backend.pageStates(range)));
        smaps("10000-20000 rw-p 00000000 00:00 0", "rd wr lo lf ac");
        assertEquals("UY", states(backend.pageStates(range)));
        proc.without("/proc/self/smaps");
        assertEquals("UY", states(backend.pageStates(range)));
        calls.resident = 0;
        assertEquals("NN", states(backend.pageStates(range)));
        calls.fail("mincore", "EAGAIN");
        assertEquals("UU", states(backend.pageStates(range)));
    }

    @Test
    void mincoreIsNotBelievedAboutAForeignFile() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        proc.maps("00010000-00020000 r--s 00000000 fe:00 77                     /usr/lib/a b");
        pagemap(16, entry(true, false), 0);
        MemoryRange range = MemoryRange.of(0x10000, 2 * PAGE);
        assertEquals("NY NU", states(backend.pageStates(range)));
        proc.file("/usr/lib/a b", 77, 0, 1);
        assertEquals("NY NU", states(backend.pageStates(range)), "root's file");
        proc.file("/usr/lib/a b", 77, 1000, 1);
        assertEquals("NY NY", states(backend.pageStates(range)), "an own file");
        proc.links.put("/proc/self/ns/user", "user:[4026532000]");
        assertEquals("NY NU", states(backend.pageStates(range)), "perhaps someone else's in the namespace outside");
        proc.links.put("/proc/self/ns/user", "user:[4026531837]");
        proc.writable.add("/usr/lib/a b");
        assertEquals("NY NY", states(backend.pageStates(range)), "a file that it may write");
        proc.facts.clear();
        proc.status(0, "0000000000000008");
        assertEquals("NY NY", states(backend.pageStates(range)), "CAP_FOWNER");
        proc.status(0, "0000000000000000");
        calls.resident = 0;
        pagemap(16, 0, 0);
        assertEquals("NN NN", states(backend.pageStates(range)), "a no is a no");
    }

    @Test
    void manyRangesReadMapsOnceAndAreAnsweredInTheirOrder() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = old(calls);
        proc.maps(
                "00010000-00020000 r--s 00000000 fe:00 77                     /a",
                "00020000-00030000 rw-p 00000000 00:00 0 ",
                "00050000-00060000 r--s 00000000 fe:00 78                     /b");
        List<MemoryRange> ranges = List.of(
                MemoryRange.of(0x50000, PAGE),
                MemoryRange.of(0x1f000, 2 * PAGE),
                MemoryRange.of(0x40000, PAGE),
                MemoryRange.of(0x2f000, 2 * PAGE));
        List<String> alone = new ArrayList<>();
        ranges.forEach(each -> alone.add(each + states(backend.pageStates(each))));
        proc.opened.clear();
        calls.log.clear();
        List<String> together = new ArrayList<>();
        backend.pageStates(ranges).forEach(each -> together.add(each.range() + states(each)));
        assertEquals(alone, together);
        assertEquals(List.of("msync(1f000, 32000, 3)"), made(calls), "one question where nothing is locked");
        assertEquals(1, proc.opened.stream().filter("/proc/self/maps"::equals).count());
        assertEquals(1, proc.opened.stream().filter("/proc/self/status"::equals).count());
        calls.lockedFrom(0x50000, 1);
        List<PageStates> now = backend.pageStates(ranges);
        assertFalse(states(now.get(0)).startsWith("N"), "the first is locked");
        now.subList(1, 4).forEach(each -> assertTrue(alone.contains(each.range() + states(each)), each::toString));
    }

    @Test
    void mappedPartsAreJoinedAndClipped() {
        proc.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 r--p 00000000 00:00 0 ",
                "00050000-00060000 rw-p 00000000 00:00 0 ",
                "00070000-00080000 rw-p 00000000 00:00 0 ");
        assertEquals(
                Optional.of(List.of(MemoryRange.of(0x18000, 0x18000), MemoryRange.of(0x50000, 0x8000))),
                old(calls()).mapped(MemoryRange.of(0x18000, 0x40000)));
        assertEquals(Optional.of(List.of()), old(calls()).mapped(MemoryRange.of(0x30000, 0x1000)));
    }

    @Test
    void upperHalfOfTheAddressSpaceIsAsGoodAsTheLower() {
        ScriptedCalls calls = calls();
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "5.10.0", 64);
        proc.maps("8000000000010000-8000000000020000 rw-p 00000000 00:00 0 ");
        long at = 0x8000000000010000L;
        assertEquals(
                Optional.of(List.of(MemoryRange.of(at, 2 * PAGE))),
                backend.mapped(MemoryRange.of(at - PAGE, 3 * PAGE)));
        assertEquals(
                Tristate.NO,
                backend.pageStates(MemoryRange.of(at - PAGE, 2 * PAGE)).resident(0));
        assertEquals(
                Tristate.YES,
                backend.pageStates(MemoryRange.of(at - PAGE, 2 * PAGE)).resident(1));
    }

    @Test
    void widthAndPageSizeAreThoseOfTheHostAndTheKernel() {
        ScriptedCalls calls = calls();
        calls.pageSize = 65536;
        LinuxBackend backend = backend(calls, LinuxConstants.GENERIC, "5.10.0", 32);
        assertEquals(32, backend.addressBits());
        assertEquals(65536, backend.pageSize());
        assertEquals(0x1234, backend.address(ByteBuffer.allocateDirect(1)));
    }

    @Test
    void staleErrnoDoesNotMakeAPageLocked() {
        ScriptedCalls calls = calls();
        calls.lockedFrom(0x10000, 1);
        LockOracle oracle = oracle(calls);
        assertEquals(Tristate.YES, oracle.ask(0x10000, PAGE));
        // EBUSY is still in errno.
        assertEquals(Tristate.NO, oracle.ask(0x11000, PAGE));
        // What is mapped of the range is not locked.
        assertEquals(Tristate.NO, oracle(calls().fail("msync", "ENOMEM")).ask(0x10000, PAGE));
    }

    private LockOracle oracle(ScriptedCalls calls) {
        return new LockOracle(calls, LinuxConstants.GENERIC, new ProcSelf(proc));
    }

    @ParameterizedTest
    @CsvSource({"EPERM", "ENOSYS", "EINTR", "EACCES"})
    void aRefusedQuestionIsNoAnswer(String errno) {
        LockOracle oracle = oracle(calls().fail("msync", errno));
        assertEquals(errno, oracle.refusal());
        assertEquals(Tristate.UNKNOWN, oracle.ask(0x10000, PAGE));
        assertEquals(Tristate.UNKNOWN, oracle.locked(0x10000, PAGE), "without smaps");
        proc.put("/proc/self/smaps", "00010000-00020000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr mw me ac \n");
        assertEquals(Tristate.NO, oracle.locked(0x10000, PAGE));
        proc.put("/proc/self/smaps", "00010000-00020000 rw-p 00000000 00:00 0 \nVmFlags: rd wr lo ac \n");
        assertEquals(Tristate.YES, oracle.locked(0x10000, PAGE));
        proc.put("/proc/self/smaps", "00010000-00020000 rw-p 00000000 00:00 0 \nSize: 64 kB\n");
        assertEquals(Tristate.UNKNOWN, oracle.locked(0x10000, PAGE), "without flags");
    }

    @ParameterizedTest
    @CsvSource({
        "6.18.44-fc-v669, true, true",
        "6.11, true, true",
        "6.10.9, false, true",
        "4.9.0, false, true",
        "4.8.17, false, false",
        "2.6.32-754.el6, false, false",
        "10.0, true, true",
        "next, true, true",
        "'', true, true"
    })
    void releaseIsComparedByNumber(String release, boolean droppable, boolean chargesOnce) {
        assertEquals(droppable, LinuxRelease.parse(release).atLeast(6, 11));
        assertEquals(chargesOnce, LinuxRelease.parse(release).atLeast(4, 9));
    }

    @Test
    void everyReasonOfACallOnLinuxHasARemedy() {
        LinuxBackend backend = old(calls());
        Set<Reason> without = EnumSet.of(Reason.QUEUE_FULL, Reason.CANCELLED, Reason.UNKNOWN);
        for (Reason reason : Reason.values()) {
            assertEquals(without.contains(reason), backend.remedies(reason, 0).isEmpty(), reason.name());
        }
        assertEquals(
                List.of(),
                backend.remedies(Reason.OVER_LIMIT, 0).stream()
                        .flatMap(line -> Arrays.stream(line.split(" ")))
                        .filter(word -> word.equals("0"))
                        .toList());
    }
}
