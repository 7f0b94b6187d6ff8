// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where the rules of each system come from. */
class KernelRulesTest {
    static List<KernelRules> everySystem() {
        return List.of(
                KernelRules.linux(),
                KernelRules.freebsd(),
                KernelRules.solaris(),
                KernelRules.hpux(),
                KernelRules.irix());
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void whatASystemDoesHasASourceOrIsCalledUnconfirmed(KernelRules rules) {
        KernelRules plain = KernelRules.named("Plain");
        List<Enum<?>> without = new ArrayList<>();
        for (Trait trait : Trait.values()) {
            if (rules.has(trait)) {
                without.add(trait);
            }
        }
        for (Refusal refusal : Refusal.values()) {
            if (rules.errno(refusal) != plain.errno(refusal)) {
                without.add(refusal);
            }
        }
        without.removeAll(rules.sources().keySet());
        without.removeAll(rules.unconfirmed());
        assertEquals(List.of(), without);
    }

    @ParameterizedTest
    @MethodSource("everySystem")
    void nothingIsBothCitedAndUnconfirmed(KernelRules rules) {
        rules.unconfirmed().forEach(each -> assertEquals(null, rules.sources().get(each), each.toString()));
    }

    @Test
    void whatIsCitedAsRecordedIsInTheTable() {
        KernelRules.freebsd().sources().forEach((what, source) -> {
            if (source.startsWith("recorded: ")) {
                assertTrue(
                        Recorded.freebsd().containsKey(source.substring(10)),
                        what + " cites the unknown row " + source);
            }
        });
    }
}
