// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.backend.support.MayBeMissing;
import io.pagelock.backend.support.MemoryCalls;

/** Every C function that this backend calls. */
interface HpuxCalls extends MemoryCalls {
    /** {@code int getprivgrp(struct privgrp_map *grplist)}: getprivgrp(2). Fills as many entries as the system has. */
    @MayBeMissing
    int getprivgrp(int[] grplist);

    /** {@code int getgroups(int ngroups, gid_t *gidset)}: getgroups(2). */
    int getgroups(int ngroups, int[] gidset);

    /** {@code gid_t getegid(void)}: getuid(2). */
    int getegid();

    /** {@code uid_t geteuid(void)}: getuid(2). */
    int geteuid();
}
