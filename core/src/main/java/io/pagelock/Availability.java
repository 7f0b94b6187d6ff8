// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reports which backends were found, which one was chosen, and why each of the others was not. Immutable.
 *
 * @see PageLocker#availability()
 */
public final class Availability {
    /** Describes one backend that was considered. */
    public static final class Candidate {
        private final String name;
        private final String verdict;
        private final boolean chosen;

        /**
         * Describes a candidate.
         *
         * @param name the provider's name, or the name of its class where it could not be made
         * @param verdict why it was chosen or refused
         * @param chosen whether it was chosen
         */
        public Candidate(String name, String verdict, boolean chosen) {
            this.name = Objects.requireNonNull(name, "name");
            this.verdict = Objects.requireNonNull(verdict, "verdict");
            this.chosen = chosen;
        }

        /**
         * Returns the provider's name, or the name of its class where it could not be made.
         *
         * @return the name
         */
        public String name() {
            return name;
        }

        /**
         * Returns why it was chosen or refused.
         *
         * @return one sentence
         */
        public String verdict() {
            return verdict;
        }

        /**
         * Reports whether it is the one in use.
         *
         * @return true for at most one candidate
         */
        public boolean chosen() {
            return chosen;
        }

        /**
         * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
         *
         * @return a new map
         */
        @JsonValue
        public Map<String, Object> toMap() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("name", name);
            map.put("verdict", verdict);
            map.put("chosen", chosen);
            return map;
        }

        @Override
        public boolean equals(Object other) {
            if (!(other instanceof Candidate)) {
                return false;
            }
            Candidate that = (Candidate) other;
            return name.equals(that.name) && verdict.equals(that.verdict) && chosen == that.chosen;
        }

        @Override
        public int hashCode() {
            return Objects.hash(name, verdict, chosen);
        }

        @Override
        public String toString() {
            return name + ": " + verdict;
        }
    }

    private final List<Candidate> candidates;
    private final @Nullable String problem;
    private final List<String> remedies;
    private final @Nullable Throwable cause;

    /**
     * Makes a report.
     *
     * @param candidates every backend that was considered
     * @param problem why there is none; null if one was chosen
     * @param remedies what can be done about it, one setting a line; empty if one was chosen
     * @param cause the first underlying failure, or null
     */
    public Availability(
            List<Candidate> candidates, @Nullable String problem, List<String> remedies, @Nullable Throwable cause) {
        this.candidates = Collections.unmodifiableList(new ArrayList<>(candidates));
        this.problem = problem;
        this.remedies = Collections.unmodifiableList(new ArrayList<>(remedies));
        this.cause = cause;
    }

    /**
     * Reports whether {@link PageLocker#system()} returns a locker.
     *
     * @return true if a backend is in use
     */
    public boolean isAvailable() {
        return problem == null;
    }

    /**
     * Returns the name of the backend in use.
     *
     * @return the name; empty if there is none
     */
    public Optional<String> backend() {
        return candidates.stream()
                .filter(Candidate::chosen)
                .map(Candidate::name)
                .findFirst();
    }

    /**
     * Returns every backend that was considered.
     *
     * @return an unmodifiable list, empty if none is on the class or module path
     */
    public List<Candidate> candidates() {
        return candidates;
    }

    /**
     * Returns why there is no backend.
     *
     * @return the problem; empty if there is one
     */
    public Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /**
     * Returns remedies by which a backend becomes available.
     *
     * @return an unmodifiable list with one setting a line, the most likely first; empty if there is a backend
     */
    public List<String> remedies() {
        return remedies;
    }

    /**
     * Returns the underlying failure.
     *
     * @return the cause, if there was one
     */
    public Optional<Throwable> cause() {
        return Optional.ofNullable(cause);
    }

    /**
     * Returns the whole report for a person.
     *
     * @return the problem, each remedy and every candidate with its verdict, in several lines
     */
    public String report() {
        StringBuilder text = new StringBuilder();
        text.append(problem == null ? "backend in use: " + backend().orElse("?") : problem);
        for (String remedy : remedies) {
            text.append("\n  to fix it: ").append(remedy);
        }
        text.append(candidates.isEmpty() ? "\nno backend was considered" : "\nconsidered:");
        for (Candidate candidate : candidates) {
            text.append("\n  ").append(candidate);
        }
        return text.toString();
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods, and {@code available}; more may be added.
     *
     * @return a new map, in which a missing backend, problem and cause are null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("available", isAvailable());
        map.put("backend", backend().orElse(null));
        map.put("problem", problem);
        map.put("remedies", remedies);
        map.put("candidates", candidates.stream().map(Candidate::toMap).collect(Collectors.toList()));
        map.put("cause", cause == null ? null : cause.toString());
        return map;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Availability)) {
            return false;
        }
        Availability that = (Availability) other;
        return candidates.equals(that.candidates)
                && Objects.equals(problem, that.problem)
                && remedies.equals(that.remedies)
                && Objects.equals(cause, that.cause);
    }

    @Override
    public int hashCode() {
        return Objects.hash(candidates, problem, remedies, cause);
    }

    @Override
    public String toString() {
        return report();
    }
}
