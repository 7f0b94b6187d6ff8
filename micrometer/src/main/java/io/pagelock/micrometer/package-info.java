// SPDX-License-Identifier: Apache-2.0
/** Binds the figures of a {@link io.pagelock.PageLocker} to Micrometer. */
@NullMarked
package io.pagelock.micrometer;

import org.jspecify.annotations.NullMarked;
