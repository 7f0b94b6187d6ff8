// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.backend.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * Compares a repository on disk with what Maven Central asks for of each artifact. Source: central.sonatype.org, "Requirements", as of
 * 2026.
 */
final class Publication {
    private final Path repository;
    private final Path key;
    private final List<String> problems = new ArrayList<>();

    private Publication(Path repository, Path key) {
        this.repository = repository;
        this.key = key;
    }

    /** Returns what Central would refuse, a line each. */
    static List<String> problems(Path repository, Path key) throws Exception {
        Publication publication = new Publication(repository, key);
        for (Path artifact : Staged.artifacts(repository)) {
            publication.check(artifact);
        }
        return publication.problems;
    }

    private void check(Path artifact) throws Exception {
        String version = artifact.getFileName().toString();
        String base = artifact.getParent().getFileName() + "-" + version;
        if (version.endsWith("-SNAPSHOT")) {
            problems.add(base + ": is a snapshot");
        }
        Path file = artifact.resolve(base + ".pom");
        checkPom(base, file);
        if (text(pom(file), "packaging").isEmpty()) {
            for (String kind : List.of("", "-sources", "-javadoc")) {
                Path jar = artifact.resolve(base + kind + ".jar");
                if (!Files.exists(jar)) {
                    problems.add(jar.getFileName() + ": is missing");
                    continue;
                }
                try (JarFile open = new JarFile(jar.toFile())) {
                    if (open.stream().filter(each -> !each.isDirectory()).count() < 2) {
                        problems.add(jar.getFileName() + ": is empty");
                    }
                }
            }
        }
        for (Path each : files(artifact)) {
            checkSums(each);
            if (ChildProcess.of("gpgv", "-q", "--keyring", key.toString(), each + ".asc", each.toString())
                            .run()
                            .status()
                    != 0) {
                problems.add(each.getFileName() + ": has no good signature");
            }
        }
    }

    /** The files of an artifact, without their signatures and sums. */
    static List<Path> files(Path artifact) throws IOException {
        try (Stream<Path> all = Files.list(artifact)) {
            return all.filter(each -> !each.toString().matches(".*\\.(asc|md5|sha\\d+)"))
                    .sorted()
                    .collect(Collectors.toList());
        }
    }

    private void checkPom(String base, Path file) throws Exception {
        Element pom = pom(file);
        Element parent = child(pom, "parent");
        Element inherited = parent == null ? null : pom(of(parent));
        for (String own : List.of("name", "description")) {
            if (text(pom, own).isEmpty()) {
                problems.add(base + ": has no " + own);
            }
        }
        Map<String, List<String>> asked = new LinkedHashMap<>();
        asked.put("url", List.of());
        asked.put("licenses", List.of("license", "name"));
        asked.put("developers", List.of("developer", "name"));
        asked.put("scm", List.of("connection"));
        asked.forEach((name, path) -> {
            Element holder = child(pom, name) != null || inherited == null ? pom : inherited;
            Element value = child(holder, name);
            for (String step : path) {
                value = value == null ? null : child(value, step);
            }
            if (value == null || value.getTextContent().isBlank()) {
                problems.add(base + ": has no " + name);
            }
        });
        String all = Files.readString(file);
        if (all.contains("-SNAPSHOT") || all.contains("<repository>")) {
            problems.add(base + ": depends on a snapshot or on another repository");
        }
        checkDependencies(base, pom, inherited);
    }

    private void checkDependencies(String base, Element pom, Element inherited) {
        Element dependencies = child(pom, "dependencies");
        for (Element each : children(dependencies, "dependency")) {
            String artifact = text(each, "artifactId");
            String version = text(each, "version");
            // Versions of JUnit come from its own list.
            if (version.isEmpty()
                    && (artifact.startsWith("junit-") || managed(pom, artifact) || managed(inherited, artifact))) {
                continue;
            }
            if (version.isEmpty() || version.matches("[\\[(].*|LATEST|RELEASE")) {
                problems.add(base + ": leaves the version of " + artifact + " open");
            }
        }
    }

    private static boolean managed(Element pom, String artifact) {
        Element management = pom == null ? null : child(pom, "dependencyManagement");
        return management != null
                && children(child(management, "dependencies"), "dependency").stream()
                        .anyMatch(each -> text(each, "artifactId").equals(artifact)
                                && !text(each, "version").isEmpty());
    }

    private Path of(Element parent) {
        return repository
                .resolve(text(parent, "groupId").replace('.', '/'))
                .resolve(text(parent, "artifactId"))
                .resolve(text(parent, "version"))
                .resolve(text(parent, "artifactId") + "-" + text(parent, "version") + ".pom");
    }

    private void checkSums(Path file) throws IOException, GeneralSecurityException {
        for (Map.Entry<String, String> sum :
                Map.of("md5", "MD5", "sha1", "SHA-1").entrySet()) {
            Path stored = Path.of(file + "." + sum.getKey());
            String computed = HexFormat.of()
                    .formatHex(MessageDigest.getInstance(sum.getValue()).digest(Files.readAllBytes(file)));
            if (!Files.exists(stored) || !Files.readString(stored).trim().equals(computed)) {
                problems.add(file.getFileName() + ": has another " + sum.getKey());
            }
        }
    }

    private static Element pom(Path file) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
    }

    private static Element child(Element of, String name) {
        List<Element> all = children(of, name);
        return all.isEmpty() ? null : all.get(0);
    }

    private static List<Element> children(Element of, String name) {
        List<Element> found = new ArrayList<>();
        if (of != null) {
            NodeList nodes = of.getChildNodes();
            for (int i = 0; i < nodes.getLength(); i++) {
                Node node = nodes.item(i);
                if (node.getNodeName().equals(name)) {
                    found.add((Element) node);
                }
            }
        }
        return found;
    }

    private static String text(Element of, String name) {
        Element child = child(of, name);
        return child == null ? "" : child.getTextContent().trim();
    }
}
