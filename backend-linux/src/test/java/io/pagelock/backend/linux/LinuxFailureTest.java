// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Why a call failed, found out from texts of {@code /proc}. The limit is 64 KiB, that is 16 pages. */
class LinuxFailureTest {
    private static final int PAGE = ScriptedCalls.PAGE;
    private static final String IPC_LOCK = "0000000000004000";
    private static final String NONE = "0000000000000000";

    private final ProcTexts proc = new ProcTexts();
    private final ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);
    private String release = "6.1.0";

    private LinuxBackend backend() {
        return new LinuxBackend(
                calls,
                LinuxConstants.GENERIC,
                proc,
                buffer -> 0,
                new Host("Linux", release, "amd64", 64),
                "/jdk/bin/java");
    }

    private PageLockException lock(String errno, long address, int pages) {
        LinuxBackend backend = backend();
        calls.fail("mlock", errno);
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> backend.lock(address, (long) pages * PAGE, Set.of()));
        assertEquals("mlock", thrown.function().orElse(""));
        assertEquals(errno, thrown.errnoName().orElse(""));
        return thrown;
    }

    private static void is(Reason reason, PageLockException thrown, String... parts) {
        assertEquals(reason, thrown.reason(), thrown.getMessage());
        for (String part : parts) {
            assertTrue(thrown.detail().contains(part), () -> "no \"" + part + "\" in: " + thrown.detail());
        }
    }

    // The limit

    @Test
    void beyondTheLimitIsSaidWithAllNumbers() {
        proc.status(48, NONE);
        calls.hard = 131072;
        is(
                Reason.OVER_LIMIT,
                lock("ENOMEM", 0x10000, 5),
                "asked for 20480 bytes (20 KiB)",
                "already locked 49152 bytes (48 KiB)",
                "soft limit 65536 bytes (64 KiB)",
                "hard limit 131072 bytes (128 KiB)");
    }

    @Test
    void pagesThatAreLockedAlreadyAreNotChargedAgain() {
        proc.status(48, NONE);
        calls.lockedFrom(0x10000, 1);
        // One mapping is locked as a whole or not at all.
        proc.maps("00010000-00011000 rw-p 00000000 00:00 0 ", "00011000-00020000 rw-p 00000000 00:00 0 ");
        PageLockException within = lock("ENOMEM", 0x10000, 5);
        assertFalse(within.reason() == Reason.OVER_LIMIT, within.getMessage());
        PageLockException beyond = lock("ENOMEM", 0x10000, 6);
        is(Reason.OVER_LIMIT, beyond, "asked for 24576 bytes (24 KiB), of which 4096 bytes (4 KiB) are locked");
        assertTrue(beyond.remedies().toString().contains("at least 69632 bytes"), beyond.remedies()::toString);
    }

    @Test
    void oldKernelsChargeThemAgain() {
        release = "4.8.0";
        proc.status(48, NONE);
        calls.lockedFrom(0x10000, 1);
        proc.maps("00010000-00011000 rw-p 00000000 00:00 0 ", "00011000-00020000 rw-p 00000000 00:00 0 ");
        is(Reason.OVER_LIMIT, lock("ENOMEM", 0x10000, 5));
    }

    @Test
    void limitIsTestedBeforeHoles() {
        is(Reason.OVER_LIMIT, lock("ENOMEM", 0x30000, 17));
        is(Reason.NOT_MAPPED, lock("ENOMEM", 0x30000, 16), "0x30000");
    }

    @Test
    void limitThatIsNoWholeNumberOfPagesCountsWholePages() {
        calls.soft = 65535;
        is(Reason.OVER_LIMIT, lock("ENOMEM", 0x10000, 16));
    }

    @Test
    void privilegeLiftsTheLimitInTheInitialNamespaceOnly() {
        proc.status(0, IPC_LOCK);
        is(Reason.NOT_MAPPED, lock("ENOMEM", 0x10000, 48));
        proc.links.put("/proc/self/ns/user", "user:[4026532000]");
        PageLockException thrown = lock("ENOMEM", 0x10000, 48);
        is(Reason.OVER_LIMIT, thrown);
        assertTrue(thrown.remedies().get(0).startsWith("Raise RLIMIT_MEMLOCK"), thrown.remedies()::toString);
        assertTrue(
                thrown.remedies().toString().contains("has no effect in this user namespace"),
                thrown.remedies()::toString);
        // Not USER, for which the command puts the name in this namespace.
        assertTrue(thrown.remedies().toString().contains("'HOST_USER soft memlock"), thrown.remedies()::toString);
        assertFalse(thrown.remedies().toString().contains("'USER "), thrown.remedies()::toString);
    }

    @Test
    void unknownNamespaceIsDecidedByWhatElseCouldBe() {
        proc.status(0, IPC_LOCK);
        proc.links.put("/proc/self/ns/user", ProcTexts.DENIED);
        is(Reason.NOT_MAPPED, lock("ENOMEM", 0x10000, 48));
        proc.maps("00010000-00080000 rw-p 00000000 00:00 0 ");
        is(Reason.OVER_LIMIT, lock("ENOMEM", 0x10000, 48));
    }

    @Test
    void kernelWithoutNamespacesHasTheInitialOne() {
        proc.status(0, IPC_LOCK);
        proc.links.clear();
        is(Reason.NOT_MAPPED, lock("ENOMEM", 0x10000, 48));
    }

    @Test
    void unlimitedIsNeverTheCause() {
        calls.soft = -1;
        calls.hard = -1;
        is(Reason.NOT_MAPPED, lock("ENOMEM", 0x10000, 48));
    }

    // Holes

    @ParameterizedTest
    @CsvSource({"f000, 2, f000", "1f000, 2, 20000", "1f000, 3, 20000", "48000, 1, 48000", "2f000, 8, "})
    void firstAddressOfTheHoleIsNamed(String address, int pages, String hole) {
        proc.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "0002f000-00030000 rw-p 00000000 00:00 0 ",
                "00030000-00040000 r--p 00000000 00:00 0 ");
        PageLockException thrown = lock("ENOMEM", Long.parseLong(address, 16), pages);
        if (hole == null) {
            is(Reason.UNKNOWN, thrown);
        } else {
            is(Reason.NOT_MAPPED, thrown, "nothing is mapped at 0x" + hole);
        }
    }

    // What cannot be brought in shows after everything was flagged

    @Test
    void pageWithoutAccessIsNamed() {
        calls.lockedFrom(0x10000, 32);
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x1f000, 2), "0x20000-0x21000", "PROT_NONE");
    }

    @Test
    void endOfTheFileIsNamed() {
        calls.lockedFrom(0x10000, 16);
        proc.maps("00010000-00020000 rw-s 00003000 fe:00 77                    /data/a file");
        proc.file("/data/a file", 77, 0, 0x5001);
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x11000, 3), "/data/a file", "20481 bytes");
        // Up to the page that holds the last byte there is nothing wrong with the file.
        PageLockException other = lock("ENOMEM", 0x11000, 2);
        is(Reason.CANNOT_BE_PAGED_IN, other, "one cannot be brought in");
        assertFalse(other.detail().contains("a file"), other.detail());
    }

    /** A hole of a file takes a page there even to be read. */
    @Test
    void fullFileSystemOfMemoryHasNoSpace() {
        calls.lockedFrom(0x10000, 16);
        proc.maps("00010000-00020000 r--s 00000000 fe:00 77                    /run/file");
        proc.file("/run/file", 77, 0, 0x10000);
        proc.rooms.put("/run/file", 4095L);
        is(Reason.NO_SPACE, lock("ENOMEM", 0x11000, 3), "/run/file", "its file system (tmpfs) is full");
        proc.rooms.put("/run/file", 4096L);
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x11000, 3), "one cannot be brought in");
    }

    @Test
    void fileThatIsNotThereAnyMoreIsNotBlamed() {
        calls.lockedFrom(0x10000, 16);
        proc.maps("00010000-00020000 rw-s 00000000 fe:00 77                    /data/file (deleted)");
        proc.file("/data/file", 77, 0, 0);
        PageLockException thrown = lock("ENOMEM", 0x10000, 1);
        is(Reason.CANNOT_BE_PAGED_IN, thrown, "one cannot be brought in", "/data/file (deleted) may end before");
        assertFalse(thrown.detail().contains("device"), thrown.detail());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rd wr mr mw me de ht", "rd wr dp", "rd mr mw me mm", "rd mr me de", "rd io", "rd pf"})
    void whatIsNeverFlaggedStillCannotBeBroughtIn(String flags) {
        proc.put("/proc/self/smaps", "00010000-00020000 rw-p 00000000 00:0f 99    /x\nVmFlags: " + flags + " \n");
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x10000, 1), "no free huge page");
    }

    @Test
    void accessDoesNotMatterIfTheRangeWasNotEvenFlagged() {
        is(Reason.UNKNOWN, lock("ENOMEM", 0x20000, 1), "no cause found: the range is mapped, within the limit");
    }

    // Number of mappings

    @Test
    void fullTableOfMappingsIsSaidWithBothNumbers() {
        proc.put("/proc/sys/vm/max_map_count", "2\n");
        PageLockException thrown = lock("ENOMEM", 0x11000, 1);
        is(Reason.TOO_MANY_MAPPINGS, thrown, "the process has 2 mappings", "vm.max_map_count is 2");
        assertTrue(
                thrown.remedies().toString().contains("sysctl -w vm.max_map_count=262144"),
                thrown.remedies()::toString);
        proc.put("/proc/sys/vm/max_map_count", "1000000\n");
        assertTrue(backend().remedies(Reason.TOO_MANY_MAPPINGS, 0).toString().contains("=2000000"));
    }

    @Test
    void fullTableIsTheCauseWhereTheRangeIsStillOnFault() {
        proc.put("/proc/sys/vm/max_map_count", "2\n");
        calls.lockedFrom(0x10000, 16);
        String mapping = "00010000-00020000 rw-p 00000000 00:00 0 \nVmFlags: rd wr lo";
        proc.put("/proc/self/smaps", mapping + " lf\n");
        is(Reason.TOO_MANY_MAPPINGS, lock("ENOMEM", 0x11000, 1), "the process has 2 mappings");
        proc.put("/proc/self/smaps", mapping + "\n");
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x11000, 1));
        proc.put("/proc/self/smaps", mapping + " lf\n").put("/proc/sys/vm/max_map_count", "65530\n");
        is(Reason.CANNOT_BE_PAGED_IN, lock("ENOMEM", 0x11000, 1));
    }

    @Test
    void mappingsAreCountedBeforeSmapsIsRead() {
        proc.put("/proc/sys/vm/max_map_count", "2\n");
        lock("ENOMEM", 0x11000, 1);
        assertFalse(proc.opened.contains("/proc/self/smaps"), proc.opened.toString());
    }

    @Test
    void fullTableIsTheCauseOfARefusedUnlockToo() {
        LinuxBackend backend = backend();
        calls.fail("munlock", "ENOMEM");
        PageLockException unknown = assertThrows(PageLockException.class, () -> backend.unlock(0x11000, PAGE));
        is(Reason.UNKNOWN, unknown);
        proc.put("/proc/sys/vm/max_map_count", "2\n");
        PageLockException thrown = assertThrows(PageLockException.class, () -> backend.unlock(0x11000, PAGE));
        is(Reason.TOO_MANY_MAPPINGS, thrown);
        assertEquals("munlock", thrown.function().orElse(""));
        is(
                Reason.NOT_MAPPED,
                assertThrows(PageLockException.class, () -> backend.unlock(0x2f000, 2 * PAGE)),
                "0x30000");
    }

    // Permission

    @Test
    void limitOfNothingIsNotPermitted() {
        calls.soft = 0;
        calls.hard = 4096;
        PageLockException thrown = lock("EPERM", 0x10000, 1);
        is(Reason.NOT_PERMITTED, thrown, "the limit is 0", "asked for 4096", "soft limit 0 bytes", "hard limit 4096");
        assertTrue(thrown.remedies().toString().contains("'ulimit -l 4'"), thrown.remedies()::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EPERM", "EACCES"})
    void refusalWithoutCauseInTheLimitIsAFiltersOrAModules(String errno) {
        is(Reason.NOT_PERMITTED, lock(errno, 0x10000, 1), "seccomp", "soft limit 65536");
        calls.soft = 0;
        proc.status(0, IPC_LOCK);
        PageLockException thrown = lock(errno, 0x10000, 1);
        is(Reason.NOT_PERMITTED, thrown, "seccomp", "which is lifted here");
        assertTrue(thrown.remedies().toString().contains("seccomp"), thrown.remedies()::toString);
        assertFalse(thrown.remedies().toString().contains("ulimit"), thrown.remedies()::toString);
    }

    @Test
    void unlockIsNeverRefusedForTheLimit() {
        calls.soft = 0;
        LinuxBackend backend = backend();
        calls.fail("munlock", "EPERM");
        is(Reason.NOT_PERMITTED, assertThrows(PageLockException.class, () -> backend.unlock(0x10000, PAGE)), "seccomp");
    }

    // Everything else

    @ParameterizedTest
    @CsvSource({
        "EAGAIN, NO_LOCKABLE_MEMORY",
        "EINTR, UNKNOWN",
        "EINVAL, UNKNOWN",
        "ENOSYS, NOT_SUPPORTED",
        "EFAULT, UNKNOWN"
    })
    void otherErrnosHaveOneMeaning(String errno, Reason reason) {
        is(reason, lock(errno, 0x10000, 1));
    }

    @Test
    void numberWithoutNameIsUnknownWithItsNumber() {
        calls.failWithNumber("mlock", 4095);
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> backend().lock(0x10000, PAGE, Set.of()));
        is(Reason.UNKNOWN, thrown);
        assertEquals(4095, thrown.errno().getAsInt());
        assertFalse(thrown.errnoName().isPresent());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/proc/self/status", "/proc/self/maps"})
    void nothingIsGuessedWithoutProc(String file) {
        calls.soft = 4096;
        proc.deny(file);
        is(Reason.UNKNOWN, lock("ENOMEM", 0x10000, 8), "cannot be read");
        proc.without(file);
        is(Reason.UNKNOWN, lock("ENOMEM", 0x10000, 8), "cannot be read");
        proc.put(file, "nonsense\n");
        is(Reason.UNKNOWN, lock("ENOMEM", 0x10000, 8), "cannot be read");
    }

    @Test
    void nothingIsGuessedWithoutTheLimit() {
        calls.fail("getrlimit", "EINVAL");
        is(Reason.UNKNOWN, lock("ENOMEM", 0x10000, 8), "cannot be read");
    }

    @Test
    void unlockIsUnknownWithoutProc() {
        LinuxBackend backend = backend();
        calls.fail("munlock", "ENOMEM");
        proc.without("/proc/self/maps");
        is(Reason.UNKNOWN, assertThrows(PageLockException.class, () -> backend.unlock(0x10000, PAGE)));
    }

    // The address space

    private PageLockException lockAll(String errno, AddressSpaceScope scope) {
        LinuxBackend backend = backend();
        calls.fail("mlockall", errno);
        return assertThrows(PageLockException.class, () -> backend.lockAll(scope, Set.of()));
    }

    @Test
    void wholeVirtualSizeIsChargedForAll() {
        PageLockException thrown = lockAll("ENOMEM", AddressSpaceScope.CURRENT);
        is(Reason.OVER_LIMIT, thrown, "the whole virtual size, 8192000000 bytes", "soft limit 65536 bytes");
        assertTrue(thrown.remedies().toString().contains("at least 8192000000 bytes"), thrown.remedies()::toString);
        assertEquals("mlockall", thrown.function().orElse(""));
    }

    @Test
    void otherwiseAllIsUnknown() {
        calls.soft = 1L << 40;
        is(Reason.UNKNOWN, lockAll("ENOMEM", AddressSpaceScope.CURRENT));
        calls.soft = 65536;
        is(Reason.UNKNOWN, lockAll("ENOMEM", AddressSpaceScope.FUTURE));
        proc.status(0, IPC_LOCK);
        is(Reason.UNKNOWN, lockAll("ENOMEM", AddressSpaceScope.CURRENT));
        proc.without("/proc/self/status");
        is(Reason.UNKNOWN, lockAll("ENOMEM", AddressSpaceScope.CURRENT), "cannot be read");
        is(Reason.NO_LOCKABLE_MEMORY, lockAll("EAGAIN", AddressSpaceScope.CURRENT));
    }

    @Test
    void allWithALimitOfNothingIsNotPermitted() {
        calls.soft = 0;
        is(Reason.NOT_PERMITTED, lockAll("EPERM", AddressSpaceScope.FUTURE), "the limit is 0");
    }

    // Sync

    @ParameterizedTest
    @CsvSource({
        "EBUSY, BUSY",
        "ENOMEM, NOT_MAPPED",
        "EIO, IO_ERROR",
        "ENOSPC, NO_SPACE",
        "EINVAL, UNKNOWN",
        "EAGAIN, NO_LOCKABLE_MEMORY"
    })
    void errnoOfSyncHasItsOwnMeaning(String errno, Reason reason) {
        LinuxBackend backend = backend();
        calls.fail("msync", errno);
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> backend.sync(0x2f000, 2 * PAGE, Set.of()));
        is(reason, thrown);
        assertEquals("msync", thrown.function().orElse(""));
        assertEquals(reason == Reason.NOT_MAPPED, thrown.detail().contains("0x30000"), thrown.detail());
    }

    @Test
    void fileThatCannotBeSyncedIsSuspected() {
        LinuxBackend backend = backend();
        calls.fail("msync", "EINVAL");
        is(
                Reason.UNKNOWN,
                assertThrows(PageLockException.class, () -> backend.sync(0x10000, PAGE, Set.of())),
                "cannot be synced");
    }

    @Test
    void holeOfSyncNeedsNoProof() {
        LinuxBackend backend = backend();
        calls.fail("msync", "ENOMEM");
        proc.without("/proc/self/maps");
        is(Reason.NOT_MAPPED, assertThrows(PageLockException.class, () -> backend.sync(0x10000, PAGE, Set.of())));
    }

    // What a user can do

    @Test
    void remedyNamesEveryKnobWithTheNumbers() {
        String remedy = String.join("\n", backend().remedies(Reason.OVER_LIMIT, 16 << 20));
        for (String part : new String[] {
            "at least 16777216 bytes",
            "'ulimit -H -l 16384; ulimit -S -l 16384'",
            "'USER soft memlock 16384' and 'USER hard memlock 16384' in /etc/security/limits.conf",
            "LimitMEMLOCK=16777216",
            "docker run --ulimit memlock=16777216:16777216",
            "AmbientCapabilities=CAP_IPC_LOCK",
            "docker run --cap-add IPC_LOCK",
            "securityContext: {capabilities: {add: [IPC_LOCK]}}",
            "'setcap cap_ipc_lock=ep /jdk/bin/java'",
            "ignores LD_LIBRARY_PATH and $ORIGIN",
            "/etc/ld.so.conf.d"
        }) {
            assertTrue(remedy.contains(part), () -> "no \"" + part + "\" in: " + remedy);
        }
        assertFalse(remedy.contains("namespace"), remedy);
    }

    @Test
    void remedyNeedsNoRootWhereTheHardLimitAllowsIt() {
        calls.hard = 16 << 20;
        assertTrue(backend().remedies(Reason.OVER_LIMIT, 16 << 20).toString().contains("'ulimit -l 16384'"));
        assertFalse(
                backend().remedies(Reason.OVER_LIMIT, (16 << 20) + 1).toString().contains("'ulimit -l"));
        calls.hard = -1;
        assertTrue(backend().remedies(Reason.OVER_LIMIT, 1L << 40).toString().contains("'ulimit -l 1073741824'"));
        assertTrue(
                backend().remedies(Reason.OVER_LIMIT, (16 << 20) + 1).toString().contains("'ulimit -l 16385'"));
    }
}
