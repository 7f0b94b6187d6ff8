// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

/**
 * Serves tests over a {@link Harness}, those of {@link BackendContract} and a backend's own: a harness and a locker for each test,
 * assumptions that name what is missing, and the witness. A backend's own tests are written once so and extended twice, over the
 * stand-in and over the kernel that {@code remote-agent} hands out.
 *
 * <pre>{@code
 * abstract class IrixKernelCases extends Fixture {
 *     @Test
 *     void aHoleIsNotMapped() {
 *         long memory = harness.map(3);
 *         harness.unmap(memory + page, 1);
 *         Refusals.assertRefused(() -> locker.lock(pages(memory, 3)), Reason.NOT_MAPPED, "mlock", "ENOMEM");
 *     }
 * }
 * }</pre>
 */
public abstract class Fixture {
    /** How often to look at the mappings of a process whose other threads map and unmap. */
    static final int MOST_LOOKS = 20;

    /** How long something may take that is certain to happen. */
    long patienceMillis = 60_000;

    /** Holds the harness of this test. */
    protected Harness harness;

    /** Holds its backend. What a test leaves under way does nothing to the next one. */
    protected Backend backend;

    /** Holds a locker over the backend. */
    protected PageLocker locker;

    /** Holds the page size in bytes. */
    protected long page;

    private OneTestBackend ofThisTest;

    /** Serves subclasses. */
    protected Fixture() {}

    /**
     * Opens the harness for one test; it is closed afterwards.
     *
     * @return a new harness
     */
    protected abstract Harness open();

    /**
     * Makes the locker under test. Only for testing the contract itself.
     *
     * @param over the backend
     * @return a new locker
     */
    protected PageLocker locker(Backend over) {
        return PageLockers.over(over);
    }

    @BeforeEach
    void openHarness() {
        harness = open();
        ofThisTest = new OneTestBackend(harness.backend());
        backend = ofThisTest;
        page = harness.pageSize();
        locker = locker(backend);
    }

    @AfterEach
    void closeHarness() {
        if (ofThisTest != null) {
            ofThisTest.end();
        }
        if (harness != null) {
            harness.close();
        }
    }

    /**
     * Skips the test where the harness lacks an ability.
     *
     * @param abilities what the test needs
     */
    protected final void needs(Ability... abilities) {
        for (Ability ability : abilities) {
            assumeTrue(harness.abilities().contains(ability), () -> "needs the ability " + ability);
        }
    }

    /**
     * Skips the test where the backend lacks a capability.
     *
     * @param capabilities what the test needs
     */
    protected final void needs(Capability... capabilities) {
        for (Capability capability : capabilities) {
            assumeTrue(backend.capabilities().contains(capability), () -> "needs the capability " + capability);
        }
    }

    /**
     * Skips the test where this process may not lock so much.
     *
     * @param pages how many pages
     */
    protected final void needsRoom(long pages) {
        long room = harness.room();
        assumeTrue(
                room >= pages * page,
                () -> "needs to lock " + pages * page + " bytes, but this process may lock " + room);
    }

    /**
     * What a lock of the whole address space would be charged for, where the system says it; asked again where the mappings did not
     * stand still for a look, as other threads come and go.
     */
    OptionalLong addressSpaceBytes() {
        OptionalLong bytes = OptionalLong.empty();
        for (int looks = 0; looks < MOST_LOOKS && !bytes.isPresent(); looks++) {
            bytes = backend.ability(AddressSpaceLocking.class)
                    .map(AddressSpaceLocking::addressSpaceBytes)
                    .orElse(OptionalLong.empty());
        }
        return bytes;
    }

    /** Makes the test run only where a lock of the whole address space is possible and tolerable. */
    void needsAddressSpace() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.LOCK_ADDRESS_SPACE);
        long size = addressSpaceBytes().orElse(Long.MAX_VALUE / 2);
        // Tests and JVM map more meanwhile.
        assumeTrue(
                harness.room() / 2 >= size,
                () -> "needs to lock twice the address space of " + size + " bytes, but this process may lock "
                        + harness.room());
    }

    /**
     * Returns a range of whole pages.
     *
     * @param address its start
     * @param count how many pages
     * @return the range
     */
    protected final MemoryRange pages(long address, long count) {
        return MemoryRange.of(address, count * page);
    }

    boolean isLocked(long address, long index) {
        return harness.isLocked(address + index * page);
    }

    /**
     * Asks the witness which pages are locked. Skips the test where there is none.
     *
     * @param address an address in the first page
     * @param count how many pages
     * @return a 1 or a 0 for each
     */
    protected final String locked(long address, int count) {
        needs(Ability.SEE_LOCKED);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(isLocked(address, i) ? '1' : '0');
        }
        return text.toString();
    }

    /**
     * Asserts which pages are locked.
     *
     * @param expected a 1 or a 0 for each page, as {@link #locked} returns it
     * @param address an address in the first page
     */
    protected final void assertLocked(String expected, long address) {
        assertEquals(expected, locked(address, expected.length()), "locked pages by the witness");
    }

    /**
     * Asserts that a call is refused. {@link Refusals#assertRefused} also looks at function, errno and words.
     *
     * @param reason why it is refused
     * @param call the call
     * @return what was thrown
     */
    protected final PageLockException refusal(Reason reason, Executable call) {
        PageLockException refused = assertThrows(PageLockException.class, call);
        assertEquals(reason, refused.reason(), refused.getMessage());
        return refused;
    }

    /** Collects garbage until the condition holds or patience ends. */
    boolean afterCollection(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + patienceMillis * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            System.gc();
            Thread.sleep(10);
        }
        return true;
    }

    /** A backend that passes every call on and writes down what asks the system to act: lock, unlock, sync, all. */
    Backend recording(List<String> calls) {
        List<String> synced = Collections.synchronizedList(calls);
        return new ForwardingBackend(backend) {
            @Override
            public void lock(long address, long length, Set<LockOption> options) {
                synced.add("lock" + Arrays.asList(address, length, options));
                super.lock(address, length, options);
            }

            @Override
            public void unlock(long address, long length) {
                synced.add("unlock" + Arrays.asList(address, length));
                super.unlock(address, length);
            }

            @Override
            public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
                synced.add("lockAll" + Arrays.asList(scope, options));
                super.lockAll(scope, options);
            }

            @Override
            public void unlockAll(List<MemoryRange> keep) {
                synced.add("unlockAll" + Collections.singletonList(keep));
                super.unlockAll(keep);
            }

            @Override
            public void sync(long address, long length, Set<SyncOption> options) {
                synced.add("sync" + Arrays.asList(address, length, options));
                super.sync(address, length, options);
            }
        };
    }
}
