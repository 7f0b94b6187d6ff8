// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.Availability;
import io.pagelock.Availability.Candidate;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;

/** Finds the backend for this process, or finds out why there is none. */
public final class Discovery {
    /**
     * Set by the copy of this library that counts for this process. A second copy, in another class loader, would count
     * apart and unlock the first one's pages.
     */
    static final String OWNER_PROPERTY = "io.pagelock.owner";

    private static final String JMX_PROPERTY = "io.pagelock.jmx";

    private static final String OWN_ID =
            "class loader " + Discovery.class.getClassLoader() + ", copy " + System.identityHashCode(Discovery.class);

    private static final class Found {
        private static final Discovery SYSTEM = find(
                ServiceLoader.load(BackendProvider.class, Discovery.class.getClassLoader()),
                Host.current(),
                System.getProperties());
    }

    private final Availability availability;
    private final PageLocker locker;

    private Discovery(Availability availability, PageLocker locker) {
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
        return Found.SYSTEM.locker();
    }

    /**
     * The report on the locker of this process.
     *
     * @return the report
     */
    public static Availability availability() {
        return Found.SYSTEM.availability;
    }

    Availability report() {
        return availability;
    }

    PageLocker locker() {
        if (locker == null) {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .action("lock memory")
                    .detail(availability.report())
                    .cause(availability.cause().orElse(null))
                    .build();
        }
        return locker;
    }

    /** Looks at every provider, however broken some are, and opens the one that is chosen. */
    static Discovery find(Iterable<BackendProvider> providers, Host host, Properties properties) {
        return new Search(host, properties.getProperty(PageLocker.BACKEND_PROPERTY), properties).run(providers);
    }

    private static final class Search {
        private final Host host;
        private final String wanted;
        private final Properties properties;
        private final List<Candidate> candidates = new ArrayList<>();
        private final List<BackendProvider> accepting = new ArrayList<>();
        private Throwable firstFailure;

        private Search(Host host, String wanted, Properties properties) {
            this.host = host;
            this.wanted = wanted == null || wanted.isEmpty() ? null : wanted;
            this.properties = properties;
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
                        "Remove all but one from the class or module path, or name one with -D"
                                + PageLocker.BACKEND_PROPERTY + "=NAME");
            }
            if (candidates.isEmpty()) {
                return none(
                        "no backend is on the class or module path",
                        "Add the artifact pagelock-backend-SYSTEM for this system (" + host
                                + "); a shaded jar must merge META-INF/services/"
                                + BackendProvider.class.getName());
            }
            return none(
                    wanted == null
                            ? "no backend for this system (" + host + ")"
                            : "the backend '" + wanted + "', named by -D" + PageLocker.BACKEND_PROPERTY
                                    + ", cannot be used",
                    wanted == null
                            ? "Add the artifact pagelock-backend-SYSTEM for it"
                            : "Remove the property or name a backend that accepts this system (" + host + ")");
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

        private Discovery open(BackendProvider provider) {
            String name = provider.name();
            boolean opened = false;
            try {
                claim();
                Backend backend = provider.open(host);
                PageLocker locker = monitored(new Engine(backend));
                opened = true;
                candidates.add(new Candidate(name, "chosen: " + backend.info(), true));
                return new Discovery(new Availability(candidates, "", "", null), locker);
            } catch (PageLockException e) {
                reject(name, e.detail().isEmpty() ? e.getMessage() : e.detail(), e);
                return none(
                        "the backend '" + name + "' cannot be opened: "
                                + candidates.get(candidates.size() - 1).verdict(),
                        e.remedy());
            } catch (RuntimeException | Error e) {
                reject(name, "cannot be opened: " + e, e);
                return none(
                        "the backend '" + name + "' cannot be opened: " + e,
                        "Check that its jars are complete and of one version");
            } finally {
                if (!opened) {
                    properties.remove(OWNER_PROPERTY, OWN_ID);
                }
            }
        }

        private PageLocker monitored(Engine engine) {
            boolean wanted = !"false".equals(properties.getProperty(JMX_PROPERTY));
            return wanted ? engine.atFirstLock(() -> Monitoring.register(engine)) : engine;
        }

        /** Throws if another copy of this library counts for this process already. */
        private void claim() {
            Object owner = properties.putIfAbsent(OWNER_PROPERTY, OWN_ID);
            if (owner != null && !owner.equals(OWN_ID)) {
                throw PageLockException.because(Reason.NOT_SUPPORTED)
                        .detail("another copy of pagelock (" + owner
                                + ") already counts the locks of this process, and two counts would contradict each"
                                + " other")
                        .remedy("Load pagelock once, in a class loader that all its users share, such as the class"
                                + " path of the server rather than of each application")
                        .build();
            }
        }

        private void reject(String name, String why, Throwable failure) {
            candidates.add(new Candidate(name, why, false));
            if (firstFailure == null) {
                firstFailure = failure;
            }
        }

        private Discovery none(String problem, String remedy) {
            return new Discovery(new Availability(candidates, problem, remedy, firstFailure), null);
        }
    }
}
