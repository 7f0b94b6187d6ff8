// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.BackendInfo;
import java.nio.ByteBuffer;

/** Gives what a backend needs of the native side besides C functions; normally a {@link CLibrary}, in tests a lambda. */
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
     * Adds how C is called, which a backend itself does not see.
     *
     * @param info a backend
     * @return the same with the name of the binding, where there is one
     */
    default BackendInfo describe(BackendInfo info) {
        return info;
    }
}
