// SPDX-License-Identifier: Apache-2.0
/** A pool of locked, guarded and wiped memory for many small secrets. */
module io.pagelock.secrets {
    requires transitive io.pagelock;
    requires static org.jspecify;

    exports io.pagelock.secrets;
}
