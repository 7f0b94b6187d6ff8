// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;

/** The rights and limits of the process of a {@link FakeKernel}, by its rules. Not safe for several threads. */
final class Allowance {
    private final KernelRules rules;

    long limit = Long.MAX_VALUE;
    long hardLimit = Long.MAX_VALUE;
    long systemLimit = Long.MAX_VALUE;
    long mapCountLimit = Long.MAX_VALUE;
    boolean privileged;
    boolean forbidden;

    Allowance(KernelRules rules) {
        this.rules = rules;
    }

    Allowance copy() {
        Allowance copy = new Allowance(rules);
        copy.limit = limit;
        copy.hardLimit = hardLimit;
        copy.systemLimit = systemLimit;
        copy.mapCountLimit = mapCountLimit;
        copy.privileged = privileged;
        copy.forbidden = forbidden;
        return copy;
    }

    boolean mayLock() {
        boolean noRight = !privileged
                && (rules.has(Trait.PRIVILEGE_IS_NEEDED) || rules.has(Trait.LIMIT_ZERO_FORBIDS) && limit == 0);
        return !forbidden && !noRight;
    }

    boolean mayUnlock() {
        return !rules.has(Trait.UNLOCK_NEEDS_PERMISSION)
                || !forbidden && (privileged || !rules.has(Trait.PRIVILEGE_IS_NEEDED));
    }

    /** Tests a number of pages, of which so many are counted twice, and so many not by the limit of the process. */
    Errno checkLimit(long pages, long twice, long passed) {
        long charged = (rules.has(Trait.CHARGES_TWICE) ? pages : pages - twice) - passed;
        if (exceedsLimit(charged)) {
            return rules.errno(Refusal.LIMIT);
        }
        return exceedsSystemLimit(pages - twice) ? rules.errno(Refusal.SYSTEM_LIMIT) : Errno.OK;
    }

    boolean limitBinds() {
        return !rules.has(Trait.NO_PROCESS_LIMIT) && !(privileged && rules.has(Trait.PRIVILEGE_LIFTS_LIMIT));
    }

    boolean exceedsLimit(long pages) {
        return limitBinds() && pages > pages(limit);
    }

    boolean exceedsSystemLimit(long pages) {
        return pages > pages(systemLimit);
    }

    private long pages(long bytes) {
        return bytes / rules.pageSize();
    }
}
