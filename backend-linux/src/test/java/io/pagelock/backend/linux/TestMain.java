// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintWriter;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Runs the test class named by its argument in this JVM. Prints what was passed, failed, skipped and why. */
final class TestMain {
    private TestMain() {}

    public static void main(String[] arguments) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(arguments[0]))
                .build();
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, summary, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    String why = result.getThrowable()
                            .map(each -> ": " + each.getMessage())
                            .orElse("");
                    System.out.println(result.getStatus() + " " + test.getDisplayName() + why);
                }
            }
        });
        TestExecutionSummary found = summary.getSummary();
        found.printFailuresTo(new PrintWriter(System.out, true), 30);
        System.out.println(found.getTestsSucceededCount() + " passed, " + found.getTotalFailureCount() + " failed, "
                + found.getTestsAbortedCount() + " skipped");
        System.exit(found.getTotalFailureCount() == 0 && found.getTestsSucceededCount() > 0 ? 0 : 1);
    }
}
