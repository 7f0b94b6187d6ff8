// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Under a security manager, which JVMs have up to 23, an application that may read some files asks for these and for others. */
@EnabledOnOs(OS.LINUX)
@EnabledForJreRange(max = JRE.JAVA_23, disabledReason = "JEP 486: no JVM from 24 on has a security manager")
class SecurityManagerTest {
    @TempDir
    private Path directory;

    /** The application. The policy lets its own code read one directory. */
    static final class Application {
        public static void main(String[] arguments) throws Exception {
            FileLocker locker = FileLocker.system();
            for (String each : arguments) {
                FileSelection files = FileSelection.of(Paths.get(each)).oneFileSystem();
                try (HeldFiles held = locker.lock(files, FileLockOptions.required())) {
                    System.out.println(held.files().size() + " locked " + held.isComplete() + held.check());
                } catch (SecurityException e) {
                    System.out.println("refused");
                }
                try (HeldFiles held =
                        locker.lockAsync(files, FileLockOptions.required()).get()) {
                    System.out.println(held.files().size() + " locked " + held.isComplete() + held.check());
                } catch (ExecutionException e) {
                    System.out.println("refused " + (e.getCause() instanceof SecurityException));
                }
            }
        }
    }

    @Test
    void anApplicationLocksTheFilesThatItMayReadAndNoOthers() throws IOException {
        Path open = Files.createDirectory(directory.resolve("open"));
        // More than one thread looks at.
        for (int i = 0; i < 40; i++) {
            Files.write(open.resolve("" + i), new byte[1]);
        }
        Path secret = Files.createDirectory(directory.resolve("secret"));
        Files.write(secret.resolve("file"), new byte[1]);
        StringBuilder policy = new StringBuilder();
        for (String part : System.getProperty("java.class.path").split(File.pathSeparator)) {
            boolean isApplication = part.endsWith("test-classes");
            policy.append("grant codeBase \"file:")
                    .append(part)
                    .append(Files.isDirectory(Paths.get(part)) ? "/-\" { " : "\" { ")
                    .append(
                            isApplication
                                    ? read(open) + read(open.resolve("-"))
                                    : "permission java.security.AllPermission;")
                    .append(" };\n");
        }
        Path file = Files.write(directory.resolve("policy"), policy.toString().getBytes(StandardCharsets.UTF_8));
        assertEquals(
                "40 locked true[]\n40 locked true[]\nrefused\nrefused true\nrefused\nrefused true\n",
                new ChildJvm()
                        .options("-Djava.security.manager", "-Djava.security.policy==" + file)
                        .run(Application.class, open.toString(), secret.toString(), secret.resolve("file") + "")
                        .output()
                        .replaceAll("WARNING: .*\n", ""));
    }

    private static String read(Path path) {
        return "permission java.io.FilePermission \"" + path + "\", \"read\"; ";
    }
}
