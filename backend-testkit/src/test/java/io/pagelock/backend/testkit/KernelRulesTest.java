// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the rules of each system come from. */
class KernelRulesTest {
    static List<KernelRules> everySystem() {
        return Systems.all();
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
    void rulesOfAnySystemAreReadAsData() {
        KernelRules rules = KernelRules.read(new StringReader("# a comment\n\nsystem\tname\tToyOS\t\n"
                + "trait\tCHARGES_TWICE\tyes\tits page\ntrait\tON_FAULT\tno\tunconfirmed\n"
                + "errno\tHOLE\tEFAULT\tits header\nerrno\tLOCKED\tusual\tunconfirmed\n"));
        assertEquals("ToyOS", rules.system());
        assertTrue(rules.has(Trait.CHARGES_TWICE));
        assertFalse(rules.has(Trait.ON_FAULT));
        assertEquals(Errno.EFAULT, rules.errno(Refusal.HOLE));
        assertEquals(Errno.EBUSY, rules.errno(Refusal.LOCKED));
        assertEquals(Set.of(Trait.ON_FAULT, Refusal.LOCKED), rules.unconfirmed());
        assertEquals(Map.of(Trait.CHARGES_TWICE, "its page", Refusal.HOLE, "its header"), rules.sources());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "trait\tNO_SUCH\tyes\t",
                "errno\tHOLE\tENOSUCH\t",
                "trait\tON_FAULT\tyes",
                "rule\tON_FAULT\tyes\t"
            })
    void aLineThatMeansNothingIsRefusedWithItsWords(String line) {
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> KernelRules.read(new StringReader(line)));
        assertTrue(e.getMessage().contains(line.split("\t")[1]), e.getMessage());
    }

    @Test
    void aSystemWithoutABackendIsNamed() {
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> KernelRules.of("toyos"));
        assertTrue(e.getMessage().contains("META-INF/pagelock/toyos/kernel.tsv"), e.getMessage());
        assertThrows(IllegalStateException.class, () -> Recorded.of("toyos"));
        assertThrows(IllegalStateException.class, () -> Comparison.tests("toyos", () -> null));
    }
}
