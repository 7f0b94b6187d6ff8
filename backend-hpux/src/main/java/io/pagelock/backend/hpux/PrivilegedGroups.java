// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.hpux;

import io.pagelock.Tristate;
import io.pagelock.backend.support.SystemNumbers;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Whether a group of this process has the privilege MLOCK: getprivgrp(2), privgrp(4). That a group has it proves that the
 * process may lock. That none has it proves nothing: on 11i v3 the fine-grained privilege of the same name may be held
 * instead, privileges(5). So the answer is yes or unknown, never no.
 *
 * <p>The array is read only if every number for it is confirmed by abi-probe: the size of its entries has changed over time.
 */
final class PrivilegedGroups {
    /** In ints; room for far more and larger entries than any release was seen to have, since the call is not told a size. */
    private static final int GENEROUS = 1 << 16;

    private static final int BITS_PER_INT = 32;

    private final Tristate mayLock;
    private final String finding;

    private PrivilegedGroups(Tristate mayLock, String finding) {
        this.mayLock = mayLock;
        this.finding = finding;
    }

    Tristate mayLock() {
        return mayLock;
    }

    /** What was found, as the end of a sentence. */
    String finding() {
        return finding;
    }

    static PrivilegedGroups read(HpuxCalls calls, SystemNumbers numbers) {
        if (!calls.has("getprivgrp")) {
            return unknown("libc lacks getprivgrp, so which groups may lock is unknown");
        }
        OptionalLong size = numbers.confirmed("struct_size", "struct privgrp_map");
        OptionalLong group = numbers.confirmed("struct_offset", "privgrp_map.priv_groupno");
        OptionalLong mask = numbers.confirmed("struct_offset", "privgrp_map.priv_mask");
        OptionalLong entries = numbers.confirmed("const", "PRIV_MAXGRPS");
        OptionalLong none = numbers.confirmed("const", "PRIV_NONE");
        OptionalLong global = numbers.confirmed("const", "PRIV_GLOBAL");
        OptionalLong privilege = numbers.confirmed("const", "PRIV_MLOCK");
        for (OptionalLong each : new OptionalLong[] {size, group, mask, entries, none, global, privilege}) {
            if (!each.isPresent()) {
                return unknown(
                        "the answer of getprivgrp cannot be read, since numbers for it are not confirmed; the command"
                                + " getprivgrp shows which groups may lock");
            }
        }
        int stride = (int) size.getAsLong() / 4;
        int bit = (int) privilege.getAsLong() - 1;
        long needed = stride * entries.getAsLong();
        if (size.getAsLong() % 4 != 0 || stride <= 0 || needed > GENEROUS) {
            return unknown("the numbers given for getprivgrp make no sense");
        }
        int[] list = new int[GENEROUS];
        if (calls.getprivgrp(list) != 0) {
            return unknown("getprivgrp failed with errno " + calls.errno());
        }
        Set<Integer> own = groups(calls);
        for (int i = 0; i < entries.getAsLong(); i++) {
            int at = i * stride;
            int number = list[at + (int) group.getAsLong() / 4];
            boolean everyone = number == (int) global.getAsLong();
            int word = list[at + (int) mask.getAsLong() / 4 + bit / BITS_PER_INT];
            boolean granted = (word >>> bit % BITS_PER_INT & 1) != 0;
            if (number != (int) none.getAsLong() && granted && (everyone || own.contains(number))) {
                return new PrivilegedGroups(
                        Tristate.YES,
                        everyone
                                ? "getprivgrp grants MLOCK to every group (PRIV_GLOBAL)"
                                : "getprivgrp grants MLOCK to group " + number + " of this process");
            }
        }
        return unknown(
                "getprivgrp grants MLOCK to none of the groups " + own + " of this process and not to all"
                        + " (PRIV_GLOBAL), which is inconclusive, since on 11i v3 the fine-grained privilege MLOCK counts, too");
    }

    /** A superuser is told about all groups, so the process' own must be looked for. */
    private static Set<Integer> groups(HpuxCalls calls) {
        Set<Integer> own = new HashSet<>();
        own.add(calls.getegid());
        int count = calls.getgroups(0, null);
        if (count > 0) {
            int[] gids = new int[count];
            count = calls.getgroups(count, gids);
            for (int i = 0; i < count; i++) {
                own.add(gids[i]);
            }
        }
        return own;
    }

    private static PrivilegedGroups unknown(String finding) {
        return new PrivilegedGroups(Tristate.UNKNOWN, finding);
    }
}
