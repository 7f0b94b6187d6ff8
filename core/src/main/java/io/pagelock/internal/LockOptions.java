// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.LockOption;
import java.util.Collections;
import java.util.Set;

/** The sets of options that a backend is given. */
final class LockOptions {
    static final Set<LockOption> FULL = Collections.emptySet();
    static final Set<LockOption> ON_FAULT = Collections.singleton(LockOption.ON_FAULT);

    private LockOptions() {}

    static boolean isOnFault(LockOption... options) {
        return Arguments.setOf(LockOption.class, options).contains(LockOption.ON_FAULT);
    }

    static Set<LockOption> of(boolean onFault) {
        return onFault ? ON_FAULT : FULL;
    }
}
