// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/**
 * Declares C functions as an interface, literally: each method has the name, the order of arguments and the result of
 * its function. Extend it for the functions of a system, declare each function once, and bind them with
 * {@link CLibrary#bind}; tests implement the interface, so that one object scripts the whole kernel.
 *
 * <p>The types of C are written as follows. No type of a binding library occurs, so that the binding can be replaced.
 *
 * <ul>
 *   <li>{@code int}, and types that have its width everywhere: {@code int}.
 *   <li>Pointers, {@code size_t}, {@code long}: {@code long}, which goes to C as wide as a pointer of this JVM.
 *   <li>Memory that C reads or writes during the call: arrays of primitives, each element as wide as in Java. An array
 *       of {@code size_t} is a {@code long[]} with {@link SizeT}.
 *   <li>A string: {@code byte[]} from {@link CLibrary#string}.
 *   <li>A result is {@code int}, or {@code long} where C returns 64 bits on every processor, or a pointer or
 *       {@code size_t}, which {@link SizeT} on the method says.
 * </ul>
 */
public interface NativeCalls {
    /**
     * Returns the errno that the last call of this thread left. It is meaningful only directly after a call whose
     * result is a failure: successful calls leave old numbers.
     *
     * @return errno
     */
    int errno();

    /**
     * Reports whether the library has a function. Ask before calling one that is declared as {@link MayBeMissing}.
     *
     * @param function the C name, as it is declared
     * @return true if it can be called
     */
    boolean has(String function);
}
