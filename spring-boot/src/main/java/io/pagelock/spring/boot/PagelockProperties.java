// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.LockPolicy;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** Holds the properties under {@code pagelock}. */
@ConfigurationProperties("pagelock")
public class PagelockProperties {
    private LockPolicy policy = LockPolicy.REQUIRED;

    /** Makes them as they are by default. */
    public PagelockProperties() {}

    /**
     * Returns the policy for refused locks, {@code pagelock.policy}.
     *
     * @return {@link LockPolicy#REQUIRED} by default: the application does not start without a backend
     */
    public LockPolicy getPolicy() {
        return policy;
    }

    /**
     * Sets the policy for refused locks.
     *
     * @param policy {@code required}, {@code best-effort} or {@code off}
     */
    public void setPolicy(LockPolicy policy) {
        this.policy = policy;
    }
}
