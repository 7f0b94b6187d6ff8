// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.PageLockException;
import io.pagelock.spi.Host;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Calls C in one way, such as JNA. {@link java.util.ServiceLoader} finds it. Implementations are public classes with a
 * public constructor without parameters, which must do nothing and must not touch native code.
 *
 * <p>One is made for each {@link io.pagelock.backend.support.CLibrary#open}, a few times in a process. Safe for use by
 * several threads.
 */
public interface Binding {
    /**
     * Returns the name by which the property {@value io.pagelock.backend.support.CLibrary#BINDING_PROPERTY} selects it and
     * {@link io.pagelock.BackendInfo#binding} reports it.
     *
     * @return a short name in lower case
     */
    String name();

    /**
     * Reports whether this binding can be used in this JVM. It may have to try: if it does not refuse, it must work.
     *
     * @param host the system and the JVM
     * @return empty if it can be used; otherwise the reason, with the cause and a remedy
     */
    Optional<PageLockException> refusal(Host host);

    /**
     * Opens a library. Called only if {@link #refusal} was empty.
     *
     * @param host the system and the JVM
     * @param library a path, or a name as {@code System.loadLibrary} takes it; null for the C library of the process
     *     itself
     * @param symbols the symbol of each function that has another name in the library than where it is declared
     * @return the library, which stays loaded while any part of it is in use
     * @throws PageLockException with {@link io.pagelock.Reason#NOT_SUPPORTED} if there is no such library for this JVM
     */
    BoundLibrary open(Host host, @Nullable String library, Map<String, String> symbols);
}
