// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockPolicy;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.ForwardingBackend;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is required and what is preferred, where a system lacks or refuses it. */
class RefusalsTest {
    private static final int PAGE = 4096;
    private final FakeKernel kernel = new FakeKernel(KernelRules.of("linux"));
    private final Set<MemoryGuard> refused = EnumSet.noneOf(MemoryGuard.class);
    private final Set<String> guarded = new HashSet<>();

    /** Refuses the guards that a test names, and keeps count of the others. */
    private final class Strict extends ForwardingBackend {
        Strict() {
            super(new FakeBackend(kernel));
        }

        @Override
        public void guard(long address, long length, MemoryGuard guard) {
            if (refused.contains(guard)) {
                throw PageLockException.because(Reason.NOT_PERMITTED)
                        .call("madvise", 1, "EPERM")
                        .build();
            }
            super.guard(address, length, guard);
            guarded.add(guard + " " + address);
        }

        @Override
        public void unguard(long address, long length, MemoryGuard guard) {
            super.unguard(address, length, guard);
            guarded.remove(guard + " " + address);
        }
    }

    private static final class WithoutGuards extends ForwardingBackend {
        WithoutGuards(FakeKernel kernel) {
            super(new FakeBackend(kernel));
        }

        @Override
        public <A> Optional<A> ability(Class<A> type) {
            return type == MemoryGuarding.class ? Optional.empty() : super.ability(type);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Protection.class,
            names = {"NOT_DUMPED", "NOT_INHERITED", "GUARD_PAGES", "SECRET_MEMORY"})
    void refusedGuardEndsThePoolIfRequiredAndIsReportedIfPreferred(Protection protection) {
        refused.add(Recipe.guardOf(protection));
        PageLocker locker = PageLockers.over(new Strict());
        PageLockException refusal = assertThrows(
                PageLockException.class,
                () -> SecretPool.builder(locker)
                        .prefer(Protection.values())
                        .require(protection)
                        .build());
        assertEquals(Reason.NOT_PERMITTED, refusal.reason());
        assertTrue(refusal.getMessage().contains("EPERM"), refusal.getMessage());
        assertEquals(Set.of(), guarded);
        assertEquals(0, kernel.lockedBytes());
        try (SecretPool pool =
                        SecretPool.builder(locker).prefer(Protection.values()).build();
                Secret secret = pool.allocate(32)) {
            assertEquals(Tristate.NO, pool.kept(protection));
            assertEquals(Tristate.NO, secret.kept(protection));
            assertTrue(pool.whyNot(protection).orElseThrow().contains("EPERM"));
            for (Protection other : EnumSet.complementOf(EnumSet.of(protection))) {
                assertEquals(Tristate.YES, pool.kept(other), other.toString());
                assertFalse(pool.whyNot(other).isPresent());
            }
        }
        assertEquals(Set.of(), guarded);
    }

    @ParameterizedTest
    @EnumSource(
            value = Protection.class,
            names = {"NOT_DUMPED", "NOT_INHERITED", "GUARD_PAGES", "SECRET_MEMORY"})
    void missingGuardIsNotSupportedIfRequiredAndReportedIfPreferred(Protection protection) {
        PageLocker locker = PageLockers.over(new WithoutGuards(kernel));
        PageLockException refusal = assertThrows(
                PageLockException.class,
                () -> SecretPool.builder(locker).require(protection).build());
        assertEquals(Reason.NOT_SUPPORTED, refusal.reason());
        assertTrue(refusal.getMessage().contains(protection.toString()), refusal.getMessage());
        try (SecretPool pool = SecretPool.builder(locker)
                .require(Protection.LOCKED)
                .prefer(protection)
                .build()) {
            assertEquals(Tristate.NO, pool.kept(protection));
            assertTrue(pool.whyNot(protection).isPresent());
            assertEquals(Tristate.YES, pool.kept(Protection.LOCKED));
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void refusedLockEndsTheAllocationIfRequired() {
        kernel.setLimit(PAGE);
        PageLocker locker = PageLockers.over(new Strict());
        try (SecretPool pool = SecretPool.builder(locker)
                .require(Protection.LOCKED)
                .prefer(Protection.NOT_DUMPED)
                .build()) {
            List<Secret> all = new ArrayList<>();
            for (int i = 0; i < PAGE / 32; i++) {
                all.add(pool.allocate(32));
            }
            Set<String> before = Set.copyOf(guarded);
            PageLockException refusal = assertThrows(PageLockException.class, () -> pool.allocate(32));
            assertEquals(Reason.OVER_LIMIT, refusal.reason());
            assertTrue(refusal.getMessage().contains("soft limit"), refusal.getMessage());
            assertTrue(refusal.getMessage().contains("budget is unlimited"), refusal.getMessage());
            assertEquals(before, guarded);
            assertEquals(PAGE, pool.statistics().bytes());
            assertEquals(all.size(), pool.statistics().openSecrets());
        }
        assertEquals(0, kernel.lockedBytes());
    }

    private static List<Secret> fill(SecretPool pool, int pages) {
        List<Secret> all = new ArrayList<>();
        for (int i = 0; i < pages * (PAGE / 32); i++) {
            all.add(pool.allocate(32));
        }
        return all;
    }

    @Test
    void emptyPagesMakeRoomWhereTheLimitOfTheSystemIsUsedUp() {
        kernel.setLimit(4 * PAGE);
        try (SecretPool pool = SecretPool.builder(PageLockers.over(new Strict()))
                .require(Protection.LOCKED)
                .build()) {
            List<Secret> all = fill(pool, 4);
            assertThrows(PageLockException.class, () -> pool.allocate(2 * PAGE));
            assertEquals(4 * PAGE, kernel.lockedBytes());
            all.subList(PAGE / 32, all.size()).forEach(Secret::close);
            assertEquals(4 * PAGE, kernel.lockedBytes());
            Secret large = pool.allocate(2 * PAGE);
            assertEquals(Tristate.YES, large.kept(Protection.LOCKED));
            assertTrue(all.get(0).isOpen());
            assertEquals(3 * PAGE, kernel.lockedBytes());
            assertEquals(3 * PAGE, pool.statistics().bytes());
            pool.allocate(PAGE).close();
            PageLockException refusal = assertThrows(PageLockException.class, () -> pool.allocate(2 * PAGE));
            assertEquals(Reason.OVER_LIMIT, refusal.reason());
            assertEquals(3 * PAGE, pool.statistics().bytes());
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void emptyPagesMakeRoomForAPreferredLock() {
        kernel.setLimit(4 * PAGE);
        try (SecretPool pool = SecretPool.builder(PageLockers.over(new Strict()))
                .prefer(Protection.LOCKED)
                .build()) {
            List<Secret> all = fill(pool, 4);
            all.forEach(Secret::close);
            assertEquals(4 * PAGE, kernel.lockedBytes());
            assertEquals(Tristate.YES, pool.allocate(2 * PAGE).kept(Protection.LOCKED));
            assertEquals(2 * PAGE, kernel.lockedBytes());
            assertEquals(2 * PAGE, pool.statistics().bytes());
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void refusedLockIsReportedIfPreferred() {
        kernel.setLimit(PAGE);
        try (SecretPool pool = SecretPool.builder(PageLockers.over(new Strict()))
                .prefer(Protection.LOCKED)
                .build()) {
            Secret locked = pool.allocate(PAGE / 2);
            assertEquals(Tristate.YES, pool.kept(Protection.LOCKED));
            Secret unlocked = pool.allocate(PAGE);
            assertEquals(Tristate.NO, pool.kept(Protection.LOCKED));
            assertEquals(Tristate.YES, locked.kept(Protection.LOCKED));
            assertEquals(Tristate.NO, unlocked.kept(Protection.LOCKED));
            assertTrue(pool.whyNot(Protection.LOCKED).orElseThrow().contains("limit"));
        }
        assertEquals(0, kernel.lockedBytes());
    }

    @Test
    void aLockThatIsLostLaterIsNotKeptAnyMore() {
        PageLocker locker = PageLockers.over(new Strict());
        try (SecretPool pool = SecretPool.create(locker);
                Secret secret = pool.allocate(32)) {
            AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.FUTURE);
            assertEquals(Tristate.YES, pool.kept(Protection.LOCKED));
            kernel.setLimit(0);
            assertThrows(PageLockException.class, all::close);
            assertEquals(Tristate.NO, pool.kept(Protection.LOCKED));
            assertEquals(Tristate.NO, secret.kept(Protection.LOCKED));
            assertTrue(pool.whyNot(Protection.LOCKED).orElseThrow().contains("address-space lock"));
        }
    }

    /** Each group of pages with guards around it costs mappings, of which a process has about 65,000. */
    @Test
    void largePoolHasFewGroupsOfPagesAndUsesItsBudgetToTheLastPage() {
        try (SecretPool pool = SecretPool.builder(PageLockers.over(new Strict()))
                .require(Protection.LOCKED)
                .budget(300 * PAGE)
                .build()) {
            Set<Slab> groups = new HashSet<>();
            List<Secret> all = new ArrayList<>();
            for (int i = 0; i < 300 * (PAGE / 32); i++) {
                all.add(pool.allocate(32));
                groups.add(all.get(i).slot.slab);
            }
            assertTrue(groups.size() < 70, groups.size() + " groups");
            assertEquals(300 * PAGE, kernel.lockedBytes());
            assertThrows(PageLockException.class, () -> pool.allocate(32));
            all.forEach(Secret::close);
            pool.trim();
            assertEquals(0, kernel.lockedBytes());
        }
    }

    @Test
    void whatWasNotAskedForIsNotKept() {
        try (SecretPool pool =
                SecretPool.builder(PageLockers.over(new Strict())).build()) {
            for (Protection each : Protection.values()) {
                assertEquals(Tristate.of(each == Protection.WIPED_ON_CLOSE), pool.kept(each), each.toString());
                assertFalse(pool.whyNot(each).isPresent());
            }
            assertEquals(0, kernel.lockedBytes());
        }
    }

    @Test
    void withoutABackendThePoolWipesAndPromisesNothingElse() {
        PageLocker off = PageLocker.system(LockPolicy.OFF);
        try (SecretPool pool =
                SecretPool.builder(off).prefer(Protection.values()).build()) {
            Secret secret = pool.allocate(32);
            secret.write(new byte[] {1, 2, 3});
            assertEquals(2, secret.get(1));
            assertEquals(Tristate.NO, pool.kept(Protection.LOCKED));
            assertEquals(Tristate.YES, pool.kept(Protection.WIPED_ON_CLOSE));
            assertTrue(pool.whyNot(Protection.LOCKED).orElseThrow().contains("switched off"));
        }
        PageLockException refusal = assertThrows(
                PageLockException.class,
                () -> SecretPool.builder(off).require(Protection.LOCKED).build());
        assertEquals(Reason.NOT_SUPPORTED, refusal.reason());
    }

    /** The convenience follows the policy of the locker; what a program requires by itself stays required. */
    @Test
    void underBestEffortAPoolThatCannotBeLockedSaysSo() {
        kernel.setLimit(0);
        PageLocker locker = PageLockers.over(new Strict(), LockPolicy.BEST_EFFORT);
        try (SecretPool pool = SecretPool.create(locker);
                Secret secret = pool.allocate(32)) {
            assertEquals(Tristate.NO, pool.kept(Protection.LOCKED));
            assertEquals(Tristate.NO, secret.kept(Protection.LOCKED));
            assertEquals(Tristate.YES, pool.kept(Protection.NOT_DUMPED));
            String why = pool.whyNot(Protection.LOCKED).orElseThrow();
            assertTrue(why.contains("not permitted"), why);
            assertEquals(Tristate.NO, locker.report().kept());
        }
        assertEquals(List.of(), locker.report().notLocked());
        assertThrows(
                PageLockException.class,
                () -> SecretPool.builder(locker).require(Protection.LOCKED).build());
        assertEquals(List.of(), locker.report().notLocked());
        kernel.setLimit(1 << 20);
        try (SecretPool pool = SecretPool.create(locker)) {
            pool.allocate(32).close();
            assertEquals(Tristate.YES, pool.kept(Protection.LOCKED));
            assertEquals(Tristate.YES, locker.report().kept());
        }
    }
}
