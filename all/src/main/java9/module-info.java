// SPDX-License-Identifier: Apache-2.0
/** Brings the API and the backends of every system; the one that fits is chosen at run time. */
module io.pagelock.all {
    requires transitive io.pagelock;
    requires io.pagelock.backend.freebsd;
    requires io.pagelock.backend.hpux;
    requires io.pagelock.backend.irix;
    requires io.pagelock.backend.linux;
    requires io.pagelock.backend.macos;
    requires io.pagelock.backend.solaris;
}
