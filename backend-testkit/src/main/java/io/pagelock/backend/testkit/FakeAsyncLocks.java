// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.spi.AsyncCall;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/** Locks by {@link FakeAio}, as a backend must: when the queue is full of its own jobs, the next one waits for their ends. */
final class FakeAsyncLocks {
    private final class Job implements AsyncCall {
        private final FakeAio.Block block;
        private final Consumer<Errno> done;

        private Job(FakeAio.Block block, Consumer<Errno> done) {
            this.block = block;
            this.done = done;
        }

        /** Under the monitor, so that a job that ends at once is counted before. */
        private Errno submit() {
            Errno errno = aio.mlock(block, this::ended);
            submitted += errno == Errno.OK ? 1 : 0;
            return errno;
        }

        private void ended() {
            Errno result = aio.aioReturn(block);
            done.accept(result);
            submitNext();
        }

        @Override
        public void cancel() {
            boolean waited;
            synchronized (waiting) {
                waited = waiting.remove(this);
            }
            if (waited) {
                done.accept(Errno.ECANCELED);
            } else {
                aio.cancel(file, block);
            }
        }
    }

    private final FakeAio aio;
    private final int file;
    /** Jobs that the queue had no room for; guards the number of those that it had. */
    private final Deque<Job> waiting = new ArrayDeque<>();

    private int submitted;

    FakeAsyncLocks(FakeAio aio) {
        this.aio = aio;
        file = aio.open();
    }

    /**
     * Starts to lock.
     *
     * @param done receives the outcome; null if there was no room in the queue after all
     * @return the call; null if the queue is full of others' jobs
     */
    AsyncCall start(long address, long length, Consumer<Errno> done) {
        Job job = new Job(new FakeAio.Block(address, length, file), done);
        synchronized (waiting) {
            // Behind those that wait, although a job may just have left room.
            Errno errno = waiting.isEmpty() ? job.submit() : Errno.EAGAIN;
            if (errno == Errno.EAGAIN) {
                if (submitted == 0) {
                    return null;
                }
                waiting.add(job);
            } else if (errno != Errno.OK) {
                throw new IllegalStateException("aio_mlock: " + errno);
            }
        }
        return job;
    }

    private void submitNext() {
        Job refused = null;
        synchronized (waiting) {
            submitted--;
            Job next = waiting.peek();
            if (next != null) {
                Errno errno = next.submit();
                if (errno == Errno.OK) {
                    waiting.remove();
                } else if (submitted == 0) {
                    // Others were quicker, and nothing of ours will end any more.
                    refused = waiting.remove();
                }
            }
        }
        if (refused != null) {
            refused.done.accept(null);
        }
    }
}
