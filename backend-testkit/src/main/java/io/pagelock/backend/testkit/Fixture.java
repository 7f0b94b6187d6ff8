// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Backend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

/** What the rules share: a harness and a locker per test, assumptions that name what is missing, and the witness. */
abstract class Fixture {
    /** How long something may take that is certain to happen. */
    long patienceMillis = 20_000;

    Harness harness;
    Backend backend;
    PageLocker locker;
    long page;

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
        backend = harness.backend();
        page = harness.pageSize();
        locker = locker(backend);
    }

    @AfterEach
    void closeHarness() {
        if (harness != null) {
            harness.close();
        }
    }

    void needs(Ability... abilities) {
        for (Ability ability : abilities) {
            assumeTrue(harness.abilities().contains(ability), () -> "needs the ability " + ability);
        }
    }

    void needs(Capability... capabilities) {
        for (Capability capability : capabilities) {
            assumeTrue(backend.capabilities().contains(capability), () -> "needs the capability " + capability);
        }
    }

    /** Makes the test run only where so many pages may be locked. */
    void needsRoom(long pages) {
        long room = harness.room();
        assumeTrue(
                room >= pages * page,
                () -> "needs to lock " + pages * page + " bytes, but this process may lock " + room);
    }

    /** Makes the test run only where a lock of the whole address space is possible and tolerable. */
    void needsAddressSpace() {
        needs(Capability.LOCK_ADDRESS_SPACE);
        needs(Ability.LOCK_ADDRESS_SPACE);
        long size = backend.addressSpaceBytes().orElse(Long.MAX_VALUE / 2);
        // Tests and JVM map more meanwhile.
        assumeTrue(
                harness.room() / 2 >= size,
                () -> "needs to lock twice the address space of " + size + " bytes, but this process may lock "
                        + harness.room());
    }

    MemoryRange pages(long address, long count) {
        return MemoryRange.of(address, count * page);
    }

    boolean isLocked(long address, long index) {
        return harness.isLocked(address + index * page);
    }

    /** The pages from the address on that the witness calls locked, as a string of 1 and 0. */
    String locked(long address, int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(isLocked(address, i) ? '1' : '0');
        }
        return text.toString();
    }

    void assertLocked(String expected, long address) {
        assertEquals(expected, locked(address, expected.length()), "locked pages by the witness");
    }

    PageLockException refusal(Reason reason, Executable call) {
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
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    List<Object> values = new ArrayList<>();
                    if (arguments != null) {
                        Collections.addAll(values, arguments);
                    }
                    if (method.getReturnType() == void.class) {
                        synced.add(method.getName() + values);
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
