// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CrewTest {
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void letGo() {
        end.countDown();
    }

    private final class Hanging extends Crew.Work {
        private volatile boolean unwanted;
        private final CountDownLatch running = new CountDownLatch(1);

        @Override
        boolean isUnwanted() {
            return unwanted;
        }

        @Override
        public void run() {
            running.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Crew.Work quick(CountDownLatch done) {
        return new Crew.Work() {
            @Override
            public void run() {
                done.countDown();
            }
        };
    }

    private List<Hanging> hang(Crew crew, int count) {
        List<Hanging> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new Hanging());
            crew.execute(all.get(i));
        }
        return all;
    }

    @Test
    void whatIsStuckStopsNothingElse() throws Exception {
        Crew crew = new Crew("test-", 20);
        hang(crew, 20);
        CountDownLatch done = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            crew.execute(quick(done));
        }
        assertTrue(done.await(60, TimeUnit.SECONDS));
    }

    @Test
    void whatNobodyWantsFreesItsPlaceAtOnce() throws Exception {
        Crew crew = new Crew("test-", 3_600_000);
        List<Hanging> all = hang(crew, 10);
        CountDownLatch done = new CountDownLatch(1);
        crew.execute(quick(done));
        assertFalse(done.await(300, TimeUnit.MILLISECONDS));
        all.forEach(each -> each.unwanted = true);
        assertTrue(done.await(60, TimeUnit.SECONDS));
    }

    @Test
    void theThreadsAreBoundedAndThoseThatWereStuckGoOnWithTheRest() throws Exception {
        Crew crew = new Crew("bounded-", 1);
        List<Hanging> all = hang(crew, 3 * Crew.MOST);
        CountDownLatch done = new CountDownLatch(1);
        crew.execute(quick(done));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (running(all) < Crew.MOST) {
            assertTrue(System.nanoTime() < deadline, () -> running(all) + " are running");
            Thread.sleep(10);
        }
        assertFalse(done.await(300, TimeUnit.MILLISECONDS));
        assertEquals(Crew.MOST, running(all));
        end.countDown();
        assertTrue(done.await(60, TimeUnit.SECONDS));
    }

    private static long running(List<Hanging> all) {
        return all.stream().filter(each -> each.running.getCount() == 0).count();
    }

    @Test
    void whatIsQuickIsDoneByAFewThreads() throws Exception {
        Crew crew = new Crew("few-", 3_600_000);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch done = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            crew.execute(new Crew.Work() {
                @Override
                public void run() {
                    threads.add(Thread.currentThread());
                    done.countDown();
                }
            });
        }
        assertTrue(done.await(60, TimeUnit.SECONDS));
        assertTrue(threads.size() <= 4, threads::toString);
    }

    @Test
    void workThatThrowsLeavesItsThreadToTheNext() throws Exception {
        Crew crew = new Crew("test-", 1000);
        for (int i = 0; i < 100; i++) {
            crew.execute(new Crew.Work() {
                @Override
                public void run() {
                    throw new OutOfMemoryError("heap");
                }
            });
        }
        CountDownLatch done = new CountDownLatch(1);
        crew.execute(quick(done));
        assertTrue(done.await(60, TimeUnit.SECONDS));
    }
}
