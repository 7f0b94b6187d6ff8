// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.PageLocker;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;

/** Configures the actuator endpoint {@code pagelock}. */
@AutoConfiguration(after = PagelockAutoConfiguration.class)
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
@ConditionalOnSingleCandidate(PageLocker.class)
public class PagelockEndpointAutoConfiguration {
    /** Serves Spring, which makes it. */
    public PagelockEndpointAutoConfiguration() {}

    /**
     * Returns the endpoint.
     *
     * @param locker the locker of the application
     * @return the endpoint
     */
    @Bean
    // Not on the class, where it would be evaluated without actuator, too.
    @ConditionalOnAvailableEndpoint(PagelockEndpoint.class)
    @ConditionalOnMissingBean
    public PagelockEndpoint pagelockEndpoint(PageLocker locker) {
        return new PagelockEndpoint(locker);
    }
}
