// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.internal.OutsideLock;
import io.pagelock.internal.OwnerMark;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.DaemonThread;
import io.pagelock.spi.Host;
import java.lang.instrument.Instrumentation;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/** Locks what the options ask for, keeps committed memory locked, and reports. */
public final class Worker implements AgentMXBean {
    private static final String LOCKED = "locked";
    private static final String NOT_LOCKED = "not locked: ";
    private static final String REFUSED = "refused: ";

    private final Request request;
    private final Instrumentation jvm;
    private final boolean running;

    private final List<AutoCloseable> kept = new ArrayList<>();
    private volatile List<Refusal> problems = Collections.emptyList();
    private Backend backend;
    private Target target;
    /** Null without committed. */
    private Follower follower;

    private Worker(Request request, Instrumentation jvm, boolean running) {
        this.request = request;
        this.jvm = jvm;
        this.running = running;
    }

    /**
     * Locks, and starts to follow the growth of committed memory.
     *
     * @param options the options, separated by commas
     * @param jvm the JVM
     * @param running whether the program has begun
     * @return {@code locked}, {@code not locked: why} if the program may run without, or {@code refused: why}
     */
    public static String start(String options, Instrumentation jvm, boolean running) {
        Request request;
        try {
            request = Request.parse(options, "Linux".equals(System.getProperty("os.name")));
        } catch (IllegalArgumentException e) {
            return REFUSED + e.getMessage();
        }
        Worker worker = new Worker(request, jvm, running);
        AtomicReference<String> outcome = new AtomicReference<>();
        // JNA starts threads, which should take nothing from the program's.
        Thread thread = DaemonThread.of("pagelock-agent-open", () -> outcome.set(worker.outcome()));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return NOT_LOCKED + "interrupted";
        }
        return outcome.get() == null ? NOT_LOCKED + "out of memory" : outcome.get();
    }

    private String outcome() {
        try {
            lock();
        } catch (Refusal e) {
            problems = Collections.singletonList(e);
        } catch (RuntimeException | LinkageError e) {
            problems = Collections.singletonList(Refusal.of(e));
        }
        List<Refusal> found = problems;
        if (!found.isEmpty() && request.required) {
            return REFUSED + line(found.get(0));
        }
        DaemonThread.of("pagelock-agent", this::follow).start();
        return found.isEmpty() ? LOCKED : NOT_LOCKED + line(found.get(0));
    }

    private static String line(Refusal refusal) {
        return refusal.getMessage().replace('\n', ' ');
    }

    private void lock() throws Refusal {
        backend = new LibraryLoading(jvm, running).open(Worker::open);
        OwnCopy own = new OwnCopy(backend);
        Optional<String> owner = OwnerMark.PROCESS.lockForAgent(() -> {
            if (!lock(own)) {
                return Optional.empty();
            }
            own.keep();
            return Optional.of(locked());
        });
        if (owner.isPresent()) {
            lock(ProgramsCopy.find(jvm, owner.get()));
        }
    }

    private static Backend open() {
        Host host = Host.current();
        for (BackendProvider each : ServiceLoader.load(BackendProvider.class, Worker.class.getClassLoader())) {
            if (!each.refusal(host).isPresent()) {
                return each.open(host);
            }
        }
        throw new IllegalStateException("pagelock has no backend for this system (" + host + ")");
    }

    /** What a copy of the program that counts later has to leave locked. What is committed is part of what is current. */
    private OutsideLock locked() {
        boolean current = request.current || request.committed;
        // Left out, perhaps, because the limit is used up.
        boolean future = request.future && !kept.isEmpty();
        Set<LockOption> options = EnumSet.noneOf(LockOption.class);
        options.addAll(request.options);
        if (request.committed) {
            options.add(LockOption.ON_FAULT);
        }
        AddressSpaceScope scope = !current
                ? AddressSpaceScope.FUTURE
                : future ? AddressSpaceScope.CURRENT_AND_FUTURE : AddressSpaceScope.CURRENT;
        OutsideLock locked = new OutsideLock(scope, options);
        return future && request.options.isEmpty() && !options.isEmpty() ? locked.futureFully() : locked;
    }

    /** Reports whether anything stays locked. */
    private boolean lock(Target by) {
        target = by;
        List<Refusal> refused = new ArrayList<>();
        if (request.committed) {
            follower = new Follower(
                    request,
                    new CommittedMemory(System.getProperty("java.home")),
                    by,
                    () -> lockedBytes(Long.MAX_VALUE));
            refused.addAll(follower.round());
        }
        Optional<AddressSpaceScope> scope = request.addressSpace();
        // Future locking always succeeds; where the limit is used up, the JVM could map nothing more and would abort.
        if (scope.isPresent() && refused.stream().noneMatch(Refusal::isOfLimit)) {
            try {
                kept.add(by.lockAddressSpace(scope.get(), request.options));
                if (request.committed) {
                    // What was mapped in the meantime.
                    refused = new ArrayList<>(follower.round());
                }
            } catch (Refusal e) {
                refused.add(e);
            }
        }
        problems = refused;
        if (request.required && !refused.isEmpty()) {
            unlock(refused.get(0));
        }
        return !kept.isEmpty() || follower != null;
    }

    private void unlock(Refusal why) {
        if (follower != null) {
            follower.end();
            follower = null;
        }
        for (AutoCloseable each : kept) {
            try {
                each.close();
            } catch (Exception e) {
                why.addSuppressed(e);
            }
        }
        kept.clear();
    }

    private void follow() {
        try {
            // The first use of JMX may load the logging of the JDK, for which some servers want to set properties
            // first.
            TimeUnit.MILLISECONDS.sleep(running ? 0 : 1000);
            register();
            Set<String> reported = new HashSet<>();
            problems.forEach(each -> reported.add(each.reason));
            while (follower != null) {
                TimeUnit.MILLISECONDS.sleep(request.intervalMillis);
                look(reported);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(Set<String> reported) {
        try {
            problems = follower.round();
            for (Refusal each : problems) {
                if (reported.add(each.reason)) {
                    System.err.println("pagelock-agent: " + NOT_LOCKED + line(each));
                }
            }
        } catch (RuntimeException | Error e) {
            // No memory, perhaps; the next round may have it.
            problems = Collections.singletonList(Refusal.of(e));
        }
    }

    private void register() {
        try {
            ManagementFactory.getPlatformMBeanServer()
                    .registerMBean(new StandardMBean(this, AgentMXBean.class, true), new ObjectName(NAME));
        } catch (Throwable e) {
            // No JMX in this JVM, or no memory: what was locked stays locked.
            return;
        }
    }

    @Override
    public String getRequested() {
        return request.toString();
    }

    @Override
    public boolean isKept() {
        return problems.isEmpty();
    }

    @Override
    public String[] getProblems() {
        return problems.stream().map(Worker::line).toArray(String[]::new);
    }

    @Override
    public String getLockedBy() {
        return target == null ? "nothing" : target.name();
    }

    @Override
    public long getKernelLockedBytes() {
        return lockedBytes(-1);
    }

    private long lockedBytes(long unknown) {
        return backend == null ? unknown : backend.limits().lockedBytes().orElse(unknown);
    }

    @Override
    public long getCommittedBytes() {
        return follower == null ? -1 : follower.committedBytes();
    }

    @Override
    public long getCommittedLockedBytes() {
        return follower == null ? -1 : follower.heldBytes();
    }
}
