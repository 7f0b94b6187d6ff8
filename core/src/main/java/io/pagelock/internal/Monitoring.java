// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockerMXBean;
import io.pagelock.Statistics;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/** Offers the statistics through JMX, where the JVM has it. */
final class Monitoring implements PageLockerMXBean {
    /** Only written: what must stay reachable. */
    private static volatile Object bean;

    private final Engine locker;

    private Monitoring(Engine locker) {
        this.locker = locker;
    }

    /** Registers. The first use of JMX takes longer than the first lock should. */
    static void register(Engine locker) {
        try {
            bean = WeakBean.register(
                    ManagementFactory.getPlatformMBeanServer(),
                    new ObjectName(NAME),
                    new StandardMBean(new Monitoring(locker), PageLockerMXBean.class, true));
        } catch (Throwable e) {
            // No JMX or no memory here, or the name is taken: the statistics remain in the API.
            return;
        }
    }

    @Override
    public String getBackend() {
        return locker.backendInfo().toString();
    }

    private Statistics now() {
        return locker.statistics();
    }

    @Override
    public long getOpenHandles() {
        return now().openHandles();
    }

    @Override
    public long getLockedBytes() {
        return now().lockedBytes();
    }

    @Override
    public long getLockedPages() {
        return now().lockedPages();
    }

    @Override
    public long getSystemLockedBytes() {
        return now().systemLockedBytes().orElse(-1);
    }

    @Override
    public long getLeakedHandles() {
        return now().leakedHandles();
    }

    @Override
    public List<String> getRecentLeaks() {
        return locker.recentLeaks();
    }

    @Override
    public long getLongestLockNanos() {
        return now().longestLockNanos();
    }

    @Override
    public long getLeftoverBytes() {
        return now().leftoverBytes();
    }

    @Override
    public long getUnmappedBytes() {
        return locker.unmapped()
                .map(all -> all.stream().mapToLong(MemoryRange::length).sum())
                .orElse(-1L);
    }

    @Override
    public Map<String, Long> getFailures() {
        Map<String, Long> counts = new TreeMap<>();
        now().failures().forEach((reason, count) -> counts.put(reason.name(), count));
        return counts;
    }
}
