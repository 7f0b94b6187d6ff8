// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Which backends were found, which one was chosen, and why each of the others was not. Immutable.
 *
 * @see PageLocker#availability()
 */
public final class Availability {
    /** One backend that was considered. */
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
         * The provider's name, or the name of its class where it could not be made.
         *
         * @return the name
         */
        public String name() {
            return name;
        }

        /**
         * Why it was chosen or refused.
         *
         * @return one sentence
         */
        public String verdict() {
            return verdict;
        }

        /**
         * Whether it is the one in use.
         *
         * @return true for at most one candidate
         */
        public boolean chosen() {
            return chosen;
        }

        @Override
        public String toString() {
            return name + ": " + verdict;
        }
    }

    private final List<Candidate> candidates;
    private final String problem;
    private final List<String> remedies;
    private final Throwable cause;

    /**
     * Makes a report.
     *
     * @param candidates every backend that was considered
     * @param problem why there is none; empty if one was chosen
     * @param remedies what can be done about it, one setting a line; empty if one was chosen
     * @param cause the first underlying failure, or null
     */
    public Availability(List<Candidate> candidates, String problem, List<String> remedies, Throwable cause) {
        this.candidates = Collections.unmodifiableList(new ArrayList<>(candidates));
        this.problem = Objects.requireNonNull(problem, "problem");
        this.remedies = Collections.unmodifiableList(new ArrayList<>(remedies));
        this.cause = cause;
    }

    /**
     * Tells whether {@link PageLocker#system()} returns a locker.
     *
     * @return true if a backend is in use
     */
    public boolean isAvailable() {
        return problem.isEmpty();
    }

    /**
     * The name of the backend in use.
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
     * Every backend that was considered.
     *
     * @return an unmodifiable list, empty if none is on the class or module path
     */
    public List<Candidate> candidates() {
        return candidates;
    }

    /**
     * Why there is no backend.
     *
     * @return the problem; empty if there is one
     */
    public String problem() {
        return problem;
    }

    /**
     * Returns what can be done so that there is one.
     *
     * @return an unmodifiable list with one setting a line, the most likely first; empty if there is a backend
     */
    public List<String> remedies() {
        return remedies;
    }

    /**
     * The first failure underneath.
     *
     * @return the cause, if there was one
     */
    public Optional<Throwable> cause() {
        return Optional.ofNullable(cause);
    }

    /**
     * The whole report for a person.
     *
     * @return the problem, each remedy and every candidate with its verdict, in several lines
     */
    public String report() {
        StringBuilder text = new StringBuilder();
        text.append(isAvailable() ? "backend in use: " + backend().orElse("?") : problem);
        for (String remedy : remedies) {
            text.append("\n  to fix it: ").append(remedy);
        }
        text.append(candidates.isEmpty() ? "\nno backend was considered" : "\nconsidered:");
        for (Candidate candidate : candidates) {
            text.append("\n  ").append(candidate);
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return report();
    }
}
