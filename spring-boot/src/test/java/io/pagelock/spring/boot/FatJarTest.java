// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.spring.boot.app.TestApplication;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringBootVersion;

/**
 * An application as users run it: a jar with jars in it, started by Boot's launcher in a JVM of its own, and asked over HTTP. It is
 * laid out as Boot's Maven plugin does, of the class path of this module.
 */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
@EnabledOnOs(value = OS.LINUX, disabledReason = "the witness is /proc")
class FatJarTest {
    /** Libraries of tests, which no application has. */
    private static final String OF_TESTS =
            "(junit|mockito|byte-buddy|objenesis|opentest4j|apiguardian|quicktheories|assertj|surefire|spring-boot-test|"
                    + "spring-test|pagelock-backend-testkit).*";

    @Test
    void theApplicationAnswersForItsLock(@TempDir Path directory) throws Exception {
        Path jar = fatJar(directory);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of(
                // Starts in half the time.
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dspring.main.lazy-initialization=true",
                "-jar",
                jar.toString(),
                "--server.port=0",
                "--server.address=127.0.0.1",
                "--management.endpoint.health.show-details=always",
                "--management.endpoints.web.exposure.include=health,metrics,pagelock"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String port = port(out);

            String health = get(port, "health/pagelock");
            assertTrue(health.contains("\"status\":\"UP\""), health);
            assertTrue(number(health, "systemLockedBytes") >= 1 << 20, health);
            assertTrue(vmLck(process.pid()) >= 1 << 20, "VmLck of the application");

            String doctor = get(port, "pagelock");
            assertTrue(doctor.contains("\"backend\":\"linux\""), doctor);
            assertTrue(doctor.contains("\"result\":\"done\""), doctor);
            assertTrue(doctor.contains("\"policy\":\"REQUIRED\""), doctor);

            String metric = get(port, "metrics/pagelock.locked");
            assertTrue(metric.contains("\"baseUnit\":\"bytes\""), metric);
            Matcher value = Pattern.compile("\"value\":([0-9.E]+)").matcher(metric);
            assertTrue(value.find() && Double.parseDouble(value.group(1)) >= 1 << 20, metric);
        } finally {
            process.getOutputStream().close();
            process.waitFor();
        }
        assertEquals(0, process.exitValue());
    }

    /** Waits for as long as the application goes on. */
    private static String port(BufferedReader out) throws IOException {
        StringBuilder printed = new StringBuilder();
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("port ")) {
                return line.substring("port ".length());
            }
            printed.append(line).append('\n');
        }
        throw new AssertionError("the application ended:\n" + printed);
    }

    private static String get(String port, String path) throws IOException, InterruptedException {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/actuator/" + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        return response.body();
    }

    private static long number(String json, String key) {
        Matcher found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(json);
        assertTrue(found.find(), json);
        return Long.parseLong(found.group(1));
    }

    private static long vmLck(long pid) throws IOException {
        Matcher found =
                Pattern.compile("VmLck:\\s+(\\d+) kB").matcher(Files.readString(Path.of("/proc/" + pid + "/status")));
        assertTrue(found.find());
        return Long.parseLong(found.group(1)) * 1024;
    }

    private static Path fatJar(Path directory) throws Exception {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Path jar = directory.resolve("application.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes()
                .put(Attributes.Name.MAIN_CLASS, "org.springframework.boot.loader.launch.JarLauncher");
        manifest.getMainAttributes().putValue("Start-Class", TestApplication.class.getName());
        manifest.getMainAttributes().putValue("Spring-Boot-Classes", "BOOT-INF/classes/");
        manifest.getMainAttributes().putValue("Spring-Boot-Lib", "BOOT-INF/lib/");
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream out = new ZipOutputStream(file)) {
            out.putNextEntry(new ZipEntry(JarFile.MANIFEST_NAME));
            manifest.write(out);
            // The launcher looks for the directory.
            out.putNextEntry(new ZipEntry("BOOT-INF/classes/"));
            int number = 0;
            for (String each : path.split(":")) {
                Path entry = Path.of(each);
                String name = entry.getFileName().toString();
                if (name.startsWith("spring-boot-loader-")) {
                    copyLoader(entry, out);
                } else if (name.equals("test-classes")) {
                    addTree(entry, TestApplication.class.getPackageName().replace('.', '/'), "BOOT-INF/classes/", out);
                } else if (isOfApplication(entry)) {
                    byte[] library = Files.isDirectory(entry) ? jarOf(entry) : Files.readAllBytes(entry);
                    String as = Files.isDirectory(entry) ? "pagelock-" + ++number + ".jar" : name;
                    store("BOOT-INF/lib/" + as, library, out);
                }
            }
        }
        return jar;
    }

    private static boolean isOfApplication(Path entry) {
        String name = entry.getFileName().toString();
        // In Boot 3, the health of Boot 4 is there to compile against.
        boolean isOther = name.startsWith("spring-boot-health-")
                && SpringBootVersion.getVersion().startsWith("3.");
        return !isOther && !name.matches(OF_TESTS) && !entry.toString().contains("backend-testkit");
    }

    private static void copyLoader(Path loader, ZipOutputStream out) throws IOException {
        try (JarFile jar = new JarFile(loader.toFile())) {
            for (var entry : (Iterable<java.util.jar.JarEntry>) jar.stream()::iterator) {
                if (entry.getName().startsWith("org/springframework/")
                        || entry.getName().startsWith("META-INF/services/")) {
                    out.putNextEntry(new ZipEntry(entry.getName()));
                    out.write(jar.getInputStream(entry).readAllBytes());
                }
            }
        }
    }

    private static byte[] jarOf(Path classes) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            addTree(classes, "", "", out);
        }
        return bytes.toByteArray();
    }

    private static void addTree(Path root, String under, String to, ZipOutputStream out) throws IOException {
        try (Stream<Path> files = Files.walk(root.resolve(under))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                out.putNextEntry(new ZipEntry(to + root.relativize(file)));
                Files.copy(file, out);
            }
        }
    }

    /** Boot reads jars in a jar only where they are not compressed again. */
    private static void store(String name, byte[] content, ZipOutputStream out) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 sum = new CRC32();
        sum.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(sum.getValue());
        out.putNextEntry(entry);
        out.write(content);
    }
}
