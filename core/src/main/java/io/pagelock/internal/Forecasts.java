// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceScope;
import io.pagelock.ByteSize;
import io.pagelock.Forecast;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import java.util.Collections;
import java.util.OptionalLong;

/** Compares a charge with the limits as they are. */
final class Forecasts {
    private final Backend backend;

    Forecasts(Backend backend) {
        this.backend = backend;
    }

    /** Reports whether some limit has certainly no room for this many bytes, whole pages. */
    boolean exceeds(long bytes) {
        LockLimits limits = backend.limits();
        if (limits.permitted() == Tristate.NO) {
            return true;
        }
        for (LockLimit limit : limits.all()) {
            if (fits(limit, limits.privileged(), bytes, limit.used()) == Tristate.NO) {
                return true;
            }
        }
        return false;
    }

    Forecast ofRange(long bytes) {
        long page = backend.pageSize();
        long charge = bytes > Long.MAX_VALUE - page ? Long.MAX_VALUE & -page : (bytes + page - 1) & -page;
        LockLimits limits = backend.limits();
        if (limits.permitted() == Tristate.NO) {
            return forbidden(limits, charge, limits.lockedBytes(), "");
        }
        boolean unknown = limits.permitted() == Tristate.UNKNOWN;
        for (LockLimit limit : limits.all()) {
            Tristate fits = fits(limit, limits.privileged(), charge, limit.used());
            if (fits == Tristate.NO) {
                return refusal(limit, charge, limit.used(), "");
            }
            unknown |= fits == Tristate.UNKNOWN;
        }
        return new Forecast(
                unknown ? Tristate.UNKNOWN : Tristate.YES,
                charge,
                null,
                ByteSize.format(charge) + (unknown ? ": " + limits : " fit"),
                Collections.emptyList());
    }

    Forecast ofAddressSpace(AddressSpaceScope scope) {
        boolean current = scope.includesCurrent();
        OptionalLong size =
                current ? Abilities.of(backend, AddressSpaceLocking.class).addressSpaceBytes() : OptionalLong.of(0);
        LockLimits limits = backend.limits();
        if (limits.permitted() == Tristate.NO) {
            return forbidden(
                    limits,
                    size.orElse(0),
                    OptionalLong.empty(),
                    current ? " (the whole virtual size of the process)" : "");
        }
        if (!size.isPresent()) {
            return new Forecast(
                    Tristate.UNKNOWN,
                    0,
                    null,
                    "the system does not report the size of the address space",
                    Collections.emptyList());
        }
        long charge = size.getAsLong();
        String what = (current ? ", the whole virtual size of the process" : "")
                + (scope.includesFuture() ? ", and every later mapping in addition" : "");
        boolean unknown = limits.permitted() == Tristate.UNKNOWN;
        for (LockLimit limit : limits.all()) {
            // What is locked already is part of the address space, so it is not charged twice.
            OptionalLong used = OptionalLong.of(0);
            Tristate fits = fits(limit, limits.privileged(), charge, used);
            if (fits == Tristate.NO && limit.scope() == LockLimit.Scope.PROCESS) {
                return refusal(limit, charge, used, what);
            }
            // A limit that others share may count resident pages only, or pages that are charged to them already.
            unknown |= fits != Tristate.YES;
        }
        return new Forecast(
                unknown ? Tristate.UNKNOWN : Tristate.YES,
                charge,
                null,
                "charged for " + ByteSize.format(charge) + what + "; " + limits,
                Collections.emptyList());
    }

    private static Tristate fits(LockLimit limit, Tristate privileged, long charge, OptionalLong used) {
        if (charge == 0
                || limit.liftedByPrivilege() && privileged == Tristate.YES
                || limit.soft().isUnlimited()
                || limit.soft().isNone()) {
            return Tristate.YES;
        }
        if (!limit.soft().isKnown()) {
            return Tristate.UNKNOWN;
        }
        long room = limit.soft().bytes().getAsLong() - used.orElse(0);
        if (charge <= room) {
            return used.isPresent() ? Tristate.YES : Tristate.UNKNOWN;
        }
        boolean mayFit = charge - limit.reclaimable() <= room;
        return mayFit || limit.liftedByPrivilege() && privileged == Tristate.UNKNOWN ? Tristate.UNKNOWN : Tristate.NO;
    }

    private Forecast forbidden(LockLimits limits, long charge, OptionalLong used, String what) {
        return new Forecast(
                Tristate.NO,
                charge,
                Reason.NOT_PERMITTED,
                "asked for " + ByteSize.format(charge) + what + "; this process may not lock memory: " + limits,
                backend.remedies(Reason.NOT_PERMITTED, saturated(charge, used)));
    }

    private static long saturated(long charge, OptionalLong used) {
        return charge + used.orElse(0) < 0 ? Long.MAX_VALUE : charge + used.orElse(0);
    }

    private Forecast refusal(LockLimit limit, long charge, OptionalLong used, String what) {
        return new Forecast(
                Tristate.NO,
                charge,
                limit.reason(),
                "asked for " + ByteSize.format(charge) + what + "; " + limit,
                backend.remedies(limit.reason(), saturated(charge, used)));
    }
}
