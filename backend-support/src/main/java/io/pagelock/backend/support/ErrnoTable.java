// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import io.pagelock.Reason;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Holds the error numbers of one system with their names, and of one processor if they differ by processor. Immutable.
 * Nothing is inherited from another system: a number that is not in the table has no name.
 */
public final class ErrnoTable {
    private final Map<String, Integer> numbers;
    private final Map<Integer, String> names;

    private ErrnoTable(Builder from) {
        numbers = Collections.unmodifiableMap(new LinkedHashMap<>(from.numbers));
        names = new LinkedHashMap<>();
        for (Map.Entry<String, Integer> each : numbers.entrySet()) {
            names.putIfAbsent(each.getValue(), each.getKey());
        }
    }

    /**
     * Starts a table.
     *
     * @return an empty builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the name of a number. If two names share the number, returns the one that was added first.
     *
     * @param number an error number
     * @return its name, or null if it is not in the table
     */
    public @Nullable String name(int number) {
        return names.get(number);
    }

    /**
     * Reports whether a number has the given name on this system.
     *
     * @param number an error number
     * @param name a name, for example {@code ENOMEM}
     * @return true if the table holds that pair
     */
    public boolean is(int number, String name) {
        Integer known = numbers.get(Objects.requireNonNull(name, "name"));
        return known != null && known == number;
    }

    /**
     * Returns the reason that a number means on every system, whatever the call. For numbers that depend on the system
     * or the call, such as ENOMEM and EAGAIN, the backend must find the reason.
     *
     * @param number an error number
     * @return the reason; {@link Reason#UNKNOWN} for all that have more than one meaning
     */
    public Reason reason(int number) {
        String name = name(number);
        switch (name == null ? "" : name) {
            case "EPERM":
                return Reason.NOT_PERMITTED;
            case "EBUSY":
                return Reason.BUSY;
            case "EIO":
                return Reason.IO_ERROR;
            case "ENOSPC":
                return Reason.NO_SPACE;
            case "ENOSYS":
                return Reason.NOT_SUPPORTED;
            case "ECANCELED":
                return Reason.CANCELLED;
            default:
                return Reason.UNKNOWN;
        }
    }

    /**
     * Returns the whole table.
     *
     * @return an unmodifiable map from name to number, in the order of the table
     */
    public Map<String, Integer> numbers() {
        return numbers;
    }

    @Override
    public String toString() {
        return numbers.toString();
    }

    /** Collects names and numbers. Not safe for several threads. */
    public static final class Builder {
        private final Map<String, Integer> numbers = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Adds a pair.
         *
         * @param name the name, for example {@code ENOMEM}
         * @param number its number, above 0
         * @return this builder
         * @throws IllegalArgumentException if the number is not above 0, or the name has another number already
         */
        public Builder put(String name, int number) {
            if (number <= 0) {
                throw new IllegalArgumentException(name + " is " + number + "; error numbers are above 0");
            }
            Integer known = numbers.putIfAbsent(Objects.requireNonNull(name, "name"), number);
            if (known != null && known != number) {
                throw new IllegalArgumentException(name + " is " + known + " already, not " + number);
            }
            return this;
        }

        /**
         * Ends the table.
         *
         * @return the table
         */
        public ErrnoTable build() {
            return new ErrnoTable(this);
        }
    }
}
