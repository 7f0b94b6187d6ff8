// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LinuxProviderTest {
    private static Host host(String name, String arch, int bits) {
        return new Host(name, "6.1.0", arch, bits);
    }

    @Test
    void serviceLoaderFindsIt() {
        assertTrue(ServiceLoader.load(BackendProvider.class).stream()
                .anyMatch(each -> each.type() == LinuxProvider.class));
    }

    @ParameterizedTest
    @CsvSource({"amd64, 64", "i386, 32", "arm, 32", "s390x, 64", "ppc64, 64"})
    void linuxOnAKnownProcessorIsAccepted(String arch, int bits) {
        assertEquals(Optional.empty(), new LinuxProvider().refusal(host("Linux", arch, bits)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"FreeBSD", "SunOS", "HP-UX", "Irix", "Mac OS X", "Windows 11", "", "GNU/Linux"})
    void anotherSystemIsRefusedByName(String name) {
        assertEquals(
                Optional.of("os.name is " + name + ", not Linux"),
                new LinuxProvider().refusal(host(name, "amd64", 64)));
    }

    @Test
    void anotherProcessorIsRefusedWithTheKnownOnes() {
        String refusal = new LinuxProvider().refusal(host("Linux", "ia64", 64)).orElse("");
        assertTrue(refusal.startsWith("os.arch is ia64, for which no constants are known"), refusal);
        assertTrue(refusal.contains("aarch64"), refusal);
        PageLockException thrown =
                assertThrows(PageLockException.class, () -> new LinuxProvider().open(host("Linux", "ia64", 64)));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
        assertTrue(thrown.getMessage().contains("ia64"), thrown.getMessage());
    }

    @Test
    void systemsAreComparedInNoLanguage() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("tr"));
            assertEquals(Optional.empty(), new LinuxProvider().refusal(host("LINUX", "amd64", 64)));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void anotherWidthThanTheJvmsIsRefused() {
        int other = 96 - Host.current().bits();
        PageLockException thrown = assertThrows(
                PageLockException.class,
                () -> new LinuxProvider().open(host("Linux", Host.current().arch(), other)));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
        assertTrue(thrown.detail().contains(other + " for the JVM"), thrown.detail());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void nothingNativeIsTouchedBeforeOpen() {
        Life.ROOT
                .jvm()
                .options("--add-opens=java.base/java.lang=ALL-UNNAMED")
                .run(Refusing.class)
                .succeeded();
    }

    /** A refusal must not load JNA, which may not work here. */
    static final class Refusing {
        public static void main(String[] arguments) throws Exception {
            new LinuxProvider().refusal(host("Linux", "ia64", 64));
            assertEquals(Optional.empty(), new LinuxProvider().refusal(Host.current()));
            java.lang.reflect.Method loaded = ClassLoader.class.getDeclaredMethod("findLoadedClass", String.class);
            loaded.setAccessible(true);
            assertEquals(null, loaded.invoke(Refusing.class.getClassLoader(), "com.sun.jna.Native"));
            new LinuxProvider().open(Host.current());
            assertInstanceOf(Class.class, loaded.invoke(Refusing.class.getClassLoader(), "com.sun.jna.Native"));
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void lockerOfThisSystemIsThisBackends() {
        assertEquals("linux", PageLocker.system().backendInfo().name());
    }
}
