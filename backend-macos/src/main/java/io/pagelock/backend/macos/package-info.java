// SPDX-License-Identifier: Apache-2.0
/** Locks pages on macOS; only the provider is for others. */
@NullMarked
package io.pagelock.backend.macos;

import org.jspecify.annotations.NullMarked;
