// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.spi.Host;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The numbers of the backend against the table of facts, of which constants.csv is a copy. */
class FreeBsdConstantsTest {
    private static final class Fact {
        private final String abi;
        private final String kind;
        private final String name;
        private final String value;
        private final String confidence;

        private Fact(List<String> fields) {
            abi = fields.get(1);
            kind = fields.get(2);
            name = fields.get(3);
            value = fields.get(4);
            confidence = fields.get(6);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyErrnoIsTheTables() throws IOException {
        return facts().stream()
                .filter(fact -> fact.kind.equals("errno"))
                .filter(fact -> FreeBsdConstants.ERRNO.numbers().containsKey(fact.name))
                .map(fact -> DynamicTest.dynamicTest(
                        fact.name,
                        () -> assertEquals(
                                Integer.decode(fact.value),
                                FreeBsdConstants.ERRNO.numbers().get(fact.name))));
    }

    @TestFactory
    Stream<DynamicTest> everyConstantIsTheTables() throws IOException {
        Map<String, Long> fields = constants();
        List<Fact> known = facts().stream()
                .filter(fact -> fact.kind.equals("const") || fact.kind.equals("rlimit"))
                .filter(fact -> fields.containsKey(fact.name))
                .collect(Collectors.toList());
        assertTrue(known.size() >= 10, known.size() + " constants in common");
        return known.stream()
                .map(fact -> DynamicTest.dynamicTest(
                        fact.name, () -> assertEquals(Long.decode(fact.value), fields.get(fact.name))));
    }

    private static Map<String, Long> constants() {
        Map<String, Long> constants = new HashMap<>();
        for (Field field : FreeBsdConstants.class.getDeclaredFields()) {
            try {
                Object value = field.get(null);
                if (value instanceof Number) {
                    constants.put(field.getName(), ((Number) value).longValue());
                }
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }
        return constants;
    }

    @TestFactory
    Stream<DynamicTest> everyOffsetIsTheTables() throws IOException {
        Map<AioLayout, String> abis = new HashMap<>();
        abis.put(AioLayout.LP64, "LP64 (amd64 aarch64 riscv64 powerpc64)");
        abis.put(AioLayout.I386, "ILP32 i386 (int64 aligned to 4)");
        abis.put(AioLayout.ILP32, "ILP32 armv7 / powerpc (int64 aligned to 8)");
        List<DynamicTest> tests = new ArrayList<>();
        for (AioLayout layout : AioLayout.values()) {
            Map<String, Integer> ours = new HashMap<>();
            ours.put("struct aiocb", layout.size);
            ours.put("aiocb.aio_fildes", AioLayout.FILDES);
            ours.put("aiocb.aio_buf", layout.buf);
            ours.put("aiocb.aio_nbytes", layout.nbytes);
            ours.put("aiocb.aio_sigevent.sigev_notify", layout.sigevent);
            ours.put("aiocb.aio_sigevent.sigev_signo (= sigev_notify_kqueue)", layout.signo);
            for (Fact fact : facts()) {
                Integer our = fact.abi.equals(abis.get(layout)) ? ours.remove(fact.name) : null;
                if (our != null) {
                    tests.add(DynamicTest.dynamicTest(
                            layout + " " + fact.name + " (" + fact.confidence + ")",
                            () -> assertEquals(Integer.decode(fact.value), our)));
                }
            }
            assertTrue(ours.isEmpty(), "not in the table for " + layout + ": " + ours.keySet());
        }
        return tests.stream();
    }

    @Test
    void theLayoutIsThatOfTheProcessor() {
        assertEquals(AioLayout.LP64, AioLayout.of(new Host("FreeBSD", "15.1", "amd64", 64)));
        assertEquals(AioLayout.LP64, AioLayout.of(new Host("FreeBSD", "15.1", "aarch64", 64)));
        assertEquals(AioLayout.I386, AioLayout.of(new Host("FreeBSD", "14.0", "i386", 32)));
        assertEquals(AioLayout.I386, AioLayout.of(new Host("FreeBSD", "14.0", "x86", 32)));
        assertEquals(AioLayout.ILP32, AioLayout.of(new Host("FreeBSD", "14.0", "arm", 32)));
    }

    @Test
    void noFactIsWithoutConfidence() throws IOException {
        for (Fact fact : facts()) {
            assertFalse(fact.confidence.isEmpty(), fact.name);
        }
    }

    private static List<Fact> facts() throws IOException {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                FreeBsdConstantsTest.class.getResourceAsStream("constants.csv"), StandardCharsets.UTF_8))) {
            return lines.lines()
                    .skip(1)
                    .map(FreeBsdConstantsTest::fields)
                    .map(Fact::new)
                    .collect(Collectors.toList());
        }
    }

    private static List<String> fields(String line) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (char c : line.toCharArray()) {
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }
}
