// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.PageLockerMXBean;
import io.pagelock.backend.testkit.ChildJvm;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Application servers: applications in class loaders of their own that share pagelock or bring it along, and are undeployed. */
class ClassLoadersTest {
    /** An application. It locks in its own thread, whose inheritable thread local holds an object of the application. */
    public static final class Application implements Runnable {
        private static final InheritableThreadLocal<Object> REQUEST = new InheritableThreadLocal<>();

        @Override
        public void run() {
            Thread.currentThread().setContextClassLoader(Application.class.getClassLoader());
            REQUEST.set(this);
            try {
                PageLocker locker = PageLocker.system();
                ByteBuffer buffer = ByteBuffer.allocateDirect(64);
                try (PageLock lock = locker.lock(buffer)) {
                    System.out.println("locked by "
                            + locker.getClass().getClassLoader().getClass().getSimpleName() + " " + lock.isValid());
                }
                locker.lockAsync(locker.rangeOf(buffer))
                        .get(60, TimeUnit.SECONDS)
                        .close();
                // Large enough for threads that page in side by side.
                ByteBuffer large = ByteBuffer.allocateDirect(96 << 20);
                MemoryRange range = locker.rangeOf(large);
                locker.lock(range).close();
                locker.lockAsync(range).get(60, TimeUnit.SECONDS).close();
                large.get(0);
            } catch (Exception e) {
                System.out.println("failed: " + e.getMessage());
            }
        }
    }

    /** A server: the first argument is the applications' class path, the second what is done. */
    public static final class Server {
        private Server() {}

        public static void main(String[] args) throws Exception {
            boolean shared = args[1].equals("shared");
            ClassLoader parent = Server.class.getClassLoader();
            List<WeakReference<ClassLoader>> applications = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                applications.add(deploy(args[0], parent));
            }
            PageLock held = shared ? PageLocker.system().lock(ByteBuffer.allocateDirect(64)) : null;
            for (int i = shared ? 0 : 1; i < 2; i++) {
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
                while (applications.get(i).get() != null && System.nanoTime() < end) {
                    System.gc();
                    Thread.sleep(100);
                }
                System.out.println((i == 0 ? "first " : "second ")
                        + (applications.get(i).get() == null ? "collected" : "still there"));
            }
            if (held != null) {
                held.close();
            }
        }

        private static boolean isBeanThere() throws Exception {
            return ManagementFactory.getPlatformMBeanServer().isRegistered(new ObjectName(PageLockerMXBean.NAME));
        }

        private static WeakReference<ClassLoader> deploy(String path, ClassLoader parent) throws Exception {
            List<URL> urls = new ArrayList<>();
            for (String each : path.split(":")) {
                urls.add(Path.of(each).toUri().toURL());
            }
            URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]), parent);
            Thread thread = new Thread(
                    (Runnable) loader.loadClass(Server.class.getName().replace("Server", "Application"))
                            .getConstructor()
                            .newInstance());
            thread.start();
            thread.join();
            for (int n = 0; n < 1200 && !isBeanThere(); n++) {
                Thread.sleep(50);
            }
            System.out.println("bean " + isBeanThere());
            loader.close();
            return new WeakReference<>(loader);
        }
    }

    /** A directory with nothing but the application's class. */
    private static Path application(Path directory) throws Exception {
        String name = Application.class.getName().replace('.', '/') + ".class";
        Path copy = directory.resolve(name);
        Files.createDirectories(copy.getParent());
        Files.copy(Jars.testClasses().resolve(name), copy);
        return directory;
    }

    private static String run(Path directory, List<Path> ofServer, List<Path> ofApplications) throws Exception {
        List<Path> path = new ArrayList<>(ofServer);
        // Server without Application, which must come from the loader below.
        Path server = Files.createDirectories(directory.resolve("server"));
        for (String each : List.of("", "$Server")) {
            String name = ClassLoadersTest.class.getName().replace('.', '/') + each + ".class";
            Files.createDirectories(server.resolve(name).getParent());
            Files.copy(Jars.testClasses().resolve(name), server.resolve(name));
        }
        path.add(server);
        List<Path> below = new ArrayList<>(ofApplications);
        below.add(application(directory.resolve("application")));
        return new ChildJvm()
                .classPath(Jars.path(path))
                .options("-Xmx256m")
                .run(Server.class, Jars.path(below), ofApplications.isEmpty() ? "shared" : "own")
                .toString();
    }

    /** The set-up that docs/application-servers.md recommends. */
    @Test
    void applicationsThatShareOneCopyAllLockAndAreCollectedWhenUndeployed(@TempDir Path directory) throws Exception {
        assertEquals(
                "0\nlocked by AppClassLoader true\nbean true\nlocked by AppClassLoader true\nbean true\nfirst collected\nsecond collected\n",
                run(directory, Jars.ofLinuxApplication(), List.of()));
    }

    /** JNA keeps the loader of the first copy, whatever pagelock does, so only its successor is looked at. */
    @Test
    void aSecondApplicationWithACopyOfItsOwnIsRefusedAndCollected(@TempDir Path directory) throws Exception {
        String output = run(directory, List.of(), Jars.ofLinuxApplication());
        assertTrue(output.startsWith("0\nlocked by URLClassLoader true\nbean true\nfailed: "), output);
        assertTrue(output.contains("pagelock was already loaded by another class loader"), output);
        assertTrue(output.contains("Load pagelock once"), output);
        assertTrue(output.endsWith("\nbean true\nsecond collected\n"), output);
    }
}
