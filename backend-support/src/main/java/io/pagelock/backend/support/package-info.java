// SPDX-License-Identifier: Apache-2.0
/**
 * What every backend that calls C through JNA needs: the C library of the running process, the POSIX locking calls in both
 * pointer widths, their flags, tables of numbers, and a diagnosis of a native part that does not load. For authors of backends;
 * no type of JNA shows.
 */
package io.pagelock.backend.support;
