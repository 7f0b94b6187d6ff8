// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import io.pagelock.PageLockException;
import java.util.Optional;

/**
 * Lets {@link java.util.ServiceLoader} find a backend. Implementations are public classes with a public constructor
 * without parameters, which must do nothing and must not touch native code.
 *
 * <p>One instance is made per process, by the thread that first asks for the locker; {@link #refusal} is called once,
 * then {@link #open} at most once.
 */
public interface BackendProvider {
    /**
     * Returns the name by which users and the property {@value io.pagelock.PageLocker#BACKEND_PROPERTY} call this backend.
     *
     * @return a short name in lower case, for example {@code linux}
     */
    String name();

    /**
     * Reports whether this backend is for the given system. Looks at the host only: no native call, no file.
     *
     * @param host the system and the JVM
     * @return empty if it is; otherwise the reason, such as "os.name is Linux, not FreeBSD"
     */
    Optional<String> refusal(Host host);

    /**
     * Loads the native libraries and opens the backend. It is only called if {@link #refusal} returned empty.
     *
     * @param host the system and the JVM
     * @return the backend
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED}, the cause and the remedies, if the
     *     native library cannot be loaded or an essential function is missing
     */
    Backend open(Host host);
}
