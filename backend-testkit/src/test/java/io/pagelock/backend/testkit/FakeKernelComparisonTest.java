// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rules of each system, row by row against what is known of it, in pages of two sizes. */
class FakeKernelComparisonTest {
    @TestFactory
    Stream<DynamicContainer> theFakeKernelAnswersAsTheSystemDoes() {
        return Systems.names().stream()
                .flatMap(system -> Stream.of(4096, 16384)
                        .map(page -> DynamicContainer.dynamicContainer(
                                system + " in pages of " + page,
                                Comparison.tests(
                                        Systems.answers(system),
                                        () -> new FakeCalls(new FakeKernel(
                                                Systems.of(system).withPageSize(page)))))));
    }

    @Test
    void anAnswerToWhatIsNotAskedIsRefused() {
        Facts facts = Facts.read("toy", new StringReader("a topic that nobody asks\tOK\n"), 2);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> Comparison.tests(facts, () -> null));
        assertTrue(e.getMessage().contains("a topic that nobody asks"), e.getMessage());
    }
}
