// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Under a security manager, which JVMs have up to 23, an application without any right asks for locks. */
@EnabledOnOs(OS.LINUX)
@EnabledForJreRange(max = JRE.JAVA_23, disabledReason = "JEP 486: no JVM from 24 on has a security manager")
class SecurityManagerTest {
    @TempDir
    private Path temporary;

    /** The application. Its own code has no right at all. */
    static final class Application {
        public static void main(String[] arguments) {
            System.out.println(
                    "remedy: " + String.join("; ", PageLocker.availability().remedies()));
            for (int i = 0; i < 2; i++) {
                try {
                    use(PageLocker.system());
                } catch (PageLockException e) {
                    System.out.println("refused " + e.reason().name() + " " + e.getMessage() + " remedy: "
                            + String.join("; ", e.remedies()));
                }
            }
        }

        private static void use(PageLocker locker) {
            for (int size : new int[] {100_000, 32 << 20}) {
                ByteBuffer buffer = ByteBuffer.allocateDirect(size);
                try (PageLock lock = locker.lock(buffer);
                        PageLock other =
                                locker.lockAsync(buffer).toCompletableFuture().join()) {
                    System.out.println("locked " + lock.isValid() + other.isValid() + " " + locker.pageStates(buffer));
                }
            }
            try (AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT)) {
                System.out.println("locked " + all.isValid());
            }
            locker.lock(MemoryRange.of(4096, 4096)).close();
        }
    }

    private String run(Predicate<String> granted) throws IOException {
        List<String> parts = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(each -> !each.matches(".*(mockito|byte-buddy|quicktheories).*"))
                .collect(Collectors.toList());
        StringBuilder policy = new StringBuilder();
        for (String part : parts) {
            if (!part.endsWith("test-classes") && granted.test(part)) {
                policy.append("grant codeBase \"file:")
                        .append(part)
                        .append(Files.isDirectory(Path.of(part)) ? "/-" : "")
                        .append("\" { permission java.security.AllPermission; };\n");
            }
        }
        // An empty file would be passed over, and the policy of the JVM taken.
        policy.append("grant codeBase \"file:/nothing\" { permission java.security.AllPermission; };\n");
        Path file = Files.writeString(temporary.resolve("policy"), policy);
        String output = Life.ROOT
                .jvm()
                .options("-Djava.security.manager", "-Djava.security.policy==" + file)
                .classPath(String.join(File.pathSeparator, parts))
                .run(Application.class)
                .succeeded();
        assertFalse(output.contains("\tat "), output);
        return output;
    }

    private static void assertRefused(String output) {
        String grant = "remedy: Grant java.security.AllPermission to the code bases of pagelock and JNA";
        String[] refusals = output.split("refused NOT_PERMITTED cannot lock memory: not permitted: ", -1);
        assertTrue(output.contains(grant), output);
        assertTrue(refusals.length == 3, output);
        for (int i = 1; i < 3; i++) {
            assertTrue(refusals[i].contains("the security manager of this JVM refuses what pagelock needs"), output);
            assertTrue(refusals[i].contains(grant), output);
        }
    }

    @Test
    void withoutAnyGrantTheRefusalNamesIt() throws IOException {
        assertRefused(run(part -> false));
    }

    @Test
    void withoutAGrantForJnaTheRefusalNamesIt() throws IOException {
        assertRefused(run(part -> !part.contains("jna")));
    }

    @Test
    void withoutAGrantForTheBackendTheRefusalNamesIt() throws IOException {
        assertRefused(run(part -> !part.endsWith("classes")));
    }

    @Test
    void withTheGrantOfTheRemedyEverythingWorksForAnApplicationWithoutRights() throws IOException {
        String output = run(part -> true);
        // Of 32 MiB, wherever it begins.
        assertTrue(output.matches("(?s).*\\b(819[23]) pages, \\1 locked, \\1 resident\n.*"), output);
        assertFalse(output.contains("false") || output.contains("unknown"), output);
        // Explaining a refusal reads /proc.
        assertTrue(output.contains("refused NOT_MAPPED"), output);
    }
}
