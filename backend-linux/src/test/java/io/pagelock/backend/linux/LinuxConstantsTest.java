// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.backend.testkit.standin.StandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinuxConstantsTest {
    /** What the names of processors in the table of facts are to os.arch. */
    private static final Map<String, List<String>> ARCHS = Map.of(
            "generic (i386 x86_64 arm aarch64 riscv s390x loongarch64 m68k)",
            List.of("i386", "x86", "i686", "amd64", "x86_64", "arm", "aarch64", "riscv64", "s390x", "loongarch64"),
            "powerpc ppc64 ppc64le",
            List.of("ppc", "ppc64", "ppc64le"),
            "mips (o32 n32)",
            List.of("mips", "mipsel"),
            "mips64",
            List.of("mips64", "mips64el"),
            "sparc64",
            List.of("sparc64", "sparcv9"),
            "sparc (32-bit)",
            List.of("sparc"),
            "alpha",
            List.of("alpha"));

    private record Fact(String arch, String name, int value, String confidence) {}

    private static List<Fact> facts() throws IOException {
        List<Fact> facts = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                LinuxConstantsTest.class.getResourceAsStream("constants.csv"), StandardCharsets.UTF_8))) {
            for (String line : reader.lines().skip(1).collect(Collectors.toList())) {
                String[] fields = line.split(",");
                String[] names = fields[2].split("/");
                String[] values = fields[3].split("/");
                for (int i = 0; i < names.length; i++) {
                    facts.add(new Fact(fields[0], names[i], Integer.decode(values[i]), fields[4]));
                }
            }
        }
        return facts;
    }

    private static Map<String, Integer> table(LinuxConstants constants) {
        Map<String, Integer> table = new TreeMap<>(constants.errno.numbers());
        table.put("MCL_CURRENT", constants.mclCurrent);
        table.put("MCL_FUTURE", constants.mclFuture);
        table.put("MCL_ONFAULT", constants.mclOnfault);
        table.put("MLOCK_ONFAULT", LinuxConstants.MLOCK_ONFAULT);
        table.put("MS_ASYNC", constants.msAsync);
        table.put("MS_INVALIDATE", constants.msInvalidate);
        table.put("MS_SYNC", constants.msSync);
        table.put("RLIMIT_MEMLOCK", constants.rlimitMemlock);
        return table;
    }

    @Test
    void everyNumberIsTheOneOfTheFacts() throws IOException {
        Map<String, Integer> compared = new HashMap<>();
        for (Fact fact : facts()) {
            for (String arch : ARCHS.getOrDefault(fact.arch, List.of())) {
                Integer number =
                        table(LinuxConstants.forArch(arch).orElseThrow()).get(fact.name);
                assertEquals(fact.value, number, fact + " on " + arch);
                compared.merge(arch, 1, Integer::sum);
            }
        }
        // 26 numbers each; of 32-bit sparc the facts hold 4, and the rest is reported as not confirmed.
        compared.forEach(
                (arch, count) -> assertEquals(arch.equals("sparc") ? 4 : 26, count, "facts compared for " + arch));
        assertEquals(
                ARCHS.values().stream().flatMap(List::stream).sorted().collect(Collectors.toList()),
                compared.keySet().stream().sorted().collect(Collectors.toList()));
    }

    @Test
    void whatIsNotConfirmedIsSaid() {
        assertFalse(LinuxConstants.unconfirmed("sparc").isEmpty());
        for (String arch : List.of("amd64", "ppc64le", "sparcv9", "alpha")) {
            assertEquals(List.of(), LinuxConstants.unconfirmed(arch));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"x86", "amd64", "arm", "aarch64", "ppc", "ppc64le", "mips64el", "loongarch64", "s390x", "riscv64"
            })
    void everyProcessorThatJnaHasANativePartForIsKnown(String arch) {
        assertTrue(LinuxConstants.forArch(arch).isPresent());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ia64", "parisc", "hppa", "m68k", "sh", "riscv32", "s390", "amd640"})
    void anotherProcessorHasNoNumbers(String arch) {
        assertFalse(LinuxConstants.forArch(arch).isPresent());
    }

    @Test
    void namesOfProcessorsAreComparedInNoLanguage() {
        Locale before = Locale.getDefault();
        try {
            // In Turkish, I in lower case is not i.
            Locale.setDefault(Locale.forLanguageTag("tr"));
            assertTrue(LinuxConstants.forArch("I386").isPresent());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void everyProcessorOfTheMessageIsKnown() {
        for (String arch : LinuxConstants.processors()) {
            assertTrue(LinuxConstants.forArch(arch).isPresent(), arch);
        }
    }

    /** Compiles and runs {@code src/test/c/constants.c}. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void numbersAreThoseOfTheHeadersOfThisMachine() {
        Map<String, Integer> printed = new HashMap<>();
        String output = ChildProcess.of(
                        StandIn.program(Path.of("src/test/c/constants.c")).toString())
                .run()
                .succeeded();
        for (String line : output.split("\n")) {
            String[] fields = line.split(" ");
            printed.put(fields[0], Integer.parseInt(fields[1]));
        }
        Map<String, Integer> expected =
                table(LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow());
        expected.put("CAP_IPC_LOCK", 14);
        expected.put("CAP_FOWNER", 3);
        assertEquals(expected, new TreeMap<>(printed));
    }
}
