// SPDX-License-Identifier: Apache-2.0
package io.pagelock.schedules;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.PageStateReading;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A backend over two pages. Each call is a point where another thread may go on, has its effect at one moment, and is
 * another such point. Has no monitor, since the scheduler runs one thread at a time: with one, orders would be lost.
 */
final class TwoPages implements Backend, AddressSpaceLocking, AsyncLocking, PageStateReading {
    static final long PAGE = 4096;
    static final long START = 1 << 20;

    /** How a page is locked; the later call decides, as on Linux. */
    enum Mode {
        NOT,
        ON_FAULT,
        FULL
    }

    private final Mode[] pages = {Mode.NOT, Mode.NOT};
    /** Whether the end of an address-space lock keeps given ranges locked throughout. */
    private final boolean keeps;

    private final boolean nativeAsync;
    /** Whether it fails to lock the address space in a way that is no refusal, so that anything may be locked afterwards. */
    private final boolean breaks;

    private final Map<String, Set<Integer>> refusals = new HashMap<>();
    private final Map<String, Integer> calls = new HashMap<>();
    private final boolean[] busy = new boolean[pages.length];
    private final Map<Thread, Integer> dropsSeen = new HashMap<>();
    private int drops;

    TwoPages(boolean keeps, boolean nativeAsync, boolean breaks) {
        this.keeps = keeps;
        this.nativeAsync = nativeAsync;
        this.breaks = breaks;
    }

    /** Has the kernel refuse a call: the nth of a function, counted from 1. */
    void refuse(String function, int nth) {
        refusals.computeIfAbsent(function, any -> new HashSet<>()).add(nth);
    }

    boolean keeps() {
        return keeps;
    }

    boolean breaks() {
        return breaks;
    }

    Mode mode(int page) {
        return pages[page];
    }

    /** Whether the kernel dropped every lock since this thread last came back from a lock. */
    boolean droppedSinceLock() {
        return dropsSeen.getOrDefault(Thread.currentThread(), -1) != drops;
    }

    /** How often the kernel dropped every lock. */
    int drops() {
        return drops;
    }

    static MemoryRange range(int first, int count) {
        return MemoryRange.of(START + first * PAGE, count * PAGE);
    }

    private void call(String function, Reason reason) {
        Thread.yield();
        int nth = calls.merge(function, 1, Integer::sum);
        if (refusals.getOrDefault(function, Collections.emptySet()).contains(nth)) {
            Thread.yield();
            if (breaks && function.equals("lockAll")) {
                throw new IllegalStateException("the kernel breaks");
            }
            throw PageLockException.because(reason).call(function, 1, "EPERM").build();
        }
    }

    private void set(long address, long length, Mode mode) {
        for (int page = 0; page < pages.length; page++) {
            if (touches(address, length, page)) {
                pages[page] = mode;
            }
        }
    }

    private static boolean touches(long address, long length, int page) {
        long at = START + page * PAGE;
        return address <= at && at - address < length;
    }

    /** The engine never has two calls under way for one page. */
    private void enter(long address, long length, boolean entered) {
        for (int page = 0; page < pages.length; page++) {
            if (touches(address, length, page)) {
                Scene.check(busy[page] != entered, "two calls under way for page " + page);
                busy[page] = entered;
            }
        }
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        enter(address, length, true);
        try {
            call("lock", Reason.NO_LOCKABLE_MEMORY);
            set(address, length, options.contains(LockOption.ON_FAULT) ? Mode.ON_FAULT : Mode.FULL);
            Thread.yield();
            dropsSeen.put(Thread.currentThread(), drops);
        } finally {
            enter(address, length, false);
        }
    }

    @Override
    public void unlock(long address, long length) {
        enter(address, length, true);
        try {
            call("unlock", Reason.UNKNOWN);
            set(address, length, Mode.NOT);
            Thread.yield();
        } finally {
            enter(address, length, false);
        }
    }

    @Override
    public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        Thread thread = new Thread(() -> {
            PageLockException refusal = null;
            try {
                lock(address, length, Collections.emptySet());
            } catch (PageLockException e) {
                refusal = e;
            }
            done.accept(refusal);
        });
        thread.start();
        return () -> {};
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        call("lockAll", Reason.NO_LOCKABLE_MEMORY);
        if (scope.includesCurrent()) {
            Arrays.fill(pages, options.contains(LockOption.ON_FAULT) ? Mode.ON_FAULT : Mode.FULL);
        }
        Thread.yield();
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        call("unlockAll", Reason.UNKNOWN);
        for (int page = 0; page < pages.length; page++) {
            long at = START + page * PAGE;
            boolean kept = keeps && keep.stream().anyMatch(range -> range.overlaps(MemoryRange.of(at, PAGE)));
            pages[page] = kept ? Mode.ON_FAULT : Mode.NOT;
        }
        drops++;
        Thread.yield();
    }

    @Override
    public boolean failedLockAllLeavesNothing() {
        return keeps;
    }

    @Override
    public Set<Capability> capabilities() {
        Set<Capability> all = EnumSet.of(
                Capability.LOCK_ADDRESS_SPACE,
                Capability.LOCKED_PAGES,
                Capability.RESIDENT_PAGES,
                Capability.LOCK_ON_FAULT);
        if (keeps) {
            all.add(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
        }
        if (nativeAsync) {
            all.add(Capability.NATIVE_ASYNC);
        }
        return all;
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        PageStates.Builder states = PageStates.unknown(range, PAGE);
        for (int i = 0; i < range.length() / PAGE; i++) {
            Mode mode = pages[(int) ((range.address() - START) / PAGE) + i];
            states.locked(i, Tristate.of(mode != Mode.NOT)).resident(i, Tristate.of(mode == Mode.FULL));
        }
        return states.build();
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo("two pages", "none", "none", Collections.emptyList());
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public int addressBits() {
        return 64;
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return Optional.of(Collections.singletonList(range));
    }

    @Override
    public LockLimits limits() {
        return LockLimits.builder()
                .limit(LockLimit.builder("no limit", LockLimit.Scope.PROCESS)
                        .soft(LimitValue.none())
                        .build())
                .build();
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        return Collections.emptyList();
    }

    @Override
    public long address(ByteBuffer buffer) {
        throw new UnsupportedOperationException();
    }
}
