// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two copies of the library in two class loaders of one process: the second is refused, saying so. */
class TwoCopiesTest {
    /** The main class of the child JVM. */
    public static final class TwoLoaders {
        private TwoLoaders() {}

        public static void main(String[] jars) throws Exception {
            System.out.println("first: " + system(jars));
            System.out.println("second: " + system(jars));
        }

        private static String system(String[] jars) throws Exception {
            URL[] urls = new URL[jars.length];
            for (int i = 0; i < jars.length; i++) {
                urls[i] = Path.of(jars[i]).toUri().toURL();
            }
            URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
            try {
                Object locker = loader.loadClass("io.pagelock.PageLocker")
                        .getMethod("system")
                        .invoke(null);
                return "locker " + locker.getClass().getSimpleName();
            } catch (InvocationTargetException e) {
                return "refused " + e.getCause().getMessage();
            }
        }
    }

    @Test
    void theSecondIsRefused() throws Exception {
        List<Path> jars = Jars.ofLinuxApplication();
        String[] arguments = new String[3 + jars.size()];
        arguments[0] = "-cp";
        arguments[1] = Jars.testClasses().toString();
        arguments[2] = TwoLoaders.class.getName();
        for (int i = 0; i < jars.size(); i++) {
            arguments[3 + i] = jars.get(i).toString();
        }
        String output = Jars.java(arguments);
        assertTrue(output.startsWith("0\n"), output);
        assertTrue(output.contains("first: locker Engine"), output);
        assertTrue(output.contains("second: refused"), output);
        assertTrue(output.contains("another copy of pagelock"), output);
    }
}
