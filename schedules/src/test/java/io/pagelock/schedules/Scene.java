// SPDX-License-Identifier: Apache-2.0
package io.pagelock.schedules;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PendingLock;
import io.pagelock.engine.PageLockers;
import io.pagelock.internal.Dropped;
import io.pagelock.schedules.TwoPages.Mode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/**
 * A program of a few threads, run once. It is a line such as {@code "keeps lock2 : l01 c | l0 d | A E"}: before the colon how
 * the kernel behaves, behind it the steps of each thread.
 *
 * <table>
 * <caption>Words</caption>
 * <tr><td>keeps</td><td>the end of an address-space lock leaves what is held locked throughout</td></tr>
 * <tr><td>native</td><td>the kernel locks asynchronously</td></tr>
 * <tr><td>breaks</td><td>what is ordered as a refusal of lockAll is an error of the backend</td></tr>
 * <tr><td>lock2, unlock1, lockAll1</td><td>the kernel refuses the second lock, the first unlock, ...</td></tr>
 * <tr><td>l01, l0, f1</td><td>locks pages 0 and 1, page 0, page 1 on fault</td></tr>
 * <tr><td>a01, x, w</td><td>locks asynchronously, cancels, waits for the outcome</td></tr>
 * <tr><td>c, d, b</td><td>closes the thread's oldest handle, drops it, both</td></tr>
 * <tr><td>A, F, O, E</td><td>locks the address space, current and future, on fault; ends the lock</td></tr>
 * </table>
 *
 * <p>After each step, the pages of every open handle are locked, and all pages while an address-space lock is open. At the
 * end, with all closed, nothing is locked and nothing is counted.
 */
final class Scene {
    private static final int PATIENCE = 500;

    /** An open handle and what it promises. */
    private record Held(PageLock lock, String pages, Mode mode) {}

    private final TwoPages kernel;
    private final PageLocker locker;
    private final String[] threads;
    private final List<Held> held = new ArrayList<>();
    private final List<Actor> actors = new ArrayList<>();
    private final List<AddressSpaceLock> everything = new ArrayList<>();
    /** How many calls for the address space are under way: until they return, the kernel may have dropped locks. */
    private int changing;

    private Throwable failure;

    Scene(String program) {
        String[] parts = program.split(":");
        List<String> words = List.of(parts[0].trim().split(" +"));
        kernel = new TwoPages(words.contains("keeps"), words.contains("native"), words.contains("breaks"));
        for (String word : words) {
            if (word.matches("[a-zA-Z]+\\d")) {
                kernel.refuse(word.replaceAll("\\d", ""), word.charAt(word.length() - 1) - '0');
            }
        }
        locker = PageLockers.over(kernel);
        threads = parts[1].split("\\|");
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    void run() throws InterruptedException {
        List<Thread> all = new ArrayList<>();
        for (String steps : threads) {
            Actor actor = new Actor();
            actors.add(actor);
            all.add(new Thread(() -> {
                try {
                    actor.run(steps.trim().split(" +"));
                } catch (Throwable e) {
                    failure = failure == null ? e : failure;
                }
            }));
        }
        for (Thread thread : all) {
            thread.start();
        }
        for (Thread thread : all) {
            thread.join();
        }
        if (failure != null) {
            throw new AssertionError(failure.toString(), failure);
        }
        end();
    }

    private void end() throws InterruptedException {
        checkAll();
        Actor last = new Actor();
        while (!everything.isEmpty()) {
            last.endAddressSpace();
        }
        last.mine.addAll(held);
        while (!last.mine.isEmpty()) {
            last.close();
        }
        // Dropped handles are closed by another thread.
        for (int i = 0; i < PATIENCE && !isQuiet(); i++) {
            Thread.sleep(1);
        }
        check(isQuiet(), "at the end " + locker.statistics());
        checkLocked(0, Mode.NOT);
        checkLocked(1, Mode.NOT);
    }

    private boolean isQuiet() {
        return locker.statistics().openHandles() == 0
                && locker.statistics().lockedBytes() == 0
                && locker.statistics().leftoverBytes() == 0;
    }

    private void checkLocked(int page, Mode least) {
        Mode mode = kernel.mode(page);
        check(
                least == Mode.NOT ? mode == Mode.NOT : mode.compareTo(least) >= 0,
                "page " + page + " is " + mode + " instead of " + least);
    }

    private void checkAll() {
        for (Held each : List.copyOf(held)) {
            // Another thread may go on when a handle is asked whether it is valid, so that comes last.
            String broken = broken(each);
            check(broken == null || !each.lock.isValid(), broken);
        }
        if (!everything.isEmpty() && changing == 0) {
            checkLocked(0, Mode.ON_FAULT);
            checkLocked(1, Mode.ON_FAULT);
        }
    }

    /** What is wrong with an open handle; null if nothing is. */
    private String broken(Held each) {
        // While the kernel drops or weakens all locks, a handle may have to be locked again.
        if (!held.contains(each) || changing > 0 && !kernel.keeps()) {
            return null;
        }
        Mode least = changing > 0 ? Mode.ON_FAULT : each.mode;
        for (char page : each.pages.toCharArray()) {
            if (kernel.mode(page - '0').compareTo(least) < 0 && !isLeftToACallUnderWay(page)) {
                return "page " + page + " is " + kernel.mode(page - '0') + ", and " + each.lock + " is open";
            }
        }
        return null;
    }

    /** A call that was under way for a page when the kernel dropped it locks it again, also for other holders. */
    private boolean isLeftToACallUnderWay(char page) {
        return actors.stream()
                .anyMatch(each -> each.underWay.indexOf(page) >= 0 && each.dropsAtBegin != kernel.drops());
    }

    /** One thread of the program. */
    private final class Actor {
        private final Deque<Held> mine = new ArrayDeque<>();
        /** The pages of the call that it is in, or of its asynchronous lock. */
        private String underWay = "";

        private int dropsAtBegin;
        private PendingLock pending;
        private String pendingPages;

        private void run(String[] steps) {
            for (String step : steps) {
                if (underWay.isEmpty() && "lfacbAFOE".indexOf(step.charAt(0)) >= 0) {
                    underWay = "cb".indexOf(step.charAt(0)) >= 0 && !mine.isEmpty()
                            ? mine.peek().pages
                            : step.substring(1);
                    dropsAtBegin = kernel.drops();
                }
                try {
                    step(step);
                } catch (PageLockException e) {
                    // The kernel refused, as the program orders.
                } catch (IllegalStateException e) {
                    check(kernel.breaks(), e.toString());
                }
                underWay = pending == null || pending.isDone() ? "" : underWay + pendingPages;
                checkAll();
            }
        }

        private void step(String step) {
            String pages = step.substring(1);
            switch (step.charAt(0)) {
                case 'l' -> locked(new Held(locker.lock(range(pages)), pages, Mode.FULL));
                case 'f' -> locked(new Held(locker.lock(range(pages), LockOption.ON_FAULT), pages, Mode.ON_FAULT));
                case 'a' -> {
                    pending = locker.lockAsync(range(pages));
                    pendingPages = pages;
                }
                case 'x' -> pending.cancel(true);
                case 'w' -> await();
                case 'c' -> close();
                case 'd' -> drop();
                case 'b' -> {
                    Held closed = mine.peek();
                    close();
                    if (closed != null) {
                        Dropped.drop(closed.lock);
                    }
                }
                case 'A' -> lockAddressSpace(AddressSpaceScope.CURRENT);
                case 'F' -> lockAddressSpace(AddressSpaceScope.CURRENT_AND_FUTURE);
                case 'O' -> lockAddressSpace(AddressSpaceScope.CURRENT, LockOption.ON_FAULT);
                case 'E' -> endAddressSpace();
                default -> throw new IllegalArgumentException(step);
            }
        }

        private MemoryRange range(String pages) {
            return TwoPages.range(pages.charAt(0) - '0', pages.length());
        }

        private void locked(Held lock) {
            // What was dropped after the kernel had locked it is locked again by whoever drops.
            if (changing > 0 && !kernel.droppedSinceLock()) {
                for (char page : lock.pages.toCharArray()) {
                    checkLocked(page - '0', Mode.ON_FAULT);
                }
            }
            mine.add(lock);
            held.add(lock);
        }

        private void await() {
            try {
                PageLock lock = pending.toCompletableFuture().join();
                Held each = new Held(lock, pendingPages, Mode.FULL);
                mine.add(each);
                held.add(each);
            } catch (CancellationException | CompletionException e) {
                check(e instanceof CancellationException || e.getCause() instanceof PageLockException, e.toString());
            }
        }

        private void close() {
            Held lock = mine.poll();
            if (lock == null) {
                return;
            }
            held.remove(lock);
            // A close tries again to take back an address-space lock that failed, and weakens all locks meanwhile.
            int weakening = kernel.breaks() ? 1 : 0;
            changing += weakening;
            try {
                lock.lock.close();
            } catch (PageLockException e) {
                // Open still, but only for what the kernel refused to unlock, which is not known of two pages.
                Held rest = new Held(lock.lock, lock.pages.length() == 1 ? lock.pages : "", lock.mode);
                mine.add(rest);
                held.add(rest);
                throw e;
            } finally {
                changing -= weakening;
            }
        }

        private void drop() {
            Held lock = mine.poll();
            if (lock != null) {
                held.remove(lock);
                Dropped.drop(lock.lock);
            }
        }

        private void lockAddressSpace(AddressSpaceScope scope, LockOption... options) {
            changing++;
            try {
                everything.add(locker.lockAddressSpace(scope, options));
            } finally {
                changing--;
            }
        }

        private void endAddressSpace() {
            if (everything.isEmpty()) {
                return;
            }
            AddressSpaceLock lock = everything.remove(0);
            changing++;
            try {
                lock.close();
            } finally {
                changing--;
                if (lock.isValid()) {
                    everything.add(lock);
                }
            }
        }
    }
}
