// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.openbsd;

import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls. */
interface OpenBsdCalls extends MemoryCalls {
    /** {@code int getrlimit(int resource, struct rlimit *rlp)}: soft, hard, 8 bytes each. */
    int getrlimit(int resource, long[] rlp);
}
