// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules.Trait;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fake kernel where {@link FakeKernelComparisonTest} does not ask: the scene, the witness, and ordered failures. */
class FakeKernelTest {
    private static final long PAGE = 4096;

    private FakeKernel kernel;
    private long memory;

    private void start(String system) {
        KernelRules rules = Systems.of(system);
        kernel = new FakeKernel(rules);
        kernel.setPrivileged(rules.has(Trait.PRIVILEGE_IS_NEEDED));
        memory = kernel.map(6, Kind.ANONYMOUS);
    }

    /** The pages that the kernel counts as locked, as a string of 1 and 0. */
    private String charged() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            text.append(kernel.mode(memory + i * PAGE) == Mode.NONE ? '0' : '1');
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource({"linux, ENOMEM", "freebsd, ENOMEM", "solaris, EIO"})
    void aPageThatCannotBeRead(String system, Errno errno) {
        start(system);
        kernel.breakPage(memory + PAGE, true);
        assertEquals(errno, kernel.mlock(memory, 2 * PAGE));
        kernel.breakPage(memory + PAGE, false);
        assertEquals(Errno.OK, kernel.mlock(memory, 2 * PAGE));
    }

    @ParameterizedTest
    @CsvSource({"linux, OK, FULL", "freebsd, EAGAIN, FULL", "solaris, OK, FULL"})
    void lockAllWithAPagePastTheEndOfItsFile(String system, Errno errno, Mode future) {
        start(system);
        long file = kernel.map(2, Kind.FILE);
        kernel.truncate(file, 1);
        assertEquals(errno, kernel.mlockall(EnumSet.of(Flag.CURRENT, Flag.FUTURE)));
        assertEquals(future, kernel.future());
        assertEquals(errno == Errno.OK ? "111111" : "000000", charged());
    }

    @ParameterizedTest
    @CsvSource({"linux", "freebsd", "solaris"})
    void syncOfLockedPagesAndHoles(String system) {
        start(system);
        kernel.mlock(memory, PAGE);
        assertEquals(Errno.EBUSY, kernel.msync(memory, 2 * PAGE, true, false, true));
        assertEquals(Errno.OK, kernel.msync(memory, 2 * PAGE, true, false, false));
        assertEquals(Errno.EINVAL, kernel.msync(memory, PAGE, true, true, false));
        kernel.unmap(memory + PAGE, 1);
        assertEquals(Errno.ENOMEM, kernel.msync(memory, 2 * PAGE, true, false, false));
    }

    @Test
    void lockingOnFaultOnLinux() {
        start("linux");
        kernel.touch(memory);
        assertEquals(Errno.OK, kernel.mlock2(memory, 3 * PAGE, true));
        assertEquals(3 * PAGE, kernel.lockedBytes());
        assertTrue(kernel.isLocked(memory));
        assertFalse(kernel.isLocked(memory + PAGE));
        kernel.touch(memory + PAGE);
        assertTrue(kernel.isLocked(memory + PAGE));
        assertEquals(Errno.OK, kernel.mlock(memory, 3 * PAGE));
        assertTrue(kernel.isAllLocked(memory, 3 * PAGE));
        assertEquals(Errno.OK, kernel.mlock2(memory, PAGE, true));
        assertEquals(Mode.ON_FAULT, kernel.mode(memory), "on fault weakens a full lock");
        assertTrue(kernel.isLocked(memory));
    }

    @Test
    void lockingOnFaultElsewhere() {
        start("freebsd");
        assertEquals(Errno.ENOSYS, kernel.mlock2(memory, PAGE, true));
        assertEquals(Errno.EINVAL, kernel.mlockall(EnumSet.of(Flag.CURRENT, Flag.ON_FAULT)));
    }

    @Test
    void successThatLocksNothing() {
        start("linux");
        long droppable = kernel.map(2, Kind.DROPPABLE);
        assertEquals(Errno.OK, kernel.mlock(droppable, 2 * PAGE));
        assertEquals(0, kernel.lockedBytes());
        start("solaris");
        long reserved = kernel.map(2, Kind.RESERVED);
        kernel.touch(reserved);
        assertEquals(Errno.OK, kernel.mlock(reserved, 2 * PAGE));
        assertEquals(PAGE, kernel.lockedBytes());
    }

    @Test
    void tooManyMappings() {
        start("linux");
        kernel.setMapCountLimit(2);
        assertEquals(1, kernel.mapCount());
        assertEquals(Errno.ENOMEM, kernel.mlock(memory + PAGE, PAGE), "the middle makes two more");
        assertEquals("000000", charged());
        assertEquals(Errno.OK, kernel.mlock(memory, 5 * PAGE), "one end makes one more");
        assertEquals(Errno.ENOMEM, kernel.munlock(memory + PAGE, PAGE));
        assertEquals("111110", charged());
    }

    @Test
    void onlyWhatIsLockedSurvivesReclaim() {
        start("linux");
        kernel.touch(memory);
        kernel.mlock(memory + PAGE, PAGE);
        kernel.reclaim();
        assertFalse(kernel.isResident(memory));
        assertTrue(kernel.isResident(memory + PAGE));
        byte[] vector = new byte[2];
        assertEquals(Errno.OK, kernel.mincore(memory, 2 * PAGE, vector));
        assertEquals(List.of((byte) 0, (byte) 1), List.of(vector[0], vector[1]));
        assertEquals(Errno.EINVAL, kernel.mincore(memory + 1, 1, vector));
    }

    @Test
    void unmappingAndMappingAnewEndLocks() {
        start("linux");
        kernel.mlock(memory, 6 * PAGE);
        kernel.unmap(memory + PAGE, 1);
        kernel.mapAt(memory + 2 * PAGE, 1, Kind.ANONYMOUS);
        assertEquals("100111", charged());
        assertEquals(
                List.of(MemoryRange.of(memory, PAGE), MemoryRange.of(memory + 2 * PAGE, 4 * PAGE)),
                kernel.mapped(memory, 6 * PAGE));
        assertThrows(IllegalStateException.class, () -> kernel.touch(memory + PAGE));
    }

    @Test
    void aTerabyteCostsAsLittleAsAPage() {
        start("linux");
        long pages = (1L << 40) / PAGE;
        long large = kernel.map(pages, Kind.ANONYMOUS);
        assertEquals(Errno.OK, kernel.mlock(large, 1L << 40));
        assertEquals(1L << 40, kernel.lockedBytes());
        assertTrue(kernel.isLocked(large + (1L << 39)));
    }

    @Test
    void anAddressSpaceOf32BitsEndsAtFourGigabytes() {
        kernel = new FakeKernel(Systems.of("freebsd").withAddressBits(32));
        long low = kernel.map(1, Kind.ANONYMOUS);
        assertEquals(Errno.EINVAL, kernel.mlock(low, (1L << 32) - low));
        assertEquals(Errno.OK, kernel.mlock(low, PAGE));
    }

    @Test
    void orderedFailures() {
        start("linux");
        kernel.failAt(Call.MUNLOCK, 2, Errno.EINTR);
        kernel.failAt(null, 2, Errno.EAGAIN);
        assertEquals(Errno.OK, kernel.mlock(memory, PAGE));
        assertEquals(Errno.EAGAIN, kernel.mlock(memory, 2 * PAGE), "the second call of any kind");
        assertEquals("100000", charged());
        assertEquals(Errno.OK, kernel.munlock(memory, PAGE));
        assertEquals(Errno.EINTR, kernel.munlock(memory, PAGE));
        kernel.throwAt(Call.MLOCK, 1, new OutOfMemoryError("ordered"), true);
        assertThrows(OutOfMemoryError.class, () -> kernel.mlock(memory, PAGE));
        assertEquals("100000", charged(), "thrown after the effect");
        kernel.throwAt(Call.MUNLOCK, 1, new IllegalStateException("ordered"), false);
        assertThrows(IllegalStateException.class, () -> kernel.munlock(memory, PAGE));
        assertEquals("100000", charged(), "thrown before the effect");
        assertEquals(3, kernel.count(Call.MLOCK));
    }
}
