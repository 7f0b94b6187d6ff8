// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import org.junit.jupiter.api.function.Executable;

/**
 * Asserts what a backend reports about a refusal: each error of the manual page, with reason, explanation and
 * remedies.
 */
public final class Refusals {
    private Refusals() {}

    /**
     * Asserts that a call is refused in a certain way.
     *
     * @param call the call
     * @param reason why it is refused
     * @param function the C function that refused
     * @param errno the name of its error number
     * @param words what the finding or the remedies must contain
     * @return what was thrown
     */
    public static PageLockException assertRefused(
            Executable call, Reason reason, String function, String errno, String... words) {
        PageLockException e = assertThrows(PageLockException.class, call);
        assertEquals(reason, e.reason(), e.getMessage());
        assertEquals(function, e.function().orElse(""), e.getMessage());
        assertEquals(errno, e.errnoName().orElse(""), e.getMessage());
        String said = e.getMessage() + "\n" + String.join("\n", e.remedies());
        for (String word : words) {
            assertTrue(said.contains(word), "'" + word + "' is not in: " + said);
        }
        return e;
    }
}
