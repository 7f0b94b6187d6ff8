// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

/** Reports on the agent to monitoring tools, registered as {@value #NAME}. */
public interface AgentMXBean {
    /** Names the one instance. */
    String NAME = "io.pagelock:type=Agent";

    /**
     * Returns the options, with the default scope where none was named.
     *
     * @return words separated by commas
     */
    String getRequested();

    /**
     * Reports whether everything that was asked for was locked at the last check.
     *
     * @return false if {@link #getProblems()} has an entry
     */
    boolean isKept();

    /**
     * Returns why memory that should be locked was not, at the last check.
     *
     * @return a message for each refusal
     */
    String[] getProblems();

    /**
     * Describes the copy of pagelock that locks: the agent's, or the program's if that was loaded first.
     *
     * @return its description
     */
    String getLockedBy();

    /**
     * Returns what the kernel counts as locked by this process.
     *
     * @return bytes, or -1 if the kernel does not report it
     */
    long getKernelLockedBytes();

    /**
     * Returns how much memory the JVM used at the last check, with {@code committed}.
     *
     * @return bytes, or -1 without {@code committed}
     */
    long getCommittedBytes();

    /**
     * Returns how much of it the agent has locked.
     *
     * @return bytes, or -1 without {@code committed}
     */
    long getCommittedLockedBytes();
}
