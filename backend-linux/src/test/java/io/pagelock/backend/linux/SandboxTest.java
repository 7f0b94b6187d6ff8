// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Environments that answer system calls in the kernel's place, by a seccomp filter around a child JVM. */
@EnabledOnOs(OS.LINUX)
class SandboxTest {
    private static final long PAGE = Libc.getpagesize();
    private static final long MIB = 1 << 20;

    @ParameterizedTest
    @ValueSource(strings = {"6.18.0", "6.10.0", "5.4.0", "4.4.0", "3.10.0-sandbox", "strange"})
    void aSuccessThatLocksNothingIsRefusedWhateverTheReleaseIs(String release) {
        Life.ROOT
                .jvm()
                .through(SeccompFilter.answering("mlock=0", "mlock2=0", "mlockall=0", "munlock=0"))
                .run(NothingLocked.class, release)
                .succeeded();
    }

    @ParameterizedTest
    @CsvSource({"1, EPERM", "38, ENOSYS"})
    void whereMsyncIsRefusedSmapsIsTheWitness(int errno, String name) {
        Life.ROOT
                .jvm()
                .through(SeccompFilter.answering("msync=" + errno))
                .run(BySmaps.class, name)
                .succeeded();
        Life.ROOT
                .jvm()
                .through(SeccompFilter.answering("msync=" + errno, "mlock=0", "mlock2=0", "mlockall=0"))
                .run(NothingLocked.class, "6.18.0")
                .succeeded();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 38})
    void aRefusedMunlockIsNotDone(int errno) {
        Life.ROOT
                .jvm()
                .through(SeccompFilter.answering("munlock=" + errno, "msync=" + errno))
                .run(NotUnlocked.class)
                .succeeded();
    }

    private static long map(long bytes) {
        return Libc.mmap(0, bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
    }

    private static LinuxBackend open(String release) {
        Host host = Host.current();
        return (LinuxBackend) new LinuxProvider().open(new Host(host.osName(), release, host.arch(), host.bits()));
    }

    static final class NothingLocked {
        public static void main(String[] arguments) throws IOException {
            Path file = Files.createTempFile("pagelock", ".file");
            Files.write(file, new byte[(int) (2 * MIB)]);
            int fd = Libc.open(file, false);
            long mapped = Libc.mmap(0, 2 * MIB, Libc.PROT_READ, Libc.MAP_SHARED, fd, 0);
            long one = map(PAGE);
            long many = map(4 * MIB);
            // For each kind the first lock of a backend, which is the one that old releases are asked about.
            for (Set<LockOption> onFault : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
                refused(() -> open(arguments[0]).lock(one, PAGE, onFault));
                refused(() -> open(arguments[0]).lock(many, 4 * MIB, onFault));
                refused(() -> open(arguments[0]).lock(mapped, 2 * MIB, onFault));
                refused(() -> open(arguments[0]).lock(mapped, PAGE, onFault));
            }
            refused(() -> open(arguments[0]).lockAll(AddressSpaceScope.CURRENT, Set.of()));
            refused(() -> open(arguments[0]).lockAll(AddressSpaceScope.FUTURE, Set.of()));
            assertEquals(0, Witness.lockedBytes());
        }

        private static void refused(Runnable lock) {
            PageLockException thrown = assertThrows(PageLockException.class, lock::run);
            assertEquals(Reason.NOT_SUPPORTED, thrown.reason(), thrown.getMessage());
            assertTrue(thrown.detail().contains("locks nothing"), thrown.detail());
            assertTrue(thrown.remedies().toString().contains("seccomp"), thrown.remedies()::toString);
        }
    }

    static final class BySmaps {
        public static void main(String[] arguments) {
            LinuxBackend backend = (LinuxBackend) new LinuxProvider().open(Host.current());
            BackendInfo info = backend.info();
            assertTrue(info.notes().toString().contains("msync is refused (" + arguments[0] + ")"), info.toString());
            long at = map(3 * PAGE);
            backend.lock(at + PAGE, PAGE, Set.of());
            PageStates states = backend.pageStates(MemoryRange.of(at, 3 * PAGE));
            assertEquals(
                    List.of(Tristate.NO, Tristate.YES, Tristate.NO),
                    List.of(states.locked(0), states.locked(1), states.locked(2)));
            backend.unlock(at + PAGE, PAGE);
            long droppable = Libc.mmap(
                    0, PAGE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_DROPPABLE | Libc.MAP_ANONYMOUS, -1, 0);
            PageLockException thrown =
                    assertThrows(PageLockException.class, () -> backend.lock(droppable, PAGE, Set.of()));
            assertEquals(Reason.CANNOT_BE_PAGED_IN, thrown.reason(), thrown.getMessage());
        }
    }

    /** What the end of an address-space lock does where munlock is refused: the call for everything comes last. */
    static final class NotUnlocked {
        public static void main(String[] arguments) {
            LinuxBackend backend = (LinuxBackend) new LinuxProvider().open(Host.current());
            long keep = map(PAGE);
            long other = map(PAGE);
            backend.lock(keep, PAGE, Set.of());
            backend.lock(other, PAGE, Set.of());
            backend.unlockAll(List.of(MemoryRange.of(keep, PAGE)));
            assertEquals(0, Witness.lockedBytes(), "left locked though unlocked by report");
        }
    }
}
