// SPDX-License-Identifier: Apache-2.0
/** Tests the contract of a pagelock backend with JUnit, and provides a fake kernel to run it on. */
module io.pagelock.backend.testkit {
    requires transitive io.pagelock;
    requires transitive org.junit.jupiter.api;
    requires static com.sun.jna;
    requires org.junit.platform.launcher;
    requires org.opentest4j;
    requires static org.jspecify;

    exports io.pagelock.backend.testkit;
    exports io.pagelock.backend.testkit.remote;
    exports io.pagelock.backend.testkit.standin;

    // The rules are in classes that only JUnit needs to see.
    opens io.pagelock.backend.testkit to
            org.junit.platform.commons;
}
