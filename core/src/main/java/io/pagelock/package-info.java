// SPDX-License-Identifier: Apache-2.0
/**
 * Locks chosen memory so that the system keeps it in RAM, with the same semantics on every Unix. Start at
 * {@link io.pagelock.PageLocker}. Only this library implements the interfaces of this package, and methods may be added to
 * them; tests of users call {@code PageLockers.over} with a backend of their own.
 */
@NullMarked
package io.pagelock;

import org.jspecify.annotations.NullMarked;
