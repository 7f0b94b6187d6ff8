// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.standin;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.backend.testkit.ProcWitness;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.opentest4j.TestAbortedException;

/**
 * Runs tests in a separate JVM as a user without any right, whom the Linux underneath a stand-in limits by
 * {@code RLIMIT_MEMLOCK}. Needs root, setpriv(1) and prlimit(1); without them the test is skipped with that reason, but
 * where the environment variable {@code CI} is set, it fails.
 */
public final class OrdinaryUser {
    private static final String NOBODY = "65534";

    /** Holds the words before a program that root runs as that user. */
    public static final List<String> WITHOUT_RIGHTS = Collections.unmodifiableList(Arrays.asList(
            "setpriv",
            "--reuid=" + NOBODY,
            "--regid=" + NOBODY,
            "--clear-groups",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--bounding-set=-all"));

    private static final int ALL_SKIPPED = 3;

    private OrdinaryUser() {}

    /**
     * Runs a test class, with its nested ones, and fails with all that it printed unless every test passed or was skipped, and
     * most passed. It runs on copies of the class path and of {@code src/test}, since that user may not read ours.
     *
     * @param tests the class
     * @param limit soft and hard limit of locked memory in bytes
     */
    public static void passes(Class<?> tests, long limit) {
        if ("32".equals(System.getProperty("sun.arch.data.model"))) {
            // setpriv drops LD_LIBRARY_PATH, which the unpacked JVM needs.
            throw new TestAbortedException("not on 32 bits: another user's JVM does not find its libraries");
        }
        if (!Files.exists(Paths.get("/proc/self/status"))) {
            throw new TestAbortedException("a stand-in needs Linux underneath");
        }
        ChildJvm jvm = new ChildJvm().through(command(limit)).classPath(ChildJvm.classPathForAll());
        Path home = ChildJvm.directoryForAll();
        Path sources = Paths.get("src", "test");
        ChildProcess.Ended ended;
        try {
            if (Files.exists(sources)) {
                ChildJvm.copyForAll(sources, home.resolve(sources));
            }
            ended = jvm.in(home).run(OrdinaryUser.class, tests.getName(), Long.toString(limit));
        } catch (IOException | UncheckedIOException e) {
            throw unavailable(e.getMessage());
        }
        if (ended.status() == ALL_SKIPPED) {
            throw unavailable("every test was skipped:\n" + ended.output());
        }
        ended.succeeded();
    }

    /**
     * Returns the words before a program that is to run as that user. Skips or fails as {@link #passes} does where this process
     * is not root.
     *
     * @param limit soft and hard limit of locked memory in bytes
     * @return a new list
     */
    public static List<String> command(long limit) {
        if (!ProcWitness.status("Uid").startsWith("0")) {
            throw unavailable("only root can run tests as another user");
        }
        List<String> words = new ArrayList<>(limit(limit, limit));
        words.addAll(WITHOUT_RIGHTS);
        return words;
    }

    /**
     * Returns the words before a program that is to run with a limit of locked memory.
     *
     * @param soft the soft limit in bytes, at most the hard one
     * @param hard the hard limit in bytes
     * @return a list
     */
    public static List<String> limit(long soft, long hard) {
        return Arrays.asList("prlimit", "--memlock=" + soft + ":" + hard);
    }

    private static AssertionError unavailable(String reason) {
        if (System.getenv("CI") != null) {
            throw new AssertionError(reason);
        }
        throw new TestAbortedException(reason);
    }

    /**
     * Returns the JVM that {@link #passes} starts.
     *
     * @param arguments the test class and the limit
     * @throws ClassNotFoundException if there is no such class
     */
    public static void main(String[] arguments) throws ClassNotFoundException {
        PrintWriter out = new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8), true);
        long limit = Long.parseLong(arguments[1]);
        if (!ProcWitness.status("Uid").startsWith(NOBODY) || ProcWitness.roomToLock() != limit) {
            out.println("not an ordinary user with a limit of " + limit + ": uid " + ProcWitness.status("Uid")
                    + ", limit " + ProcWitness.roomToLock());
            System.exit(2);
        }
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Class.forName(arguments[0])))
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(out, 30);
        summary.printTo(out);
        if (summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() == 0) {
            System.exit(ALL_SKIPPED);
        }
        boolean passed = summary.getTotalFailureCount() == 0
                && summary.getTestsSucceededCount() > summary.getTestsFoundCount() / 2;
        System.exit(passed ? 0 : 1);
    }
}
