// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;

/** Makes the exceptions of one system, from its error numbers and its remedies. Immutable. */
public final class Refusals {
    private final ErrnoTable errnos;
    private final BiFunction<Reason, Long, List<String>> remedies;

    /**
     * Makes refusals with remedies that depend only on the reason and the size.
     *
     * @param errnos the error numbers of the system
     * @param remedies its remedies
     */
    public Refusals(ErrnoTable errnos, Remedies remedies) {
        this(errnos, remedies::of);
    }

    /**
     * Makes refusals with remedies that are determined when they are needed.
     *
     * @param errnos the error numbers of the system
     * @param remedies returns the remedies for a reason and the size that suffices, or 0
     */
    public Refusals(ErrnoTable errnos, BiFunction<Reason, Long, List<String>> remedies) {
        this.errnos = Objects.requireNonNull(errnos, "errnos");
        this.remedies = Objects.requireNonNull(remedies, "remedies");
    }

    /**
     * Returns the error numbers.
     *
     * @return the table
     */
    public ErrnoTable errnos() {
        return errnos;
    }

    /**
     * Makes the refusal of a call.
     *
     * @param reason why it was refused
     * @param function the C function
     * @param errno what it left
     * @param finding what was found out
     * @param bytes the size that would suffice, for the remedies; 0 if that is not the question
     * @return the exception
     */
    public PageLockException of(Reason reason, String function, int errno, String finding, long bytes) {
        return builder(reason, finding, bytes)
                .call(function, errno, errnos.name(errno))
                .build();
    }

    /**
     * Makes the refusal of a call for which no size would help.
     *
     * @param reason why it was refused
     * @param function the C function
     * @param errno what it left
     * @param finding what was found out
     * @return the exception
     */
    public PageLockException of(Reason reason, String function, int errno, String finding) {
        return of(reason, function, errno, finding, 0);
    }

    /**
     * Makes the failure of a call that reported success but did not have its effect.
     *
     * @param reason why it did not
     * @param finding what was found out
     * @return the exception
     */
    public PageLockException ofSuccess(Reason reason, String finding) {
        return builder(reason, finding, 0).build();
    }

    private PageLockException.Builder builder(Reason reason, String finding, long bytes) {
        return PageLockException.because(reason).detail(finding).remedies(remedies.apply(reason, bytes));
    }
}
