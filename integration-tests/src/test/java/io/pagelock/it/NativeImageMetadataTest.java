// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.pagelock.backend.support.NativeCalls;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.it.NativeImageMetadata.Fact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The metadata for native-image in the jars against what is really looked up by name. The library and the command do all that they can under
 * {@code tracer.c}, on a JDK of the age of those that read such files; GraalVM is not needed. What other systems' backends look up
 * is read off their class files.
 */
class NativeImageMetadataTest {
    /** Reads such files, as GraalVM of this version does. */
    private static final int JAVA = 24;

    /** Classes with a look-up that no run comes to, and why an image needs nothing for it. */
    private static final Map<String, String> NOT_RUN = Map.of(
            "io.pagelock.cli.AttachCommand", "an image cannot attach to a JVM: the JDK's module for that is not in it",
            "io.pagelock.cli.Main", "an image cannot load further backends");

    /** What others look for and do without, and is of no use to us: converters of types that no option has. */
    private static final Pattern OPTIONAL =
            Pattern.compile("(picocli|com\\.google\\.gson)\\..*\t(java\\.(sql|time)|com\\.google\\.gson)\\..*");

    private static final String BINDS = "io.pagelock.backend.support.JnaLibrary";

    @TempDir
    static Path directory;

    private static NativeImageMetadata metadata;
    private static JavaClasses ours;
    private static Set<Fact> asked;

    @BeforeAll
    static void runEverything() throws Exception {
        assumeTrue(
                Runtime.version().feature() >= JAVA || Boolean.getBoolean("pagelock.thorough"),
                "needs a JDK of " + JAVA + " or later");
        List<Path> jars = Jars.ours().stream()
                .filter(jar -> !jar.toString().matches(".*-(testkit|binding-foreign)-.*"))
                .collect(Collectors.toList());
        metadata = new NativeImageMetadata(jars);
        List<JarFile> files = new ArrayList<>();
        for (Path jar : jars) {
            files.add(new JarFile(jar.toFile()));
        }
        ours = new ClassFileImporter().importJars(files);
        for (JarFile each : files) {
            each.close();
        }

        Path home = Jdks.from(JAVA);
        Path tracer = StandIn.compile(
                Path.of("src/test/c/tracer.c"), "-I" + home.resolve("include"), "-I" + home.resolve("include/linux"));
        Path file = Files.write(directory.resolve("file"), new byte[4096]);
        Set<Fact> all = new LinkedHashSet<>();
        all.addAll(run(home, tracer, EveryPath.class.getName()));
        all.addAll(run(home, tracer, EveryPath.class.getName(), "without a backend"));
        for (String words :
                List.of("doctor", "hold --for 1ms", "status", "touch", "evict", "man", "completion", "--help")) {
            List<String> arguments = new ArrayList<>(List.of(words.split(" ")));
            if (words.matches("hold.*|status|touch|evict")) {
                arguments.addAll(List.of("--json", file.toString()));
            }
            all.addAll(run(home, tracer, "io.pagelock.cli.Main", arguments.toArray(new String[0])));
        }
        all.addAll(ofOtherSystems());
        asked = existing(home, all);
    }

    private static Set<Fact> run(Path home, Path tracer, String main, String... arguments) throws IOException {
        Path trace = directory.resolve("trace");
        ChildJvm jvm = new ChildJvm()
                .classPath(Jars.path(Jars.all()) + ":" + Jars.testClasses())
                .java(home.resolve("bin/java"))
                .options("--enable-native-access=ALL-UNNAMED", "-agentpath:" + tracer + "=" + trace);
        if (arguments.length > 0 && arguments[0].startsWith("without")) {
            jvm.options("-Dos.name=Plan 9");
        }
        String output = jvm.run(main, arguments).succeeded();
        assertTrue(!main.equals(EveryPath.class.getName()) || output.contains("done"), output);
        Set<Fact> facts = new LinkedHashSet<>();
        for (String line : Files.readAllLines(trace)) {
            String[] columns = line.split("\t", -1);
            if (isOurs(columns[1], columns[2])) {
                facts.add(fact(columns));
            }
        }
        return facts;
    }

    /** Whether a look-up is one that native-image learns of in no other way: not the JDK's own work, and not for a test. */
    private static boolean isOurs(String by, String type) {
        return !by.startsWith("io.pagelock.it.")
                        && !by.contains(".$Proxy")
                        && !OPTIONAL.matcher(by + "\t" + type).matches()
                        && by.matches("(io\\.pagelock|com\\.sun\\.jna|picocli|com\\.google\\.gson)\\..*")
                || by.startsWith("com.sun.jmx.mbeanserver.") && type.startsWith("io.pagelock.");
    }

    private static Fact fact(String[] columns) {
        // The JDK looks on behalf of somebody who is not known here.
        String by = columns[1].startsWith("com.sun.jmx.") ? "" : columns[1];
        String type = columns[2];
        boolean isJni = columns[0].startsWith("jni");
        switch (columns[0]) {
            case "proxy":
                return new Fact("proxy", by, type, "");
            case "resource":
                boolean relative = !columns[3].isEmpty() && !type.startsWith("/");
                String folder = relative ? columns[3].replaceFirst("[^.]*$", "").replace('.', '/') : "";
                return new Fact("resource", by, folder + type.replaceFirst("^/", ""), "");
            case "field":
            case "jnifield":
                return new Fact(isJni ? "jni field" : "field", by, type, columns[3]);
            case "reflection":
            case "jni":
                String kind = columns[3].isEmpty() ? "type" : "method";
                String member = columns[3].isEmpty() ? "" : columns[3] + "(" + columns[4] + ")";
                return new Fact(isJni ? "jni " + kind : kind, by, type, member);
            default:
                return new Fact(
                        columns[0].replaceFirst("^get(?=Declared)", "all").replaceFirst("^get", "allPublic"),
                        by,
                        type,
                        "");
        }
    }

    /** What {@code CLibrary.bind} does with each interface of C calls, and with each class of native methods. */
    private static Set<Fact> ofOtherSystems() {
        Set<Fact> facts = new LinkedHashSet<>();
        for (JavaClass each : ours) {
            if (each.isInterface()
                    && each.isAssignableTo(NativeCalls.class)
                    && !each.isEquivalentTo(NativeCalls.class)) {
                facts.add(new Fact("proxy", BINDS, each.getName(), ""));
                facts.add(new Fact("allPublicMethods", "io.pagelock.backend.support.JnaCalls", each.getName(), ""));
            }
            if (each.getMethods().stream()
                    .anyMatch(method -> method.getModifiers().contains(JavaModifier.NATIVE))) {
                facts.add(new Fact("allDeclaredMethods", "com.sun.jna.Native", each.getName(), ""));
                each.getMethods().stream()
                        .filter(method -> method.getModifiers().contains(JavaModifier.NATIVE))
                        .forEach(method -> facts.add(new Fact(
                                "jni method",
                                "com.sun.jna.Native",
                                each.getName(),
                                method.getName()
                                        + method.getRawParameterTypes().stream()
                                                .map(JavaClass::getName)
                                                .collect(Collectors.joining(",", "(", ")")))));
            }
        }
        metadata.resources()
                .forEach(each -> facts.add(new Fact("resource", "io.pagelock.backend.support.AbiTable", each, "")));
        return facts;
    }

    /** A look-up that found nothing needs nothing. */
    private static Set<Fact> existing(Path home, Set<Fact> all) throws IOException {
        List<Fact> list = List.copyOf(all);
        Set<Integer> missing = missing(home, list);
        Set<Fact> existing = new LinkedHashSet<>();
        for (int i = 0; i < list.size(); i++) {
            if (!missing.contains(i)) {
                existing.add(list.get(i));
            }
        }
        return existing;
    }

    /** Returns the places of those that are not there, on that JDK with all jars. */
    private static Set<Integer> missing(Path home, List<Fact> facts) throws IOException {
        Path list = directory.resolve("list");
        Files.write(
                list,
                facts.stream()
                        .map(each -> each.kind() + "\t" + each.type() + "\t" + each.member())
                        .collect(Collectors.toList()));
        String output = new ChildJvm()
                .classPath(Jars.path(Jars.all()) + ":" + Jars.testClasses())
                .java(home.resolve("bin/java"))
                .run(Looked.class, list.toString())
                .succeeded();
        return output.lines()
                .filter(line -> !line.isEmpty())
                .map(Integer::valueOf)
                .collect(Collectors.toSet());
    }

    private static List<String> uncovered(NativeImageMetadata metadata) {
        List<String> uncovered = new ArrayList<>();
        for (Fact each : asked) {
            String home = metadata.home(each);
            if (metadata.facts.getOrDefault(home, List.of()).stream().noneMatch(fact -> fact.permits(each))) {
                uncovered.add(home + ": " + each);
            }
        }
        return uncovered;
    }

    @Test
    void whatIsLookedUpByNameIsInTheMetadata() {
        List<String> uncovered = uncovered(metadata);
        assertEquals(List.of(), uncovered, String.join("\n", uncovered));
    }

    @Test
    void whatTheMetadataNamesExists() throws IOException {
        List<Fact> all = new ArrayList<>();
        metadata.facts
                .values()
                .forEach(facts -> facts.forEach(each -> {
                    all.add(each);
                    if (!each.by().isEmpty()) {
                        all.add(new Fact("type", "", each.by(), ""));
                    }
                }));
        List<String> missing = new ArrayList<>();
        missing(Jdks.from(JAVA), all).forEach(at -> missing.add(all.get(at).toString()));
        assertEquals(List.of(), missing);
    }

    /** Each fact in turn is taken away, and then something that is looked up must be uncovered. */
    @Test
    void whateverIsLeftOutIsNoticedSoNothingIsThereForNothing() {
        List<String> idle = new ArrayList<>();
        metadata.facts.forEach((artifact, facts) -> {
            for (Fact each : List.copyOf(facts)) {
                facts.remove(each);
                if (uncovered(metadata).isEmpty()) {
                    idle.add(artifact + ": " + each);
                }
                facts.add(each);
            }
        });
        assertEquals(List.of(), idle, String.join("\n", idle));
    }

    /** Otherwise the run leaves something out. */
    @Test
    void whoLooksUpByNameWasRun() {
        Set<String> lookers = new TreeSet<>();
        for (JavaClass each : ours) {
            each.getMethodCallsFromSelf().stream()
                    .filter(call -> call.getTargetOwner()
                                    .getName()
                                    .matches(
                                            "java\\.lang\\.(Class|ClassLoader|invoke\\.MethodHandles\\$Lookup|reflect\\.Proxy)")
                            && call.getName()
                                    .matches(
                                            "forName|get(Declared)?(Method|Field|Constructor)s?|getResource.*|find(Virtual|Static|Constructor)"
                                                    + "|newProxyInstance"))
                    .forEach(call -> lookers.add(each.getName()));
        }
        asked.forEach(each -> lookers.remove(each.by()));
        assertEquals(NOT_RUN.keySet(), lookers);
    }
}
