// SPDX-License-Identifier: Apache-2.0
/** Locks memory segments, and provides an arena whose memory is locked and wiped. */
module io.pagelock.foreign {
    requires transitive io.pagelock;
    requires static org.jspecify;

    exports io.pagelock.foreign;
}
