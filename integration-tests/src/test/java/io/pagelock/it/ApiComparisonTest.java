// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** The profile that {@code -Dpagelock.released=VERSION} switches on, over the staged repository and changed copies of core in it. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class ApiComparisonTest {
    private static final String API = "com.github.siom79.japicmp:japicmp-maven-plugin:cmp@api";
    private static final String SPI = "com.github.siom79.japicmp:japicmp-maven-plugin:cmp@spi";
    private static final String LOCKER = "io/pagelock/PageLocker.class";
    private static final String BACKEND = "io/pagelock/spi/Backend.class";

    @TempDir
    static Path directory;

    private static OutsideMaven maven;

    @BeforeAll
    static void publishBothVersions() throws Exception {
        Path repository = directory.resolve("repository");
        OutsideMaven.copy(
                Staged.repository().resolve("io/pagelock"),
                Files.createDirectories(repository.resolve("io")).resolve("pagelock"));
        maven = new OutsideMaven(directory, repository, Staged.version());
        // What the modules of this build depend on, since no other goal makes it.
        String snapshot = OutsideMaven.first(
                Files.readString(OutsideMaven.ROOT.resolve("pom.xml")),
                "<artifactId>pagelock-parent</artifactId>\\s*<version>([^<]+)");
        Files.copy(OutsideMaven.ROOT.resolve("pom.xml"), published("pagelock-parent", snapshot, ".pom"));
        for (Path module : libraries()) {
            String artifact = artifact(module);
            Files.copy(module.resolve("pom.xml"), published(artifact, snapshot, ".pom"));
            Files.copy(
                    module.resolve("target").resolve(artifact + "-" + snapshot + ".jar"),
                    published(artifact, snapshot, ".jar"));
        }
    }

    @Test
    void everyLibraryHasTheApiThatWasStagedOfIt() throws Exception {
        List<Path> libraries = libraries();
        List<String> names = new ArrayList<>();
        for (Path each : libraries) {
            names.add(":" + artifact(each));
            Files.deleteIfExists(report(each, "api"));
            Files.deleteIfExists(report(each, "spi"));
        }
        maven.run(
                OutsideMaven.ROOT, "-pl", String.join(",", names), "-Dpagelock.released=" + Staged.version(), API, SPI);
        assertTrue(libraries.size() > 10, names.toString());
        for (Path each : libraries) {
            // 0.0.0 where there was no class to compare; the artifact pagelock has none.
            boolean empty = each.endsWith("all");
            String same = "\nNo changes.\nSemantic versioning suggestion: " + (empty ? "0.0.0" : "0.0.1");
            String api = Files.readString(report(each, "api"));
            assertTrue(api.endsWith(same), api);
            String spi = Files.readString(report(each, "spi"));
            assertTrue(spi.contains("\nNo changes.\n"), spi);
        }
    }

    @Test
    void aMethodThatIsGoneFails() throws Exception {
        release("0.0.1", LOCKER, with("goneSince"));
        assertTrue(fails("0.0.1", API).contains("io.pagelock.PageLocker.goneSince():METHOD_REMOVED"));
        release("0.0.2", BACKEND, with("goneSince"));
        assertTrue(fails("0.0.2", SPI).contains("io.pagelock.spi.Backend.goneSince():METHOD_REMOVED"));
    }

    /** Only this library implements PageLocker, while others implement Backend. */
    @Test
    void anAbstractMethodMayBeAddedWhereOthersImplementNothing() throws Exception {
        release("0.0.3", LOCKER, without("statistics"));
        compare("0.0.3", API).succeeded();
        assertTrue(Files.readString(report(OutsideMaven.ROOT.resolve("core"), "api"))
                .contains("statistics()"));
        release("0.0.4", BACKEND, without("remedies"));
        assertTrue(fails("0.0.4", SPI).contains("METHOD_ADDED_TO_INTERFACE"));
        release("0.0.5", BACKEND, without("failedLockLeavesNothing"));
        compare("0.0.5", SPI).succeeded();
    }

    @Test
    void whatIsNotExportedMayChange() throws Exception {
        release("0.0.6", "io/pagelock/internal/LockTable.class", with("goneSince"));
        compare("0.0.6", API).succeeded();
    }

    private static ChildProcess.Ended compare(String released, String goal) {
        return maven.end(OutsideMaven.ROOT.resolve("core"), "-Dpagelock.released=" + released, goal);
    }

    private static String fails(String released, String goal) {
        ChildProcess.Ended ended = compare(released, goal);
        assertNotEquals(0, ended.status(), ended.toString());
        return ended.output();
    }

    /** The modules of the build whose API is compared; pagelock-foreign needs Java 22, which this JDK may not be. */
    private static List<Path> libraries() throws IOException {
        String modules = Files.readString(OutsideMaven.ROOT.resolve("pom.xml")).replaceAll("(?s)<profiles>.*", "");
        List<Path> libraries = new ArrayList<>();
        for (Matcher each = Pattern.compile("<module>([^<]+)").matcher(modules); each.find(); ) {
            Path module = OutsideMaven.ROOT.resolve(each.group(1));
            String pom = Files.readString(module.resolve("pom.xml"));
            if (!pom.contains("<maven.deploy.skip>true")
                    && !pom.contains("<japicmp.skip>true")
                    && !pom.contains("<packaging>pom")) {
                libraries.add(module);
            }
        }
        return libraries;
    }

    private static String artifact(Path module) throws IOException {
        return OutsideMaven.first(Files.readString(module.resolve("pom.xml")), "</parent>\\s*<artifactId>([^<]+)");
    }

    private static Path report(Path module, String execution) {
        return module.resolve("target/japicmp").resolve(execution + ".diff");
    }

    private static Path published(String artifact, String version, String suffix) throws IOException {
        Path target =
                directory.resolve("repository/io/pagelock").resolve(artifact).resolve(version);
        return Files.createDirectories(target).resolve(artifact + "-" + version + suffix);
    }

    /** Publishes core as another version in which one class is another. */
    private static void release(String version, String changed, Change change) throws IOException {
        Files.writeString(
                published("pagelock-core", version, ".pom"),
                "<project><modelVersion>4.0.0</modelVersion><groupId>io.pagelock</groupId>"
                        + "<artifactId>pagelock-core</artifactId><version>" + version + "</version></project>");
        try (JarFile from = new JarFile(Staged.jar("pagelock-core").toFile());
                JarOutputStream to =
                        new JarOutputStream(Files.newOutputStream(published("pagelock-core", version, ".jar")))) {
            for (Enumeration<JarEntry> all = from.entries(); all.hasMoreElements(); ) {
                JarEntry entry = all.nextElement();
                try (InputStream in = from.getInputStream(entry)) {
                    byte[] bytes = in.readAllBytes();
                    to.putNextEntry(new JarEntry(entry.getName()));
                    to.write(entry.getName().equals(changed) ? change(bytes, change) : bytes);
                }
            }
        }
    }

    private static byte[] change(byte[] bytes, Change change) {
        ClassWriter writer = new ClassWriter(0);
        new ClassReader(bytes).accept(change.over(writer), 0);
        return writer.toByteArray();
    }

    private interface Change {
        ClassVisitor over(ClassWriter writer);
    }

    private static Change with(String method) {
        return writer -> new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public void visitEnd() {
                visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_ABSTRACT, method, "()V", null, null)
                        .visitEnd();
                super.visitEnd();
            }
        };
    }

    private static Change without(String method) {
        return writer -> new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public MethodVisitor visitMethod(
                    int access, String name, String descriptor, String signature, String[] exceptions) {
                return name.equals(method) ? null : super.visitMethod(access, name, descriptor, signature, exceptions);
            }
        };
    }
}
