// SPDX-License-Identifier: Apache-2.0
/** What backends that call C through JNA share. */
module io.pagelock.backend.support {
    requires transitive io.pagelock;
    requires com.sun.jna;

    exports io.pagelock.backend.support;
}
