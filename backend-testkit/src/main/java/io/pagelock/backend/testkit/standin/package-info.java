// SPDX-License-Identifier: Apache-2.0
/**
 * Provides stand-ins: C libraries of other systems, compiled from C on this Linux, which really lock pages underneath. They let a
 * backend run unchanged, through real JNA, where its system is not at hand. The shared part of the C is the resource
 * {@code standin.h} of this package.
 */
@NullMarked
package io.pagelock.backend.testkit.standin;

import org.jspecify.annotations.NullMarked;
