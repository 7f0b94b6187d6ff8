// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The assembled jars lock memory on the class path and on the module path; the kernel's VmLck is the witness. */
class PathsTest {
    static void assertLocked(String output, boolean named) {
        assertTrue(output.startsWith("0\n"), output);
        long before = number(output, "before ");
        assertTrue(number(output, "during ") >= before + 64, output);
        assertTrue(number(output, "after ") == before, output);
        assertTrue(output.contains("core is named: " + named), output);
        assertTrue(output.contains("backend linux"), output);
    }

    private static long number(String output, String label) {
        int start = output.indexOf(label);
        assertTrue(start >= 0, output);
        return Long.parseLong(output.substring(start + label.length()).split("\\D", 2)[0]);
    }

    @Test
    void onTheClassPath() throws Exception {
        assertLocked(Jars.application().run(LockOnce.class).toString(), false);
    }

    /** An application that requires nothing but the API; the backend is bound as a service. */
    @Test
    void onTheModulePath(@TempDir Path directory) throws Exception {
        Path source = directory.resolve("src/io/pagelock/it/LockOnce.java");
        Files.createDirectories(source.getParent());
        Files.copy(Path.of("src/test/java").resolve(LockOnce.class.getName().replace('.', '/') + ".java"), source);
        Path descriptor = directory.resolve("src/module-info.java");
        Files.writeString(descriptor, "module application { requires io.pagelock; }");
        Path classes = directory.resolve("classes");
        String jars = Jars.path(Jars.ofLinuxApplication());
        int status = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-p", jars, "-d", classes.toString(), descriptor.toString(), source.toString());
        assertTrue(status == 0, "compiling the application failed");
        ChildJvm jvm = new ChildJvm().classPath("").options("-p", jars + ":" + classes);
        assertLocked(jvm.run("-m", "application/" + LockOnce.class.getName()).toString(), true);
    }

    @Test
    void withoutABackendTheReportSaysWhatToAdd() throws Exception {
        List<Path> path = new ArrayList<>(Jars.ofLinuxApplication());
        path.removeIf(jar -> jar.toString().contains("backend-linux"));
        String output = Jars.jvm(path).run(LockOnce.class).toString();
        assertTrue(output.startsWith("1\n"), output);
        assertTrue(output.contains("no backend is on the class or module path"), output);
        assertTrue(output.contains("pagelock-backend-"), output);
    }

    @Test
    void thePropertyForcesNoOtherSystem() throws Exception {
        String output = Jars.application()
                .options("-Dio.pagelock.backend=solaris")
                .run(LockOnce.class)
                .toString();
        assertTrue(output.startsWith("1\n"), output);
        assertTrue(output.contains("'solaris'"), output);
    }

    @Test
    void anotherSystemIsRefusedByName() throws Exception {
        String output = Jars.application()
                .options("-Dos.name=Plan 9")
                .run(LockOnce.class)
                .toString();
        assertTrue(output.startsWith("1\n"), output);
        assertTrue(output.contains("no backend for this system (Plan 9"), output);
    }
}
