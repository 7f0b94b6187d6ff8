// SPDX-License-Identifier: Apache-2.0
/** Locks whole files in memory. */
module io.pagelock.files {
    requires transitive io.pagelock;
    requires static org.jspecify;

    exports io.pagelock.files;
}
