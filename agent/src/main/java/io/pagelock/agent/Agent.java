// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent;

import java.io.File;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Locks the memory of the JVM that loads this jar as an agent, without changing the program. Everything except this
 * class is in a directory of the jar where no class loader of the program looks, so the program may bring pagelock and
 * JNA in any version.
 */
public final class Agent {
    /**
     * Names the system property to which the agent sets its outcome: {@code locked}, {@code not locked: why} or
     * {@code refused: why}. Once the agent is active, loading it again does not change it.
     */
    public static final String OUTCOME = "io.pagelock.agent";

    /** Names the system property to which the agent sets the outcome each time it is loaded. */
    public static final String ANSWER = "io.pagelock.agent.answer";

    private static final String NESTED = "META-INF/pagelock-agent/";
    private static final String WORKER = "io.pagelock.agent.worker.Worker";

    private static boolean active;

    private Agent() {}

    /**
     * Runs before the program. Ends the JVM with status 1 if the options are wrong, or if the lock is required and refused.
     *
     * @param options the options, separated by commas
     * @param jvm the JVM
     */
    public static void premain(String options, Instrumentation jvm) {
        if (!start(options, jvm, false)) {
            System.exit(1);
        }
    }

    /**
     * Runs in a JVM that is already running, and never ends it.
     *
     * @param options the options, separated by commas
     * @param jvm the JVM
     */
    public static void agentmain(String options, Instrumentation jvm) {
        start(options, jvm, true);
    }

    private static synchronized boolean start(String options, Instrumentation jvm, boolean running) {
        String outcome = "refused: pagelock-agent is already active in this JVM";
        if (!active) {
            outcome = outcome(options == null ? "" : options, jvm, running);
            System.setProperty(OUTCOME, outcome);
        }
        System.setProperty(ANSWER, outcome);
        active |= !outcome.startsWith("refused: ");
        if (!outcome.equals("locked")) {
            System.err.println("pagelock-agent: " + outcome);
        }
        return !outcome.startsWith("refused: ");
    }

    private static String outcome(String options, Instrumentation jvm, boolean running) {
        try {
            return (String) Class.forName(WORKER, true, loader())
                    .getMethod("start", String.class, Instrumentation.class, boolean.class)
                    .invoke(null, options, jvm, running);
        } catch (InvocationTargetException e) {
            return "not locked: " + e.getCause();
        } catch (ReflectiveOperationException | IOException | URISyntaxException | LinkageError e) {
            return "not locked: " + e;
        }
    }

    /** Sees the JDK and what is nested in this jar. */
    private static ClassLoader loader() throws IOException, URISyntaxException {
        ClassLoader top = ClassLoader.getSystemClassLoader();
        while (top.getParent() != null) {
            top = top.getParent();
        }
        URI jar =
                Agent.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        return new URLClassLoader(nested(jar), top);
    }

    /** A directory for each of the jars that were unpacked into this one. */
    private static URL[] nested(URI jar) throws IOException {
        Set<String> names = new TreeSet<>();
        try (JarFile file = new JarFile(new File(jar))) {
            for (JarEntry each : Collections.list(file.entries())) {
                String name = each.getName();
                if (name.startsWith(NESTED) && name.indexOf('/', NESTED.length()) > 0) {
                    names.add(name.substring(0, name.indexOf('/', NESTED.length()) + 1));
                }
            }
        }
        URL[] urls = new URL[names.size()];
        int i = 0;
        for (String each : names) {
            urls[i++] = url(jar, each);
        }
        return urls;
    }

    private static URL url(URI jar, String directory) throws MalformedURLException {
        return new URL("jar:" + jar + "!/" + directory);
    }
}
