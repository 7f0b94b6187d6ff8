// SPDX-License-Identifier: Apache-2.0
package io.pagelock.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.engine.PageLockers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The meters over a fake kernel, each by the figure that it is for. */
class PageLockerMetricsTest {
    private static final long PAGE = 4096;

    private final FakeKernel kernel = new FakeKernel(KernelRules.named("Plain"));
    private final PageLocker locker = PageLockers.over(new FakeBackend(kernel));
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double value(String name) {
        return registry.get(name).meter().measure().iterator().next().getValue();
    }

    private double failures(Reason reason) {
        return registry.get("pagelock.failures")
                .tag("reason", reason.name())
                .functionCounter()
                .count();
    }

    @Test
    void theMetersFollowTheLocker() {
        new PageLockerMetrics(locker).bindTo(registry);
        long memory = kernel.map(4, FakeKernel.Kind.ANONYMOUS);
        try (PageLock lock = locker.lock(MemoryRange.of(memory, 3 * PAGE));
                PageLock nested = locker.lock(MemoryRange.of(memory, PAGE))) {
            assertEquals(3.0 * PAGE, value("pagelock.locked"));
            assertEquals(3.0 * PAGE, value("pagelock.locked.system"));
            assertEquals(2, value("pagelock.handles.open"));
            assertEquals(0, value("pagelock.unmapped"));
            kernel.unmap(memory + PAGE, 1);
            assertEquals(PAGE, value("pagelock.unmapped"));
        }
        assertEquals(0, value("pagelock.locked"));
        assertEquals(0, value("pagelock.handles.open"));
        assertEquals(0, value("pagelock.leftover"));
        assertEquals(0, value("pagelock.handles.leaked"));
        assertTrue(value("pagelock.lock.longest") >= 0);
    }

    @Test
    void failuresAreCountedByReason() {
        new PageLockerMetrics(locker).bindTo(registry);
        long memory = kernel.map(3, FakeKernel.Kind.ANONYMOUS);
        kernel.unmap(memory + PAGE, 1);
        assertThrows(PageLockException.class, () -> locker.lock(MemoryRange.of(memory, 3 * PAGE)));
        assertEquals(1, failures(Reason.NOT_MAPPED));
        assertEquals(0, failures(Reason.OVER_LIMIT));
    }

    @Test
    void whatIsLockableIsWhatTheLimitLeaves() {
        new PageLockerMetrics(locker).bindTo(registry);
        assertEquals(Double.POSITIVE_INFINITY, value("pagelock.lockable"));
        kernel.setLimit(5 * PAGE);
        try (PageLock lock = locker.lock(MemoryRange.of(kernel.map(2, FakeKernel.Kind.ANONYMOUS), 2 * PAGE))) {
            assertEquals(3.0 * PAGE, value("pagelock.lockable"));
        }
    }

    @Test
    void everyMeterHasTheTagsAndADescription() {
        new PageLockerMetrics(locker, List.of(Tag.of("of", "x"))).bindTo(registry);
        assertTrue(registry.getMeters().size() > 8);
        for (Meter meter : registry.getMeters()) {
            assertEquals("x", meter.getId().getTag("of"), meter.getId().toString());
            assertTrue(meter.getId().getDescription() != null, meter.getId().toString());
        }
    }

    /** The registry of others does not keep the locker by a weak reference that ends in NaN. */
    @Test
    void theMetersOutliveTheBinder() {
        bindSeparate();
        System.gc();
        assertEquals(0, value("pagelock.locked"));
    }

    private void bindSeparate() {
        new PageLockerMetrics(PageLockers.over(new FakeBackend(new FakeKernel(KernelRules.named("Plain")))))
                .bindTo(registry);
    }

    @Test
    void thePageOnMonitoringListsEveryMeter() throws IOException {
        new PageLockerMetrics(locker).bindTo(registry);
        String page = Files.readString(Path.of("../docs/monitoring.md"));
        Set<String> missing = registry.getMeters().stream()
                .map(meter -> meter.getId().getName())
                .filter(name -> !page.contains("`" + name + "`"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), missing);
    }
}
