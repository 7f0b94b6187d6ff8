// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Records the outcome of each rule: one line per test of the contract, appended to the file that the system property
 * {@value #FILE_PROPERTY} names, with four fields between tabs: the test class, and "on 32 bits" in such a JVM, the
 * rule, {@code passed}, {@code failed} or {@code skipped}, and why it was skipped or how it failed. Without the
 * property it does nothing.
 */
public final class RuleReport implements TestWatcher {
    /** Names the system property that selects the file, {@value}. */
    public static final String FILE_PROPERTY = "io.pagelock.testkit.report";

    /** Serves JUnit, which makes it. */
    public RuleReport() {}

    @Override
    public void testSuccessful(ExtensionContext test) {
        write(test, "passed", "");
    }

    @Override
    public void testFailed(ExtensionContext test, Throwable cause) {
        write(test, "failed", String.valueOf(cause));
    }

    @Override
    public void testAborted(ExtensionContext test, Throwable cause) {
        write(test, "skipped", String.valueOf(cause.getMessage()).replace("Assumption failed: ", ""));
    }

    @Override
    public void testDisabled(ExtensionContext test, Optional<String> reason) {
        write(test, "skipped", reason.orElse("disabled"));
    }

    private static void write(ExtensionContext test, String outcome, String why) {
        String file = System.getProperty(FILE_PROPERTY, "");
        if (file.isEmpty()) {
            return;
        }
        String type = test.getRequiredTestClass().getName();
        if ("32".equals(System.getProperty("sun.arch.data.model"))) {
            type += " on 32 bits";
        }
        String rule = test.getRequiredTestMethod().getName();
        String line = String.join(
                "\t", type, rule, outcome, why.replaceAll("\\s+", " ").trim());
        Path path = Paths.get(file);
        try {
            Files.write(
                    path,
                    Collections.singletonList(line),
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
