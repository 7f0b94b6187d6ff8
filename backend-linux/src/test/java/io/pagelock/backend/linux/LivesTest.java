// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LimitValue;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Real limits and rights, in child JVMs that have them. */
@EnabledOnOs(OS.LINUX)
class LivesTest {
    private static final long PAGE = Libc.getpagesize();

    private static final boolean THOROUGH = Boolean.getBoolean("pagelock.thorough");

    /** The two that differ most from this process: under a small limit, and with a capability without effect. */
    private static final Set<Life> IN_EACH_BUILD = EnumSet.of(Life.USER_64K, Life.ROOT_OF_A_NAMESPACE);

    static Set<Life> livesThatMayLock() {
        return THOROUGH ? EnumSet.complementOf(EnumSet.of(Life.USER_NOTHING)) : IN_EACH_BUILD;
    }

    @ParameterizedTest
    @MethodSource("livesThatMayLock")
    void kernelTestPassesInEveryLifeThatMayLock(Life life) {
        ChildJvm child = life.jvm();
        if (life == Life.ROOT_OF_A_NAMESPACE) {
            child.options("-Dlife.namespace=true");
        }
        child.run(TestMain.class, LinuxKernelTest.class.getName()).succeeded();
    }

    @ParameterizedTest
    @EnumSource
    void contractHoldsInEveryLife(Life life) {
        assumeTrue(life == Life.USER_64K || THOROUGH, "in the thorough build");
        life.jvm()
                .options("-D" + LinuxHarness.ALONE + "=true")
                .run(TestMain.class, LinuxContractTest.class.getName())
                .succeeded();
    }

    @ParameterizedTest
    @EnumSource(names = {"USER_8M", "USER_UNLIMITED"})
    void theKernelAnswersAsItsRulesSayWhereALimitCanBind(Life life) {
        assumeTrue(life == Life.USER_8M || THOROUGH, "in the thorough build");
        life.jvm().run(TestMain.class, LinuxComparisonTest.class.getName()).succeeded();
    }

    @ParameterizedTest
    @EnumSource
    void limitsArePrivilegeAndRoomOfTheLife(Life life) {
        life.jvm().run(Limits.class, life.name()).succeeded();
    }

    /** The capability, the limits, and what happens beyond them. */
    static final class Limits {
        public static void main(String[] arguments) {
            Life life = Life.valueOf(arguments[0]);
            LinuxBackend backend = (LinuxBackend) new LinuxProvider().open(Host.current());
            boolean privileged = life == Life.ROOT || life == Life.USER_WITH_CAPABILITY;
            LockLimits limits = backend.limits();
            assertEquals(Tristate.of(privileged), limits.privileged(), "privilege");
            assertEquals(0, limits.lockedBytes().orElseThrow(), "locked at first");
            if (privileged || life == Life.USER_UNLIMITED) {
                lockBeyondTheLimit(backend);
            } else if (life == Life.USER_NOTHING) {
                lockNothing(backend);
            } else {
                refuseBeyondTheLimit(backend, limits.all().get(0).soft().bytes().orElseThrow(), life);
            }
            assertEquals(0, Witness.lockedBytes(), "locked at last");
        }

        private static long map(long bytes) {
            return Libc.mmap(0, bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        }

        private static void lockBeyondTheLimit(LinuxBackend backend) {
            long bytes = 16 << 20;
            long at = map(bytes);
            backend.lock(at, bytes, Set.of());
            assertEquals(bytes, Witness.lockedBytes());
            assertTrue(Witness.locked(at + bytes - PAGE));
            backend.unlock(at, bytes);
        }

        private static void lockNothing(LinuxBackend backend) {
            long at = map(PAGE);
            for (Set<LockOption> options : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
                PageLockException thrown = assertThrows(PageLockException.class, () -> backend.lock(at, PAGE, options));
                assertEquals(Reason.NOT_PERMITTED, thrown.reason(), thrown.getMessage());
                assertEquals("EPERM", thrown.errnoName().orElse(""));
                has(thrown.detail(), "soft limit 0 bytes", "hard limit 0 bytes", "asked for " + PAGE);
                has(
                        thrown.remedies().toString(),
                        "ulimit",
                        "limits.conf",
                        "LimitMEMLOCK=",
                        "--ulimit memlock=",
                        "--cap-add IPC_LOCK");
            }
            PageLockException all =
                    assertThrows(PageLockException.class, () -> backend.lockAll(AddressSpaceScope.FUTURE, Set.of()));
            assertEquals(Reason.NOT_PERMITTED, all.reason(), all.getMessage());
            backend.unlock(at, PAGE);
            backend.unlockAll(List.of(MemoryRange.of(at, PAGE)));
            assertEquals(LimitValue.ofBytes(0), backend.limits().lockable());
        }

        private static void refuseBeyondTheLimit(LinuxBackend backend, long limit, Life life) {
            assertEquals(LimitValue.ofBytes(limit), backend.limits().lockable());
            long at = map(limit + 4 * PAGE);
            backend.lock(at, 2 * PAGE, Set.of());
            for (Set<LockOption> options : List.of(Set.<LockOption>of(), Set.of(LockOption.ON_FAULT))) {
                // Overlaps what is locked, which is not charged again, and still is one page too much.
                PageLockException thrown =
                        assertThrows(PageLockException.class, () -> backend.lock(at + PAGE, limit, options));
                assertEquals(Reason.OVER_LIMIT, thrown.reason(), thrown.getMessage());
                assertEquals("ENOMEM", thrown.errnoName().orElse(""));
                has(
                        thrown.detail(),
                        "asked for " + limit + " bytes",
                        "already locked " + 2 * PAGE + " bytes",
                        "soft limit " + limit + " bytes",
                        "hard limit " + limit + " bytes");
                has(
                        thrown.remedies().toString(),
                        "at least " + (limit + PAGE) + " bytes",
                        life == Life.ROOT_OF_A_NAMESPACE
                                ? "prlimit --pid PID --memlock=" + (limit + PAGE) + ":" + (limit + PAGE)
                                : "ulimit -S -l " + (limit + PAGE) / 1024,
                        "LimitMEMLOCK=" + (limit + PAGE),
                        life == Life.ROOT_OF_A_NAMESPACE
                                ? "no effect in this user namespace"
                                : "setcap cap_ipc_lock=ep");
                assertEquals(
                        life == Life.ROOT_OF_A_NAMESPACE,
                        thrown.remedies().toString().contains("no effect in this user namespace"),
                        thrown.remedies()::toString);
                assertEquals(2 * PAGE, Witness.lockedBytes());
            }
            // Up to the limit exactly.
            backend.lock(at, limit, Set.of());
            assertEquals(limit, Witness.lockedBytes());
            // A hole beyond the limit is still a matter of the limit, a hole within it is not.
            Libc.munmap(at + 3 * PAGE, PAGE);
            assertEquals(
                    Reason.NOT_MAPPED,
                    assertThrows(PageLockException.class, () -> backend.lock(at, 4 * PAGE, Set.of()))
                            .reason());
            assertEquals(
                    Reason.OVER_LIMIT,
                    assertThrows(PageLockException.class, () -> backend.lock(at, limit + 4 * PAGE, Set.of()))
                            .reason());
            PageLockException all =
                    assertThrows(PageLockException.class, () -> backend.lockAll(AddressSpaceScope.CURRENT, Set.of()));
            assertEquals(Reason.OVER_LIMIT, all.reason(), all.getMessage());
            has(all.detail(), "the whole virtual size", "soft limit " + limit + " bytes");
            // Without the right to lock all, what is kept stays locked all the same.
            backend.unlockAll(List.of(MemoryRange.of(at, PAGE)));
            assertEquals(PAGE, Witness.lockedBytes());
            backend.unlockAll(List.of());
        }

        private static void has(String text, String... parts) {
            for (String part : parts) {
                assertTrue(text.contains(part), () -> "no \"" + part + "\" in: " + text);
            }
        }
    }

    @Test
    void rightsAreThoseOfTheCallingThread() {
        Life.ROOT.jvm().run(ThreadRights.class).succeeded();
    }

    /** A process with the capability, one thread of which has put it down. */
    static final class ThreadRights {
        public static void main(String[] arguments) throws Exception {
            PageLocker locker = PageLocker.system();
            long at = Limits.map(2 * PAGE);
            long[] limits = Libc.getrlimit(Libc.RLIMIT_MEMLOCK);
            Throwable[] failure = new Throwable[1];
            Thread thread = new Thread(() -> {
                Libc.dropCapability(14);
                Libc.setrlimit(Libc.RLIMIT_MEMLOCK, 0, limits[1]);
                refuse(locker, at, Reason.NOT_PERMITTED, "the limit is 0");
                Libc.setrlimit(Libc.RLIMIT_MEMLOCK, PAGE, limits[1]);
                refuse(locker, at, Reason.OVER_LIMIT, "soft limit " + PAGE + " bytes");
            });
            thread.setUncaughtExceptionHandler((which, thrown) -> failure[0] = thrown);
            thread.start();
            thread.join();
            if (failure[0] != null) {
                throw new AssertionError(failure[0]);
            }
            assertEquals(Tristate.YES, locker.limits().privileged(), "this thread still has it");
            locker.lock(MemoryRange.of(at, 2 * PAGE)).close();
        }

        private static void refuse(PageLocker locker, long at, Reason reason, String detail) {
            assertEquals(Tristate.NO, locker.limits().privileged());
            assertEquals(Tristate.NO, locker.forecast(2 * PAGE).fits());
            MemoryRange range = MemoryRange.of(at, 2 * PAGE);
            PageLockException lock = assertThrows(PageLockException.class, () -> locker.lock(range));
            PageLockException all =
                    assertThrows(PageLockException.class, () -> locker.lockAddressSpace(AddressSpaceScope.CURRENT));
            for (PageLockException each : List.of(lock, all)) {
                assertEquals(reason, each.reason(), each.getMessage());
                Limits.has(each.detail(), detail, "already locked 0 bytes");
            }
            Limits.has(lock.detail(), "asked for " + 2 * PAGE);
            assertEquals(0, Witness.lockedBytes());
        }
    }

    /** Compiles {@code src/test/c/leaderless.c}. */
    @Test
    void nothingDependsOnTheThreadThatStartedTheProcess() throws Exception {
        Path home = Path.of(System.getProperty("java.home"));
        assumeTrue(Host.current().bits() == 64, "the launcher is compiled for 64 bits");
        assumeTrue(Files.exists(home.resolve("include/jni.h")), "this Java has no jni.h");
        Path launcher = StandIn.program(
                Path.of("src/test/c/leaderless.c"),
                "-I" + home.resolve("include"),
                "-I" + home.resolve("include/linux"),
                "-ldl");
        ChildProcess.of(
                        launcher.toString(),
                        home.resolve("lib/server/libjvm.so").toString(),
                        "-Xmx96m",
                        "-XX:+UseSerialGC",
                        "-Djava.class.path=" + System.getProperty("java.class.path"),
                        Leaderless.class.getName().replace('.', '/'))
                .run()
                .succeeded();
    }

    /** A process whose leader has ended, so that {@code /proc/self} says nothing of its memory. */
    static final class Leaderless {
        public static void main(String[] arguments) throws Exception {
            for (int i = 0; readMaps() > 0; i++) {
                assertTrue(i < 6000, "the leader does not end");
                Thread.sleep(10);
            }
            PageLocker locker = PageLocker.system();
            long at = Limits.map(3 * PAGE);
            long free = Limits.map(PAGE);
            long held = Limits.map(PAGE);
            PageLock holed = locker.lock(MemoryRange.of(at, 3 * PAGE));
            PageStates states = locker.pageStates(MemoryRange.of(at, 3 * PAGE));
            assertEquals(3, states.countLocked(Tristate.YES), states.toString());
            assertEquals(3 * PAGE, locker.limits().lockedBytes().orElseThrow());
            Libc.munmap(at + PAGE, PAGE);
            holed.close();
            assertTrue(!Libc.isBusy(at, PAGE) && !Libc.isBusy(at + 2 * PAGE, PAGE), "locked around the hole");
            PageLock keep = locker.lock(MemoryRange.of(held, PAGE));
            locker.lockAddressSpace(AddressSpaceScope.CURRENT).close();
            assertTrue(Libc.isBusy(held, PAGE));
            assertTrue(!Libc.isBusy(free, PAGE), "still locked for nobody");
            keep.close();
            long large = Limits.map(16 * PAGE);
            locker.lock(MemoryRange.of(large, 16 * PAGE)).close();
            assertEquals(0, locker.limits().lockedBytes().orElseThrow());
            Libc.munmap(large + 15 * PAGE, PAGE);
            PageLockException thrown =
                    assertThrows(PageLockException.class, () -> locker.lock(MemoryRange.of(large, 16 * PAGE)));
            assertEquals(Reason.NOT_MAPPED, thrown.reason(), thrown.getMessage());
        }

        private static int readMaps() throws IOException {
            try (InputStream maps = Files.newInputStream(Path.of("/proc/self/maps"))) {
                return maps.readAllBytes().length;
            } catch (FileSystemException e) {
                return 0;
            }
        }
    }

    @Test
    void unlockAllKeepsRangesLockedThroughout() {
        Life.ROOT.jvm().run(Keeping.class).succeeded();
    }

    /** The end of an address-space lock, watched by another thread. */
    static final class Keeping {
        public static void main(String[] arguments) throws Exception {
            LinuxBackend backend = (LinuxBackend) new LinuxProvider().open(Host.current());
            long at = Limits.map(64 * PAGE);
            for (long page = 0; page < 64; page++) {
                Libc.touch(at + page * PAGE);
            }
            List<MemoryRange> keep =
                    List.of(MemoryRange.of(at + 8 * PAGE, 4 * PAGE), MemoryRange.of(at + 32 * PAGE, PAGE));
            LinuxCalls calls = LinuxCalls.bind(CLibrary.open(Host.current()));
            LockOracle oracle = new LockOracle(
                    calls, LinuxConstants.forArch(Host.current().arch()).orElseThrow(), new ProcSelf(ProcFiles.SYSTEM));
            for (int round = 0; round < 5; round++) {
                backend.lockAll(AddressSpaceScope.CURRENT_AND_FUTURE, Set.of());
                assertTrue(Witness.locked(at));
                long later = Limits.map(PAGE);
                assertTrue(Witness.locked(later), "future locking is on");
                AtomicInteger lost = new AtomicInteger();
                AtomicBoolean stop = new AtomicBoolean();
                AtomicInteger looks = new AtomicInteger();
                Thread watcher = new Thread(() -> {
                    while (!stop.get()) {
                        if (oracle.ask(at + 9 * PAGE, PAGE) == Tristate.NO
                                || oracle.ask(at + 32 * PAGE, PAGE) == Tristate.NO) {
                            lost.incrementAndGet();
                        }
                        looks.incrementAndGet();
                    }
                });
                watcher.start();
                while (looks.get() < 100) {
                    Thread.sleep(1);
                }
                backend.unlockAll(keep);
                stop.set(true);
                watcher.join();
                assertEquals(0, lost.get(), "a kept page was unlocked for a moment");
                for (MemoryRange kept : keep) {
                    assertTrue(Witness.locked(kept.address()));
                    assertTrue(Witness.locked(kept.end() - PAGE));
                }
                assertTrue(!Witness.flagged(at) && !Witness.flagged(at + 12 * PAGE) && !Witness.flagged(later));
                assertTrue(!Witness.flagged(Limits.map(PAGE)), "future locking is off");
                assertEquals(5 * PAGE, Witness.lockedBytes());
                backend.unlock(at, 64 * PAGE);
            }
            backend.lockAll(AddressSpaceScope.CURRENT, Set.of(LockOption.ON_FAULT));
            assertTrue(Witness.onFault(at));
            backend.unlockAll(List.of());
            assertEquals(0, Witness.lockedBytes());
        }
    }

    @Test
    void unlockAllKeepsRangesLockedAlsoWithoutTheRightToLockAll() {
        Life.ROOT.jvm().run(KeepingWithoutRight.class).succeeded();
    }

    /** The end of a lock of what is mapped, when neither the limit nor the capability allows that lock any more. */
    static final class KeepingWithoutRight {
        private static final int PAGES = 600;

        public static void main(String[] arguments) throws Exception {
            PageLocker locker = PageLocker.system();
            long at = Limits.map(PAGES * PAGE);
            long other = Limits.map(PAGE);
            PageLock keep = locker.lock(MemoryRange.of(at, PAGES * PAGE));
            AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT);
            Libc.dropCapability(14);
            Libc.setrlimit(Libc.RLIMIT_MEMLOCK, 100 * PAGE, 100 * PAGE);
            AtomicInteger lost = new AtomicInteger();
            AtomicInteger looks = new AtomicInteger();
            AtomicBoolean stop = new AtomicBoolean();
            Thread watcher = new Thread(() -> {
                while (!stop.get()) {
                    if (!Libc.isBusy(at + 7 * PAGE, PAGE)) {
                        lost.incrementAndGet();
                    }
                    looks.incrementAndGet();
                }
            });
            watcher.setDaemon(true);
            watcher.start();
            while (looks.get() < 100) {
                Thread.sleep(1);
            }
            all.close();
            stop.set(true);
            watcher.join();
            assertEquals(0, lost.get(), "a kept page was unlocked for a moment");
            assertTrue(keep.isValid());
            assertEquals(PAGES, Witness.flagged(at, PAGES).cardinality());
            assertTrue(!Witness.onFault(at) && !Witness.flagged(other));
            assertEquals(PAGES * PAGE, Witness.lockedBytes());
            keep.close();
            assertEquals(0, Witness.lockedBytes());
        }
    }
}
