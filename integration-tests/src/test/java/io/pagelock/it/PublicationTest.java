// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** A release as {@code tools/stage-release} lays it on disk, signed with a key of its own. */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class PublicationTest {
    private static Path key() throws Exception {
        return Staged.directory().resolve("key.gpg");
    }

    @Test
    void everythingThatCentralAsksForIsThere() throws Exception {
        assertEquals(List.of(), Publication.problems(Staged.repository(), key()));
    }

    @Test
    void everyArtifactOfTheBomIsPublishedAndNothingElse() throws Exception {
        Set<String> published = Staged.artifacts(Staged.repository()).stream()
                .map(each -> each.getParent().getFileName().toString())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> listed = new TreeSet<>(Set.of("pagelock-parent", "pagelock-bom"));
        Pattern.compile("<dependency><groupId>io.pagelock</groupId><artifactId>([^<]+)")
                .matcher(Files.readString(OutsideMaven.ROOT.resolve("bom/pom.xml")))
                .results()
                .forEach(each -> listed.add(each.group(1)));
        assertEquals(listed, published);
    }

    @Test
    void eachOmissionIsNoticed(@TempDir Path copy) throws Exception {
        String version = Staged.version();
        for (String artifact : List.of("pagelock-parent", "pagelock-core")) {
            Path from = Staged.repository().resolve("io/pagelock").resolve(artifact);
            OutsideMaven.copy(
                    from, Files.createDirectories(copy.resolve("io/pagelock")).resolve(artifact));
        }
        Path core = copy.resolve("io/pagelock/pagelock-core").resolve(version).resolve("pagelock-core-" + version);
        assertEquals(List.of(), Publication.problems(copy, key()));

        Files.delete(Path.of(core + "-sources.jar.asc"));
        Files.delete(Path.of(core + "-javadoc.jar"));
        Files.writeString(Path.of(core + ".jar.sha1"), "0");
        Path parent = copy.resolve("io/pagelock/pagelock-parent")
                .resolve(version)
                .resolve("pagelock-parent-" + version + ".pom");
        Files.writeString(parent, Files.readString(parent).replaceAll("(?s)<developers>.*</developers>", ""));
        Path pom = Path.of(core + ".pom");
        Files.writeString(pom, Files.readString(pom).replaceAll("<description>.*</description>", ""));
        Files.writeString(
                pom, Files.readString(pom).replaceFirst("<version>\\$\\{version.jackson-annotations}</version>", ""));
        String problems = String.join("\n", Publication.problems(copy, key()));
        for (String each : List.of(
                "pagelock-core-" + version + "-sources.jar: has no good signature",
                "pagelock-core-" + version + "-javadoc.jar: is missing",
                "pagelock-core-" + version + ".jar: has another sha1",
                "pagelock-core-" + version + ".pom: has no good signature",
                "pagelock-core-" + version + ": has no description",
                "pagelock-core-" + version + ": has no developers",
                "pagelock-core-" + version + ": leaves the version of jackson-annotations open")) {
            assertTrue(problems.contains(each), each + "\nis not in\n" + problems);
        }
    }

    /** From another place, in another time zone and another language; without Javadoc, which takes half of the time. */
    @Test
    void twoBuildsAreTheSameBytes(@TempDir Path elsewhere) throws Exception {
        Path again = Staged.stage(
                elsewhere.resolve("another directory"),
                List.of(
                        "env",
                        "TZ=Pacific/Chatham",
                        "LC_ALL=C",
                        "MAVEN_OPTS=-Duser.language=de",
                        "PAGELOCK_STAGE_ARGS=-Dmaven.javadoc.skip=true"));
        Map<String, String> first = sums(Staged.repository());
        assertTrue(first.size() > 40, first.toString());
        assertEquals(first, sums(again.resolve("repository")));
    }

    private static Map<String, String> sums(Path repository) throws Exception {
        Map<String, String> sums = new TreeMap<>();
        for (Path artifact : Staged.artifacts(repository)) {
            for (Path file : Publication.files(artifact)) {
                if (!file.toString().endsWith("-javadoc.jar")) {
                    MessageDigest sum = MessageDigest.getInstance("SHA-256");
                    sums.put(
                            repository.relativize(file).toString(),
                            HexFormat.of().formatHex(sum.digest(Files.readAllBytes(file))));
                }
            }
        }
        return sums;
    }

    @Test
    void theBillOfMaterialsNamesWhatComesAlong() throws Exception {
        String bill = bill("pagelock");
        for (String part : List.of("io.pagelock/pagelock-core@", "io.pagelock/pagelock-backend-linux@", "/jna")) {
            assertTrue(bill.contains("\"purl\" : \"pkg:maven/") && bill.contains(part), part);
        }
        for (String absent : List.of("junit", "jspecify", "mockito")) {
            assertFalse(bill.contains(absent), absent);
        }
        assertTrue(bill("pagelock-cli").contains("info.picocli/picocli@"));
    }

    private static String bill(String artifact) throws IOException {
        return Files.readString(Path.of(Staged.jar(artifact).toString().replaceFirst("\\.jar$", "-cyclonedx.json")));
    }
}
