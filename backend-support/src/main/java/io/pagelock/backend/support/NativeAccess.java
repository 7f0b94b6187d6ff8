// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.BackendInfo;
import java.nio.ByteBuffer;

/**
 * Provides the native functionality other than C functions that a backend needs; normally a {@link CLibrary}, in tests
 * a lambda.
 */
@FunctionalInterface
public interface NativeAccess {
    /**
     * Returns the address of a direct buffer's first byte, whatever its position.
     *
     * @param buffer a direct or mapped buffer
     * @return the address, unsigned
     * @throws IllegalArgumentException if the buffer is on the heap
     */
    long address(ByteBuffer buffer);

    /**
     * Adds the name of the binding, which a backend itself does not see.
     *
     * @param info a backend
     * @return the same with the name of the binding, if there is one
     */
    default BackendInfo describe(BackendInfo info) {
        return info;
    }
}
