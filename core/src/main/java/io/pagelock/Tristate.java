// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/** What the system said to a question that it may be unable to answer. */
public enum Tristate {
    /** The system says so. */
    YES,
    /** The system says that it is not so. */
    NO,
    /** The system does not say, or does not say it to this process. Never a guess in either direction. */
    UNKNOWN;

    /**
     * Turns a known truth value into an answer.
     *
     * @param value the truth value
     * @return {@link #YES} or {@link #NO}
     */
    public static Tristate of(boolean value) {
        return value ? YES : NO;
    }
}
