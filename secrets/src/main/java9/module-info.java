// SPDX-License-Identifier: Apache-2.0
/** Provides pools of locked, guarded and wiped memory for many small secrets. */
module io.pagelock.secrets {
    requires transitive io.pagelock;
    requires static org.jspecify;

    exports io.pagelock.secrets;
}
