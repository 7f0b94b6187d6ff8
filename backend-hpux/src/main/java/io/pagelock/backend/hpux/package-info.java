// SPDX-License-Identifier: Apache-2.0
/** Locks pages on HP-UX; only the provider is for others. */
@NullMarked
package io.pagelock.backend.hpux;

import org.jspecify.annotations.NullMarked;
