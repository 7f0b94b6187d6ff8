// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.KernelRules.Trait;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Imitates aio_mlock(2) and related calls, for the process of a {@link FakeKernel}: jobs that threads carry out by
 * {@link FakeKernel#mlock}, with the limits, mappings and rights that hold by then. A job is found by its control
 * block, and counts against the limits of the queue until its result is taken.
 *
 * <p>Methods have the names of the C functions without {@code aio_}, and return {@link Errno#OK} or the errno. All may
 * be called by any thread.
 */
public final class FakeAio {
    /** Holds a control block, {@code struct aiocb}: what is asked for, and the private words by which the kernel reports. */
    public static final class Block {
        long address;
        long length;
        int file;
        /** Whether the status word is -1, as it is from the submission on and after a failure; the error says which. */
        boolean failed;

        Errno error = Errno.OK;

        /**
         * Makes a block that was never submitted.
         *
         * @param address the address, unsigned
         * @param length the length in bytes, unsigned
         * @param file the descriptor by which {@link FakeAio#cancel} finds the job; any number if that is not wanted
         */
        public Block(long address, long length, int file) {
            this.address = address;
            this.length = length;
            this.file = file;
        }

        /**
         * Copies a block to another address.
         *
         * @return a block with the same words that belongs to no job
         */
        public Block copy() {
            Block copy = new Block(address, length, file);
            copy.failed = failed;
            copy.error = error;
            return copy;
        }

        /**
         * Overwrites the arguments and the status, as a program can while the job is in progress.
         *
         * @param word the new address and length
         */
        public void overwrite(long word) {
            address = word;
            length = word;
            failed = false;
        }
    }

    /** Names what aio_cancel returns. */
    public enum Cancel {
        /** The descriptor is not open: -1 and EBADF. */
        BAD_FILE,
        /** AIO_CANCELED. */
        CANCELED,
        /** AIO_NOTCANCELED. */
        NOT_CANCELED,
        /** AIO_ALLDONE. */
        ALL_DONE
    }

    private static final class Job {
        private final Block block;
        private final long address;
        private final long length;
        private final int file;
        private final Runnable ended;
        private boolean done;
        private Errno result = Errno.EINPROGRESS;

        private Job(Block block, Runnable ended) {
            this.block = block;
            this.address = block.address;
            this.length = block.length;
            this.file = block.file;
            this.ended = ended;
        }
    }

    /** vfs.aio.max_aio_queue. */
    private static final int QUEUE = 1024;
    /** vfs.aio.max_aio_per_proc. */
    private static final int WORKERS = 32;

    private final FakeKernel kernel;
    private final List<Job> jobs = new ArrayList<>();
    private final Deque<Job> queue = new ArrayDeque<>();
    private final Set<Integer> files = new HashSet<>();
    /** vfs.aio.max_aio_queue_per_proc. */
    private int limit = 256;

    private int others;
    private int workers;
    private boolean held;
    private boolean used;

    FakeAio(FakeKernel kernel) {
        this.kernel = kernel;
    }

    // Calls

    /**
     * Answers aio_mlock(2).
     *
     * @param block the control block; null is a bad pointer
     * @param ended run by the thread that carried the job out, once its result can be taken
     * @return the outcome; {@link Errno#EAGAIN} if the queue is full, {@link Errno#ENOSYS} without {@link Trait#ASYNC_LOCK}
     */
    public synchronized Errno mlock(@Nullable Block block, Runnable ended) {
        if (!kernel.rules().has(Trait.ASYNC_LOCK)) {
            return Errno.ENOSYS;
        }
        if (block == null) {
            return Errno.EFAULT;
        }
        used = true;
        block.failed = true;
        // More than SSIZE_MAX is the one argument that is looked at before the job runs.
        boolean full = jobs.size() >= limit || jobs.size() + others >= QUEUE;
        block.error = full ? Errno.EAGAIN : block.length < 0 ? Errno.EINVAL : Errno.EINPROGRESS;
        if (block.error != Errno.EINPROGRESS) {
            return block.error;
        }
        Job job = new Job(block, ended);
        jobs.add(job);
        queue.add(job);
        if (workers < WORKERS) {
            workers++;
            Thread worker = new Thread(this::work, "fake-aio");
            worker.setDaemon(true);
            worker.start();
        }
        return Errno.OK;
    }

    private void work() {
        for (Job job = next(); job != null; job = next()) {
            Errno result;
            try {
                result = kernel.mlock(job.address, job.length);
            } catch (RuntimeException | Error e) {
                // Ordered by a test for a call into the kernel; here nobody is called back.
                result = Errno.EAGAIN;
            }
            end(job, result);
        }
    }

    private synchronized Job next() {
        Job job = queue.poll();
        if (job == null) {
            workers--;
        }
        while (job != null && held) {
            await(0);
        }
        return job;
    }

    private void end(Job job, Errno result) {
        synchronized (this) {
            job.result = result;
            job.done = true;
            notifyAll();
        }
        try {
            job.ended.run();
        } catch (RuntimeException | Error e) {
            // The thread goes on with other jobs; whoever waits for this one shows that it never ended.
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    /**
     * Answers aio_error(2).
     *
     * @param block a control block
     * @return what it returns: {@link Errno#EINPROGRESS}, or the outcome; {@link Errno#EINVAL} if there is no job
     */
    public synchronized Errno error(Block block) {
        for (Job job : jobs) {
            if (job.block == block) {
                return job.result;
            }
        }
        return block.failed ? block.error : Errno.EINVAL;
    }

    /**
     * Answers aio_return(2).
     *
     * @param block a control block
     * @return the outcome of the job, which is gone then; {@link Errno#EINVAL} if there is none that is done
     */
    public synchronized Errno aioReturn(Block block) {
        for (Job job : jobs) {
            if (job.block == block && job.done) {
                return reap(job);
            }
        }
        return Errno.EINVAL;
    }

    private Errno reap(Job job) {
        jobs.remove(job);
        job.block.failed = job.result != Errno.OK;
        job.block.error = job.result;
        return job.result;
    }

    /**
     * Answers aio_cancel(2). A job that runs cannot be cancelled, and one that waits only with {@link Trait#CANCELS_QUEUED}.
     *
     * @param file an open descriptor
     * @param block the control block; null for all with that descriptor
     * @return the outcome
     */
    public Cancel cancel(int file, @Nullable Block block) {
        List<Job> cancelled = new ArrayList<>();
        boolean running = false;
        synchronized (this) {
            if (!files.contains(file)) {
                return Cancel.BAD_FILE;
            }
            for (Job job : jobs) {
                if (job.done || job.file != file || block != null && job.block != block) {
                    continue;
                }
                if (kernel.rules().has(Trait.CANCELS_QUEUED) && queue.remove(job)) {
                    cancelled.add(job);
                } else {
                    running = true;
                }
            }
        }
        cancelled.forEach(job -> end(job, Errno.ECANCELED));
        return running ? Cancel.NOT_CANCELED : cancelled.isEmpty() ? Cancel.ALL_DONE : Cancel.CANCELED;
    }

    /**
     * Answers aio_suspend(2).
     *
     * @param blocks control blocks, null among them or not
     * @param count how many of them to look at
     * @param millis how long to wait at most
     * @return {@link Errno#OK} if a job is done or there is none, {@link Errno#EAGAIN} if none was done in time
     */
    public synchronized Errno suspend(@Nullable Block[] blocks, int count, long millis) {
        if (!used) {
            return Errno.EAGAIN;
        }
        if (count < 0 || count > limit) {
            return Errno.EINVAL;
        }
        long end = System.nanoTime() + millis * 1_000_000;
        while (true) {
            boolean any = false;
            for (int i = 0; i < count; i++) {
                for (Job job : jobs) {
                    if (job.block == blocks[i] && job.done) {
                        return Errno.OK;
                    }
                    any |= job.block == blocks[i];
                }
            }
            if (!any) {
                return Errno.OK;
            }
            long rest = (end - System.nanoTime()) / 1_000_000;
            if (rest <= 0) {
                return Errno.EAGAIN;
            }
            await(rest);
        }
    }

    /**
     * Answers aio_waitcomplete(2).
     *
     * @param block receives the control block of a job that is done, and is gone then; null if there was none
     * @param millis how long to wait at most
     * @return the outcome of the job, or {@link Errno#EAGAIN}
     */
    public synchronized Errno waitComplete(@Nullable Block[] block, long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        while (true) {
            for (Job job : jobs) {
                if (job.done) {
                    block[0] = job.block;
                    return reap(job);
                }
            }
            long rest = (end - System.nanoTime()) / 1_000_000;
            if (rest <= 0) {
                block[0] = null;
                return Errno.EAGAIN;
            }
            await(rest);
        }
    }

    private void await(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    // Scene

    /**
     * Opens a file by whose descriptor jobs can be cancelled.
     *
     * @return the descriptor
     */
    public synchronized int open() {
        int file = files.size() + 3;
        files.add(file);
        return file;
    }

    /**
     * Keeps jobs from taking effect, or lets them continue.
     *
     * @param value whether they wait
     */
    public synchronized void hold(boolean value) {
        held = value;
        notifyAll();
    }

    /**
     * Sets how many jobs the process may have.
     *
     * @param most the limit, 256 at first
     */
    public synchronized void setLimit(int most) {
        limit = most;
    }

    /**
     * Sets how many jobs other processes have, of the 1024 that the system takes.
     *
     * @param count the number
     */
    public synchronized void setOthers(int count) {
        others = count;
    }

    // Witness

    /**
     * Returns how many jobs wait for one of the system's threads.
     *
     * @return the number of jobs
     */
    public synchronized int queued() {
        return queue.size();
    }

    /**
     * Returns how many jobs count against the limit of the queue, ended or not.
     *
     * @return the number of jobs whose result was not taken
     */
    public synchronized int unreaped() {
        return jobs.size();
    }
}
