// SPDX-License-Identifier: Apache-2.0
/**
 * Makes lockers over a given backend, for authors of backends and for tests. Everybody else uses
 * {@link io.pagelock.PageLocker#system()}.
 */
@NullMarked
package io.pagelock.engine;

import org.jspecify.annotations.NullMarked;
