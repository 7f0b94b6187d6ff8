// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.Tristate;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * What bounds locking: the resource controls of the project and of the zone, which bind the superuser too, the pages that the system
 * keeps unlocked, and the privilege without which nothing can be locked. There is no limit per process. Sources: resource_controls(5), getrctl(2),
 * privileges(5).
 */
final class SolarisLimits {
    static final String PRIVILEGE = "proc_lock_memory";
    static final String PROJECT = "project.max-locked-memory";
    static final String ZONE = "zone.max-locked-memory";

    /** More than a resource control ever has; ends the walk if the system does not. */
    private static final int MOST_VALUES = 64;

    private final SolarisCalls calls;
    private final Supplier<OptionalLong> lockedBytes;
    private final Supplier<LockLimit> floor;

    /**
     * @param lockedBytes what this process has locked
     * @param floor what the system lets all processes lock
     */
    SolarisLimits(SolarisCalls calls, Supplier<OptionalLong> lockedBytes, Supplier<LockLimit> floor) {
        this.calls = calls;
        this.lockedBytes = lockedBytes;
        this.floor = floor;
    }

    LockLimits read() {
        Tristate privileged = privileged();
        List<LockLimit> all = resourceControls();
        all.add(floor.get());
        return LockLimits.builder()
                .limits(all)
                .lockedBytes(lockedBytes.get())
                .privilege(PRIVILEGE, privileged)
                .permitted(privileged)
                .build();
    }

    List<LockLimit> resourceControls() {
        List<LockLimit> all = new ArrayList<>();
        all.add(resourceControl(PROJECT, LockLimit.Scope.PROJECT));
        all.add(resourceControl(ZONE, LockLimit.Scope.CONTAINER));
        return all;
    }

    Tristate privileged() {
        return calls.has("priv_ineffect")
                ? Tristate.of(calls.priv_ineffect(CLibrary.string(PRIVILEGE)) != 0)
                : Tristate.UNKNOWN;
    }

    /** The lowest value that denies is in force; without privilege it may be raised up to the lowest privileged one. */
    private LockLimit resourceControl(String name, LockLimit.Scope scope) {
        if (!calls.has("getrctl")) {
            return LockLimit.builder(name, scope).build();
        }
        byte[] control = CLibrary.string(name);
        byte[] block = new byte[calls.rctlblk_size()];
        byte[] next = new byte[block.length];
        LimitValue soft = null;
        LimitValue hard = null;
        int result = calls.getrctl(control, null, block, SolarisConstants.RCTL_FIRST);
        boolean readable = result == 0;
        for (int i = 0; result == 0 && i < MOST_VALUES; i++) {
            if ((calls.rctlblk_get_local_action(block, new int[1]) & SolarisConstants.RCTL_LOCAL_DENY) != 0) {
                LimitValue value = NativeLimits.of(calls.rctlblk_get_value(block));
                soft = soft == null ? value : soft;
                if (hard == null && calls.rctlblk_get_privilege(block) >= SolarisConstants.RCPRIV_PRIVILEGED) {
                    hard = value;
                }
            }
            result = calls.getrctl(control, block, next, SolarisConstants.RCTL_NEXT);
            byte[] swap = block;
            block = next;
            next = swap;
        }
        if (!readable) {
            soft = LimitValue.unknown();
        } else if (soft == null) {
            // Values that log or signal bound nothing.
            soft = LimitValue.unlimited();
        }
        return LockLimit.builder(name, scope)
                .soft(soft)
                .hard(hard == null ? soft : hard)
                .used(used(control, next))
                .build();
    }

    private OptionalLong used(byte[] control, byte[] block) {
        return calls.getrctl(control, null, block, SolarisConstants.RCTL_USAGE) == 0
                ? OptionalLong.of(calls.rctlblk_get_value(block))
                : OptionalLong.empty();
    }
}
