// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.PageLockException;
import io.pagelock.backend.support.NativeAccess;
import io.pagelock.spi.AsyncCall;
import java.util.function.Consumer;

/**
 * One lock by aio_mlock. Its control block is native memory that only this object owns, freed when nothing refers to the job any more. {@link AioJobs} refers to it until the kernel has given it
 * back, and through {@link #done} the engine's handle and the buffer stay reachable as long.
 */
final class AioJob implements AsyncCall {
    /** How a job ended. */
    enum End {
        /** In the kernel, with {@link #errno}; 0 is a lock. */
        REAPED,
        /** aio_mlock refused it with {@link #errno} when its turn came. */
        REFUSED,
        /** The engine cancelled it before the kernel had it. */
        CANCELLED,
        /** The kernel did not begin it in time, and does not have it any more. */
        NOT_BEGUN
    }

    final long address;
    final long length;
    final Consumer<PageLockException> done;
    /** When it came, by the clock of {@link AioJobs}. */
    final long since;

    // Guarded by AioJobs.
    boolean isCancelled;
    boolean isCalledOff;
    End end;
    int errno;

    private final AioLocks owner;
    private final NativeBlock block;

    AioJob(
            AioLocks owner,
            NativeAccess memory,
            AioLayout layout,
            long address,
            long length,
            Consumer<PageLockException> done,
            long since) {
        this.owner = owner;
        this.address = address;
        this.length = length;
        this.done = done;
        this.since = since;
        block = new NativeBlock(memory, layout == AioLayout.LP64, layout.size);
    }

    long block() {
        return block.address;
    }

    /** Fills the block in. Its private words belong to the kernel from then on. */
    void prepare(AioLayout layout, int kqueue) {
        block.clear();
        // A job is cancelled by this descriptor, so it is one that is ours: nobody else's aio_cancel can mean it.
        block.bytes.putInt(AioLayout.FILDES, kqueue);
        block.putWord(layout.buf, address);
        block.putWord(layout.nbytes, length);
        if (kqueue < 0) {
            block.bytes.putInt(layout.sigevent, FreeBsdConstants.SIGEV_NONE);
        } else {
            block.bytes.putInt(layout.sigevent, FreeBsdConstants.SIGEV_KEVENT);
            block.bytes.putInt(layout.signo, kqueue);
        }
    }

    @Override
    public void cancel() {
        owner.cancel(this);
    }
}
