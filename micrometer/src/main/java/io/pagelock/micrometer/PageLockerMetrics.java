// SPDX-License-Identifier: Apache-2.0
package io.pagelock.micrometer;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.pagelock.LimitValue;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * Binds the figures of a {@link PageLocker} to a registry: what handles hold, what the kernel counts, and what failed.
 * {@code docs/monitoring.md} lists the meters. Each is read when the registry asks for it, which takes a few system
 * calls. A value that the system does not report is NaN.
 *
 * <p>A registry refers to the locker for as long as it has the meters; {@link PageLocker#system()} lives as long as the
 * process anyway. Immutable; may be bound to several registries.
 */
public final class PageLockerMetrics implements MeterBinder {
    private final PageLocker locker;
    private final Iterable<Tag> tags;

    /**
     * Makes a binder without tags.
     *
     * @param locker the locker whose figures to bind, normally {@link PageLocker#system()}
     */
    public PageLockerMetrics(PageLocker locker) {
        this(locker, Collections.<Tag>emptyList());
    }

    /**
     * Makes a binder.
     *
     * @param locker whose figures to bind
     * @param tags tags of every meter
     */
    public PageLockerMetrics(PageLocker locker, Iterable<Tag> tags) {
        this.locker = Objects.requireNonNull(locker, "locker");
        this.tags = Objects.requireNonNull(tags, "tags");
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bytes(
                registry,
                "pagelock.locked",
                "Memory that open handles hold, each page once",
                each -> each.statistics().lockedBytes());
        bytes(
                registry,
                "pagelock.locked.system",
                "Memory that the kernel counts as locked by this process",
                each -> number(each.statistics().systemLockedBytes()));
        bytes(
                registry,
                "pagelock.lockable",
                "Memory that can still be locked; +Inf if no limit binds",
                each -> lockable(each.limits().lockable()));
        bytes(
                registry,
                "pagelock.leftover",
                "Memory that may still be locked although no handle covers it",
                each -> each.statistics().leftoverBytes());
        bytes(
                registry,
                "pagelock.unmapped",
                "Memory of open handles that is no longer mapped",
                each -> unmapped(each.unmapped()));
        Gauge.builder("pagelock.handles.open", locker, each -> each.statistics().openHandles())
                .description("Handles that are open or being locked")
                .baseUnit("handles")
                .tags(tags)
                .strongReference(true)
                .register(registry);
        FunctionCounter.builder(
                        "pagelock.handles.leaked",
                        locker,
                        each -> each.statistics().leakedHandles())
                .description("Handles that were dropped without being closed")
                .baseUnit("handles")
                .tags(tags)
                .register(registry);
        TimeGauge.builder(
                        "pagelock.lock.longest",
                        locker,
                        TimeUnit.NANOSECONDS,
                        each -> each.statistics().longestLockNanos())
                .description("The longest time that one lock of a range took")
                .tags(tags)
                .strongReference(true)
                .register(registry);
        for (Reason reason : Reason.values()) {
            FunctionCounter.builder(
                            "pagelock.failures",
                            locker,
                            each -> each.statistics().failures().getOrDefault(reason, 0L))
                    .description("Operations that the system refused")
                    .tags(tags)
                    .tag("reason", reason.name())
                    .register(registry);
        }
    }

    private void bytes(MeterRegistry registry, String name, String description, ToDoubleFunction<PageLocker> value) {
        Gauge.builder(name, locker, value)
                .description(description)
                .baseUnit(BaseUnits.BYTES)
                .tags(tags)
                .strongReference(true)
                .register(registry);
    }

    private static double number(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() : Double.NaN;
    }

    private static double lockable(LimitValue limit) {
        return limit.isUnlimited() || limit.isNone() ? Double.POSITIVE_INFINITY : number(limit.bytes());
    }

    private static double unmapped(Optional<List<MemoryRange>> ranges) {
        return ranges.map(all ->
                        (double) all.stream().mapToLong(MemoryRange::length).sum())
                .orElse(Double.NaN);
    }
}
