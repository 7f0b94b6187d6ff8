// SPDX-License-Identifier: Apache-2.0
/** Binds metrics of page locking to Micrometer. */
module io.pagelock.micrometer {
    requires transitive io.pagelock;
    requires transitive micrometer.core;
    requires static org.jspecify;

    exports io.pagelock.micrometer;
}
