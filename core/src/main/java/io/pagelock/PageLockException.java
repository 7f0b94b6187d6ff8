// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Reports that the system refused to lock, unlock or sync memory or to report its state, or that there is no usable
 * backend. This is the only exception type for failures of a correct program. Mistakes of the caller throw
 * {@link IllegalArgumentException}, and a capability that the backend does not declare throws
 * {@link UnsupportedOperationException}.
 *
 * <p>The message says what was asked for, why it failed, with the numbers that were read, and what to do about it.
 */
public final class PageLockException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    private final Reason reason;
    /** The finding; may be empty. */
    private final String detail;
    /** The native function; null if none was called. */
    private final @Nullable String function;
    /** The errno; 0 if there is none. */
    private final int errno;
    /** The name of the errno; null if there is none. */
    private final @Nullable String errnoName;
    /** The start of the range; 0 without one. */
    private final long address;
    /** The length of the range in bytes; 0 without one. */
    private final long length;
    /** The system; null if unknown. */
    private final @Nullable String system;
    /** What can be done, one setting each; may be empty. */
    private final String[] remedies;
    /** The message up to the remedies. */
    private final String summary;

    private PageLockException(Builder from) {
        super(from.summary() + from.advice(), from.cause);
        summary = from.summary();
        reason = from.reason;
        detail = from.detail;
        function = from.function;
        errno = from.errno;
        errnoName = from.errnoName;
        address = from.range == null ? 0 : from.range.address();
        length = from.range == null ? 0 : from.range.length();
        system = from.system;
        remedies = from.remedies.toArray(new String[0]);
    }

    /**
     * Starts an exception; for backends, and for tests of callers.
     *
     * @param reason why the system refused
     * @return a builder
     */
    public static Builder because(Reason reason) {
        return new Builder(reason);
    }

    /**
     * Returns why the system refused.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    /**
     * Returns what was found out about the reason, with the numbers that were read.
     *
     * @return one sentence; the words of the reason if nothing more was found out
     */
    public String detail() {
        return detail.isEmpty() ? reason.toString() : detail;
    }

    /**
     * Returns the native function that failed.
     *
     * @return its C name; empty if no call was made
     */
    public Optional<String> function() {
        return Optional.ofNullable(function);
    }

    /**
     * Returns the error number that the function left.
     *
     * @return errno as this system numbers it; empty if no call was made
     */
    public OptionalInt errno() {
        return errno == 0 ? OptionalInt.empty() : OptionalInt.of(errno);
    }

    /**
     * Returns the name of the error number.
     *
     * @return for example {@code ENOMEM}; empty if no call was made, or the number has no name in the backend's table
     */
    public Optional<String> errnoName() {
        return Optional.ofNullable(errnoName);
    }

    /**
     * Returns the range that was asked for.
     *
     * @return the range; empty if the call was not about one
     */
    public Optional<MemoryRange> range() {
        return length == 0 ? Optional.empty() : Optional.of(MemoryRange.of(address, length));
    }

    /**
     * Returns the system that refused.
     *
     * @return name and release; empty if there is no backend
     */
    public Optional<String> system() {
        return Optional.ofNullable(system);
    }

    /**
     * Returns the message without the remedies and without the page of the reason, for reports that list those themselves.
     *
     * @return one sentence without a full stop
     */
    public String summary() {
        return summary;
    }

    /**
     * Returns what can be done about it on this system. The message of this exception shows the first.
     *
     * @return an unmodifiable list with one setting a line, each of which helps by itself, the most likely first; empty if
     *     nothing is known to help
     */
    public List<String> remedies() {
        return Collections.unmodifiableList(Arrays.asList(remedies));
    }

    /**
     * Starts a copy of this exception, to which a caller can add facts.
     *
     * @return a builder with all that this exception says, its cause included
     */
    public Builder toBuilder() {
        Builder copy = new Builder(reason);
        copy.detail = detail;
        copy.function = function;
        copy.errno = errno;
        copy.errnoName = errnoName;
        copy.range = range().orElse(null);
        copy.system = system;
        copy.remedies = remedies();
        copy.cause = getCause();
        return copy;
    }

    /** Collects what is known of a failure. Not safe for several threads. */
    public static final class Builder {
        private final Reason reason;
        private @Nullable String action;
        private String detail = "";
        private @Nullable String function;
        private int errno;
        private @Nullable String errnoName;
        private @Nullable MemoryRange range;
        private @Nullable String system;
        private List<String> remedies = Collections.emptyList();
        private @Nullable Throwable cause;

        private Builder(Reason reason) {
            this.reason = Objects.requireNonNull(reason, "reason");
        }

        /**
         * Says what was tried, as in "cannot <em>lock</em>".
         *
         * @param what a verb
         * @return this builder
         */
        public Builder action(String what) {
            this.action = what;
            return this;
        }

        /**
         * Sets what was found out, with the numbers that were read.
         *
         * @param what one sentence without a full stop
         * @return this builder
         */
        public Builder detail(String what) {
            this.detail = Objects.requireNonNull(what, "detail");
            return this;
        }

        /**
         * Names the native call and its error number.
         *
         * @param name the C name of the function
         * @param number the error number
         * @param symbol the name of the number; null if it has none
         * @return this builder
         */
        public Builder call(String name, int number, @Nullable String symbol) {
            this.function = name;
            this.errno = number;
            this.errnoName = symbol;
            return this;
        }

        /**
         * Names the range that was asked for.
         *
         * @param what the range
         * @return this builder
         */
        public Builder range(MemoryRange what) {
            this.range = what;
            return this;
        }

        /**
         * Names the system.
         *
         * @param what name and release
         * @return this builder
         */
        public Builder system(String what) {
            this.system = what;
            return this;
        }

        /**
         * Says what can be done about it, in place of what was said before.
         *
         * @param all one setting a line, without a full stop, each without need of the others, the most likely first
         * @return this builder
         */
        public Builder remedies(List<String> all) {
            List<String> copy = new ArrayList<>(all);
            copy.forEach(each -> Objects.requireNonNull(each, "remedy"));
            this.remedies = copy;
            return this;
        }

        /**
         * Says what can be done about it, in place of what was said before.
         *
         * @param all one setting a line, without a full stop, each without need of the others, the most likely first
         * @return this builder
         */
        public Builder remedies(String... all) {
            return remedies(Arrays.asList(all));
        }

        /**
         * Adds the underlying failure.
         *
         * @param what the cause, or null
         * @return this builder
         */
        public Builder cause(@Nullable Throwable what) {
            this.cause = what;
            return this;
        }

        /**
         * Makes the exception.
         *
         * @return the exception
         */
        public PageLockException build() {
            return new PageLockException(this);
        }

        private String summary() {
            StringBuilder text = new StringBuilder();
            if (action != null) {
                text.append("cannot ").append(action);
                if (range != null) {
                    text.append(' ')
                            .append(ByteSize.format(range.length()))
                            .append(" at 0x")
                            .append(Long.toHexString(range.address()));
                }
                text.append(": ");
            }
            text.append(reason);
            if (!detail.isEmpty()) {
                text.append(": ").append(detail);
            }
            if (function != null) {
                text.append(" [").append(function).append(": errno ").append(errno);
                if (errnoName != null) {
                    text.append(' ').append(errnoName);
                }
                text.append(system == null ? "]" : " on " + system + "]");
            }
            return text.toString();
        }

        private String advice() {
            StringBuilder text = new StringBuilder();
            if (!remedies.isEmpty()) {
                text.append(". ").append(remedies.get(0));
            }
            if (remedies.size() > 1) {
                text.append(" (").append(remedies.size() - 1).append(" more in remedies())");
            }
            return text.append(". See ").append(reason.page()).toString();
        }
    }
}
