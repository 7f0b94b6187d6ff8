// SPDX-License-Identifier: Apache-2.0
/**
 * Provides what every backend that calls C needs: the C library of the running process, a binding of C functions declared as an
 * interface in both pointer widths, the POSIX locking calls, their flags, tables of numbers, and a diagnosis of a native library
 * that does not load. For authors of backends; no type of a binding shows.
 */
@NullMarked
package io.pagelock.backend.support;

import org.jspecify.annotations.NullMarked;
