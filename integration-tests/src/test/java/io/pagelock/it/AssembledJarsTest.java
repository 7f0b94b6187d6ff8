// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AssembledJarsTest {
    private static final int JAVA_8 = 52;
    private static final int JAVA_9 = 53;

    static List<Path> ours() {
        return Jars.ours();
    }

    @Test
    void everyPublishedModuleIsHere() {
        List<String> names = new ArrayList<>();
        for (Path jar : Jars.ours()) {
            names.add(jar.getFileName().toString().replaceFirst("-\\d.*", ""));
        }
        assertTrue(
                names.containsAll(List.of(
                        "pagelock",
                        "pagelock-core",
                        "pagelock-backend-support",
                        "pagelock-backend-linux",
                        "pagelock-backend-testkit",
                        "pagelock-secrets",
                        "pagelock-cli")),
                names.toString());
    }

    @ParameterizedTest
    @MethodSource("ours")
    void classFilesAreForJava8AndTheDescriptorForJava9(Path jar) throws IOException {
        int classes = 0;
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                if (!entry.getName().endsWith(".class")) {
                    continue;
                }
                try (DataInputStream in = new DataInputStream(file.getInputStream(entry))) {
                    assertEquals(0xcafebabe, in.readInt());
                    in.readUnsignedShort();
                    int expected = entry.getName().equals("module-info.class") ? JAVA_9 : JAVA_8;
                    assertEquals(expected, in.readUnsignedShort(), entry.getName());
                }
                classes++;
            }
            assertNotNull(file.getEntry("module-info.class"), jar + " is no named module");
            assertNotNull(file.getEntry("META-INF/LICENSE"), jar + " has no licence");
        }
        // The artifact of applications only brings others.
        boolean brings = jar.getFileName().toString().matches("pagelock-\\d.*");
        assertEquals(!brings, classes > 1, jar + " has classes");
    }

    /** What a program's class loaders find in it is one class, which uses the JDK alone. */
    @Test
    void theAgentShowsItsEntryAndCarriesTheRest() throws IOException {
        List<String> shown = new ArrayList<>();
        Set<String> carried = new TreeSet<>();
        try (JarFile file = new JarFile(Jars.agent().toFile())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                String name = entry.getName();
                if (entry.isDirectory()) {
                    continue;
                }
                if (name.startsWith("META-INF/pagelock-agent/")) {
                    carried.add(name.split("/")[2].replaceFirst("-\\d.*", ""));
                    assertFalse(name.endsWith("module-info.class"), name);
                } else if (!name.startsWith("META-INF/maven/") && !name.endsWith("/package-info.class")) {
                    shown.add(name);
                }
                if (name.endsWith(".class") && !name.contains("/pagelock-binding-foreign-")) {
                    try (DataInputStream in = new DataInputStream(file.getInputStream(entry))) {
                        in.readInt();
                        in.readUnsignedShort();
                        int version = in.readUnsignedShort();
                        assertTrue(version <= JAVA_8, name + " is of version " + version);
                    }
                }
            }
        }
        Collections.sort(shown);
        assertEquals(List.of("META-INF/LICENSE", "META-INF/MANIFEST.MF", "io/pagelock/agent/Agent.class"), shown);
        assertTrue(
                carried.containsAll(List.of(
                        "jna-jpms", "pagelock-backend-freebsd", "pagelock-backend-linux", "pagelock-core", "worker")),
                carried.toString());
        assertEquals(Runtime.version().feature() >= 22, carried.contains("pagelock-binding-foreign"));
    }

    @ParameterizedTest
    @MethodSource("ours")
    void servicesFilesAndDescriptorAgree(Path jar) throws IOException {
        ModuleDescriptor descriptor =
                ModuleFinder.of(jar).findAll().iterator().next().descriptor();
        assertFalse(descriptor.isAutomatic(), jar.toString());
        Map<String, Set<String>> declared = new HashMap<>();
        for (ModuleDescriptor.Provides provides : descriptor.provides()) {
            declared.put(provides.service(), new TreeSet<>(provides.providers()));
        }
        Map<String, Set<String>> listed = new HashMap<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                String name = entry.getName();
                if (entry.isDirectory() || !name.startsWith("META-INF/services/")) {
                    continue;
                }
                Set<String> providers = new TreeSet<>();
                new String(file.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8)
                        .lines()
                        .map(line -> line.replaceFirst("#.*", "").trim())
                        .filter(line -> !line.isEmpty())
                        .forEach(providers::add);
                listed.put(name.substring("META-INF/services/".length()), providers);
            }
        }
        assertEquals(declared, listed);
        boolean isBackend = jar.getFileName().toString().matches("pagelock-backend-(?!support|testkit).*");
        assertEquals(isBackend, declared.containsKey("io.pagelock.spi.BackendProvider"), jar.toString());
    }

    @ParameterizedTest
    @MethodSource("ours")
    void theManifestTellsNothingOfTheBuilder(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            file.getManifest().getMainAttributes().forEach((key, value) -> {
                assertFalse(key.toString().matches("Built-By|Build-Jdk.*|Os-.*"), key + ": " + value);
                assertFalse(value.toString().contains(System.getProperty("user.home")), key + ": " + value);
            });
        }
    }

    @Test
    void theCoreExportsTheApiTheSpiAndTheEnginesFactoryOnly() {
        Path core = Jars.ours().stream()
                .filter(jar -> jar.getFileName().toString().startsWith("pagelock-core-"))
                .findFirst()
                .orElseThrow();
        ModuleDescriptor descriptor =
                ModuleFinder.of(core).findAll().iterator().next().descriptor();
        Set<String> exported = new TreeSet<>();
        descriptor.exports().forEach(exports -> exported.add(exports.source()));
        assertEquals(Set.of("io.pagelock", "io.pagelock.engine", "io.pagelock.spi"), exported);
        Set<String> required = new TreeSet<>();
        // Of annotations, the names alone are in the jar: they need not be there when it runs.
        descriptor.requires().stream()
                .filter(requires -> !requires.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .forEach(requires -> required.add(requires.name()));
        required.removeIf(name -> name.startsWith("java.") || name.startsWith("jdk."));
        assertEquals(Set.of(), required);
    }
}
