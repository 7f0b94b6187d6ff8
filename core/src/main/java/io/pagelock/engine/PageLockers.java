// SPDX-License-Identifier: Apache-2.0
package io.pagelock.engine;

import io.pagelock.PageLocker;
import io.pagelock.internal.Engine;
import io.pagelock.spi.Backend;

/** Makes lockers that are not the one of this process. */
public final class PageLockers {
    private PageLockers() {}

    /**
     * Makes a separate locker over the given backend, for authors of backends and for tests. It counts by itself: do not use
     * it beside {@link PageLocker#system()} on the same pages.
     *
     * @param backend the backend
     * @return a new locker
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    public static PageLocker over(Backend backend) {
        return new Engine(backend);
    }
}
