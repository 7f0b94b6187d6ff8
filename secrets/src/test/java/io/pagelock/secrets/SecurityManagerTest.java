// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Under a security manager, which JVMs have up to 23, an application without any right keeps secrets. */
@EnabledOnOs(OS.LINUX)
@EnabledForJreRange(max = JRE.JAVA_23, disabledReason = "JEP 486: no JVM from 24 on has a security manager")
class SecurityManagerTest {
    @TempDir
    private Path directory;

    /** The application. Its own code has no right at all. */
    static final class Application {
        public static void main(String[] arguments) {
            try (SecretPool pool =
                    SecretPool.builder().require(Protection.WIPED_AT_EXIT).build()) {
                Secret secret = pool.allocate(3);
                secret.write(new byte[] {1, 2, 3});
                System.out.println(secret.get(2) + " " + secret.kept(Protection.WIPED_AT_EXIT));
                secret.close();
            }
        }
    }

    @Test
    void anApplicationWithoutRightsKeepsSecrets() throws IOException {
        StringBuilder policy = new StringBuilder();
        for (String part : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!part.endsWith("test-classes")) {
                policy.append("grant codeBase \"file:")
                        .append(part)
                        .append(Files.isDirectory(Path.of(part)) ? "/-" : "")
                        .append("\" { permission java.security.AllPermission; };\n");
            }
        }
        Path file = Files.write(directory.resolve("policy"), policy.toString().getBytes(StandardCharsets.UTF_8));
        assertEquals(
                "3 YES\n",
                new ChildJvm()
                        .options("-Djava.security.manager", "-Djava.security.policy==" + file)
                        .run(Application.class)
                        .output()
                        .replaceAll("WARNING: .*\n", ""));
    }
}
