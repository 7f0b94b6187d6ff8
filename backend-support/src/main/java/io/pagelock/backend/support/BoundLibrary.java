// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Gives access to a library of C functions, opened by a {@link Binding}. Safe for use by several threads. */
public interface BoundLibrary {
    /**
     * Reports whether the library has a function.
     *
     * @param function the name by which it is declared
     * @return true if it can be called
     */
    boolean has(String function);

    /**
     * Implements an interface by the functions of the library, in the width of this JVM's pointers. As far as possible,
     * it allocates now all memory that later calls need: the call that undoes a lock must not fail for lack of memory.
     *
     * @param <T> the interface
     * @param own a lookup with full access, normally of the interface's package; the interface need not be public
     * @param calls the interface, which follows the rules of {@link NativeCalls}
     * @param direct makes an object whose native methods are bound instead, where that is faster; null if there is no
     *     such class
     * @return the functions
     * @throws PageLockException {@link #missing} if a function is missing that is not
     *     {@link io.pagelock.backend.support.MayBeMissing}; a call of one that is missing throws the same
     */
    <T extends NativeCalls> T bind(MethodHandles.Lookup own, Class<T> calls, @Nullable Supplier<? extends T> direct);

    /**
     * Returns the errno of this thread's last call.
     *
     * @return errno
     */
    int errno();

    /**
     * Returns the address of a direct buffer's first byte, whatever its position.
     *
     * @param buffer a direct buffer
     * @return the address, unsigned
     */
    long address(ByteBuffer buffer);

    /**
     * Makes the exception for a function that the library lacks.
     *
     * @param symbol the name that it would have in the library
     * @return with {@link Reason#NOT_SUPPORTED}
     */
    static PageLockException missing(String symbol) {
        return PageLockException.because(Reason.NOT_SUPPORTED)
                .detail("the C library of this process lacks the function " + symbol)
                .build();
    }
}
