// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/** Answers a question that the system may be unable to answer. */
public enum Tristate {
    /** Says yes. */
    YES,
    /** Says no. */
    NO,
    /** Says that the system does not report it, or not to this process. The other two answers are never guesses. */
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
