// SPDX-License-Identifier: Apache-2.0
/**
 * Defines what a backend implements. The engine does the counting, rounding and undoing; a backend only translates aligned,
 * non-empty ranges into its system's calls and finds out why one failed. Implement {@link io.pagelock.spi.Backend} and
 * {@link io.pagelock.spi.BackendProvider}; methods with a default body may be added to both.
 */
@NullMarked
package io.pagelock.spi;

import org.jspecify.annotations.NullMarked;
