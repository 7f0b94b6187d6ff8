// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.opentest4j.TestAbortedException;

/** Builds the stand-in and its driver with the C compiler of this machine, for the data model of this JVM. */
final class Compiler {
    private static final Path SOURCES = Paths.get("src/test/c");
    private static final Path OUTPUT = Paths.get("target/c");

    private Compiler() {}

    /** The shared library. Aborts the test where there is no compiler, except in CI, where that is a failure. */
    static Path standIn() {
        Path library = OUTPUT.resolve("libstandin.so").toAbsolutePath();
        requireCompiler();
        compile("-fPIC", "-shared", "-Wl,-Bsymbolic", "-o", library.toString(), "standin.c", "-lpthread");
        return library;
    }

    /** The program that makes the recorded calls. */
    static Path driver() {
        Path library = standIn();
        Path program = OUTPUT.resolve("golden").toAbsolutePath();
        compile(
                "-o",
                program.toString(),
                "golden.c",
                library.toString(),
                "-Wl,-rpath," + library.getParent(),
                "-lpthread");
        return program;
    }

    private static void requireCompiler() {
        try {
            Files.createDirectories(OUTPUT);
            if (run(command("--version")).status == 0) {
                return;
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (AssertionError e) {
            // Not to be started at all.
        }
        if (System.getenv("CI") != null) {
            fail("no C compiler (" + name() + "), so the stand-in for FreeBSD cannot be built");
        }
        throw new TestAbortedException("no C compiler (" + name() + "), so the stand-in for FreeBSD cannot be built");
    }

    private static String name() {
        String named = System.getenv("CC");
        return named == null || named.isEmpty() ? "cc" : named;
    }

    private static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(name());
        for (String argument : arguments) {
            command.add(argument);
        }
        return command;
    }

    private static void compile(String... arguments) {
        List<String> command = command("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g");
        Collections.addAll(command, io.pagelock.backend.testkit.standin.StandIn.dataModel());
        for (String argument : arguments) {
            command.add(argument);
        }
        Outcome outcome = run(command);
        assertEquals(0, outcome.status, outcome.output);
    }

    static final class Outcome {
        final int status;
        final String output;

        private Outcome(int status, String output) {
            this.status = status;
            this.output = output;
        }
    }

    static Outcome run(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(SOURCES.toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Outcome(process.waitFor(), output);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
