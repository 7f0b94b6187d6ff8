// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.irix;

import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls. */
interface IrixCalls extends MemoryCalls {
    /** {@code int mpin(void *addr, size_t len)}: mpin(2). Counts per page. */
    @MayBeMissing
    int mpin(long addr, long len);

    /** {@code int munpin(void *addr, size_t len)}: mpin(2). */
    @MayBeMissing
    int munpin(long addr, long len);

    /** {@code uid_t geteuid(void)}: getuid(2). */
    int geteuid();
}
