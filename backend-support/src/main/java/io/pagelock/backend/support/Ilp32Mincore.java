// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

/** The call where pointers and {@code size_t} have 4 bytes: a Java long would fill two arguments there. */
final class Ilp32Mincore implements MincoreCall {
    private native int mincore(int addr, int len, byte[] vec);

    @Override
    public int mincore(long addr, long len, byte[] vec) {
        return mincore((int) addr, (int) len, vec);
    }
}
