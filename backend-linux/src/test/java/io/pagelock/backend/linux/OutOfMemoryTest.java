// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The Java heap ends in the middle of each operation, at each place where it allocates. */
@EnabledOnOs(OS.LINUX)
class OutOfMemoryTest {
    @Test
    void noPageStaysLockedThatNobodyHolds() {
        Life.ROOT
                .jvm()
                .options("-Xmx16m", "-XX:-UseTLAB", "-Dpagelock.thorough=" + System.getProperty("pagelock.thorough"))
                .within(Duration.ofMinutes(15))
                .run(Starved.class)
                .succeeded();
    }

    /** Repeats each operation with more and more of the heap free, from nothing until it has enough. */
    static final class Starved {
        private static final long PAGE = Libc.getpagesize();
        private static final int STEADY = 2;
        private static final int PAGES = 16;
        private static final int HOLE = 12;
        private static final long BOUND_SECONDS = 60;

        private static final long MEMORY = Libc.mmap(
                0, PAGES * PAGE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        private static final PageLocker LOCKER = PageLockers.over(new LinuxProvider().open(Host.current()));

        // What the operation works with; made before the heap is full.
        private static final MemoryRange RANGE = range(4, 8);
        private static final MemoryRange OVERLAPPING = range(6, 10);
        private static final MemoryRange WITH_HOLE = range(10, 14);
        private static final List<MemoryRange> BATCH = List.of(range(8, 10), range(1, 3), range(4, 6));

        private static PageLock lock;
        private static PageLock other;
        private static AddressSpaceLock all;
        private static PendingLock pending;

        /** Takes all the memory that is left. */
        private static Object filler;
        /** Given back one by one. */
        private static final byte[][] ROOMS;

        /** How many of the smallest objects each of them is larger than the one before. */
        private static final int STEP;

        static {
            boolean thorough = Boolean.getBoolean("pagelock.thorough");
            STEP = thorough ? 1 : 3;
            ROOMS = new byte[thorough ? 60 : 23][];
        }

        /** What it takes to look, given back after each attempt. */
        private static byte[] reserve;

        private static final int RESERVE = 2 << 20;

        /** What may run out of memory. */
        private enum Operation {
            LOCK {
                @Override
                void run() {
                    lock = LOCKER.lock(RANGE);
                }
            },
            REFUSED_LOCK {
                @Override
                void run() {
                    try {
                        lock = LOCKER.lock(WITH_HOLE);
                    } catch (PageLockException e) {
                        // The other way for it to fail.
                        return;
                    }
                    throw new AssertionError("locked a hole");
                }
            },
            BATCH_LOCK {
                @Override
                void run() {
                    lock = LOCKER.lock(BATCH);
                }
            },
            CLOSE {
                @Override
                void prepare() {
                    lock = LOCKER.lock(RANGE);
                }

                @Override
                void run() {
                    lock.close();
                }
            },
            CLOSE_OF_WHAT_IS_SHARED {
                @Override
                void prepare() {
                    lock = LOCKER.lock(OVERLAPPING);
                    other = LOCKER.lock(RANGE);
                }

                @Override
                void run() {
                    lock.close();
                }
            },
            CLOSE_OF_A_BATCH {
                @Override
                void prepare() {
                    lock = LOCKER.lock(BATCH);
                    other = LOCKER.lock(RANGE);
                }

                @Override
                void run() {
                    lock.close();
                }
            },
            ASYNC {
                @Override
                void run() {
                    pending = LOCKER.lockAsync(RANGE);
                    for (int i = 0; i < 100 && !pending.isDone(); i++) {
                        pause();
                    }
                }
            },
            ASYNC_OF_AN_EXECUTOR {
                @Override
                void run() {
                    pending = LOCKER.lockAsync(BATCH, Runnable::run);
                }
            },
            LOCK_ALL {
                @Override
                void prepare() {
                    other = LOCKER.lock(RANGE);
                }

                @Override
                void run() {
                    all = LOCKER.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT);
                }
            },
            UNLOCK_ALL {
                @Override
                void prepare() {
                    other = LOCKER.lock(RANGE);
                    all = LOCKER.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT);
                }

                @Override
                void run() {
                    all.close();
                }
            },
            DROP {
                @Override
                void prepare() {
                    lock = LOCKER.lock(RANGE);
                    other = LOCKER.lock(BATCH);
                }

                @Override
                void run() {
                    lock = null;
                    other = null;
                    System.gc();
                    // The reaper unlocks meanwhile, or has no memory to.
                    for (int i = 0; i < 20; i++) {
                        pause();
                    }
                }
            };

            void prepare() {}

            abstract void run();
        }

        public static void main(String[] arguments) throws Exception {
            Libc.munmap(MEMORY + HOLE * PAGE, PAGE);
            PageLock steady = LOCKER.lock(range(0, STEADY));
            for (Operation operation : Operation.values()) {
                // What the JVM sets up once, such as classes, is not the question.
                for (int warm = 0; warm < 3; warm++) {
                    assertFalse(attempt(operation, -1));
                }
                sweep(operation);
            }
            steady.close();
            assertEquals(0, Witness.lockedBytes());
            assertEquals(0, LOCKER.statistics().openHandles());
        }

        /** A close of pages that nobody shares needs next to nothing, and the reaper keeps its errors to itself. */
        private static final Set<Operation> NEEDLESS = EnumSet.of(Operation.CLOSE, Operation.DROP);

        private static MemoryRange range(int first, int end) {
            return MemoryRange.of(MEMORY + first * PAGE, (end - first) * PAGE);
        }

        private static void pause() {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** More and more room: in small steps first, since most objects of the library are small, then in proportion. */
        private static void sweep(Operation operation) throws Exception {
            int hit = 0;
            int room = 0;
            fill(0);
            for (int enough = 0; enough < 3 && room < ROOMS.length; room++) {
                if (attempt(operation, room)) {
                    hit++;
                    enough = 0;
                } else if (operation != Operation.DROP || room > 30 / STEP) {
                    enough++;
                }
            }
            ROOMS[0] = null;
            filler = null;
            reserve = null;
            System.out.println(operation + ": " + room + " attempts, " + hit + " out of memory");
            assertTrue(hit > 0 || NEEDLESS.contains(operation), operation + " never ran out of memory");
        }

        /** Fills the heap, in pieces that are given back for one attempt after the other. */
        private static void fill(int from) {
            reserve = new byte[RESERVE];
            int all = 0;
            for (int i = 0; i < ROOMS.length; i++) {
                int more = Math.max(16 * STEP, all * STEP / 6 & -8);
                all += more;
                // An array has a head of 16 bytes.
                ROOMS[i] = i < from ? null : new byte[more - 16];
            }
            Object[] chain = null;
            for (int piece = 1 << 20; piece >= 16; piece >>= 4) {
                try {
                    while (true) {
                        chain = new Object[] {chain, new byte[piece]};
                    }
                } catch (OutOfMemoryError e) {
                    // Now smaller ones.
                    continue;
                }
            }
            filler = chain;
        }

        /** Takes the reserve back; what the operation left behind may have used some of it up. */
        private static void reserve(int room) {
            try {
                reserve = new byte[RESERVE];
            } catch (OutOfMemoryError e) {
                filler = null;
                fill(room);
            }
        }

        /**
         * Runs the operation once, and then looks what is locked.
         *
         * @param room up to which piece the heap is free; negative if all of it is
         * @return whether it ran out of memory
         */
        private static boolean attempt(Operation operation, int room) throws Exception {
            lock = null;
            other = null;
            all = null;
            pending = null;
            reserve = null;
            operation.prepare();
            if (room >= 0) {
                reserve(room);
                ROOMS[room] = null;
            }
            boolean failed = false;
            try {
                operation.run();
            } catch (OutOfMemoryError e) {
                failed = true;
            } finally {
                reserve = null;
            }
            failed |= settle();
            String when = operation + " with room " + room;
            checkLocked(0, STEADY, when);
            if (other != null) {
                checkLocked(4, 8, when);
                other.close();
            }
            if (lock != null) {
                lock.close();
                assertFalse(lock.isValid(), when);
            }
            if (all != null) {
                all.close();
                assertFalse(all.isValid(), when);
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND_SECONDS);
            while (Witness.lockedBytes() != STEADY * PAGE || LOCKER.statistics().openHandles() != 1) {
                assertTrue(
                        System.nanoTime() < end,
                        () -> when + ": VmLck is " + Witness.lockedBytes() + ", " + LOCKER.statistics());
                // What was left over is tried again at each close, and dropped handles are found by the collector.
                LOCKER.lock(range(PAGES - 1, PAGES)).close();
                System.gc();
                pause();
            }
            return failed;
        }

        private static void checkLocked(int first, int end, String when) {
            for (int page = first; page < end; page++) {
                assertTrue(Libc.isBusy(MEMORY + page * PAGE, PAGE), when);
            }
        }

        /**
         * Waits for the end of the asynchronous lock, if there is one, and closes its handle.
         *
         * @return whether it ran out of memory
         */
        private static boolean settle() throws Exception {
            if (pending == null) {
                return false;
            }
            // With the memory there is now, the threads that died are replaced.
            LOCKER.lockAsync(range(PAGES - 1, PAGES))
                    .get(BOUND_SECONDS, TimeUnit.SECONDS)
                    .close();
            try {
                pending.get(BOUND_SECONDS, TimeUnit.SECONDS).close();
                return false;
            } catch (ExecutionException e) {
                if (e.getCause() instanceof OutOfMemoryError) {
                    return true;
                }
                throw e;
            }
        }
    }
}
