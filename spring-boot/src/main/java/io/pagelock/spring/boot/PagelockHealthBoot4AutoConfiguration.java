// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.PageLocker;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** Configures the health indicator {@code pagelock} in Boot 4. */
@AutoConfiguration(after = PagelockAutoConfiguration.class)
@ConditionalOnClass(
        name = {
            "org.springframework.boot.health.contributor.HealthIndicator",
            "org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator"
        })
@ConditionalOnSingleCandidate(PageLocker.class)
public class PagelockHealthBoot4AutoConfiguration {
    /** Serves Spring, which makes it. */
    public PagelockHealthBoot4AutoConfiguration() {}

    /**
     * Returns the indicator.
     *
     * @param locker the locker whose locks to check
     * @return the indicator
     */
    @Bean
    @ConditionalOnEnabledHealthIndicator("pagelock")
    @ConditionalOnMissingBean(name = "pagelockHealthIndicator")
    public HealthIndicator pagelockHealthIndicator(PageLocker locker) {
        return new AbstractHealthIndicator("pagelock could not check its locks") {
            @Override
            protected void doHealthCheck(Health.Builder builder) {
                LockHealth health = LockHealth.of(locker);
                builder.status(health.status()).withDetails(health.details());
            }
        };
    }
}
