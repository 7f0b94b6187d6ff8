// SPDX-License-Identifier: Apache-2.0
/**
 * Page locking on FreeBSD 10 to 15 with mlock, mlockall and, for locks that do not hold up their caller, aio_mlock. Only the
 * provider is for use from outside, and only by discovery.
 *
 * <p>No part of this was run on FreeBSD. Its C stand-in answers as FreeBSD 15.1 was recorded to answer.
 */
@NullMarked
package io.pagelock.backend.freebsd;

import org.jspecify.annotations.NullMarked;
