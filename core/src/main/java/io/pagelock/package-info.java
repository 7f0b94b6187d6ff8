// SPDX-License-Identifier: Apache-2.0
/**
 * Locks chosen memory so that the system keeps it in RAM, with one meaning on every Unix. Start at
 * {@link io.pagelock.PageLocker}. Callers may implement the interfaces of this package for their own tests; methods with a
 * default body may be added to them.
 */
package io.pagelock;
