// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The published jars as bundles of a framework, where SPI Fly makes services visible. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class OsgiTest {
    private static final String FELIX = "org.apache.felix.framework-";
    private static final String EQUINOX = "org.eclipse.osgi-";

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {FELIX, EQUINOX})
    void aBundleThatImportsTheApiLocks(String framework) throws Exception {
        PathsTest.assertLocked(
                run(framework, "pagelock-core", "pagelock-backend-support", "pagelock-backend-linux"), false);
    }

    @ParameterizedTest
    @ValueSource(strings = {FELIX, EQUINOX})
    void withoutABackendTheReportSaysWhatToAdd(String framework) throws Exception {
        String output = run(framework, "pagelock-core", "pagelock-backend-support");
        assertFalse(output.startsWith("0\n"), output);
        assertTrue(output.contains("no backend is on the class or module path"), output);
    }

    private String run(String framework, String... ours) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(LockOnce.class.getName()));
        for (String each : List.of(
                "asm-9", "asm-tree-", "asm-analysis-", "asm-util-", "asm-commons-", "org.apache.aries.spifly")) {
            arguments.add(ofClassPath(each));
        }
        arguments.add(Jars.jna().toString());
        for (String each : ours) {
            arguments.add(Staged.jar(each).toString());
        }
        arguments.add(application().toString());
        return new ChildJvm()
                .classPath(ofClassPath(framework) + ":" + Jars.testClasses())
                .run(OsgiHost.class, arguments.toArray(new String[0]))
                .toString();
    }

    private static String ofClassPath(String name) {
        return Arrays.stream(System.getProperty("java.class.path").split(":"))
                .filter(each -> Path.of(each).getFileName().toString().startsWith(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not on the class path"));
    }

    private Path application() throws Exception {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Bundle-ManifestVersion", "2");
        main.putValue("Bundle-SymbolicName", "org.example.application");
        main.putValue("Import-Package", "io.pagelock");
        Path jar = directory.resolve("application.jar");
        String name = LockOnce.class.getName().replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            out.putNextEntry(new ZipEntry(name));
            out.write(Files.readAllBytes(Jars.testClasses().resolve(name)));
        }
        return jar;
    }
}
