// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Prints the numbers of those lines of a file, each with a kind, a type and a member of it, of which nothing exists in this JVM. */
public final class Looked {
    private Looked() {}

    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(args[0]));
        for (int i = 0; i < lines.size(); i++) {
            String[] columns = lines.get(i).split("\t", -1);
            if (!exists(columns[0].replace("jni ", ""), columns[1], columns[2])) {
                System.out.println(i);
            }
        }
    }

    private static boolean exists(String kind, String type, String member) {
        if (kind.equals("resource")) {
            String name = type.replace("/*/", "/linux-x86-64/").replace("*", ".so");
            return Looked.class.getClassLoader().getResource(name) != null;
        }
        try {
            for (String each : type.split(",")) {
                Class<?> found = of(each);
                if (kind.equals("field") && supers(found).noneMatch(one -> hasField(one, member))) {
                    return false;
                }
                if (kind.equals("method") && supers(found).noneMatch(one -> hasMethod(one, member))) {
                    return false;
                }
            }
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private static Class<?> of(String type) throws ClassNotFoundException {
        int dimensions = type.length() - type.replace("[", "").length();
        String element = type.replace("[]", "");
        Class<?> found = null;
        for (Class<?> each : List.of(
                boolean.class,
                byte.class,
                char.class,
                short.class,
                int.class,
                long.class,
                float.class,
                double.class,
                void.class)) {
            found = each.getName().equals(element) ? each : found;
        }
        found = found == null ? Class.forName(element, false, Looked.class.getClassLoader()) : found;
        return dimensions == 0
                ? found
                : java.lang.reflect.Array.newInstance(found, new int[dimensions])
                        .getClass();
    }

    private static Stream<Class<?>> supers(Class<?> type) {
        Stream<Class<?>> above =
                Stream.concat(Stream.ofNullable(type.getSuperclass()), Arrays.stream(type.getInterfaces()));
        return Stream.concat(Stream.of(type), above.flatMap(Looked::supers));
    }

    private static boolean hasField(Class<?> type, String name) {
        return Arrays.stream(type.getDeclaredFields()).map(Field::getName).anyMatch(name::equals);
    }

    private static boolean hasMethod(Class<?> type, String member) {
        Stream<Executable> all =
                Stream.concat(Arrays.stream(type.getDeclaredMethods()), Arrays.stream(type.getDeclaredConstructors()));
        return all.anyMatch(each -> member.equals((each instanceof java.lang.reflect.Method ? each.getName() : "<init>")
                + Arrays.stream(each.getParameterTypes())
                        .map(Class::getTypeName)
                        .collect(Collectors.joining(",", "(", ")"))));
    }
}
