// SPDX-License-Identifier: Apache-2.0
/** Locks whole files in memory. */
module io.pagelock.files {
    requires transitive io.pagelock;

    exports io.pagelock.files;
}
