// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs another program to its end. A test that needs more than that, such as its input, starts the process itself. */
public final class ChildProcess {
    private final List<String> command;
    private @Nullable File directory;
    private Duration bound = Duration.ofMinutes(5);

    private ChildProcess(List<String> command) {
        this.command = command;
    }

    /**
     * Returns a program that is not yet started.
     *
     * @param command the program and its arguments
     * @return a new object
     */
    public static ChildProcess of(String... command) {
        return of(Arrays.asList(command));
    }

    /**
     * Returns a program that is not yet started.
     *
     * @param command the program and its arguments
     * @return a new object
     */
    public static ChildProcess of(List<String> command) {
        return new ChildProcess(new ArrayList<>(command));
    }

    /**
     * Sets the working directory; without this call, it is that of this process.
     *
     * @param path the directory
     * @return this object
     */
    public ChildProcess in(Path path) {
        directory = path.toFile();
        return this;
    }

    /**
     * Sets how long the program may take; five minutes without this call.
     *
     * @param time rounded down to milliseconds
     * @return this object
     */
    public ChildProcess within(Duration time) {
        bound = time;
        return this;
    }

    /**
     * Runs the program with no input until it ends; kills it after its time.
     *
     * @return what became of it
     * @throws UncheckedIOException if it cannot be started
     */
    public Ended run() {
        try {
            Path out = Files.createTempFile("pagelock", ".out");
            try {
                Process process = new ProcessBuilder(command)
                        .directory(directory)
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
                process.getOutputStream().close();
                boolean ended = process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS);
                if (!ended) {
                    process.destroyForcibly().waitFor();
                }
                String text = new String(Files.readAllBytes(out), StandardCharsets.UTF_8);
                return ended
                        ? new Ended(command, process.exitValue(), text)
                        : new Ended(command, Ended.KILLED, text + "\nkilled after " + bound);
            } finally {
                Files.delete(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for " + command, e);
        }
    }

    /** Holds how a program ended, and all that it printed. */
    public static final class Ended {
        /** The exit status of a program that took too long. */
        public static final int KILLED = -1;

        private final List<String> command;
        private final int status;
        private final String output;

        private Ended(List<String> command, int status, String output) {
            this.command = command;
            this.status = status;
            this.output = output;
        }

        /**
         * Returns the exit status.
         *
         * @return 0 to 255, or {@link #KILLED}
         */
        public int status() {
            return status;
        }

        /**
         * Returns what it printed on standard output and standard error, in the order in which it came.
         *
         * @return the text
         */
        public String output() {
            return output;
        }

        /**
         * Fails with all that the program printed, unless its exit status is 0.
         *
         * @return what it printed
         */
        public String succeeded() {
            assertEquals(0, status, () -> String.join(" ", command) + ":\n" + output);
            return output;
        }

        /**
         * Returns the exit status and what the program printed.
         *
         * @return the status, a line feed, and the text
         */
        @Override
        public String toString() {
            return status + "\n" + output;
        }
    }
}
