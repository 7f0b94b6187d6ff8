// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What the jars say to native-image, in the format 1.2.0 of GraalVM, taken apart into single facts. */
final class NativeImageMetadata {
    private static final Pattern FILE =
            Pattern.compile("META-INF/native-image/io\\.pagelock/([^/]+)/reachability-metadata\\.json");
    private static final Set<String> FLAGS = Set.of(
            "allPublicMethods",
            "allDeclaredMethods",
            "allPublicFields",
            "allDeclaredFields",
            "allPublicConstructors",
            "allDeclaredConstructors");

    /**
     * One thing that can be looked up by name, or is.
     *
     * @param kind {@code type}, {@code method}, {@code field}, {@code resource}, {@code proxy} or one of the words that begin with
     *     {@code all}; with {@code jni } before it, for C code
     * @param by who looks it up, empty for the JDK; in a file, the type that must have been reached before, or empty
     * @param type a class; what a proxy implements, with commas between; a resource, in a file as a glob
     * @param member the name of a method or field, and the types of the parameters in brackets
     */
    record Fact(String kind, String by, String type, String member) {
        /** Reports whether this fact of a file permits a look-up. */
        boolean permits(Fact asked) {
            if (!by.isEmpty() && !asked.by.isEmpty() && !asked.by.equals(by) && !asked.by.startsWith(by + "$")) {
                return false;
            }
            if (kind.equals("resource") && asked.kind.equals("resource")) {
                return asked.type.matches(
                        type.replace(".", "\\.").replace("**", ".+").replaceAll("(?<![.])\\*", "[^/]*"));
            }
            if (!type.equals(asked.type)) {
                return false;
            }
            return kind.equals(asked.kind) && member.equals(asked.member)
                    // A type that is named for C code may be looked up by reflection, and one of which a part is named
                    // is named, too.
                    || asked.kind.equals("type") && !kind.equals("proxy") && !kind.equals("resource")
                    || asked.kind.equals("jni type") && kind.startsWith("jni ")
                    || kind.equals("jni " + asked.kind) && member.equals(asked.member)
                    || isMethod(asked) && kind.endsWith("allDeclaredMethods") && kind.startsWith("jni ") == isJni(asked)
                    || isMethod(asked) && kind.endsWith("allPublicMethods") && kind.startsWith("jni ") == isJni(asked);
        }

        private static boolean isMethod(Fact fact) {
            return fact.kind.endsWith("method") && !fact.member.startsWith("<init>");
        }

        private static boolean isJni(Fact fact) {
            return fact.kind.startsWith("jni ");
        }

        @Override
        public String toString() {
            return kind + " " + type + (member.isEmpty() ? "" : "." + member) + (by.isEmpty() ? "" : " by " + by);
        }
    }

    /** By artifact. */
    final Map<String, List<Fact>> facts = new HashMap<>();

    /** The artifact of each class and each other file of ours. */
    private final Map<String, String> homes = new HashMap<>();

    NativeImageMetadata(List<Path> jars) throws IOException {
        for (Path jar : jars) {
            String artifact = jar.getFileName().toString().replaceFirst("-\\d.*", "");
            try (JarFile file = new JarFile(jar.toFile())) {
                for (JarEntry entry : Collections.list(file.entries())) {
                    String name = entry.getName();
                    boolean isClass = name.endsWith(".class");
                    homes.put(isClass ? name.substring(0, name.length() - 6).replace('/', '.') : name, artifact);
                    Matcher matcher = FILE.matcher(name);
                    if (matcher.matches()) {
                        if (!matcher.group(1).equals(artifact)) {
                            throw new AssertionError(name + " in " + artifact);
                        }
                        try (InputStream in = file.getInputStream(entry)) {
                            facts.put(artifact, read(in));
                        }
                    }
                }
            }
        }
    }

    /**
     * Where a look-up must be permitted: in the jar of who looks, or of ours that brings it. What is done for whoever asks (binding, by
     * backend-support and JNA, and beans, by the JDK) stands in the jar of what is looked up.
     */
    String home(Fact asked) {
        String looker = homes.getOrDefault(
                asked.by, asked.by.matches("(com\\.sun\\.jna\\..*)?") ? "pagelock-backend-support" : "pagelock-cli");
        return looker.equals("pagelock-backend-support") ? homes.getOrDefault(asked.type, looker) : looker;
    }

    /** The files of ours beside classes, for which there is a package. */
    Set<String> resources() {
        return homes.keySet().stream()
                .filter(each -> each.startsWith("io/pagelock/") && !each.endsWith("/"))
                .collect(Collectors.toSet());
    }

    private static List<Fact> read(InputStream in) {
        List<Fact> facts = new ArrayList<>();
        JsonObject all = JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                .getAsJsonObject();
        only(all, "reflection", "resources");
        for (JsonElement each : list(all, "reflection")) {
            reflection(each.getAsJsonObject(), facts);
        }
        for (JsonElement each : list(all, "resources")) {
            JsonObject resource = each.getAsJsonObject();
            only(resource, "condition", "glob");
            facts.add(new Fact("resource", by(resource), resource.get("glob").getAsString(), ""));
        }
        if (new HashSet<>(facts).size() != facts.size()) {
            throw new AssertionError("twice the same: " + facts);
        }
        return facts;
    }

    private static void reflection(JsonObject entry, List<Fact> facts) {
        String by = by(entry);
        if (entry.get("type").isJsonObject()) {
            only(entry, "condition", "type");
            List<String> interfaces = new ArrayList<>();
            entry.getAsJsonObject("type").getAsJsonArray("proxy").forEach(name -> interfaces.add(name.getAsString()));
            facts.add(new Fact("proxy", by, String.join(",", interfaces), ""));
            return;
        }
        Set<String> known = new HashSet<>(FLAGS);
        known.addAll(Set.of("condition", "type", "methods", "fields", "jniAccessible"));
        only(entry, known.toArray(new String[0]));
        String type = entry.get("type").getAsString();
        String prefix = entry.has("jniAccessible") ? "jni " : "";
        int before = facts.size();
        for (JsonElement each : list(entry, "methods")) {
            JsonObject method = each.getAsJsonObject();
            only(method, "name", "parameterTypes");
            List<String> parameters = new ArrayList<>();
            method.getAsJsonArray("parameterTypes").forEach(one -> parameters.add(one.getAsString()));
            facts.add(new Fact(
                    prefix + "method",
                    by,
                    type,
                    method.get("name").getAsString() + "(" + String.join(",", parameters) + ")"));
        }
        for (JsonElement each : list(entry, "fields")) {
            facts.add(new Fact(
                    prefix + "field",
                    by,
                    type,
                    each.getAsJsonObject().get("name").getAsString()));
        }
        for (String flag : FLAGS) {
            if (entry.has(flag)) {
                facts.add(new Fact(prefix + flag, by, type, ""));
            }
        }
        if (facts.size() == before) {
            facts.add(new Fact(prefix + "type", by, type, ""));
        }
    }

    private static String by(JsonObject entry) {
        return entry.has("condition")
                ? entry.getAsJsonObject("condition").get("typeReached").getAsString()
                : "";
    }

    private static Iterable<JsonElement> list(JsonObject in, String name) {
        return in.has(name) ? in.getAsJsonArray(name) : Collections.<JsonElement>emptyList();
    }

    /** A word that native-image does not know it passes over. */
    private static void only(JsonObject in, String... known) {
        Set<String> unknown = new HashSet<>(in.keySet());
        unknown.removeAll(Set.of(known));
        if (!unknown.isEmpty()) {
            throw new AssertionError(unknown + " in " + in);
        }
    }
}
