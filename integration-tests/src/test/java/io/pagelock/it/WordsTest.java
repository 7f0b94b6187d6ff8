// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The words of what users read: public Javadoc, messages and pages. Text only; the sources are read as they are. */
class WordsTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> LIBRARIES =
            List.of("core", "backend-support", "backend-testkit", "files", "foreign", "secrets");

    /** Each has a plainer word: report or return, again, forever, lock table, leftover, in progress, that many. */
    private static final Pattern FORBIDDEN = Pattern.compile(
            "\\b(tells?|told|telling|anew|for ever|books|(?<!SPI )fly|flies|lands|landed|parks|parked|abandon(s|ed)?|strays?"
                    + "|so many)\\b",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern JAVADOC =
            Pattern.compile("/\\*\\*(.*?)\\*/\\s*((?:@[\\w.]+(?:\\([^)]*\\))?\\s*)*)([^\\n]*)", Pattern.DOTALL);
    private static final Pattern VERB = Pattern.compile("[A-Z][a-z]+s");
    /** Also third person to the eye, but headless. */
    private static final List<String> NOT_VERBS =
            List.of("Tells", "This", "Whats", "Pages", "Bytes", "Numbers", "Always");

    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\\\n]|\\\\.)*)\"");

    private static Stream<Path> files(Path directory, String ending) {
        try (Stream<Path> all = Files.isDirectory(directory) ? Files.walk(directory) : Stream.<Path>empty()) {
            return all.filter(path -> path.toString().endsWith(ending)).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The sources of public types and of packages that a user sees. */
    private static List<Path> publicSources() {
        return LIBRARIES.stream()
                .flatMap(module -> files(ROOT.resolve(module).resolve("src/main/java"), ".java"))
                .filter(path -> !path.toString().contains("/internal/"))
                .filter(path -> path.endsWith("package-info.java")
                        || Pattern.compile("(?m)^public ").matcher(read(path)).find())
                .toList();
    }

    private static String firstWord(String javadoc) {
        return javadoc.replaceAll("\\s*\\n\\s*\\* ?", " ").strip().split("\\s", 2)[0];
    }

    /** In core all that is not private, constants of enums included; elsewhere types and methods. */
    private static boolean isChecked(Path source, String text, String declaration) {
        if (declaration.startsWith("private ")) {
            return false;
        }
        boolean callable = declaration.contains("(")
                || declaration.matches("(public |protected |static |final |abstract |sealed )*"
                        + "(class|interface|enum|@interface|package)\\b.*");
        return source.startsWith(ROOT.resolve("core"))
                || callable
                        && (declaration.matches("(public|protected|package)\\b.*")
                                || Pattern.compile("(?m)^public (abstract )?interface")
                                        .matcher(text)
                                        .find());
    }

    private static List<String> wrongFirstWords(Path source, String text) {
        List<String> wrong = new ArrayList<>();
        for (Matcher each = JAVADOC.matcher(text); each.find(); ) {
            String first = firstWord(each.group(1));
            boolean tag = first.startsWith("@");
            // The C declaration that an interface of C functions has instead of a sentence.
            boolean literal = first.equals("{@code");
            if (isChecked(source, text, each.group(3).strip()) && !tag && !literal) {
                if (!VERB.matcher(first.replaceAll("[,.]$", "")).matches() || NOT_VERBS.contains(first)) {
                    wrong.add(source + ": " + first + " ... before "
                            + each.group(3).strip());
                }
            }
        }
        return wrong;
    }

    private static List<String> forbiddenWords(Path source, String text) {
        List<String> wrong = new ArrayList<>();
        for (Matcher each = FORBIDDEN.matcher(text); each.find(); ) {
            wrong.add(source + ": " + each.group() + " in "
                    + text.substring(Math.max(0, each.start() - 40), Math.min(text.length(), each.end() + 40))
                            .replace('\n', ' '));
        }
        return wrong;
    }

    private static String joined(String text, Pattern part) {
        StringBuilder all = new StringBuilder();
        for (Matcher each = part.matcher(text); each.find(); ) {
            all.append(each.group(1)).append('\n');
        }
        return all.toString();
    }

    @Test
    void publicJavadocBeginsWithAVerb() {
        List<Path> sources = publicSources();
        assertTrue(sources.size() > 100, sources.size() + " sources");
        List<String> wrong = new ArrayList<>();
        sources.forEach(path -> wrong.addAll(wrongFirstWords(path, read(path))));
        assertEquals("", String.join("\n", wrong));
    }

    @Test
    void publicJavadocHasNoForbiddenWord() {
        List<String> wrong = new ArrayList<>();
        publicSources().forEach(path -> wrong.addAll(forbiddenWords(path, joined(read(path), JAVADOC))));
        assertEquals("", String.join("\n", wrong));
    }

    @Test
    void messagesHaveNoForbiddenWord() throws IOException {
        List<String> wrong = new ArrayList<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            modules.filter(module -> !module.endsWith("benchmarks"))
                    .flatMap(module -> files(module.resolve("src/main/java"), ".java"))
                    .forEach(path -> wrong.addAll(forbiddenWords(path, joined(read(path), LITERAL))));
        }
        assertEquals("", String.join("\n", wrong));
    }

    @Test
    void pagesHaveNoForbiddenWord() throws IOException {
        List<String> wrong = new ArrayList<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            Stream.concat(
                            Stream.of(ROOT.resolve("README.md")),
                            Stream.concat(
                                    files(ROOT.resolve("docs"), ".md"),
                                    modules.flatMap(module -> files(module.resolve("docs"), ".md"))))
                    .forEach(path -> wrong.addAll(forbiddenWords(path, read(path))));
        }
        assertEquals("", String.join("\n", wrong));
    }

    /** The test itself finds what it is for. */
    @Test
    void whatIsWrongIsFound() {
        Path core = ROOT.resolve("core/X.java");
        assertEquals(1, wrongFirstWords(core, "/** What it is. */\nint x();").size());
        assertEquals(
                1,
                wrongFirstWords(core, "/**\n * Tells whether.\n */\npublic void x() {")
                        .size());
        assertEquals(
                0,
                wrongFirstWords(core, "/** Returns it. */\n@Nullable\npublic int x() {")
                        .size());
        assertEquals(
                0,
                wrongFirstWords(core, "/** What it is. */\nprivate int x() {").size());
        Path support = ROOT.resolve("backend-support/X.java");
        assertEquals(
                1,
                wrongFirstWords(support, "/** The part. */\npublic class X {").size());
        assertEquals(1, forbiddenWords(core, "mapped anew").size());
        assertEquals(0, forbiddenWords(core, "a landing strip").size());
        assertEquals("a told b\n", joined("x = \"a told b\";", LITERAL));
    }
}
