// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Holds the size of a limit: a number of bytes, or one of three things that are not numbers. <em>Unlimited</em> means
 * that the limit exists and is set to infinity, <em>none</em> that the system has no such limit, and <em>unknown</em>
 * that it could not be read.
 */
public final class LimitValue {
    private static final LimitValue UNKNOWN = new LimitValue(-1, "unknown");
    private static final LimitValue UNLIMITED = new LimitValue(-1, "unlimited");
    private static final LimitValue NONE = new LimitValue(-1, "none");

    private final long bytes;
    private final @Nullable String word;

    private LimitValue(long bytes, @Nullable String word) {
        this.bytes = bytes;
        this.word = word;
    }

    /**
     * Returns a limit that could not be read.
     *
     * @return the unknown limit
     */
    public static LimitValue unknown() {
        return UNKNOWN;
    }

    /**
     * Returns a limit that is set to infinity.
     *
     * @return the infinite limit
     */
    public static LimitValue unlimited() {
        return UNLIMITED;
    }

    /**
     * Returns a limit that this system does not have.
     *
     * @return the absent limit
     */
    public static LimitValue none() {
        return NONE;
    }

    /**
     * Returns a limit of a number of bytes.
     *
     * @param bytes the number of bytes, 0 or more
     * @return the limit
     * @throws IllegalArgumentException if the number is negative
     */
    public static LimitValue ofBytes(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a limit of " + bytes + " bytes; it must be 0 or more");
        }
        return new LimitValue(bytes, null);
    }

    /**
     * Returns the number of bytes.
     *
     * @return the bytes; empty if this limit is unknown, unlimited or none
     */
    public OptionalLong bytes() {
        return word == null ? OptionalLong.of(bytes) : OptionalLong.empty();
    }

    /**
     * Reports whether the limit could be read.
     *
     * @return false only for {@link #unknown()}
     */
    public boolean isKnown() {
        return this != UNKNOWN;
    }

    /**
     * Reports whether the limit is set to infinity.
     *
     * @return true only for {@link #unlimited()}
     */
    public boolean isUnlimited() {
        return this == UNLIMITED;
    }

    /**
     * Reports whether the system has no such limit.
     *
     * @return true only for {@link #none()}
     */
    public boolean isNone() {
        return this == NONE;
    }

    /**
     * Returns this as plain values, for JSON and the like: {@code bytes}, {@code known}, {@code unlimited} and {@code none}. More
     * keys may be added.
     *
     * @return a new map, in which the number of bytes is null unless there is one
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("bytes", word == null ? bytes : null);
        map.put("known", isKnown());
        map.put("unlimited", isUnlimited());
        map.put("none", isNone());
        return map;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || word == null
                        && other instanceof LimitValue
                        && ((LimitValue) other).word == null
                        && ((LimitValue) other).bytes == bytes;
    }

    @Override
    public int hashCode() {
        return word == null ? Long.hashCode(bytes) : word.hashCode();
    }

    /** Returns the bytes as {@code 65536 bytes (64 KiB)}, or one of the words unknown, unlimited, none. */
    @Override
    public String toString() {
        return word == null ? ByteSize.format(bytes) : word;
    }
}
