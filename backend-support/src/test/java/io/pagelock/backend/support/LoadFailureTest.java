// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The words of JNA and of dynamic linkers, and what is to be done. The same in real child JVMs: NativeLoadingTest. */
class LoadFailureTest {
    private static final Host HOST = new Host("Linux", "6.1.0", "amd64", 64);

    private static Throwable link(String message) {
        return new UnsatisfiedLinkError(message);
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                // glibc, a directory mounted noexec
                Arguments.of(
                        link("/tmp/n/jna1.tmp: /tmp/n/jna1.tmp: failed to map segment from shared object"), "noexec"),
                // musl, the same
                Arguments.of(link("Error loading shared library /tmp/n/jna1.tmp: Operation not permitted"), "noexec"),
                Arguments.of(link("JNA temporary directory '/ro' is not writable"), "-Djna.tmpdir="),
                Arguments.of(
                        link("Native library (com/sun/jna/linux-foo/libjnidispatch.so) not found in resource path (x)"),
                        "no native library for amd64"),
                Arguments.of(link("Could not find JNA native support"), "-Djna.nounpack=true"),
                Arguments.of(link("Unable to locate JNA native support library"), "-Djna.noclasspath"),
                Arguments.of(
                        link("/t/jna1.tmp: /t/jna1.tmp: cannot open shared object file: No such file or directory"
                                + " (Possible cause: can't load AARCH64 .so on a AMD 64 platform)"),
                        "another processor than amd64"),
                Arguments.of(link("/t/x.so: wrong ELF class: ELFCLASS64"), "another processor than amd64"),
                Arguments.of(
                        new Error("\n\nThere is an incompatible JNA native library installed on this system\n"
                                + "Expected: 7.0.4\nFound:    6.1.6\n"),
                        "Another version"),
                Arguments.of(
                        new ExceptionInInitializerError(
                                new IllegalStateException("Illegal native access from an unnamed module (file:/x)")),
                        "--enable-native-access"),
                Arguments.of(new NoClassDefFoundError("com/sun/jna/NativeLibrary"), "net.java.dev.jna:jna"),
                Arguments.of(new NoClassDefFoundError("Could not initialize class com.sun.jna.Native"), "first error"),
                Arguments.of(new NoSuchMethodError("com.sun.jna.Native.x()V"), "one jna jar"),
                Arguments.of(link("something new"), "-Djna.debug_load.jna=true"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void causeIsSaidWithWhatToDo(Throwable thrown, String remedy) {
        PageLockException explained = LoadFailure.explain(thrown, HOST);
        assertEquals(Reason.NOT_SUPPORTED, explained.reason());
        assertTrue(explained.remedies().toString().contains(remedy), explained.remedies()::toString);
        assertSame(thrown, explained.getCause());
        assertTrue(explained.detail().contains("Linux 6.1.0, amd64"), explained.detail());
        assertFalse(explained.detail().contains("\n"), explained.detail());
        assertFalse(explained.detail().endsWith("null"), explained.detail());
    }

    @ParameterizedTest
    @CsvSource({
        "NetBSD, 10.0, amd64, netbsd-x86-64, The jna jar has no native library for NetBSD: install JNA from the"
                + " packages",
        "HP-UX, B.11.31, IA64W, hp-ux-ia64w, The jna jar has no native library for HP-UX: install JNA from the"
                + " packages",
        "IRIX64, 6.5, mips, irix64-mips, The jna jar has no native library for IRIX64: install JNA from the packages",
        "OpenBSD, 7.6, amd64, openbsd-x86-64, The jna jar in use has no native library for amd64 (a shaded"
    })
    void aSystemThatTheJarHasNothingForIsNamed(String os, String release, String arch, String prefix, String remedy) {
        Throwable thrown =
                link("Native library (com/sun/jna/" + prefix + "/libjnidispatch.so) not found in resource path (x)");
        PageLockException explained = LoadFailure.explain(thrown, new Host(os, release, arch, 64));
        assertTrue(explained.remedies().get(0).startsWith(remedy), explained.remedies()::toString);
    }

    @Test
    void innermostCauseIsTold() {
        PageLockException explained =
                LoadFailure.explain(new ExceptionInInitializerError(new RuntimeException("why")), HOST);
        assertTrue(explained.detail().endsWith("why"), explained.detail());
    }
}
