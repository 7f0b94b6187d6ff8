// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Backend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;

/**
 * The agent's own copy. It does not claim to be the one that counts (rule B4), which the program may bring, and cannot see what
 * that one holds. So from the time when another one may count, it unlocks nothing.
 */
final class OwnCopy implements Target {
    private static final LockOption[] NONE = {};

    private final PageLocker locker;
    private volatile boolean keeping;

    OwnCopy(Backend backend) {
        locker = PageLockers.over((Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (keeping && method.getName().equals("unlock")) {
                        return null;
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** From now on another copy may count. */
    void keep() {
        keeping = true;
    }

    @Override
    public AutoCloseable lockAddressSpace(AddressSpaceScope scope, Set<LockOption> options) throws Refusal {
        try {
            return locker.lockAddressSpace(scope, options.toArray(NONE));
        } catch (RuntimeException e) {
            throw Refusal.of(e);
        }
    }

    @Override
    public AutoCloseable lock(List<MemoryRange> ranges, Set<LockOption> options) throws Refusal {
        try {
            return locker.lock(ranges, options.toArray(NONE));
        } catch (RuntimeException e) {
            throw Refusal.of(e);
        }
    }

    @Override
    public String name() {
        return "the agent's own copy of pagelock, " + locker.backendInfo();
    }
}
