// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

/** Why memory is not locked, from whichever copy of pagelock. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    /** The name of the {@code Reason}, or of the exception. */
    final String reason;

    Refusal(String reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    static Refusal of(Throwable failure) {
        String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        return new Refusal(reason(failure), message, failure);
    }

    /** Another copy's PageLockException is a class of its own. */
    private static String reason(Throwable failure) {
        try {
            return ((Enum<?>) failure.getClass().getMethod("reason").invoke(failure)).name();
        } catch (ReflectiveOperationException | RuntimeException e) {
            return failure.getClass().getSimpleName();
        }
    }

    /** Whether every further lock will be refused, too. */
    boolean isOfLimit() {
        return reason.equals("OVER_LIMIT") || reason.equals("NOT_PERMITTED") || reason.equals("NO_LOCKABLE_MEMORY");
    }
}
