// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A lock on the address space that another copy of this library keeps until the process ends. As a text, since copies of other
 * versions read it: the scope, the options behind it, and FUTURE_FULLY if they do not hold for what will be mapped, with blanks between.
 */
public final class OutsideLock {
    private static final String FUTURE_FULLY = "FUTURE_FULLY";

    final AddressSpaceScope scope;
    final Set<LockOption> options;
    /** The options are those of what is mapped, and what will be mapped is locked fully. */
    private final boolean isFutureFull;

    /**
     * Describes a lock.
     *
     * @param scope the part of the address space
     * @param options how it is locked
     */
    public OutsideLock(AddressSpaceScope scope, Set<LockOption> options) {
        this(scope, options, false);
    }

    private OutsideLock(AddressSpaceScope scope, Set<LockOption> options, boolean isFutureFull) {
        this.scope = scope;
        this.options = options;
        this.isFutureFull = isFutureFull;
    }

    /**
     * Describes the same with what will be mapped locked fully.
     *
     * @return such a lock
     */
    public OutsideLock futureFully() {
        return new OutsideLock(scope, options, true);
    }

    /** Returns what it consists of, each with one set of options. */
    List<OutsideLock> parts() {
        return isFutureFull
                ? Arrays.asList(
                        new OutsideLock(scope, options),
                        new OutsideLock(AddressSpaceScope.FUTURE, Collections.emptySet()))
                : Collections.singletonList(this);
    }

    /** Words of later versions are passed over; a scope that is none here stands for the largest. */
    static OutsideLock parse(String text) {
        List<String> words = Arrays.asList(text.split(" "));
        AddressSpaceScope scope = AddressSpaceScope.CURRENT_AND_FUTURE;
        for (AddressSpaceScope each : AddressSpaceScope.values()) {
            scope = words.get(0).equals(each.name()) ? each : scope;
        }
        Set<LockOption> options = EnumSet.noneOf(LockOption.class);
        if (words.contains(LockOption.ON_FAULT.name())) {
            options.add(LockOption.ON_FAULT);
        }
        return new OutsideLock(scope, options, words.contains(FUTURE_FULLY));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(scope.name());
        options.forEach(each -> text.append(' ').append(each.name()));
        return text + (isFutureFull ? " " + FUTURE_FULLY : "");
    }
}
