// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.PageLocker;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * Configures the {@link PageLocker} of the process, with the policy of {@code pagelock.policy}. Backs off if the
 * application defines a locker.
 */
@AutoConfiguration
@EnableConfigurationProperties(PagelockProperties.class)
public class PagelockAutoConfiguration {
    /** Serves Spring, which makes it. */
    public PagelockAutoConfiguration() {}

    /**
     * Returns the locker of this process.
     *
     * @param properties the policy
     * @return the locker
     */
    @Bean
    @ConditionalOnMissingBean
    public PageLocker pageLocker(PagelockProperties properties) {
        return PageLocker.system(properties.getPolicy());
    }
}
