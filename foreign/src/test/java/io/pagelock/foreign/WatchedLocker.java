// SPDX-License-Identifier: Apache-2.0
package io.pagelock.foreign;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Locks for real, looks at the memory when its lock is about to end, and refuses when asked to. */
final class WatchedLocker {
    final PageLocker system = PageLocker.system();
    final PageLocker locker = wrap(PageLocker.class, system, this::called);
    final AtomicInteger locks = new AtomicInteger();
    final AtomicInteger closes = new AtomicInteger();
    final List<String> faults = new CopyOnWriteArrayList<>();
    final AtomicInteger locksToRefuse = new AtomicInteger();
    final AtomicInteger closesToRefuse = new AtomicInteger();

    private Object called(Method method, Object[] arguments) throws Throwable {
        if (!method.getName().equals("lock")) {
            return invoke(method, system, arguments);
        }
        if (locksToRefuse.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
            throw refusal();
        }
        PageLock lock = (PageLock) invoke(method, system, arguments);
        locks.incrementAndGet();
        return wrap(PageLock.class, lock, (called, with) -> {
            if (called.getName().equals("close")) {
                check((MemoryRange) arguments[0]);
                if (closesToRefuse.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                    throw refusal();
                }
                closes.incrementAndGet();
            }
            return invoke(called, lock, with);
        });
    }

    @SuppressWarnings("restricted")
    private void check(MemoryRange range) {
        // Reading smaps takes a millisecond.
        if (closes.get() < 50 && !Kernel.isLocked(range.address())) {
            faults.add(range + " is not locked any more");
        }
        MemorySegment memory = MemorySegment.ofAddress(range.address()).reinterpret(range.length());
        if (memory.mismatch(MemorySegment.ofArray(new byte[(int) range.length()])) != -1) {
            faults.add(range + " is not wiped");
        }
    }

    private static PageLockException refusal() {
        return PageLockException.because(Reason.OVER_LIMIT)
                .detail("as the test wants")
                .build();
    }

    private interface Call {
        Object on(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T wrap(Class<T> type, T target, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> call.on(method, arguments)));
    }

    private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
