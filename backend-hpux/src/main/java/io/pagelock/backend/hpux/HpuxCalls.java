// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.support.BoundMemoryCalls;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls, literally; one object, so that tests can script the whole kernel. */
interface HpuxCalls extends MemoryCalls {
    /** Whether libc has {@code getprivgrp}. */
    boolean hasPrivilegedGroups();

    /** {@code int getprivgrp(struct privgrp_map *grplist)}: getprivgrp(2). Fills as many entries as the system has. */
    int getprivgrp(int[] grplist);

    /** {@code int getgroups(int ngroups, gid_t *gidset)}: getgroups(2). */
    int getgroups(int ngroups, int[] gidset);

    /** {@code gid_t getegid(void)}: getuid(2). */
    int getegid();

    /** {@code uid_t geteuid(void)}: getuid(2). */
    int geteuid();

    /** What the last call of this thread left in errno; only after a failure. */
    int errno();

    static HpuxCalls bind(CLibrary library) {
        return new Bound(library);
    }

    /** The calls of this process. */
    final class Bound extends BoundMemoryCalls implements HpuxCalls {
        private final CLibrary library;
        private final boolean privilegedGroups;

        Bound(CLibrary library) {
            super(library);
            this.library = library;
            privilegedGroups = library.has("getprivgrp");
        }

        @Override
        public boolean hasPrivilegedGroups() {
            return privilegedGroups;
        }

        @Override
        public int getprivgrp(int[] grplist) {
            return library.call("getprivgrp", (Object) grplist);
        }

        @Override
        public int getgroups(int ngroups, int[] gidset) {
            return library.call("getgroups", ngroups, gidset);
        }

        @Override
        public int getegid() {
            return library.call("getegid");
        }

        @Override
        public int geteuid() {
            return library.call("geteuid");
        }
    }
}
