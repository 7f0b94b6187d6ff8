// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.support.NativeCalls;
import io.pagelock.backend.testkit.HeaderCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The generated check of headers: the Linux backend passes it, and each kind of mistake is found. */
class HeaderCheckTest {
    private static final String[] CXX = {"c++", "-D_GNU_SOURCE"};

    @TempDir
    private Path directory;

    @BeforeEach
    void onLinux() {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the numbers are those of Linux");
    }

    /** The whole backend. */
    private static HeaderCheck linux() {
        LinuxConstants table =
                LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow();
        return new HeaderCheck()
                .include("fcntl.h", "sys/ioctl.h")
                .constants(table.errno.numbers())
                .constants(Map.of(
                        "MCL_CURRENT", table.mclCurrent,
                        "MCL_FUTURE", table.mclFuture,
                        "MCL_ONFAULT", table.mclOnfault,
                        "MLOCK_ONFAULT", LinuxConstants.MLOCK_ONFAULT,
                        "MS_ASYNC", table.msAsync,
                        "MS_INVALIDATE", table.msInvalidate,
                        "MS_SYNC", table.msSync,
                        "RLIMIT_MEMLOCK", table.rlimitMemlock,
                        "MADV_POPULATE_READ", LinuxConstants.MADV_POPULATE_READ,
                        "MADV_POPULATE_WRITE", LinuxConstants.MADV_POPULATE_WRITE))
                .number("struct_size", "struct rlimit", 16)
                .number("struct_offset", "rlimit.rlim_max", 8)
                .functions(LinuxCalls.class);
    }

    @ParameterizedTest
    @CsvSource({"cc, -std=c89 -pedantic", "cc, -std=gnu11", "c++, -std=c++98", "c++, -std=c++17"})
    void theLinuxBackendAgreesWithTheHeaders(String compiler, String options) throws IOException {
        String[] standard = options.split(" ");
        assertEquals(
                List.of(),
                linux().findings(directory, compiler, "-D_GNU_SOURCE", standard[0], standard[standard.length - 1]));
    }

    /** glibc's limits have 4 bytes there, and its way to 8 bytes renames functions; the binding renames getrlimit likewise. */
    @Test
    void theHeadersOf32BitsShowWhyGetrlimitIsRenamed() throws IOException {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "c++ -m32 is for x86");
        assumeTrue(
                new HeaderCheck().findings(directory, "c++", "-m32").isEmpty(),
                "the compiler has no headers for 32 bits; install gcc-multilib");
        List<String> narrow = linux().findings(directory, "c++", "-m32", "-D_GNU_SOURCE");
        assertEquals(2, narrow.size(), narrow.toString());
        assertTrue(narrow.get(0).contains("struct_size_struct_rlimit_is_not_16"), narrow.get(0));
        assertTrue(narrow.get(1).contains("struct_offset_rlimit_rlim_max_is_not_8"), narrow.get(1));
        assertEquals(
                List.of("the binding looks up open for open, the headers ask for open64"),
                linux().renaming("getrlimit", "getrlimit64")
                        .findings(directory, "c++", "-m32", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cc", "c++"})
    void eachWrongNumberIsFoundByItself(String compiler) throws IOException {
        List<String> findings = linux().number("const", "MCL_FUTURE", 1)
                .number("const", "AT_FDCWD", 100)
                .number("errno", "ECANCELED", 1125)
                .number("rlimit", "RLIM_INFINITY", Long.MAX_VALUE)
                .number("struct_size", "struct rlimit", 8)
                .number("struct_offset", "rlimit.rlim_max", 4)
                .number("const", "MC_LOCK", 2)
                .findings(directory, compiler, "-D_GNU_SOURCE");
        for (String name : List.of(
                "const_MCL_FUTURE_is_not_1",
                "const_AT_FDCWD_is_not_100",
                "errno_ECANCELED_is_not_1125",
                "rlimit_RLIM_INFINITY_is_not_0x7fffffffffffffff",
                "struct_size_struct_rlimit_is_not_8",
                "struct_offset_rlimit_rlim_max_is_not_4",
                "const_MC_LOCK_is_not_2")) {
            assertTrue(findings.stream().anyMatch(each -> each.contains(name)), name + " in " + findings);
        }
        assertEquals(7, findings.size(), findings.toString());
    }

    /** Each function with one mistake. */
    interface Wrong extends NativeCalls {
        int mlock(int addr, long len);

        int munlock(long addr, int len);

        int mlockall(long flags);

        long getpagesize();

        int mincore(long addr, long len, int vec);

        int mmap(long addr, long len, int prot, int flags, int fd, long offset);

        int pipe(long[] ends);

        int open(byte[] path, long flags);

        int msync(long addr, long len);

        int geteuid();
    }

    @Test
    void eachWrongPrototypeIsFoundByItself() throws IOException {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "pointers of 8 bytes");
        List<String> findings =
                new HeaderCheck().include("fcntl.h").functions(Wrong.class).findings(directory, CXX);
        for (String name : List.of(
                "mlock_argument_1_is_not_int",
                "munlock_argument_2_is_not_int",
                "mlockall_argument_1_is_not_long",
                "getpagesize_returns_not_long",
                "mincore_argument_3_is_not_int",
                "mmap_returns_not_int",
                "pipe_argument_1_is_not_long",
                "open_argument_2_is_not_long",
                "check_msync(msync)")) {
            assertTrue(findings.stream().anyMatch(each -> each.contains(name)), name + " in " + findings);
        }
        assertTrue(findings.stream().noneMatch(each -> each.contains("geteuid")), findings.toString());
    }

    /** By C alone, for systems without C++. */
    @Test
    void aCCompilerFindsArgumentsThatAreMissingAndResultsOfAnotherWidth() throws IOException {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "pointers of 8 bytes");
        List<String> findings =
                new HeaderCheck().include("fcntl.h").functions(Wrong.class).findings(directory, "cc", "-D_GNU_SOURCE");
        for (String name : List.of("getpagesize_returns_not_long", "mmap_returns_not_int", "(msync)(0, 0)")) {
            assertTrue(findings.stream().anyMatch(each -> each.contains(name)), name + " in " + findings);
        }
    }

    /** A system whose headers declare a function under one name and ask the library for another one, as NetBSD's do. */
    private HeaderCheck renamedSystem() throws IOException {
        Files.writeString(
                directory.resolve("other.h"),
                """
                #ifdef __cplusplus
                extern "C" {
                #endif
                int other_sync(void *, size_t, int) __asm__("__other_sync13");
                int other_lock(const void *, size_t);
                int other_sync_all(int);
                #ifdef __cplusplus
                }
                #endif
                """);
        return new HeaderCheck().include("other.h").functions(Other.class);
    }

    interface Other extends NativeCalls {
        int other_sync(long addr, long len, int flags);

        int other_lock(long addr, long len);

        int other_sync_all(int flags);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cc", "c++"})
    void aRenamedFunctionIsFoundUnlessTheBindingRenamesItToo(String compiler) throws IOException {
        assertEquals(
                List.of("the binding looks up other_sync for other_sync, the headers ask for __other_sync13"),
                renamedSystem().findings(directory, compiler, "-I."));
        assertEquals(
                List.of(),
                renamedSystem().renaming("other_sync", "__other_sync13").findings(directory, compiler, "-I."));
        assertEquals(
                List.of("the binding looks up __other_sync50 for other_sync, the headers ask for __other_sync13"),
                renamedSystem().renaming("other_sync", "__other_sync50").findings(directory, compiler, "-I."));
    }

    @Test
    void whatNmPrintsElsewhereIsUnderstood() throws IOException {
        HeaderCheck check = renamedSystem();
        assertEquals(List.of(), check.renamed(List.of("_other_lock", "_other_sync", "_other_sync_all")));
        assertEquals(List.of(), check.renamed(List.of("", "headers.o:", " U other_lock", "other_sync U 0 0", " U other_sync_all")));
        assertEquals(
                List.of("the binding looks up other_sync for other_sync, the headers ask for __other_sync13"),
                check.renamed(List.of(" U other_lock", " U __other_sync13", " U other_sync_all")));
    }
}
