// SPDX-License-Identifier: Apache-2.0
/** Keeps many small secrets outside the Java heap, in memory that is locked, guarded and wiped. */
@NullMarked
package io.pagelock.secrets;

import org.jspecify.annotations.NullMarked;
