// SPDX-License-Identifier: Apache-2.0
/** Locks pages on Solaris and illumos; only the provider is for others. */
@NullMarked
package io.pagelock.backend.solaris;

import org.jspecify.annotations.NullMarked;
