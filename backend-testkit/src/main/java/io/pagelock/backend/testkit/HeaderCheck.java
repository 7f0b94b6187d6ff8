// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.opentest4j.TestAbortedException;

/**
 * Generates one C file from the numbers and the calls of a backend, which compiles only if the system's own headers
 * agree with them. It is never run or linked, so a compiler with the headers of the system is enough.
 *
 * <p>A C compiler checks the constants, the sizes and offsets of structures, and for each function that it is declared,
 * how many arguments it has and how wide its result is. A C++ compiler, which accepts the same file, also checks which
 * arguments are pointers and how wide the others are. {@code nm -u} of the object shows the names under which the
 * headers declare the functions; {@link #renamed} compares them with those that the binding looks up.
 *
 * <p>Not safe for use by several threads.
 */
public final class HeaderCheck {
    private static final Pattern WHERE = Pattern.compile("headers\\.c:(\\d+):.*error.*");

    private final Set<String> headers = new LinkedHashSet<>(Arrays.asList(
            "sys/types.h", "errno.h", "stddef.h", "sys/time.h", "sys/resource.h", "sys/mman.h", "unistd.h"));
    private final Set<String> numbers = new LinkedHashSet<>();
    private final Map<String, Method> functions = new TreeMap<>();
    private final Map<String, String> symbols = new TreeMap<>();

    /** Makes an empty check, which includes the headers that every POSIX system has for locking. */
    public HeaderCheck() {}

    /**
     * Includes headers, after those that were included before.
     *
     * @param names the headers, for example {@code sys/event.h}
     * @return this
     */
    public HeaderCheck include(String... names) {
        headers.addAll(Arrays.asList(names));
        return this;
    }

    /**
     * Checks a number.
     *
     * @param kind as in the tables that abi-probe prints: {@code struct_size} and {@code type_size} for the size of a type,
     *     {@code struct_offset} for the offset of a member, any other for a constant
     * @param name the name in C: {@code struct rlimit}, {@code rlimit.rlim_max} or {@code MCL_CURRENT}
     * @param value the number of the backend; -1 stands for all bits of a type without a sign, too
     * @return this
     */
    public HeaderCheck number(String kind, String name, long value) {
        String expression = name;
        if (kind.equals("struct_size") || kind.equals("type_size")) {
            expression = "sizeof(" + name + ")";
        } else if (kind.equals("struct_offset")) {
            int dot = name.indexOf('.');
            expression = "offsetof(struct " + name.substring(0, dot) + ", " + name.substring(dot + 1) + ")";
        }
        String number = value == (int) value ? Long.toString(value) : "0x" + Long.toHexString(value);
        String says = kind + "_" + name + "_is_not_" + number;
        numbers.add(assertion(says, "(" + expression + ") == " + number));
        return this;
    }

    /**
     * Checks constants.
     *
     * @param values the numbers by their names in C, for example those of an {@code ErrnoTable}
     * @return this
     */
    public HeaderCheck constants(Map<String, Integer> values) {
        new TreeMap<>(values).forEach((name, value) -> number("const", name, value));
        return this;
    }

    /**
     * Checks the functions that an interface of {@code NativeCalls} declares or inherits.
     *
     * @param calls the interface
     * @return this
     */
    public HeaderCheck functions(Class<?> calls) {
        for (Method method : calls.getMethods()) {
            // By name: the kit is built before the module that has it.
            boolean ofC = !method.getDeclaringClass().getSimpleName().equals("NativeCalls");
            if (ofC && Modifier.isAbstract(method.getModifiers())) {
                functions.put(method.getName(), method);
            }
        }
        return this;
    }

    /**
     * Removes functions that the headers need not declare, such as those of other releases, from those added so far.
     *
     * @param names the names in C
     * @return this
     */
    public HeaderCheck without(String... names) {
        for (String name : names) {
            functions.remove(name);
        }
        return this;
    }

    /**
     * Expects a function under another name, as {@code CLibrary.renaming} binds it.
     *
     * @param function the name by which the headers declare it
     * @param symbol the name that it has in the library, for example {@code __msync13} for {@code msync}
     * @return this
     */
    public HeaderCheck renaming(String function, String symbol) {
        symbols.put(function, symbol);
        return this;
    }

    /**
     * Generates the file.
     *
     * @return C, which is also C++
     */
    public String source() {
        List<String> lines = new ArrayList<>();
        lines.add("/* Generated by HeaderCheck of pagelock. It is enough that it compiles, by C++ if there is one:");
        lines.add(" *     c++ -c headers.c && nm -u headers.o");
        lines.add(" * These must be among the names that nm prints; Mach-O puts a _ before each:");
        functions.keySet().forEach(name -> lines.add(" *     " + symbol(name)));
        lines.add(" */");
        headers.forEach(header -> lines.add("#include <" + header + ">"));
        lines.addAll(numbers);
        lines.add("#ifdef __cplusplus");
        lines.addAll(Arrays.asList(
                "template <class T> struct is { enum { pointer = 0, bytes = sizeof(T) }; };",
                "template <> struct is<void> { enum { pointer = 0, bytes = 0 }; };",
                "template <class T> struct is<T *> { enum { pointer = 1, bytes = sizeof(T *) }; };",
                "template <class T> struct to { enum { bytes = 0 }; };"));
        for (String type :
                Arrays.asList("int", "unsigned int", "long", "unsigned long", "long long", "unsigned long long")) {
            lines.add("template <> struct to<" + type + " *> { enum { bytes = sizeof(" + type + ") }; };");
        }
        functions.values().forEach(method -> lines.addAll(templates(method)));
        lines.add("void pagelock_check_all(void) {");
        functions.keySet().forEach(name -> lines.add("    check_" + name + "(" + name + ");"));
        lines.addAll(Arrays.asList("}", "#else"));
        functions.values().forEach(method -> lines.add(ofResult(method)));
        lines.add("#endif");
        lines.add("typedef void (*pagelock_function)(void);");
        lines.add("extern pagelock_function pagelock_functions[];");
        lines.add("pagelock_function pagelock_functions[] = {");
        functions.keySet().forEach(name -> lines.add("    (pagelock_function)" + name + ","));
        lines.addAll(Arrays.asList("    (pagelock_function)0", "};", ""));
        return String.join("\n", lines);
    }

    /** Of which C looks at the name only: how many arguments, and the width of the result. */
    private static String ofResult(Method method) {
        String zeros = String.join(", ", Collections.nCopies(method.getParameterCount(), "0"));
        String width = "sizeof((" + method.getName() + ")(" + zeros + "))";
        return assertion(
                method.getName() + "_returns_not_" + method.getReturnType(), width + " == " + resultWidth(method));
    }

    private static String resultWidth(Method method) {
        if (method.getReturnType() == int.class) {
            return "4";
        }
        return has(method.getAnnotations(), "SizeT") ? "sizeof(void *)" : "8";
    }

    /** One for a function with exactly the arguments of the method, and more for one that ends with "...". */
    private static List<String> templates(Method method) {
        List<String> lines = new ArrayList<>(template(method, method.getParameterCount(), ""));
        for (int fixed = method.getParameterCount(); fixed > 0; fixed--) {
            lines.addAll(template(method, fixed, ", ..."));
        }
        return lines;
    }

    private static List<String> template(Method method, int fixed, String rest) {
        StringBuilder types = new StringBuilder("class R");
        List<String> arguments = new ArrayList<>();
        for (int i = 1; i <= fixed; i++) {
            types.append(", class A").append(i);
            arguments.add("A" + i);
        }
        String name = method.getName();
        List<String> lines = new ArrayList<>();
        lines.add("template <" + types + "> void check_" + name + "(R (*)(" + String.join(", ", arguments) + rest
                + ")) {");
        boolean pointer = has(method.getAnnotations(), "SizeT");
        lines.add("    "
                + assertion(
                        name + "_returns_not_" + method.getReturnType(),
                        (pointer ? "" : "!is<R>::pointer && ") + "is<R>::bytes == " + resultWidth(method)));
        for (int i = 1; i <= fixed; i++) {
            Class<?> type = method.getParameterTypes()[i - 1];
            boolean sizes = has(method.getParameterAnnotations()[i - 1], "SizeT");
            lines.add("    "
                    + assertion(
                            name + "_argument_" + i + "_is_not_" + type.getSimpleName(),
                            ofArgument("A" + i, type, sizes)));
        }
        lines.add("}");
        return lines;
    }

    private static String ofArgument(String argument, Class<?> type, boolean sizes) {
        String is = "is<" + argument + ">::";
        if (type == int.class) {
            // A narrower one is passed as an int.
            return "!" + is + "pointer && " + is + "bytes <= 4";
        }
        if (type == long.class) {
            return is + "bytes == sizeof(void *)";
        }
        String to = "to<" + argument + ">::bytes";
        String width = type == int[].class ? "4" : sizes ? "sizeof(void *)" : type == long[].class ? "8" : to;
        return is + "pointer && (" + to + " == 0 || " + to + " == " + width + ")";
    }

    private static boolean has(Annotation[] annotations, String name) {
        return Arrays.stream(annotations)
                .anyMatch(each -> each.annotationType().getSimpleName().equals(name));
    }

    /** An array of the size -1 where it does not hold, which C89 refuses, too; its name says what does not. */
    private static String assertion(String says, String holds) {
        String name = says.replace("-", "minus_").replaceAll("\\W", "_");
        return "typedef char " + name + "[(" + holds + ") ? 1 : -1];";
    }

    private String symbol(String function) {
        return symbols.getOrDefault(function, function);
    }

    /**
     * Finds the functions that the headers declare under another name than the binding.
     *
     * @param nm the lines that {@code nm -u} printed for the object, perhaps on another machine
     * @return one sentence for each function; empty if there is none
     */
    public List<String> renamed(List<String> nm) {
        Set<String> asked = nm.stream()
                .map(line -> line.trim().replaceAll("^(U\\s+)", "").replaceAll("[\\s@].*$", ""))
                .collect(Collectors.toSet());
        Set<String> expected = functions.keySet().stream().map(this::symbol).collect(Collectors.toSet());
        List<String> findings = new ArrayList<>();
        for (String function : functions.keySet()) {
            String symbol = symbol(function);
            if (!asked.contains(symbol) && !asked.contains("_" + symbol)) {
                List<String> instead = asked.stream()
                        .filter(each -> each.contains(function) && !expected.contains(each))
                        .sorted()
                        .collect(Collectors.toList());
                findings.add("the binding looks up " + symbol + " for " + function + ", the headers ask for "
                        + (instead.isEmpty() ? "another name among " + asked : String.join(" or ", instead)));
            }
        }
        return findings;
    }

    /**
     * Compiles the file on this machine and checks the object. Without the compiler, the test is skipped with that
     * reason; but if the environment variable {@code CI} is set, it fails.
     *
     * @param directory where the file and the object are written, as {@code headers.c} and {@code headers.o}
     * @param compiler the compiler and its options, for example {@code c++} and {@code -m32}
     * @return what disagrees, one assertion or function each; empty if nothing does
     * @throws IOException if a file cannot be written, or the thread is interrupted
     */
    public List<String> findings(Path directory, String... compiler) throws IOException {
        List<String> source = Arrays.asList(source().split("\n"));
        Files.write(directory.resolve("headers.c"), source, StandardCharsets.US_ASCII);
        List<String> command = new ArrayList<>(Arrays.asList(compiler));
        Collections.addAll(command, "-c", "headers.c", "-o", "headers.o");
        Path log = directory.resolve("headers.log");
        if (run(directory, log, command) == 0) {
            if (run(directory, log, Arrays.asList("nm", "-u", "headers.o")) != 0) {
                throw new AssertionError("nm failed: " + Files.readAllLines(log));
            }
            return renamed(Files.readAllLines(log));
        }
        List<String> printed = Files.readAllLines(log);
        Map<Integer, String> byLine = new TreeMap<>();
        for (String line : printed) {
            Matcher where = WHERE.matcher(line);
            if (where.matches()) {
                // The last one of a line: g++ complains first that -1 becomes unsigned.
                int number = Integer.parseInt(where.group(1));
                byLine.put(number, line + ": " + source.get(number - 1).trim());
            }
        }
        return byLine.isEmpty() ? printed : new ArrayList<>(byLine.values());
    }

    private static int run(Path directory, Path log, List<String> command) throws IOException {
        Process process;
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment().put("LC_ALL", "C");
            process = builder.start();
        } catch (IOException e) {
            String reason = "cannot run " + command.get(0) + ": " + e.getMessage();
            if (System.getenv("CI") != null) {
                throw new AssertionError(reason, e);
            }
            throw new TestAbortedException(reason, e);
        }
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
