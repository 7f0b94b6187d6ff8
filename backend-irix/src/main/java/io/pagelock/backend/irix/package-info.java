// SPDX-License-Identifier: Apache-2.0
/** Locks pages on IRIX; only the provider is for others. */
@NullMarked
package io.pagelock.backend.irix;

import org.jspecify.annotations.NullMarked;
