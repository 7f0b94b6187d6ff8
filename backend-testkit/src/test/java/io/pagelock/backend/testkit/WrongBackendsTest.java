// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.Syncing;
import java.lang.ref.Cleaner;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Every test of the contract fails for at least one backend or locker that is wrong in what the rule is about. */
class WrongBackendsTest {
    private static final Set<String> CAUGHT = new HashSet<>();

    /** Something that breaks a rule. */
    private static final class Wrong {
        private final String rule;
        private final String how;
        private KernelRules rules = Systems.of("linux");
        private Function<FakeBackend, Backend> backend = good -> good;
        private Function<Backend, PageLocker> locker = PageLockers::over;
        private boolean provides;

        private Wrong(String rule, String how) {
            this.rule = rule;
            this.how = how;
        }

        private Wrong on(KernelRules other) {
            rules = other;
            return this;
        }

        private Wrong backend(Function<FakeBackend, Backend> spoilt) {
            backend = spoilt;
            return this;
        }

        private Wrong locker(Function<Backend, PageLocker> spoilt) {
            locker = spoilt;
            return this;
        }

        private Wrong provider() {
            provides = true;
            return this;
        }

        @Override
        public String toString() {
            return rule + ": " + how;
        }
    }

    /** The contract, run by the launcher below on what is wrong. */
    static final class Subject extends BackendContract {
        private static Wrong wrong;

        @Override
        protected Harness open() {
            // What is wrong never comes; what is right comes late on a busy machine.
            patienceMillis = wrong.rule.isEmpty() ? patienceMillis : 300;
            FakeKernel kernel = new FakeKernel(wrong.rules);
            kernel.setPrivileged(wrong.rules.has(Trait.PRIVILEGE_IS_NEEDED));
            if (wrong.how.contains("small limit")) {
                kernel.setLimit(65536);
            }
            Harness harness = new FakeHarness(kernel, wrong.backend.apply(new FakeBackend(kernel)));
            return wrong.provides ? providing(harness) : harness;
        }

        @Override
        protected PageLocker locker(Backend over) {
            return wrong.locker.apply(over);
        }
    }

    static Stream<Wrong> wrong() {
        return Stream.of(
                new Wrong("R1", "a page too many").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length + page, options);
                    }
                }),
                new Wrong("R2", "rounds and asks the system whatever comes out")
                        .locker(over -> with(over, "lock", own -> {
                            MemoryRange range = (MemoryRange) own[0];
                            over.lock(range.address() & -over.pageSize(), over.pageSize(), Set.of());
                            return null;
                        })),
                new Wrong("R3", "reports pages of twice the size").backend(good -> new PassingBackend(good) {
                    @Override
                    public long pageSize() {
                        return 2 * page;
                    }
                }),
                new Wrong("R3", "locks the first page only").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, page, options);
                    }
                }),
                new Wrong("R4", "gives the address of the position").backend(good -> new PassingBackend(good) {
                    @Override
                    public long address(ByteBuffer buffer) {
                        return good.address(buffer) + buffer.position();
                    }
                }),
                new Wrong("R4", "does nothing").backend(IdleBackend::new),
                new Wrong("R5", "forgets the buffer")
                        .locker(over -> with(
                                over,
                                "lock",
                                (plain, own) -> own[0] instanceof ByteBuffer
                                        ? plain.lock(plain.rangeOf((ByteBuffer) own[0])
                                                .withoutOwner())
                                        : NOT_MINE)),
                new Wrong("R5", "keeps the buffer for ever")
                        .locker(over -> with(over, "lock", (plain, own) -> {
                            KEPT.add(own[0]);
                            return NOT_MINE;
                        })),
                new Wrong("L1", "does nothing").backend(IdleBackend::new),
                new Wrong("L2", "does not unlock").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {}
                }),
                new Wrong("L2", "claims that a failure leaves nothing").backend(good -> new PassingBackend(good) {
                    @Override
                    public boolean failedLockLeavesNothing() {
                        return true;
                    }
                }),
                new Wrong("L3", "unlocks the whole range after a failure").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        try {
                            good.lock(address, length, options);
                        } catch (PageLockException e) {
                            good.mapped(MemoryRange.of(address, length))
                                    .get()
                                    .forEach(part -> good.unlock(part.address(), part.length()));
                            throw e;
                        }
                    }
                }),
                new Wrong("L4", "unlocks one page more").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {
                        kernel.munlock(address, length + page);
                    }
                }),
                new Wrong("L4", "does not count").locker(WrongBackendsTest::apart),
                new Wrong("L6", "remembers what it locked").backend(RememberingBackend::new),
                new Wrong("L7", "does not say that it is the limit")
                        .backend(good -> new RenamingBackend(good, Reason.OVER_LIMIT, Reason.UNKNOWN)),
                new Wrong("L7", "never sees a locked page").backend(good -> new PassingBackend(good) {
                    @Override
                    public PageStates pageStates(MemoryRange range) {
                        return PageStates.unknown(range, page).build();
                    }
                }),
                new Wrong("L7", "never sees a locked page, where pages are charged twice")
                        .on(Systems.of("freebsd"))
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public PageStates pageStates(MemoryRange range) {
                                return PageStates.unknown(range, page).build();
                            }
                        }),
                new Wrong("L8", "closes as often as asked")
                        .locker(over -> with(over, "lock", (plain, own) -> {
                            MemoryRange range = (MemoryRange) own[0];
                            PageLock lock = plain.lock(range);
                            return handle(lock, () -> {
                                lock.close();
                                over.unlock(range.address(), range.length());
                            });
                        })),
                new Wrong("L8", "unlocks in the thread that locked only").backend(good -> new PassingBackend(good) {
                    private final Thread owner = Thread.currentThread();

                    @Override
                    public void unlock(long address, long length) {
                        if (Thread.currentThread() != owner) {
                            throw PageLockException.because(Reason.NOT_PERMITTED)
                                    .build();
                        }
                        good.unlock(address, length);
                    }
                }),
                new Wrong("L8", "refuses to unlock what is not locked").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {
                        if (kernel.chargedBytes(address, length) == 0) {
                            throw PageLockException.because(Reason.UNKNOWN).build();
                        }
                        good.unlock(address, length);
                    }
                }),
                new Wrong("L9", "keeps refused unlocks to itself").backend(SilentBackend::new),
                new Wrong("L10", "does not say that it is a hole")
                        .backend(good -> new RenamingBackend(good, Reason.NOT_MAPPED, Reason.UNKNOWN)),
                new Wrong("L10", "takes everything for mapped").backend(good -> new PassingBackend(good) {
                    @Override
                    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
                        return Optional.of(Arrays.asList(range));
                    }
                }),
                new Wrong("L11", "keeps every handle")
                        .locker(over -> with(over, "lock", (plain, own) -> {
                            PageLock lock = plain.lock((MemoryRange) own[0]);
                            KEPT.add(lock);
                            return lock;
                        })),
                new Wrong("L12", "brings pages in").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length, Set.of());
                    }
                }),
                new Wrong("L12", "does nothing on fault").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        if (!options.contains(LockOption.ON_FAULT)) {
                            good.lock(address, length, Set.of());
                        }
                    }
                }),
                new Wrong("L13", "locks on fault without a look at other handles")
                        .locker(over -> with(
                                over,
                                "lock",
                                (plain, own) -> ((LockOption[]) own[1]).length == 0
                                        ? NOT_MINE
                                        : PageLockers.over(over).lock((MemoryRange) own[0], LockOption.ON_FAULT))),
                new Wrong("L13", "leaves pages alone that are charged").backend(LazyBackend::new),
                new Wrong("L14", "believes what the system says").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        if (kernel.mlock(address, length) != Errno.OK) {
                            throw PageLockException.because(Reason.UNKNOWN).build();
                        }
                    }
                }),
                new Wrong("L15", "does one thing at a time").backend(good -> new PassingBackend(good) {
                    @Override
                    public synchronized void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length, options);
                    }

                    @Override
                    public synchronized void unlock(long address, long length) {
                        good.unlock(address, length);
                    }
                }),
                new Wrong("L16", "unlocks before it locks").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.unlock(address, length);
                        LockSupport.parkNanos(100_000);
                        good.lock(address, length, options);
                    }
                }),
                new Wrong("L17", "locks one after the other")
                        .locker(over -> with(over, "lock", (plain, own) -> {
                            List<PageLock> locks = new ArrayList<>();
                            for (Object each : (Collection<?>) own[0]) {
                                locks.add(plain.lock((MemoryRange) each));
                            }
                            KEPT.addAll(locks);
                            return handle(locks.get(0), () -> locks.forEach(PageLock::close));
                        })),
                new Wrong("L18", "keeps refused unlocks to itself").backend(SilentBackend::new),
                new Wrong("L19", "reports the end at the beginning")
                        .on(Systems.of("freebsd"))
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
                                done.accept(null);
                                return () -> {};
                            }
                        }),
                new Wrong("L19", "calls off what is running")
                        .on(Systems.of("freebsd"))
                        .backend(good -> new PassingBackend(good) {
                            private volatile CompletableFuture<Void> calledOff =
                                    CompletableFuture.completedFuture(null);

                            @Override
                            public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
                                AtomicBoolean over = new AtomicBoolean();
                                CompletableFuture<Void> ended = new CompletableFuture<>();
                                good.lockAsync(address, length, refusal -> {
                                    if (over.compareAndSet(false, true)) {
                                        done.accept(refusal);
                                    }
                                    ended.complete(null);
                                });
                                return () -> {
                                    if (over.compareAndSet(false, true)) {
                                        done.accept(PageLockException.because(Reason.CANCELLED)
                                                .build());
                                        calledOff = ended.orTimeout(60, TimeUnit.SECONDS);
                                    }
                                };
                            }

                            /** The rule asks before it looks at the page: not before the kernel has locked it. */
                            @Override
                            public LockLimits limits() {
                                calledOff.join();
                                return super.limits();
                            }
                        }),
                new Wrong("L20", "locks all of it in one call")
                        .locker(over -> with(over, "lock", own -> {
                            MemoryRange range = (MemoryRange) own[0];
                            over.lock(range.address(), range.length(), Set.of());
                            return handle(null, () -> over.unlock(range.address(), range.length()));
                        })),
                new Wrong("A1", "knows current only").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
                        good.lockAll(AddressSpaceScope.CURRENT, Set.of());
                    }
                }),
                new Wrong("A1", "does not add up").locker(WrongBackendsTest::apart),
                new Wrong("A2", "claims that a failure leaves nothing")
                        .on(Systems.of("solaris"))
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public boolean failedLockAllLeavesNothing() {
                                return true;
                            }
                        }),
                new Wrong("A2", "unlocks everything after a failure").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
                        try {
                            good.lockAll(scope, options);
                        } catch (PageLockException e) {
                            kernel.munlockall();
                            throw e;
                        }
                    }
                }),
                new Wrong("A3", "remembers what it locked").backend(RememberingBackend::new),
                new Wrong("A4", "counts handles and the address space apart").locker(WrongBackendsTest::apart),
                new Wrong("A5", "leaves everything locked").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlockAll(List<MemoryRange> keep) {}
                }),
                new Wrong("A6", "always asks for future").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
                        good.lockAll(
                                scope.includesCurrent()
                                        ? AddressSpaceScope.CURRENT_AND_FUTURE
                                        : AddressSpaceScope.FUTURE,
                                options);
                    }
                }),
                new Wrong("A6", "does not add up").locker(WrongBackendsTest::apart),
                new Wrong("A7", "ends with its handle")
                        .locker(over -> with(over, "lockAddressSpace", (plain, own) -> {
                            AddressSpaceLock lock = plain.lockAddressSpace((AddressSpaceScope) own[0]);
                            Object handle = Proxy.newProxyInstance(
                                    Subject.class.getClassLoader(),
                                    new Class<?>[] {AddressSpaceLock.class},
                                    (proxy, method, arguments) -> method.invoke(lock, arguments));
                            CLEANER.register(handle, lock::close);
                            return handle;
                        })),
                new Wrong("A8", "takes what is locked for the address space").backend(good -> new PassingBackend(good) {
                    @Override
                    public OptionalLong addressSpaceBytes() {
                        return OptionalLong.of(kernel.lockedBytes());
                    }
                }),
                new Wrong("A8", "charges what the system does not").backend(good -> new PassingBackend(good) {
                    @Override
                    public OptionalLong addressSpaceBytes() {
                        return OptionalLong.of(2 * kernel.virtualBytes());
                    }
                }),
                new Wrong("A9", "leaves pages alone that are charged").backend(LazyBackend::new),
                new Wrong("S1", "never waits")
                        .locker(over -> with(over, "sync", own -> {
                            MemoryRange range = (MemoryRange) own[0];
                            ((Syncing) over).sync(range.address(), range.length(), Set.of(SyncOption.ASYNC));
                            return null;
                        })),
                new Wrong("S2", "does not say that it is busy")
                        .backend(good -> new RenamingBackend(good, Reason.BUSY, Reason.UNKNOWN)),
                new Wrong("S2", "does not invalidate").backend(good -> new PassingBackend(good) {
                    @Override
                    public void sync(long address, long length, Set<SyncOption> options) {
                        good.sync(address, length, Set.of());
                    }
                }),
                new Wrong("S3", "syncs the first page only").backend(good -> new PassingBackend(good) {
                    @Override
                    public void sync(long address, long length, Set<SyncOption> options) {
                        good.sync(address, page, options);
                    }
                }),
                new Wrong("S4", "does not say that it is a hole")
                        .backend(good -> new RenamingBackend(good, Reason.NOT_MAPPED, Reason.UNKNOWN)),
                new Wrong("P1", "takes resident for locked").backend(good -> new PassingBackend(good) {
                    @Override
                    public PageStates pageStates(MemoryRange range) {
                        PageStates.Builder answers = PageStates.unknown(range, page);
                        for (int i = 0; i < range.length() / page; i++) {
                            boolean resident = kernel.isResident(range.address() + i * page);
                            answers.resident(i, Tristate.of(resident)).locked(i, Tristate.of(resident));
                        }
                        return answers.build();
                    }
                }),
                new Wrong("P2", "does not know of unmapped pages").backend(good -> new PassingBackend(good) {
                    @Override
                    public PageStates pageStates(MemoryRange range) {
                        return PageStates.unknown(range, page).build();
                    }
                }),
                new Wrong("P3", "takes unlimited for a number")
                        .backend(good ->
                                new LimitsBackend(good, LimitValue.ofBytes(Long.MAX_VALUE), OptionalLong.of(0))),
                new Wrong("P4", "counts its own calls").backend(good -> new PassingBackend(good) {
                    private long own;

                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length, options);
                        own += length;
                    }

                    @Override
                    public LockLimits limits() {
                        return good.limits().toBuilder()
                                .lockedBytes(OptionalLong.of(own))
                                .build();
                    }
                }),
                new Wrong("P5", "does not know what is used, under a small limit")
                        .backend(good -> new LimitsBackend(good, LimitValue.unlimited(), OptionalLong.of(0))),
                new Wrong("F1", "does not say which errno").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        try {
                            good.lock(address, length, options);
                        } catch (PageLockException e) {
                            throw PageLockException.because(e.reason()).build();
                        }
                    }
                }),
                new Wrong("F1", "does not say what to do").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        try {
                            good.lock(address, length, options);
                        } catch (PageLockException e) {
                            throw e.toBuilder().remedies(List.of()).build();
                        }
                    }
                }),
                new Wrong("F2", "takes every ENOMEM for the limit")
                        .backend(good -> new RenamingBackend(good, Reason.UNKNOWN, Reason.OVER_LIMIT)),
                new Wrong("F3", "does not give numbers").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        try {
                            good.lock(address, length, options);
                        } catch (PageLockException e) {
                            throw e.toBuilder()
                                    .detail("too much")
                                    .remedies("Ask for less")
                                    .build();
                        }
                    }
                }),
                new Wrong("F4", "takes the limit for the permission, under a small limit")
                        .backend(good -> new RenamingBackend(good, Reason.OVER_LIMIT, Reason.NOT_PERMITTED)),
                new Wrong("F4", "takes the permission for the limit")
                        .backend(good -> new RenamingBackend(good, Reason.NOT_PERMITTED, Reason.OVER_LIMIT)),
                new Wrong("F5", "takes a hole for a page")
                        .backend(good -> new RenamingBackend(good, Reason.NOT_MAPPED, Reason.CANNOT_BE_PAGED_IN)),
                new Wrong("F5", "takes a page for a hole")
                        .backend(good -> new RenamingBackend(good, Reason.CANNOT_BE_PAGED_IN, Reason.NOT_MAPPED)),
                new Wrong("B1", "declares what it cannot do")
                        .on(Systems.of("freebsd"))
                        .backend(good -> new FakeBackend(good.kernel(), EnumSet.allOf(Capability.class), true)),
                new Wrong("B1", "does not look at what is declared")
                        .on(Systems.of("freebsd"))
                        .locker(over -> {
                            Backend able = new ForwardingBackend(over) {
                                @Override
                                public Set<Capability> capabilities() {
                                    return EnumSet.allOf(Capability.class);
                                }
                            };
                            return PageLockers.over(able);
                        }),
                new Wrong("B1", "changes its mind").backend(good -> new PassingBackend(good) {
                    private int asked;

                    @Override
                    public Set<Capability> capabilities() {
                        return asked++ % 2 == 0 ? good.capabilities() : EnumSet.noneOf(Capability.class);
                    }
                }),
                new Wrong("L3", "takes an address for 32 bits").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address & 0xffffffffL, length, options);
                    }
                }),
                new Wrong("L3", "takes a length for 32 bits").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length & 0xffffffffL, options);
                    }
                }),
                new Wrong("L10", "takes a length for 32 bits").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {
                        good.unlock(address, length & 0xffffffffL);
                    }
                }),
                new Wrong("S1", "exchanges sync and async").backend(good -> new SyncingBackend(good, true, false)),
                new Wrong("S1", "takes sync for invalidate").backend(good -> new SyncingBackend(good, false, true)),
                new Wrong("S1", "calls another function").backend(good -> new PassingBackend(good) {
                    @Override
                    public void sync(long address, long length, Set<SyncOption> options) {
                        kernel.populate(address, length);
                    }
                }),
                new Wrong("A5", "does not look at the result of the end").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlockAll(List<MemoryRange> keep) {
                        kernel.munlockall();
                    }
                }),
                new Wrong("F4", "claims a privilege that is not there").backend(good -> new PassingBackend(good) {
                    @Override
                    public LockLimits limits() {
                        return good.limits().toBuilder()
                                .privilege("privilege", Tristate.YES)
                                .permitted(Tristate.YES)
                                .build();
                    }
                }),
                new Wrong("P1", "takes what is flagged for what is in memory")
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public PageStates pageStates(MemoryRange range) {
                                PageStates.Builder states = PageStates.unknown(range, page);
                                for (int i = 0; i < range.length() / page; i++) {
                                    boolean flagged = kernel.mode(range.address() + i * page) != FakeKernel.Mode.NONE;
                                    Tristate locked = Tristate.of(flagged);
                                    states.locked(i, locked).resident(i, locked);
                                }
                                return states.build();
                            }
                        }),
                new Wrong("P1", "takes a page that its file has lost for locked")
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public PageStates pageStates(MemoryRange range) {
                                PageStates states = good.pageStates(range);
                                PageStates.Builder wrong = PageStates.unknown(range, page);
                                for (int i = 0; i < states.pageCount(); i++) {
                                    boolean flagged = kernel.mode(range.address() + i * page) != FakeKernel.Mode.NONE;
                                    wrong.locked(i, Tristate.of(flagged)).resident(i, states.resident(i));
                                }
                                return wrong.build();
                            }
                        }),
                new Wrong("P3", "takes pages of the system's limit for bytes")
                        .backend(good -> new PassingBackend(good) {
                            @Override
                            public LockLimits limits() {
                                return inPages(good.limits(), page);
                            }
                        }),
                new Wrong("G1", "guards a page too many").backend(good -> new PassingBackend(good) {
                    @Override
                    public void guard(long address, long length, MemoryGuard guard) {
                        good.guard(address, length + page, guard);
                    }
                }),
                new Wrong("G1", "takes one guard for another").backend(good -> new PassingBackend(good) {
                    @Override
                    public void guard(long address, long length, MemoryGuard guard) {
                        good.guard(address, length, MemoryGuard.NOT_DUMPED);
                    }
                }),
                new Wrong("G2", "never ends a guard").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unguard(long address, long length, MemoryGuard guard) {}
                }),
                new Wrong("G3", "ends a guard with the lock").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {
                        good.unlock(address, length);
                        good.unguard(address, length, MemoryGuard.NOT_DUMPED);
                    }
                }),
                new Wrong("G3", "ends the lock with a guard").backend(good -> new PassingBackend(good) {
                    @Override
                    public void unguard(long address, long length, MemoryGuard guard) {
                        good.unguard(address, length, guard);
                        good.unlock(address, length);
                    }
                }),
                new Wrong("G3", "locks what it guards").backend(good -> new PassingBackend(good) {
                    @Override
                    public void guard(long address, long length, MemoryGuard guard) {
                        good.guard(address, length, guard);
                        good.lock(address, length, Set.of());
                    }
                }),
                new Wrong("G3", "guards what it locks").backend(good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length, options);
                        good.guard(address, length, MemoryGuard.NOT_DUMPED);
                    }
                }),
                new Wrong("G4", "guards what is mapped").backend(good -> new PassingBackend(good) {
                    @Override
                    public void guard(long address, long length, MemoryGuard guard) {
                        for (MemoryRange part :
                                good.mapped(MemoryRange.of(address, length)).orElseThrow()) {
                            good.guard(part.address(), part.length(), guard);
                        }
                    }
                }),
                new Wrong("G5", "does what it does not declare").backend(good -> new PassingBackend(good) {
                    @Override
                    public Set<MemoryGuard> guards() {
                        return EnumSet.of(MemoryGuard.NO_ACCESS);
                    }
                }),
                new Wrong("G6", "lets children inherit").backend(good -> new PassingBackend(good) {
                    @Override
                    public void guard(long address, long length, MemoryGuard guard) {}
                }),
                new Wrong("B3", "accepts every system").provider());
    }

    private static LockLimits inPages(LockLimits limits, long pageSize) {
        List<LockLimit> all = limits.all().stream()
                .map(each -> each.scope() == LockLimit.Scope.SYSTEM
                                && each.soft().bytes().isPresent()
                        ? LockLimit.builder(each.name(), each.scope())
                                .soft(LimitValue.ofBytes(each.soft().bytes().getAsLong() / pageSize))
                                .hard(each.hard())
                                .used(each.used())
                                .build()
                        : each)
                .collect(Collectors.toList());
        return limits.toBuilder().limits(all).build();
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void theRuleCatches(Wrong wrong) {
        Subject.wrong = wrong;
        Map<String, TestExecutionResult> outcomes = run(wrong.rule);
        List<String> failed = outcomes.entrySet().stream()
                .filter(each -> each.getValue().getStatus() == TestExecutionResult.Status.FAILED)
                .map(Map.Entry::getKey)
                .collect(Collectors.toList());
        assertTrue(!failed.isEmpty(), "not caught by any of " + outcomes);
        CAUGHT.addAll(failed);
    }

    @Test
    void aRightBackendIsNotCaught() {
        Subject.wrong = new Wrong("", "is right").provider();
        Map<String, TestExecutionResult> outcomes = run("");
        outcomes.forEach((test, result) -> {
            boolean expected = !test.startsWith("B3_");
            assertEquals(
                    expected,
                    result.getStatus() != TestExecutionResult.Status.FAILED,
                    test + ": " + result.getThrowable());
        });
    }

    /** Runs after all others: whoever adds a test to the contract adds something that it catches. */
    @AfterAll
    static void everyTestCaughtSomething() {
        Set<String> useless = new TreeSet<>();
        tests("").forEach(test -> useless.add(test.getName()));
        useless.removeAll(CAUGHT);
        assertEquals(Set.of(), useless, "tests of the contract that nothing wrong makes fail");
    }

    private static Stream<Method> tests(String rule) {
        List<Method> tests = new ArrayList<>();
        for (Class<?> type = BackendContract.class; type != Object.class; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                if (method.isAnnotationPresent(Test.class)
                        && (rule.isEmpty() || method.getName().startsWith(rule + "_"))) {
                    tests.add(method);
                }
            }
        }
        return tests.stream();
    }

    private static Map<String, TestExecutionResult> run(String rule) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(tests(rule)
                        .map(test -> selectMethod(Subject.class, test.getName()))
                        .collect(Collectors.toList()))
                .build();
        Map<String, TestExecutionResult> outcomes = new HashMap<>();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    outcomes.put(test.getDisplayName().replace("()", ""), result);
                }
            }
        });
        return outcomes;
    }

    // What wrong lockers are made of

    private static final Cleaner CLEANER = Cleaner.create();
    private static final List<Object> KEPT = new ArrayList<>();
    private static final Object NOT_MINE = new Object();

    private interface Own {
        Object call(PageLocker plain, Object[] arguments) throws Exception;
    }

    private static PageLocker with(Backend over, String method, Function<Object[], Object> own) {
        return with(over, method, (plain, arguments) -> own.apply(arguments));
    }

    /** A locker that is right but for one method. */
    private static PageLocker with(Backend over, String name, Own own) {
        PageLocker plain = PageLockers.over(over);
        return (PageLocker) Proxy.newProxyInstance(
                Subject.class.getClassLoader(), new Class<?>[] {PageLocker.class}, (proxy, method, arguments) -> {
                    Object answer = method.getName().equals(name) ? own.call(plain, arguments) : NOT_MINE;
                    return answer == NOT_MINE ? invoke(method, plain, arguments) : answer;
                });
    }

    /** Every lock has its own count. */
    private static PageLocker apart(Backend over) {
        Function<String, Own> fresh = name -> (plain, arguments) -> name.equals("lock")
                ? PageLockers.over(over).lock((MemoryRange) arguments[0])
                : PageLockers.over(over).lockAddressSpace((AddressSpaceScope) arguments[0]);
        PageLocker ranges = with(over, "lock", fresh.apply("lock"));
        return (PageLocker) Proxy.newProxyInstance(
                Subject.class.getClassLoader(),
                new Class<?>[] {PageLocker.class},
                (proxy, method, arguments) -> method.getName().equals("lockAddressSpace")
                        ? fresh.apply("all").call(ranges, arguments)
                        : invoke(method, ranges, arguments));
    }

    private static PageLock handle(PageLock lock, Runnable close) {
        return (PageLock) Proxy.newProxyInstance(
                Subject.class.getClassLoader(), new Class<?>[] {PageLock.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        close.run();
                        return null;
                    }
                    return invoke(method, lock, arguments);
                });
    }

    private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static Harness providing(Harness harness) {
        return (Harness) Proxy.newProxyInstance(
                Subject.class.getClassLoader(), new Class<?>[] {Harness.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "abilities":
                            Set<Harness.Ability> more = EnumSet.of(Harness.Ability.PROVIDE);
                            more.addAll(harness.abilities());
                            return more;
                        case "provider":
                            return new AnySystem();
                        default:
                            return invoke(method, harness, arguments);
                    }
                });
    }

    private static final class AnySystem implements BackendProvider {
        @Override
        public String name() {
            return "fake";
        }

        @Override
        public Optional<String> refusal(Host host) {
            return Optional.empty();
        }

        @Override
        public Backend open(Host host) {
            throw new UnsupportedOperationException();
        }
    }

    // Backends that are wrong in more than one rule

    private static final class IdleBackend extends PassingBackend {
        private IdleBackend(FakeBackend good) {
            super(good);
        }

        @Override
        public void lock(long address, long length, Set<LockOption> options) {}
    }

    private static final class SyncingBackend extends PassingBackend {
        private final boolean exchanged;
        private final boolean invalidate;

        private SyncingBackend(FakeBackend good, boolean exchanged, boolean invalidate) {
            super(good);
            this.invalidate = invalidate;
            this.exchanged = exchanged;
        }

        @Override
        public void sync(long address, long length, Set<SyncOption> options) {
            boolean asynchronous = options.contains(SyncOption.ASYNC) != exchanged;
            kernel.msync(
                    address,
                    length,
                    !asynchronous,
                    asynchronous,
                    invalidate || options.contains(SyncOption.INVALIDATE));
        }
    }

    private static final class SilentBackend extends PassingBackend {
        private SilentBackend(FakeBackend good) {
            super(good);
        }

        @Override
        public void unlock(long address, long length) {
            kernel.munlock(address, length);
        }
    }

    private static final class LazyBackend extends PassingBackend {
        private LazyBackend(FakeBackend good) {
            super(good);
        }

        @Override
        public void lock(long address, long length, Set<LockOption> options) {
            if (kernel.chargedBytes(address, length) < length) {
                good.lock(address, length, options);
            }
        }
    }

    private static final class RememberingBackend extends PassingBackend {
        private final Set<Long> locked = new HashSet<>();

        private RememberingBackend(FakeBackend good) {
            super(good);
        }

        @Override
        public void lock(long address, long length, Set<LockOption> options) {
            if (locked.add(address)) {
                good.lock(address, length, options);
            }
        }

        @Override
        public void unlock(long address, long length) {
            good.unlock(address, length);
            locked.remove(address);
        }
    }

    private static final class RenamingBackend extends PassingBackend {
        private final Reason from;
        private final Reason to;

        private RenamingBackend(FakeBackend good, Reason from, Reason to) {
            super(good);
            this.from = from;
            this.to = to;
        }

        private void renaming(Runnable call) {
            try {
                call.run();
            } catch (PageLockException e) {
                throw e.reason() == from
                        ? PageLockException.because(to)
                                .call(
                                        e.function().get(),
                                        e.errno().getAsInt(),
                                        e.errnoName().get())
                                .build()
                        : e;
            }
        }

        @Override
        public void lock(long address, long length, Set<LockOption> options) {
            renaming(() -> good.lock(address, length, options));
        }

        @Override
        public void unlock(long address, long length) {
            renaming(() -> good.unlock(address, length));
        }

        @Override
        public void sync(long address, long length, Set<SyncOption> options) {
            renaming(() -> good.sync(address, length, options));
        }
    }

    private static final class LimitsBackend extends PassingBackend {
        private final LimitValue soft;
        private final OptionalLong used;

        private LimitsBackend(FakeBackend good, LimitValue soft, OptionalLong used) {
            super(good);
            this.soft = soft;
            this.used = used;
        }

        @Override
        public LockLimits limits() {
            return LockLimits.builder()
                    .limit(LockLimit.builder("limit", LockLimit.Scope.PROCESS)
                            .soft(soft)
                            .used(used)
                            .build())
                    .lockedBytes(used)
                    .permitted(Tristate.YES)
                    .build();
        }
    }
}
