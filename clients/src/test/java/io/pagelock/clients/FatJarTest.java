// SPDX-License-Identifier: Apache-2.0
package io.pagelock.clients;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.loader.launch.JarLauncher;

/** A program in the layout of Spring Boot's executable jars: pagelock, its backends and JNA are jars within the jar. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class FatJarTest {
    /** The application. */
    public static final class Application {
        private Application() {}

        public static void main(String[] args) throws IOException {
            try (PageLock lock = PageLocker.system().lock(ByteBuffer.allocateDirect(64 * 1024));
                    Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                System.out.println("loaded by "
                        + PageLocker.class.getClassLoader().getClass().getName());
                System.out.println("locked " + lock.isValid() + ", by the kernel "
                        + lines.filter(line -> line.startsWith("VmLck:"))
                                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                                .sum());
            }
        }
    }

    private static void store(JarOutputStream jar, String name, byte[] bytes) throws IOException {
        JarEntry entry = new JarEntry(name);
        // The loader reads nested jars in place.
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.length);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        entry.setCrc(crc.getValue());
        jar.putNextEntry(entry);
        jar.write(bytes);
        jar.closeEntry();
    }

    /** What stands on the class path, which is a directory where this build has not made the jar yet. */
    private static byte[] jar(Path entry) throws IOException {
        if (!Files.isDirectory(entry)) {
            return Files.readAllBytes(entry);
        }
        java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(bytes);
                Stream<Path> files = Files.walk(entry)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                store(jar, entry.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return bytes.toByteArray();
    }

    private static Path build(Path target) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, JarLauncher.class.getName());
        main.putValue("Start-Class", Application.class.getName());
        main.putValue("Spring-Boot-Classes", "BOOT-INF/classes/");
        main.putValue("Spring-Boot-Lib", "BOOT-INF/lib/");
        main.putValue("Enable-Native-Access", "ALL-UNNAMED");
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(target), manifest)) {
            for (String folder : new String[] {"BOOT-INF/", "BOOT-INF/classes/", "BOOT-INF/lib/"}) {
                store(jar, folder, new byte[0]);
            }
            String name = Application.class.getName().replace('.', '/') + ".class";
            try (var in = FatJarTest.class.getClassLoader().getResourceAsStream(name)) {
                store(jar, "BOOT-INF/classes/" + name, in.readAllBytes());
            }
            int number = 0;
            for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
                Path entry = Path.of(each);
                String file = entry.getFileName().toString();
                if (file.startsWith("spring-boot-loader-")) {
                    copy(entry, jar);
                } else if (file.startsWith("jna-")
                        || each.matches(".*/(core|backend-[a-z]+)/target/.*")
                                && !each.contains("testkit")
                                && !file.equals("test-classes")) {
                    store(jar, "BOOT-INF/lib/" + number++ + ".jar", jar(entry));
                }
            }
        }
        return target;
    }

    private static void copy(Path from, JarOutputStream to) throws IOException {
        try (JarFile loader = new JarFile(from.toFile())) {
            for (Enumeration<JarEntry> all = loader.entries(); all.hasMoreElements(); ) {
                JarEntry each = all.nextElement();
                if (each.getName().endsWith(".class") && !each.getName().startsWith("META-INF/versions")) {
                    store(to, each.getName(), loader.getInputStream(each).readAllBytes());
                }
            }
        }
    }

    @Test
    void aLibraryInsideTheJarLocks(@TempDir Path directory) throws IOException {
        Path jar = build(directory.resolve("application.jar"));
        String output =
                new ChildJvm().classPath("").options("-jar").run(jar.toString()).succeeded();
        assertTrue(output.contains("loaded by org.springframework.boot.loader."), output);
        assertTrue(output.matches("(?s).*locked true, by the kernel (64|68)\n"), output);
    }
}
