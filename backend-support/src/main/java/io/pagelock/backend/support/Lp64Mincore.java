// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/** The call where pointers and {@code size_t} have 8 bytes. */
final class Lp64Mincore implements MincoreCall {
    @Override
    public native int mincore(long addr, long len, byte[] vec);
}
