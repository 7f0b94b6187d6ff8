// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.Reason;
import io.pagelock.Statistics;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.linux.FaultyBackend.Fault;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Sixteen threads lock and unlock random ranges of the same pages in every way that the library has, with failures injected.
 * While they run, each asks the kernel about pages that it holds. At quiet points, when all of them pause and everything
 * asynchronous has ended, the kernel is asked about every page: smaps, pagemap and VmLck must say what follows from the
 * handles. Arguments: seconds and seed.
 */
final class Soak {
    private static final int THREADS = 16;
    private static final long PAGE = Libc.getpagesize();

    // The memory, in pages: anonymous, a hole, a file that ends before its mapping does, and room for large ranges.
    private static final int HOLE = 120;
    private static final int FILE = HOLE + 1;
    private static final int PAST_END = FILE + 71;
    private static final int LARGE = PAST_END + 1;
    private static final int PAGES = LARGE + (int) ((80L << 20) / PAGE);

    /** How long anything may take before it counts as hung. */
    private static final long BOUND_SECONDS = 120;

    private final SplittableRandom random;
    private final AtomicLong faultSeed;
    private final AtomicBoolean faults = new AtomicBoolean();
    private final PageLocker locker =
            PageLockers.over(new FaultyBackend(new LinuxProvider().open(Host.current()), this::fault));
    private final boolean privileged = locker.limits().privileged() == Tristate.YES;
    private final long memory = map();
    private final ExecutorService pool = Executors.newFixedThreadPool(4, task -> daemon(task, "soak-executor"));
    private final Phaser phaser = new Phaser(THREADS + 1);
    private final List<Worker> workers = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    /** Handles made unreachable while they were open. */
    private final AtomicLong dropped = new AtomicLong();

    /** Locks under way that nobody waits for. */
    private final AtomicLong unkept = new AtomicLong();

    private final AtomicLong injected = new AtomicLong();
    private final Map<String, AtomicLong> done = new TreeMap<>();
    private volatile long roundEnd;
    /** Whether address-space locks may stay open in the next pause. */
    private volatile boolean staysCovered;

    private volatile boolean ended;
    private volatile long bound;

    private Soak(long seed) throws Exception {
        random = new SplittableRandom(seed);
        faultSeed = new AtomicLong(random.nextLong());
        for (int i = 0; i < THREADS; i++) {
            workers.add(new Worker(random.split()));
        }
    }

    public static void main(String[] arguments) throws Exception {
        long seed = Long.parseLong(arguments[1]);
        Soak soak = new Soak(seed);
        try {
            soak.run(Long.parseLong(arguments[0]));
        } catch (Throwable e) {
            System.out.println("seed " + seed);
            e.printStackTrace(System.out);
            System.exit(1);
        }
        System.exit(0);
    }

    private long map() throws Exception {
        long at = Libc.mmap(
                0, PAGES * PAGE, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        Libc.munmap(at + HOLE * PAGE, PAGE);
        Path file = Files.createTempFile("pagelock", ".soak");
        // The last page of the file is not full.
        Files.write(file, new byte[(int) ((PAST_END - FILE) * PAGE - 100)]);
        int fd = Libc.open(file, true);
        Libc.mmap(
                at + FILE * PAGE,
                (LARGE - FILE) * PAGE,
                Libc.PROT_READ | Libc.PROT_WRITE,
                Libc.MAP_SHARED | Libc.MAP_FIXED,
                fd,
                0);
        Libc.close(fd);
        Files.delete(file);
        return at;
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** About one call in fifteen fails. */
    private Fault fault() {
        if (!faults.get()) {
            return null;
        }
        SplittableRandom at = new SplittableRandom(faultSeed.getAndIncrement());
        if (at.nextInt(15) != 0) {
            return null;
        }
        injected.incrementAndGet();
        boolean after = at.nextBoolean();
        int kind = at.nextInt(8);
        return kind == 0
                ? new Fault(new IllegalStateException("injected"), after)
                : Fault.refusal(kind < 3 ? Reason.OVER_LIMIT : Reason.UNKNOWN, after);
    }

    private void count(String what) {
        done.get(what).incrementAndGet();
    }

    private void run(long seconds) throws Throwable {
        for (Kind kind : Kind.values()) {
            done.put(kind.name(), new AtomicLong());
        }
        for (String what : List.of("REFUSED", "CANCELLED", "CHECKED", "QUIET", "QUIET UNCOVERED")) {
            done.put(what, new AtomicLong());
        }
        check(Witness.lockedBytes() == 0, "something is locked at the start");
        allow();
        daemon(this::watch, "soak-watch").start();
        for (Worker worker : workers) {
            worker.thread.start();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        // On a machine that stalls, until there was enough of everything; the checks below say what never came.
        long last = end + TimeUnit.SECONDS.toNanos(BOUND_SECONDS);
        while (failure.get() == null && (System.nanoTime() < end || isAnyMissing() && System.nanoTime() < last)) {
            round();
            quiet(false);
        }
        ended = true;
        phaser.arriveAndAwaitAdvance();
        if (failure.get() == null) {
            faults.set(false);
            workers.forEach(Worker::closeAll);
            quiet(true);
        }
        if (failure.get() != null) {
            throw failure.get();
        }
        System.out.println(done + ", " + injected + " injected, " + locker.statistics());
        for (Map.Entry<String, AtomicLong> each : done.entrySet()) {
            check(each.getValue().get() > 0, each.getKey() + " never happened");
        }
        check(injected.get() > 0 && dropped.get() > 0, "no failures or no drops");
    }

    private boolean isAnyMissing() {
        return injected.get() == 0
                || dropped.get() == 0
                || done.values().stream().anyMatch(each -> each.get() == 0);
    }

    private void round() {
        allow();
        // Often short, since what one call leaves behind a later one for the same page may clear away.
        roundEnd = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1L << random.nextInt(9));
        staysCovered = random.nextInt(3) == 0;
        faults.set(true);
        phaser.arriveAndAwaitAdvance();
        phaser.arriveAndAwaitAdvance();
    }

    private void allow() {
        bound = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND_SECONDS);
    }

    /** A hang becomes a failure that shows where. */
    private void watch() {
        while (System.nanoTime() < bound) {
            try {
                Thread.sleep(500);
            } catch (InterruptedException e) {
                continue;
            }
        }
        System.out.println("hung");
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            System.out.println(thread);
            Arrays.stream(stack).forEach(each -> System.out.println("    at " + each));
        });
        Runtime.getRuntime().halt(2);
    }

    private void check(boolean condition, String what) {
        if (!condition) {
            fail(new AssertionError(what));
        }
    }

    private void fail(Throwable e) {
        if (!failure.compareAndSet(null, e) && failure.get() != e) {
            failure.get().addSuppressed(e);
        }
    }

    /** Waits for what the library does in threads of its own. */
    private void await(BooleanSupplier condition, String what) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND_SECONDS / 2);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(what + ": " + locker.statistics());
            }
            System.gc();
            Thread.sleep(2);
        }
    }

    /** All threads pause: compares every page. */
    private void quiet(boolean last) throws Exception {
        if (failure.get() != null) {
            return;
        }
        allow();
        await(() -> unkept.get() == 0, "locks that nobody waits for never ended");
        // Still with faults, so that these meet dropped handles too.
        await(() -> locker.statistics().leakedHandles() >= dropped.get(), dropped + " handles were dropped");
        faults.set(false);
        workers.forEach(Worker::closeDoubtful);
        long claims = workers.stream().mapToLong(worker -> worker.claims.size()).sum();
        await(() -> locker.statistics().openHandles() == claims, claims + " handles are open");
        check(locker.statistics().leakedHandles() == dropped.get(), dropped + " handles were dropped");
        boolean covered = workers.stream().anyMatch(worker -> worker.all != null);
        if (!covered) {
            // Each close tries some of what could not be unlocked before.
            await(
                    () -> {
                        locker.lock(range(0, 1)).close();
                        return locker.statistics().leftoverBytes() == 0;
                    },
                    "strays remain");
        }
        compare(covered);
        if (last) {
            check(Witness.lockedBytes() == 0, "VmLck at the end is " + Witness.lockedBytes());
            check(claims == 0, "handles are open at the end");
        }
        if (failure.get() != null) {
            throw failure.get() instanceof Error ? (Error) failure.get() : new AssertionError(failure.get());
        }
        count("QUIET");
    }

    private void compare(boolean covered) throws InterruptedException {
        BitSet held = new BitSet(PAGES);
        BitSet valid = new BitSet(PAGES);
        BitSet full = new BitSet(PAGES);
        for (Worker worker : workers) {
            for (Claim claim : worker.claims) {
                claim.addTo(held);
                if (claim.lock.isValid()) {
                    claim.addTo(valid);
                    if (claim.lock.options().isEmpty()) {
                        claim.addTo(full);
                    }
                }
            }
        }
        Statistics statistics = locker.statistics();
        check(
                statistics.lockedBytes() == held.cardinality() * PAGE,
                held.cardinality() + " pages are held: " + statistics);
        BitSet flagged = Witness.flagged(memory, PAGES);
        checkNone(minus(valid, flagged), "held and not locked");
        checkNone(minus(full, Witness.present(memory, PAGES)), "held fully and not resident");
        if (covered) {
            if (workers.stream()
                    .anyMatch(worker -> worker.all != null && worker.all.scope().includesCurrent())) {
                BitSet mapped = new BitSet(PAGES);
                mapped.set(0, PAGES);
                mapped.clear(HOLE);
                checkNone(minus(mapped, flagged), "not locked under an address-space lock");
            }
            return;
        }
        checkNone(minus(flagged, held), "locked and held by nobody");
        long locked = Witness.lockedBytes();
        check(
                locked == flagged.cardinality() * PAGE,
                "VmLck is " + locked + ", and " + flagged.cardinality() + " pages of ours are locked");
        count("QUIET UNCOVERED");
    }

    private static BitSet minus(BitSet all, BitSet without) {
        BitSet rest = (BitSet) all.clone();
        rest.andNot(without);
        return rest;
    }

    private void checkNone(BitSet pages, String what) {
        check(pages.isEmpty(), "pages " + pages + " are " + what);
    }

    private MemoryRange range(int first, int end) {
        return MemoryRange.of(memory + first * PAGE + 7, (end - first) * PAGE - 14);
    }

    /** An open handle and the pages that follow from it. */
    private static final class Claim {
        private final PageLock lock;
        /** First page and end, in turn. */
        private final int[] parts;
        /** A close of it has failed, so it may have lost pages. */
        private boolean doubtful;

        private Claim(PageLock lock, int... parts) {
            this.lock = lock;
            this.parts = parts;
        }

        private void addTo(BitSet pages) {
            for (int i = 0; i < parts.length; i += 2) {
                pages.set(parts[i], parts[i + 1]);
            }
        }
    }

    /** A lock under way. */
    private record Pending(PendingLock lock, boolean cancelled, boolean closedInCallback, int... parts) {}

    /** What a thread may do next; the number is how often. */
    private enum Kind {
        LOCK(40),
        CLOSE(10),
        BATCH(8),
        ASYNC(14),
        EXECUTOR(6),
        DROP(5),
        DROP_PENDING(1),
        SYNC(6),
        ADDRESS_SPACE(1),
        DROP_PAGES(1),
        INTERRUPT(2);

        private static final int ALL =
                Arrays.stream(values()).mapToInt(kind -> kind.weight).sum();
        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }

        private static Kind pick(SplittableRandom random) {
            int left = random.nextInt(ALL);
            for (Kind kind : values()) {
                left -= kind.weight;
                if (left < 0) {
                    return kind;
                }
            }
            throw new AssertionError();
        }
    }

    /** One of the threads. Between rounds, its fields belong to the main thread. */
    private final class Worker implements Runnable {
        private final SplittableRandom random;
        private final Thread thread = daemon(this, "soak-" + workers.size());
        private final List<Claim> claims = new ArrayList<>();
        private final List<Pending> pending = new ArrayList<>();
        private AddressSpaceLock all;

        private Worker(SplittableRandom random) {
            this.random = random;
        }

        @Override
        public void run() {
            while (true) {
                phaser.arriveAndAwaitAdvance();
                if (ended) {
                    return;
                }
                try {
                    while (failure.get() == null && System.nanoTime() < roundEnd) {
                        step();
                    }
                    pending.forEach(this::settle);
                    pending.clear();
                    if (all != null && !staysCovered) {
                        closeAddressSpace();
                    }
                } catch (Throwable e) {
                    fail(e);
                }
                phaser.arriveAndAwaitAdvance();
            }
        }

        private void step() throws Exception {
            // Few enough that most pages come and go all the time.
            Kind kind = claims.size() > random.nextInt(5) ? Kind.CLOSE : Kind.pick(random);
            boolean interrupted = random.nextInt(40) == 0;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            perform(kind);
            count(kind.name());
            check(!interrupted || Thread.interrupted(), kind + " swallowed the interrupt");
            if (!claims.isEmpty()) {
                checkHeld(claims.get(random.nextInt(claims.size())));
            }
        }

        private void perform(Kind kind) throws Exception {
            switch (kind) {
                case LOCK -> lock();
                case CLOSE -> close();
                case BATCH -> batch();
                case ASYNC -> async();
                case EXECUTOR -> executor();
                case DROP -> drop();
                case DROP_PENDING -> dropPending();
                case SYNC -> sync();
                case ADDRESS_SPACE -> addressSpace();
                case DROP_PAGES -> dropPages();
                case INTERRUPT -> workers.get(random.nextInt(THREADS)).thread.interrupt();
            }
        }

        private int[] pages() {
            if (random.nextInt(200) == 0) {
                int first = LARGE + random.nextInt((PAGES - LARGE) / 8);
                return new int[] {first, first + 1 + random.nextInt(PAGES - first)};
            }
            // Mostly among the lockable ones.
            int first = random.nextInt(20) == 0
                    ? random.nextInt(LARGE)
                    : random.nextBoolean() ? random.nextInt(HOLE) : FILE + random.nextInt(PAST_END - FILE);
            int most = first < HOLE && random.nextInt(20) > 0
                    ? HOLE
                    : first > HOLE && first < PAST_END && random.nextInt(20) > 0 ? PAST_END : LARGE;
            return new int[] {first, first + 1 + random.nextInt(Math.min(12, most - first))};
        }

        private LockOption[] options() {
            return random.nextInt(4) == 0 ? new LockOption[] {LockOption.ON_FAULT} : new LockOption[0];
        }

        private void lock() {
            int[] pages = pages();
            try {
                add(locker.lock(range(pages[0], pages[1]), options()), pages);
            } catch (PageLockException e) {
                refused(e, pages);
            }
        }

        private void add(PageLock lock, int... pages) {
            Claim claim = new Claim(lock, pages);
            if (touches(pages, HOLE)
                    || touches(pages, PAST_END) && lock.options().isEmpty()) {
                fail(new AssertionError("locked what cannot be locked: " + Arrays.toString(pages)));
            }
            claims.add(claim);
            checkHeld(claim);
        }

        private boolean touches(int[] pages, int page) {
            for (int i = 0; i < pages.length; i += 2) {
                if (pages[i] <= page && page < pages[i + 1]) {
                    return true;
                }
            }
            return false;
        }

        /** Every refusal has a cause that is known here. */
        private void refused(PageLockException e, int... pages) {
            boolean known = e.detail().contains("injected")
                    || e.reason() == Reason.NOT_MAPPED && touches(pages, HOLE)
                    || e.reason() == Reason.CANNOT_BE_PAGED_IN && touches(pages, PAST_END)
                    || !privileged && (e.reason() == Reason.OVER_LIMIT || e.reason() == Reason.NOT_PERMITTED);
            if (!known) {
                fail(new AssertionError("refused without a cause: " + Arrays.toString(pages), e));
            }
            count("REFUSED");
        }

        private void close() {
            if (!claims.isEmpty()) {
                close(claims.get(random.nextInt(claims.size())));
            }
        }

        private void close(Claim claim) {
            try {
                claim.lock.close();
                claims.remove(claim);
                check(!claim.lock.isValid(), "valid after close");
            } catch (PageLockException e) {
                claim.doubtful = true;
                refused(e);
            }
        }

        private void batch() {
            int[] one = pages();
            int[] other = pages();
            try {
                PageLock lock = locker.lock(List.of(range(one[0], one[1]), range(other[0], other[1])), options());
                add(lock, one[0], one[1], other[0], other[1]);
            } catch (PageLockException e) {
                refused(e, one[0], one[1], other[0], other[1]);
            }
        }

        private void async() {
            int[] pages = pages();
            start(locker.lockAsync(range(pages[0], pages[1]), options()), pages);
        }

        private void executor() {
            int[] one = pages();
            int[] other = pages();
            int kind = random.nextInt(4);
            Executor executor = task -> {
                if (kind > 0) {
                    pool.execute(task);
                } else if (one[0] % 2 == 0) {
                    task.run();
                }
                if (kind < 2) {
                    throw new RejectedExecutionException("soak");
                }
            };
            start(
                    locker.lockAsync(List.of(range(one[0], one[1]), range(other[0], other[1])), executor, options()),
                    one[0],
                    one[1],
                    other[0],
                    other[1]);
        }

        private void start(PendingLock lock, int... pages) {
            int kind = random.nextInt(10);
            boolean closes = kind == 0;
            if (closes) {
                lock.thenAccept(PageLock::close);
            } else if (kind == 1) {
                lock.thenAccept(handle -> {
                    throw new IllegalStateException("soak");
                });
            }
            boolean cancelled = false;
            if (kind > 6) {
                if (kind > 7) {
                    spin(1 << random.nextInt(18));
                }
                cancelled = lock.cancel(random.nextBoolean());
                if (cancelled) {
                    count("CANCELLED");
                }
            }
            pending.add(new Pending(lock, cancelled, closes, pages));
        }

        private void spin(int nanos) {
            for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
                Thread.onSpinWait();
            }
        }

        private void settle(Pending each) {
            while (true) {
                try {
                    PageLock lock = each.lock.get(BOUND_SECONDS, TimeUnit.SECONDS);
                    check(!each.cancelled, "a cancelled lock has a handle");
                    if (each.closedInCallback) {
                        Claim claim = new Claim(lock, each.parts);
                        claim.doubtful = true;
                        claims.add(claim);
                    } else {
                        add(lock, each.parts);
                    }
                    return;
                } catch (InterruptedException e) {
                    // Meant for any thread at any time; goes on waiting.
                    continue;
                } catch (CancellationException e) {
                    check(each.cancelled, "cancelled by nobody");
                    return;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof PageLockException refusal) {
                        refused(refusal, each.parts);
                    } else if (!(e.getCause() instanceof RejectedExecutionException)) {
                        fail(e);
                    }
                    return;
                } catch (TimeoutException e) {
                    fail(new AssertionError("never done: " + each));
                    return;
                }
            }
        }

        private void drop() {
            if (!claims.isEmpty()) {
                int at = random.nextInt(claims.size());
                if (!claims.get(at).doubtful) {
                    claims.remove(at);
                    dropped.incrementAndGet();
                }
            }
        }

        /** Nobody keeps the future; what it locks is a leak. */
        private void dropPending() {
            int[] pages = pages();
            unkept.incrementAndGet();
            locker.lockAsync(range(pages[0], pages[1])).whenComplete((lock, refused) -> {
                if (lock != null) {
                    dropped.incrementAndGet();
                }
                unkept.decrementAndGet();
            });
        }

        private void sync() {
            int[] pages = pages();
            boolean hole = touches(pages, HOLE);
            try {
                locker.sync(
                        range(pages[0], pages[1]),
                        random.nextBoolean() ? new SyncOption[0] : new SyncOption[] {SyncOption.ASYNC});
                check(!hole, "a hole was synced");
            } catch (PageLockException e) {
                refused(e, pages);
            }
        }

        private void addressSpace() {
            if (all != null) {
                closeAddressSpace();
                return;
            }
            AddressSpaceScope scope = AddressSpaceScope.values()[random.nextInt(3)];
            // Mostly, so that the JVM's own memory is not paged in all the time.
            boolean onFault = random.nextInt(8) > 0;
            try {
                all = onFault ? locker.lockAddressSpace(scope, LockOption.ON_FAULT) : locker.lockAddressSpace(scope);
            } catch (PageLockException e) {
                refused(e);
            } catch (IllegalStateException e) {
                check("injected".equals(e.getMessage()), e.toString());
            }
        }

        private void closeAddressSpace() {
            try {
                all.close();
            } catch (PageLockException e) {
                refused(e);
            } catch (IllegalStateException e) {
                check("injected".equals(e.getMessage()), e.toString());
            }
            if (!all.isValid()) {
                all = null;
            }
        }

        /** So that large ranges must be brought in again. Locked pages stay. */
        private void dropPages() {
            Libc.dropPages(memory + LARGE * PAGE, (PAGES - LARGE) * PAGE);
        }

        /** Asks the kernel about some pages of an open handle while the other threads go on. */
        private void checkHeld(Claim claim) {
            if (claim.doubtful) {
                return;
            }
            int part = 2 * random.nextInt(claim.parts.length / 2);
            int first = claim.parts[part];
            int end = claim.parts[part + 1];
            if (random.nextInt(100) == 0) {
                BitSet held = new BitSet();
                held.set(0, end - first);
                held.andNot(Witness.flagged(memory + first * PAGE, end - first));
                check(
                        held.isEmpty() || !claim.lock.isValid(),
                        "pages " + held + " after " + first + " are not flagged");
            }
            for (int page = first; page < end; page += 1 + random.nextInt(1 + (end - first) / 4)) {
                check(
                        Libc.isBusy(memory + page * PAGE, PAGE) || !claim.lock.isValid(),
                        "page " + page + " is not locked under " + claim.lock + claim.lock.options());
            }
            count("CHECKED");
        }

        private void closeDoubtful() {
            for (Claim claim : List.copyOf(claims)) {
                if (claim.doubtful) {
                    closeWithoutFaults(claim);
                }
            }
        }

        private void closeWithoutFaults(Claim claim) {
            claim.lock.close();
            claims.remove(claim);
        }

        private void closeAll() {
            List.copyOf(claims).forEach(this::closeWithoutFaults);
            if (all != null) {
                all.close();
                all = null;
            }
        }
    }
}
