// SPDX-License-Identifier: Apache-2.0
/** Provides what backends that call C share. */
module io.pagelock.backend.support {
    requires transitive io.pagelock;
    requires com.sun.jna;
    requires static org.jspecify;

    exports io.pagelock.backend.support;

    uses io.pagelock.backend.support.Binding;
}
