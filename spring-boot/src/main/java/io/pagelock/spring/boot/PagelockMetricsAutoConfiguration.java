// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.micrometer.core.instrument.binder.MeterBinder;
import io.pagelock.PageLocker;
import io.pagelock.micrometer.PageLockerMetrics;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;

/** Configures the metrics; Boot binds them to each of its registries. */
@AutoConfiguration(after = PagelockAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
@ConditionalOnSingleCandidate(PageLocker.class)
public class PagelockMetricsAutoConfiguration {
    /** Serves Spring, which makes it. */
    public PagelockMetricsAutoConfiguration() {}

    /**
     * Returns the metrics.
     *
     * @param locker the locker of the application
     * @return the metrics
     */
    @Bean
    @ConditionalOnMissingBean
    public PageLockerMetrics pageLockerMetrics(PageLocker locker) {
        return new PageLockerMetrics(locker);
    }
}
