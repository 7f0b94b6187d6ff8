// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Backends that the command does not carry. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "the other backend is the one for Linux under another name")
@Timeout(600)
class BackendPathTest {
    /** JNA knows no such system. */
    private static final String[] TOY = {"-Dos.name=Toy", "-Djna.prefix=" + Platform.RESOURCE_PREFIX};

    @TempDir
    Path temp;

    private Path jar;

    /** A small backend for a system of its own, Toy, over the C library of this Linux. */
    @BeforeEach
    void makeJar() throws IOException {
        Path source = temp.resolve("ToyProvider.java");
        Files.writeString(
                source,
                "package toy; import io.pagelock.spi.*; import java.util.Optional;\n"
                        + "public final class ToyProvider implements BackendProvider {\n"
                        + "  public String name() { return \"toy\"; }\n"
                        + "  public Optional<String> refusal(Host host) {\n"
                        + "    return host.osName().equals(\"Toy\") ? Optional.empty() : Optional.of(\"not Toy\"); }\n"
                        + "  public Backend open(Host host) {\n"
                        + "    return new io.pagelock.backend.linux.LinuxProvider().open(new Host(\"Linux\", \"6.1\","
                        + " host.arch(), host.bits())); }\n"
                        + "}\n");
        Path classes = Files.createDirectory(temp.resolve("classes"));
        assertEquals(
                0,
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-cp",
                                System.getProperty("java.class.path"),
                                "-d",
                                classes.toString(),
                                source.toString()));
        Path services = classes.resolve("META-INF/services/io.pagelock.spi.BackendProvider");
        Files.createDirectories(services.getParent());
        Files.writeString(services, "toy.ToyProvider\n");
        jar = Files.createDirectory(temp.resolve("jars")).resolve("toy.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (String name : List.of("toy/ToyProvider.class", "META-INF/services/io.pagelock.spi.BackendProvider")) {
                out.putNextEntry(new JarEntry(name));
                out.write(Files.readAllBytes(classes.resolve(name)));
                out.closeEntry();
            }
        }
    }

    private static void assertLocks(JsonObject doctor) {
        assertEquals("toy", doctor.get("backend").getAsString());
        assertEquals("done", doctor.getAsJsonObject("probe").get("result").getAsString());
    }

    @Test
    void aJarInTheDirectoryThatDoctorNamesIsFound() throws Exception {
        Path data = temp.resolve("data");
        JsonObject before;
        try (Pagelock.Running run =
                new Pagelock().with("XDG_DATA_HOME", data.toString()).start("doctor", "--json")) {
            before = run.expect(0).json();
            assertEquals("linux", before.get("backend").getAsString());
        }
        Path directory = Path.of(before.get("backendDirectory").getAsString());
        Files.createDirectories(directory);
        Files.copy(jar, directory.resolve("toy.jar"));
        try (Pagelock.Running run = new Pagelock()
                .with("XDG_DATA_HOME", data.toString())
                .jvmArguments(TOY)
                .start("doctor", "--json")) {
            assertLocks(run.expect(0).json());
        }
        try (Pagelock.Running run = new Pagelock()
                .with("XDG_DATA_HOME", data.toString())
                .jvmArguments(TOY)
                .start("hold", "--for", "1ms", jar)) {
            assertTrue(run.expect(0).out().contains("ready"), run::toString);
        }
    }

    @Test
    void theVariableNamesAnotherDirectory() throws Exception {
        try (Pagelock.Running run = new Pagelock()
                .with("PAGELOCK_BACKENDS", jar.getParent().toString())
                .jvmArguments(TOY)
                .start("doctor")) {
            assertTrue(run.expect(0).out().contains("further backends: jars in " + jar.getParent()), run::toString);
        }
    }

    @Test
    void theOptionTakesJarsDirectoriesOfJarsAndDirectoriesOfClasses() throws Exception {
        for (Path path : List.of(jar, jar.getParent(), temp.resolve("classes"))) {
            try (Pagelock.Running run =
                    new Pagelock().jvmArguments(TOY).start("doctor", "--json", "--backend-path", temp + ":" + path)) {
                assertLocks(run.expect(0).json());
            }
        }
    }

    @Test
    void aPathThatIsNotThereFails() throws Exception {
        try (Pagelock.Running run = new Pagelock().start("doctor", "--json", "--backend-path=/no/such.jar")) {
            assertEquals("NO_SUCH_FILE", run.expect(1).json().get("reason").getAsString());
            assertTrue(run.err().startsWith("pagelock: --backend-path: /no/such.jar: no such file"), run::toString);
        }
    }

    @Test
    void aDirectoryOfAUserIsNotUsedWhileEveryoneCanWriteToIt() throws Exception {
        Files.setPosixFilePermissions(jar.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
        try (Pagelock.Running run = new Pagelock()
                .with("PAGELOCK_BACKENDS", jar.getParent().toString())
                .start("doctor", "--json")) {
            List<String> names = new ArrayList<>();
            for (JsonElement each : run.expect(0).json().getAsJsonArray("candidates")) {
                names.add(each.getAsJsonObject().get("name").getAsString());
            }
            assertTrue(!names.contains("toy") && names.contains("linux"), names.toString());
            assertTrue(run.err().contains("because every user can write to it"), run::toString);
        }
    }

    @Test
    void theDirectoryFollowsTheConventionForUserData() {
        String[] none = {"doctor"};
        assertEquals(
                Optional.of(Path.of("/h/.local/share/pagelock/backends")),
                BackendPath.of(none, Map.of("XDG_DATA_HOME", "relative"), "/h").directory());
        assertEquals(
                Optional.of(Path.of("/d/pagelock/backends")),
                BackendPath.of(none, Map.of("XDG_DATA_HOME", "/d"), "/h").directory());
        assertEquals(Optional.empty(), BackendPath.of(none, Map.of(), "?").directory());
    }
}
