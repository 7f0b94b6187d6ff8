// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** B4: two copies of the library in two class loaders of one process: the second is refused, saying so. */
class TwoCopiesTest {
    /** The main class of the child JVM; each argument is the prefix of a copy's packages, a colon, and its class path. */
    public static final class Loaders {
        private Loaders() {}

        public static void main(String[] copies) throws Exception {
            for (String copy : copies) {
                if (copy.equals("forget")) {
                    System.setProperties(null);
                    continue;
                }
                String[] path = copy.split(":");
                URL[] urls = new URL[path.length - 1];
                for (int i = 0; i < urls.length; i++) {
                    urls[i] = Path.of(path[i + 1]).toUri().toURL();
                }
                URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
                try {
                    Object locker = loader.loadClass(path[0] + "io.pagelock.PageLocker")
                            .getMethod("system")
                            .invoke(null);
                    System.out.println("locker " + locker.getClass().getName().replaceFirst("io\\.pagelock\\..*", ""));
                } catch (InvocationTargetException e) {
                    System.out.println("refused " + e.getCause().getMessage());
                }
            }
        }
    }

    private static String run(String... copies) throws Exception {
        return run(List.of(), copies);
    }

    private static String run(List<String> options, String... copies) throws Exception {
        return new ChildJvm()
                .classPath(Jars.testClasses().toString())
                .options(options.toArray(new String[0]))
                .run(Loaders.class, copies)
                .toString();
    }

    private static String plain() {
        return ":" + Jars.path(Jars.ofLinuxApplication());
    }

    private static String relocated(String prefix, Path directory) throws Exception {
        List<Path> jars = new ArrayList<>();
        for (Path jar : Jars.ofLinuxApplication()) {
            boolean ours = jar.getFileName().toString().startsWith("pagelock-");
            jars.add(ours ? Relocation.relocate(jar, prefix, directory) : jar);
        }
        return prefix + ".:" + Jars.path(jars);
    }

    /** A tool that relocates what the application depends on renames JNA in our classes, too. */
    @Test
    void aRelocatedJnaIsNamedAsTheCause(@TempDir Path directory) throws Exception {
        List<Path> jars = new ArrayList<>();
        for (Path jar : Jars.ofLinuxApplication()) {
            jars.add(Relocation.relocate(jar, "com.sun.jna", "shaded", directory));
        }
        String output = run(":" + Jars.path(jars));
        assertTrue(output.startsWith("0\nrefused "), output);
        assertTrue(
                output.contains("Keep the shading tool from relocating com.sun.jna (here it is shaded.com.sun.jna)"),
                output);
        assertFalse(output.contains("unpack"), output);
        assertFalse(output.contains("\tat "), output);
        // What it says, followed.
        assertTrue(run(relocated("shaded", directory)).startsWith("0\nlocker shaded."), output);
    }

    private static void assertSecondIsRefused(String first, String output) {
        assertTrue(output.startsWith("0\nlocker " + first + "\nrefused "), output);
        assertTrue(
                output.contains("pagelock was already loaded by another class loader (java.net.URLClassLoader@"),
                output);
        assertTrue(output.contains("pagelock-core-"), output);
        assertEquals(3, output.lines().count(), output);
    }

    @Test
    void B4_theSecondIsRefused() throws Exception {
        assertSecondIsRefused("", run(plain(), plain()));
    }

    @Test
    void aRelocatedOneIsRefused(@TempDir Path directory) throws Exception {
        assertSecondIsRefused("", run(plain(), relocated("shaded", directory)));
    }

    @Test
    void aPlainOneIsRefusedAfterARelocatedOne(@TempDir Path directory) throws Exception {
        assertSecondIsRefused("shaded.", run(relocated("shaded", directory), plain()));
    }

    @Test
    void ofTwoThatAreRelocatedDifferentlyTheSecondIsRefused(@TempDir Path directory) throws Exception {
        assertSecondIsRefused("one.", run(relocated("one", directory), relocated("two", directory)));
    }

    @Test
    void newSystemPropertiesLetNoSecondOneIn(@TempDir Path directory) throws Exception {
        String output = run(plain(), "forget", plain());
        assertTrue(output.startsWith("0\nlocker \nrefused "), output);
        assertTrue(output.contains("already loaded by another class loader"), output);
    }

    @Test
    void aJvmWithTheSmallestSetOfModulesRefusesToo() throws Exception {
        assertSecondIsRefused("", run(List.of("--limit-modules", "java.base,java.logging"), plain(), plain()));
    }
}
