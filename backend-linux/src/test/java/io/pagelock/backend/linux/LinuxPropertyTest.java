// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * Random programs of locks, closes, address-space locks, unmapping and injected failures, on the real kernel. After each
 * step, what the engine claims, what a simple model says and what the kernel says agree; the kernel is asked page by page
 * by an invalidating msync of the test's own.
 */
@EnabledOnOs(OS.LINUX)
class LinuxPropertyTest {
    private static final int PROGRAMS = Integer.getInteger("pagelock.programs", 100);
    private static final int PAGES = 12;
    private static final int CODES = 1 << 20;
    private static final long PAGE = Libc.getpagesize();
    private static final int ANONYMOUS = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS;

    @Test
    void engineModelAndKernelAgreeAfterEachStep() {
        int[] refused = {0};
        qt().withExamples(PROGRAMS)
                .withShrinkCycles(50)
                .forAll(lists().of(integers().between(0, CODES)).ofSizeBetween(1, 30))
                .check(codes -> {
                    try (Program program = new Program()) {
                        codes.forEach(program::step);
                        refused[0] += program.refused;
                    }
                    return true;
                });
        assertTrue(refused[0] > PROGRAMS / 10, "failures were injected too rarely: " + refused[0]);
    }

    /** A handle as the model sees it. */
    private static final class Held {
        private final PageLock lock;
        private final int first;
        private final int end;
        /** A failure was injected after an unlock: the kernel may have dropped pages that the handle still answers for. */
        private boolean doubtful;

        private Held(PageLock lock, int first, int end) {
            this.lock = lock;
            this.first = first;
            this.end = end;
        }

        private boolean covers(int page) {
            return first <= page && page < end;
        }
    }

    private static final class Program implements AutoCloseable {
        private final long memory = Libc.mmap(0, PAGES * PAGE, Libc.PROT_READ | Libc.PROT_WRITE, ANONYMOUS, -1, 0);
        private final PageLocker locker =
                PageLockers.over(new FaultyBackend(new LinuxProvider().open(Host.current()), this::fault));
        private final List<Held> open = new ArrayList<>();
        private final boolean[] unmapped = new boolean[PAGES];
        private AddressSpaceLock all;
        private int refused;
        private int callsToFault;
        private boolean faultAfterEffect;

        private void step(int code) {
            int first = code % PAGES;
            int end = first + 1 + code / PAGES % (PAGES - first);
            int kind = code / 256 % 16;
            callsToFault = code / 4096 % 8 == 0 ? 1 + code / 32768 % 3 : 0;
            faultAfterEffect = code / 131072 % 2 == 0;
            if (kind < 6) {
                lock(first, end, kind < 2);
            } else if (kind < 11) {
                close(first);
            } else if (kind == 11) {
                toggleAddressSpace(code / 131072 % 4 == 0);
            } else if (kind == 12) {
                unmap(first);
            } else if (kind == 13) {
                map(first);
            } else {
                batch(first, end);
            }
            callsToFault = 0;
            check();
        }

        /** Lets the n-th native call fail. */
        private FaultyBackend.Fault fault() {
            return callsToFault > 0 && --callsToFault == 0
                    ? FaultyBackend.Fault.refusal(Reason.UNKNOWN, faultAfterEffect)
                    : null;
        }

        private MemoryRange range(int first, int end) {
            return MemoryRange.of(memory + first * PAGE + 7, (end - first) * PAGE - 14);
        }

        private void lock(int first, int end, boolean onFault) {
            try {
                PageLock lock =
                        onFault ? locker.lock(range(first, end), LockOption.ON_FAULT) : locker.lock(range(first, end));
                assertFalse(anyUnmapped(first, end), "locked a hole");
                open.add(new Held(lock, first, end));
            } catch (PageLockException e) {
                refuse(e, anyUnmapped(first, end));
            }
        }

        private void batch(int first, int end) {
            int middle = (first + end) / 2;
            if (middle == first) {
                return;
            }
            try {
                PageLock lock = locker.lock(List.of(range(middle, end), range(first, middle)));
                assertFalse(anyUnmapped(first, end), "locked a hole");
                open.add(new Held(lock, first, end));
            } catch (PageLockException e) {
                refuse(e, anyUnmapped(first, end));
            }
        }

        private boolean anyUnmapped(int first, int end) {
            for (int page = first; page < end; page++) {
                if (unmapped[page]) {
                    return true;
                }
            }
            return false;
        }

        private void refuse(PageLockException e, boolean hole) {
            refused++;
            assertTrue(
                    hole && e.reason() == Reason.NOT_MAPPED || e.reason() == Reason.UNKNOWN,
                    () -> "refused without a cause: " + e);
        }

        private void close(int index) {
            if (open.isEmpty()) {
                return;
            }
            Held held = open.get(index % open.size());
            try {
                held.lock.close();
                assertFalse(held.lock.isValid());
                open.remove(held);
            } catch (PageLockException e) {
                refuse(e, false);
                held.doubtful = true;
            }
        }

        private void toggleAddressSpace(boolean future) {
            try {
                if (all != null) {
                    all.close();
                    all = null;
                } else {
                    // On fault, so that the JVM's own gigabytes are not paged in five hundred times.
                    all = future
                            ? locker.lockAddressSpace(AddressSpaceScope.FUTURE, LockOption.ON_FAULT)
                            : locker.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT);
                }
            } catch (PageLockException e) {
                boolean unprivileged = e.reason() == Reason.OVER_LIMIT || e.reason() == Reason.NOT_PERMITTED;
                if (!unprivileged || locker.limits().privileged() == Tristate.YES) {
                    refuse(e, false);
                }
                if (all != null && !all.isValid()) {
                    all = null;
                }
            }
        }

        private void unmap(int page) {
            Libc.munmap(memory + page * PAGE, PAGE);
            unmapped[page] = true;
        }

        /** Mapped anew, the address is not locked any more, whatever handles there are. */
        private void map(int page) {
            if (unmapped[page]) {
                Libc.mmap(
                        memory + page * PAGE,
                        PAGE,
                        Libc.PROT_READ | Libc.PROT_WRITE,
                        ANONYMOUS | Libc.MAP_FIXED,
                        -1,
                        0);
                unmapped[page] = false;
                for (Held held : open) {
                    held.doubtful |= held.covers(page);
                }
            }
        }

        private void check() {
            long heldPages = 0;
            boolean strays = locker.statistics().leftoverBytes() > 0;
            for (int page = 0; page < PAGES; page++) {
                int at = page;
                boolean held = open.stream().anyMatch(each -> each.covers(at));
                boolean surely =
                        open.stream().anyMatch(each -> each.covers(at) && !each.doubtful && each.lock.isValid());
                heldPages += held ? 1 : 0;
                if (unmapped[page]) {
                    continue;
                }
                boolean locked = Libc.isBusy(memory + page * PAGE, PAGE);
                assertTrue(locked || !surely, () -> "page " + at + " is held and not locked");
                assertTrue(
                        !locked || held || strays || all != null,
                        () -> "page " + at + " is locked and nobody holds it");
            }
            assertTrue(
                    locker.statistics().lockedBytes() <= heldPages * PAGE,
                    "the engine claims more than the handles cover");
            if (open.stream().noneMatch(each -> each.doubtful)) {
                assertEquals(heldPages * PAGE, locker.statistics().lockedBytes());
            }
            assertEquals(open.size(), locker.statistics().openHandles());
        }

        @Override
        public void close() {
            callsToFault = 0;
            if (all != null) {
                all.close();
                all = null;
            }
            open.forEach(held -> held.lock.close());
            open.clear();
            // Strays are tried again whenever a handle closes.
            map(0);
            locker.lock(range(0, 1)).close();
            check();
            assertEquals(0, locker.statistics().leftoverBytes(), "strays are left after a close without failures");
            for (int page = 0; page < PAGES; page++) {
                if (!unmapped[page]) {
                    Libc.munmap(memory + page * PAGE, PAGE);
                }
            }
        }
    }
}
