// SPDX-License-Identifier: Apache-2.0
package io.pagelock.engine;

import io.pagelock.LockPolicy;
import io.pagelock.PageLocker;
import io.pagelock.internal.Engine;
import io.pagelock.internal.PolicyLocker;
import io.pagelock.spi.Backend;
import java.util.Optional;

/** Makes lockers other than {@link PageLocker#system()}, and finds abilities of the backend of a locker. */
public final class PageLockers {
    private PageLockers() {}

    /**
     * Makes a separate locker over the given backend, for backend authors and for tests. It has separate counts: do not
     * use it together with {@link PageLocker#system()} on the same pages.
     *
     * @param backend the backend
     * @return a new locker
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    public static PageLocker over(Backend backend) {
        return new Engine(backend);
    }

    /**
     * Makes a separate locker over the given backend with a policy, as {@link #over(Backend)}.
     *
     * @param backend the backend; not used with {@link LockPolicy#OFF}
     * @param policy what becomes of a refused lock
     * @return a new locker
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    public static PageLocker over(Backend backend, LockPolicy policy) {
        switch (policy) {
            case REQUIRED:
                return over(backend);
            case BEST_EFFORT:
                return new PolicyLocker(new Engine(backend));
            default:
                return PageLocker.system(policy);
        }
    }

    /**
     * Returns an optional ability of the backend underneath a locker, for libraries that do more with memory than lock it.
     *
     * @param <A> the type of the ability
     * @param locker a locker
     * @param type the interface in {@code io.pagelock.spi}
     * @return what has the ability; empty if the backend lacks it, or the locker is not one of this library
     */
    public static <A> Optional<A> ability(PageLocker locker, Class<A> type) {
        if (locker instanceof PolicyLocker) {
            return ((PolicyLocker) locker).ability(type);
        }
        return locker instanceof Engine ? ((Engine) locker).ability(type) : Optional.empty();
    }
}
