// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reports whether a lock would succeed under the current limits, and if not, why and what to do. This is no promise:
 * limits change, and holes or lack of memory show only when the lock is tried. Immutable.
 *
 * @see PageLocker#forecast(long)
 * @see PageLocker#forecastAddressSpace(AddressSpaceScope, LockOption...)
 */
public final class Forecast {
    private final Tristate fits;
    private final long bytes;
    private final @Nullable Reason reason;
    private final String detail;
    private final List<String> remedies;

    /**
     * Makes a forecast; for backends.
     *
     * @param fits whether it would fit
     * @param bytes what would be charged against the limits, in bytes
     * @param reason why not; null unless {@code fits} is {@link Tristate#NO}
     * @param detail the numbers behind the answer, in words
     * @param remedies what can be changed so that it would fit, one setting a line; empty if nothing needs to change
     */
    public Forecast(Tristate fits, long bytes, @Nullable Reason reason, String detail, List<String> remedies) {
        this.fits = Objects.requireNonNull(fits, "fits");
        this.bytes = bytes;
        this.reason = reason;
        this.detail = Objects.requireNonNull(detail, "detail");
        this.remedies = Collections.unmodifiableList(new ArrayList<>(remedies));
        if ((fits == Tristate.NO) != (reason != null)) {
            throw new IllegalArgumentException(
                    "a forecast has a reason if and only if it is NO: " + fits + ", " + reason);
        }
    }

    /**
     * Reports whether the lock would fit.
     *
     * @return yes, no, or unknown where the system does not report enough
     */
    public Tristate fits() {
        return fits;
    }

    /**
     * Returns how much the system would charge against its limits, in whole pages.
     *
     * @return the charge in bytes
     */
    public long bytes() {
        return bytes;
    }

    /**
     * Returns why it would not fit.
     *
     * @return the reason, present only if {@link #fits()} is {@link Tristate#NO}
     */
    public Optional<Reason> reason() {
        return Optional.ofNullable(reason);
    }

    /**
     * Returns the numbers behind the answer.
     *
     * @return one sentence
     */
    public String detail() {
        return detail;
    }

    /**
     * Returns what can be changed so that it would fit.
     *
     * @return an unmodifiable list with one setting a line, the most likely first; empty if nothing needs to change
     */
    public List<String> remedies() {
        return remedies;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map, in which the reason is null unless the lock would not fit
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("fits", fits.name());
        map.put("bytes", bytes);
        map.put("reason", reason == null ? null : reason.name());
        map.put("detail", detail);
        map.put("remedies", remedies);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Forecast)) {
            return false;
        }
        Forecast that = (Forecast) other;
        return fits == that.fits
                && bytes == that.bytes
                && reason == that.reason
                && detail.equals(that.detail)
                && remedies.equals(that.remedies);
    }

    @Override
    public int hashCode() {
        return Objects.hash(fits, bytes, reason, detail, remedies);
    }

    @Override
    public String toString() {
        return "fits: " + fits.name().toLowerCase(Locale.ROOT) + "; " + detail
                + (remedies.isEmpty() ? "" : "; " + String.join("; or: ", remedies));
    }
}
