// SPDX-License-Identifier: Apache-2.0
/** Joins {@link io.pagelock.PageLocker} and {@link java.lang.foreign}: ranges of memory segments, and an arena of locked memory. */
@NullMarked
package io.pagelock.foreign;

import org.jspecify.annotations.NullMarked;
