// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.support.AbiTable;
import io.pagelock.backend.testkit.HeaderCheck;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/**
 * What abi-probe prints here, and from the kernel's headers for other processors, against the backend's table and the facts.
 * In the package of the Linux backend, whose table is not public.
 */
class AbiProbeTest {
    private static final Path SOURCE = Path.of("abi-probe.c");
    /** Kinds that do not depend on the C library or the data model. */
    private static final List<String> KINDS = List.of("const", "errno", "rlimit");

    /** A copy of the facts, with source and confidence. */
    private static final AbiTable FACTS = AbiTable.of(AbiProbeTest.class, "constants.csv");

    @TempDir
    private Path directory;

    @Test
    void theNumbersOfThisMachineAreThoseOfTheTable() throws IOException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the table is that of Linux");
        AbiTable probe = AbiTable.ofProbe(probe(List.of()), "Linux");
        LinuxConstants table = LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow();
        compare(probe, table);
        if (table == LinuxConstants.GENERIC) {
            assertTrue(compared(probe, "generic (i386 x86_64 arm aarch64 riscv s390x loongarch64 m68k)") >= 25);
        }
        assertEquals(OptionalLong.of(16), probe.number("struct_size", "struct rlimit"));
    }

    @ParameterizedTest
    @CsvSource({
        "-DPROBE, glibc ILP32 default",
        "-D_FILE_OFFSET_BITS=64, glibc ILP32 _FILE_OFFSET_BITS=64 (symbol getrlimit64)"
    })
    void theNumbersOf32BitsAreThoseOfTheTable(String option, String facts) throws IOException {
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64"),
                "cc -m32 is for x86");
        needs32Bits();
        AbiTable probe = AbiTable.ofProbe(probe(List.of("-m32", option)), "Linux");
        assertTrue(probe.rows().stream().allMatch(row -> row.arch().equals("ILP32")));
        compare(probe, LinuxConstants.forArch("i386").orElseThrow());
        assertTrue(compared(probe, "generic (i386 x86_64 arm aarch64 riscv s390x loongarch64 m68k)") >= 25);
        AbiTable.Row rlimit = FACTS.rows().stream()
                .filter(row -> row.arch().equals(facts) && row.name().equals("struct rlimit"))
                .findFirst()
                .orElseThrow();
        assertEquals(rlimit.number(), probe.number("struct_size", "struct rlimit"));
        assertEquals(OptionalLong.of(4), probe.number("type_size", "size_t"));
        // As wide as rlim_t, not as long.
        assertEquals(
                OptionalLong.of(option.contains("64") ? -1 : 0xffffffffL), probe.number("rlimit", "RLIM_INFINITY"));
    }

    private void needs32Bits() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty.c"), "#include <stdio.h>\nint main(void) { return 0; }\n");
        Path log = directory.resolve("empty.log");
        List<String> command =
                List.of("cc", "-m32", "-o", directory.resolve("empty").toString(), empty.toString());
        if (start(command, log) != 0) {
            String reason = "the C compiler cannot build for 32 bits; install gcc-multilib";
            assertEquals(null, System.getenv("CI"), reason);
            throw new TestAbortedException(reason);
        }
    }

    /** Two ways of asking the same headers: what one prints, the other one must confirm. */
    @ParameterizedTest
    @ValueSource(strings = {"-DPROBE", "-m32"})
    void theGeneratedCheckConfirmsEveryNumber(String option) throws IOException {
        if (option.equals("-m32")) {
            assumeTrue(System.getProperty("os.arch").equals("amd64"), "cc -m32 is for x86");
            needs32Bits();
        }
        HeaderCheck check = new HeaderCheck();
        List<AbiTable.Row> rows =
                AbiTable.ofProbe(probe(List.of(option)), System.getProperty("os.name")).rows();
        assertTrue(rows.size() >= 50, rows.toString());
        rows.forEach(row -> check.number(row.kind(), row.name(), row.number().orElseThrow()));
        assertEquals(List.of(), check.findings(directory, "cc", "-D_GNU_SOURCE", option));
    }

    @Test
    void everyLineIsInTheFormatOfTheTables() throws IOException {
        List<String> lines = Files.readAllLines(probe(List.of()));
        assertEquals("os,arch_or_abi,kind,name,value,source,confidence", lines.get(0));
        for (String line : lines) {
            assertEquals(7, line.split(",").length, line);
        }
        AbiTable.ofProbe(probe(List.of()), System.getProperty("os.name")).rows().forEach(row -> {
            assertTrue(row.number().isPresent(), row.toString());
            assertEquals("verified", row.confidence());
        });
    }

    /** The headers come from Debian's packages linux-libc-dev-ARCH-cross; without them there is nothing to compare. */
    @ParameterizedTest
    @CsvSource({
        "mips-linux-gnu, mips, mips (o32 n32)",
        "mips64-linux-gnuabi64, mips64, mips64",
        "powerpc-linux-gnu, ppc, powerpc ppc64 ppc64le",
        "alpha-linux-gnu, alpha, alpha",
        "sparc64-linux-gnu, sparc64, sparc64",
        "hppa-linux-gnu,, hppa",
        "aarch64-linux-gnu, aarch64, generic (i386 x86_64 arm aarch64 riscv s390x loongarch64 m68k)"
    })
    void theHeadersOfOtherProcessorsAgreeWithTheTable(String triple, String arch, String facts) throws IOException {
        Path headers = Path.of("/usr", triple, "include");
        assumeTrue(Files.exists(headers.resolve("asm/mman.h")), "no kernel headers for it in " + headers);
        // The kernel's alone: a C library of that processor, if there is one, does not fit this compiler.
        Path kernel = Files.createDirectory(directory.resolve("kernel"));
        for (String part : List.of("asm", "asm-generic", "linux")) {
            Files.createSymbolicLink(kernel.resolve(part), headers.resolve(part));
        }
        AbiTable probe = AbiTable.ofProbe(
                probe(List.of(
                        "-DPROBE_HEADERS_ONLY",
                        "-DPROBE_OS=\"Linux\"",
                        "-DPROBE_ARCH=\"" + triple + "\"",
                        "-DPROBE_SOURCE=\"" + headers + "\"",
                        "-I" + kernel)),
                "Linux");
        if (arch != null) {
            compare(probe, LinuxConstants.forArch(arch).orElseThrow());
        }
        assertTrue(compared(probe, facts) >= 25, "too few numbers to compare");
    }

    private static void compare(AbiTable probe, LinuxConstants table) {
        Map<String, Integer> constants = Map.of(
                "MCL_CURRENT", table.mclCurrent,
                "MCL_FUTURE", table.mclFuture,
                "MCL_ONFAULT", table.mclOnfault,
                "MLOCK_ONFAULT", LinuxConstants.MLOCK_ONFAULT,
                "MS_ASYNC", table.msAsync,
                "MS_INVALIDATE", table.msInvalidate,
                "MS_SYNC", table.msSync);
        constants.forEach((name, value) -> assertEquals(OptionalLong.of(value), probe.number("const", name), name));
        assertEquals(OptionalLong.of(table.rlimitMemlock), probe.number("rlimit", "RLIMIT_MEMLOCK"));
        table.errno.numbers().forEach((name, value) -> {
            // The kernel has no ENOTSUP; that is the C library's name.
            OptionalLong printed = probe.number("errno", name.equals("ENOTSUP") ? "EOPNOTSUPP" : name);
            assertEquals(OptionalLong.of(value), printed, name);
        });
    }

    private static int compared(AbiTable probe, String arch) {
        int count = 0;
        for (AbiTable.Row row : FACTS.rows()) {
            OptionalLong printed = probe.number(row.kind(), row.name());
            if (row.arch().equals(arch)
                    && KINDS.contains(row.kind())
                    && row.number().isPresent()
                    && printed.isPresent()) {
                assertEquals(row.number(), printed, row.toString());
                count++;
            }
        }
        return count;
    }

    /** Compiles as strictly as C89 allows, and runs. */
    private Path probe(List<String> options) throws IOException {
        Path program = directory.resolve("abi-probe");
        List<String> command = new ArrayList<>(List.of(
                "cc", "-std=c89", "-pedantic", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program.toString()));
        command.addAll(options);
        command.add(SOURCE.toString());
        Path output = directory.resolve("abi.csv");
        run(command, directory.resolve("cc.log"));
        run(List.of(program.toString()), output);
        return output;
    }

    private static void run(List<String> command, Path output) throws IOException {
        if (start(command, output) != 0) {
            fail(command + " failed:\n" + Files.readString(output));
        }
    }

    private static int start(List<String> command, Path output) {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(new File(output.toString()))
                    .start();
        } catch (IOException e) {
            if (System.getenv("CI") != null) {
                throw new AssertionError("no C compiler", e);
            }
            throw new TestAbortedException("no C compiler: " + e.getMessage(), e);
        }
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
