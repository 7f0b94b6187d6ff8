// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Availability;
import io.pagelock.Availability.Candidate;
import io.pagelock.LockPolicy;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.DaemonThread;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** Finds the backend for this process, or finds out why there is none. */
public final class Discovery {
    private static final String EVERY_BACKEND =
            "Add the artifact io.pagelock:pagelock, which brings the backend of every system";

    private static final String WHOLE_JARS = "Check that its jars are complete and have one version";

    private static final String MORE_ROOM =
            "Give this process more heap, or let it have more threads (ulimit -u, TasksMax=, the limit"
                    + " on processes of a container), and start it again, since the outcome of the first call is kept";

    private static final String JMX_PROPERTY = "io.pagelock.jmx";

    private static final List<String> GRANT = Collections.unmodifiableList(Arrays.asList(
            "Grant java.security.AllPermission to the code bases of pagelock and JNA in the policy file",
            "Start java without -Djava.security.manager"));

    private static final class Found {
        private static final Discovery SYSTEM = findInThread();
    }

    /** Set in a thread that searches: a provider that asks for the locker would wait for itself. */
    private static final ThreadLocal<Boolean> SEARCHES = new ThreadLocal<>();

    private final Availability availability;
    private final Engine locker;

    private Discovery(Availability availability, Engine locker) {
        this.availability = availability;
        this.locker = locker;
    }

    /**
     * The locker of this process.
     *
     * @return the locker
     * @throws PageLockException if there is none
     */
    public static PageLocker system() {
        return found().locker();
    }

    private static final class BestEffort {
        private static final PageLocker SYSTEM = Found.SYSTEM.bestEffort();
    }

    /** Not among the above, so that no backend is looked for. */
    private static final class Off {
        private static final PageLocker SYSTEM = PolicyLocker.off();
    }

    /**
     * The locker of this process with a policy.
     *
     * @param policy what becomes of a refused lock
     * @return always the same locker for a policy
     * @throws PageLockException if there is none and the policy requires one
     */
    public static PageLocker system(LockPolicy policy) {
        switch (Objects.requireNonNull(policy, "policy")) {
            case REQUIRED:
                return system();
            case BEST_EFFORT:
                return BestEffort.SYSTEM;
            case OFF:
                return Off.SYSTEM;
            default:
                throw new IllegalArgumentException("policy " + policy);
        }
    }

    PageLocker bestEffort() {
        return locker == null ? new PolicyLocker(LockPolicy.BEST_EFFORT, absence()) : new PolicyLocker(locker);
    }

    /**
     * The report on the locker of this process.
     *
     * @return the report
     */
    public static Availability availability() {
        return found().availability;
    }

    private static Discovery found() {
        if (SEARCHES.get() == null) {
            return Found.SYSTEM;
        }
        return new Discovery(
                new Availability(
                        Collections.emptyList(),
                        "the provider of a backend called PageLocker while PageLocker was being opened",
                        one("Do not use PageLocker in the provider: its Host has the facts about the system"),
                        null),
                null);
    }

    Availability report() {
        return availability;
    }

    PageLocker locker() {
        if (locker == null) {
            throw absence();
        }
        return locker;
    }

    private PageLockException absence() {
        Throwable cause = availability.cause().orElse(null);
        return PageLockException.because(denial(cause) == null ? Reason.NOT_SUPPORTED : Reason.NOT_PERMITTED)
                .action("lock memory")
                .detail(availability.problem().orElse("") + considered())
                .remedies(availability.remedies())
                .cause(cause)
                .build();
    }

    private String considered() {
        StringBuilder text = new StringBuilder();
        for (Candidate candidate : availability.candidates()) {
            if (availability.problem().orElse("").endsWith(candidate.verdict())) {
                continue;
            }
            text.append(text.length() == 0 ? " (considered: " : "; ").append(candidate);
        }
        return text.length() == 0 ? "" : text.append(')').toString();
    }

    /**
     * Looks in a thread of its own: backends and JNA start threads while they open, which would keep the class loader of whoever
     * asks first; and with the rights of this library, so that whoever asks first needs none.
     */
    private static Discovery findInThread() {
        AtomicReference<Discovery> found = new AtomicReference<>();
        try {
            Thread thread = DaemonThread.of("pagelock-open", new Runnable() {
                @Override
                public void run() {
                    found.set(findHere());
                }
            });
            thread.start();
            EngineClasses.load();
            join(thread);
        } catch (OutOfMemoryError e) {
            // No thread to be had, as under a locked future with a small limit.
            return findHere();
        }
        return found.get() == null ? findHere() : found.get();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Discovery findHere() {
        try {
            ClassLoader loader = Discovery.class.getClassLoader();
            return find(
                    ServiceLoader.load(BackendProvider.class, loader),
                    Host.current(),
                    // No lambda: the first one of a JVM takes milliseconds to link.
                    new UnaryOperator<String>() {
                        @Override
                        public String apply(String property) {
                            return System.getProperty(property);
                        }
                    },
                    OwnerMark.PROCESS);
        } catch (RuntimeException | Error e) {
            // An exception here would leave a class that cannot be initialized, and every later call without a reason.
            SecurityException denial = denial(e);
            return new Discovery(
                    new Availability(
                            Collections.emptyList(),
                            denial == null ? "the search for a backend failed: " + e : denied(denial),
                            denial == null ? one("See the cause") : GRANT,
                            e),
                    null);
        }
    }

    /** Looks at every provider, however broken some are, and opens the one that is chosen. */
    static Discovery find(
            Iterable<BackendProvider> providers, Host host, UnaryOperator<String> properties, OwnerMark mark) {
        String wanted = properties.apply(PageLocker.BACKEND_PROPERTY);
        boolean monitored = !"false".equals(properties.apply(JMX_PROPERTY));
        SEARCHES.set(true);
        try {
            return new Search(host, wanted, monitored, mark).run(providers);
        } finally {
            SEARCHES.remove();
        }
    }

    /** Returns the security manager's refusal that a failure comes from, or null. */
    private static SecurityException denial(Throwable failure) {
        Throwable each = failure;
        while (each != null && !(each instanceof SecurityException)) {
            each = each.getCause();
        }
        return (SecurityException) each;
    }

    private static String denied(SecurityException denial) {
        return "the security manager of this JVM refuses what pagelock needs: " + denial.getMessage();
    }

    private static List<String> one(String remedy) {
        return Collections.singletonList(remedy);
    }

    private static final class Search {
        private final Host host;
        private final String wanted;
        private final boolean monitored;
        private final OwnerMark mark;
        private final List<Candidate> candidates = new ArrayList<>();
        private final List<BackendProvider> accepting = new ArrayList<>();
        private Throwable firstFailure;

        private Search(Host host, String wanted, boolean monitored, OwnerMark mark) {
            this.host = host;
            this.wanted = wanted == null || wanted.isEmpty() ? null : wanted;
            this.monitored = monitored;
            this.mark = mark;
        }

        private Discovery run(Iterable<BackendProvider> providers) {
            Iterator<BackendProvider> each = providers.iterator();
            // A provider that cannot be made is passed over; a broken services file may break hasNext for good.
            for (int broken = 0; broken < 100; ) {
                try {
                    if (!each.hasNext()) {
                        break;
                    }
                    consider(each.next());
                } catch (RuntimeException | Error e) {
                    broken++;
                    reject("a provider", "cannot be loaded: " + e, e);
                }
            }
            if (accepting.size() == 1) {
                return open(accepting.get(0));
            }
            if (accepting.size() > 1) {
                accepting.forEach(one -> reject(one.name(), "accepts " + host + ", but so do others", null));
                return none(
                        "several backends accept this system",
                        Arrays.asList(
                                "Name one with -D" + PageLocker.BACKEND_PROPERTY + "=NAME",
                                "Remove all but one from the class or module path"));
            }
            if (candidates.isEmpty()) {
                return none(
                        "no backend is on the class or module path",
                        Arrays.asList(
                                EVERY_BACKEND + ", or pagelock-backend-SYSTEM for this one (" + host + ")",
                                "In a shaded jar, merge the files META-INF/services/"
                                        + BackendProvider.class.getName()));
            }
            return none(
                    wanted == null
                            ? "no backend for this system (" + host + ")"
                            : "the backend '" + wanted + "', named by -D" + PageLocker.BACKEND_PROPERTY
                                    + ", cannot be used",
                    wanted == null
                            ? one(EVERY_BACKEND + " that has one")
                            : Arrays.asList(
                                    "Remove the property", "Name a backend that accepts this system (" + host + ")"));
        }

        private void consider(BackendProvider provider) {
            Optional<String> refusal = provider.refusal(host);
            if (refusal.isPresent()) {
                reject(provider.name(), refusal.get(), null);
            } else if (wanted != null && !wanted.equals(provider.name())) {
                reject(provider.name(), "not the one named by -D" + PageLocker.BACKEND_PROPERTY + "=" + wanted, null);
            } else {
                accepting.add(provider);
            }
        }

        private static final class Registration implements Runnable {
            private final Engine locker;

            private Registration(Engine locker) {
                this.locker = locker;
            }

            @Override
            public void run() {
                Monitoring.register(locker);
            }
        }

        private Discovery open(BackendProvider provider) {
            String name = provider.name();
            boolean opened = false;
            try {
                claim();
                Backend backend = provider.open(host);
                Engine engine = new Engine(backend);
                Optional<OutsideLock> agents = mark.agent();
                if (agents.isPresent()) {
                    engine.assume(agents.get());
                }
                Engine locker = monitored ? engine.atFirstLock(new Registration(engine)) : engine;
                opened = true;
                candidates.add(new Candidate(name, "chosen: " + backend.info(), true));
                return new Discovery(new Availability(candidates, null, Collections.emptyList(), null), locker);
            } catch (PageLockException e) {
                return failed(name, e.detail(), e.remedies(), e);
            } catch (RuntimeException | Error e) {
                return failed(name, e.toString(), one(e instanceof OutOfMemoryError ? MORE_ROOM : WHOLE_JARS), e);
            } finally {
                if (!opened) {
                    mark.release();
                }
            }
        }

        private Discovery failed(String name, String why, List<String> remedies, Throwable failure) {
            SecurityException denial = denial(failure);
            String verdict = denial == null ? why : denied(denial);
            reject(name, "cannot be opened: " + verdict, failure);
            return none("the backend '" + name + "' cannot be opened: " + verdict, denial == null ? remedies : GRANT);
        }

        /** Throws if another copy of this library counts for this process already. */
        private void claim() {
            Optional<String> owner = mark.claim();
            if (owner.isPresent()) {
                throw PageLockException.because(Reason.NOT_SUPPORTED)
                        .detail("pagelock was already loaded by another class loader (" + owner.get()
                                + "); two copies would release each other's locks")
                        .remedies("Load pagelock once, in a class loader that all its users share, such as the"
                                + " class path of the server instead of that of each application")
                        .build();
            }
        }

        private void reject(String name, String why, Throwable failure) {
            candidates.add(new Candidate(name, why, false));
            if (firstFailure == null) {
                firstFailure = failure;
            }
        }

        private Discovery none(String problem, List<String> remedies) {
            return new Discovery(new Availability(candidates, problem, remedies, firstFailure), null);
        }
    }
}
