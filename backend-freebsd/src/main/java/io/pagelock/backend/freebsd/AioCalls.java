// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeCalls;
import java.util.stream.Stream;

/**
 * The C functions of asynchronous locking. Apart from the others because AIO may be missing. Pointers are to native memory that
 * stays where it is: the kernel finds a job by the address of its control block, and {@link #kevent} blocks.
 *
 * <p>Sources: aio_mlock(2), aio_error(2), aio_return(2), aio_cancel(2), aio_suspend(2), kqueue(2) of FreeBSD.
 */
interface AioCalls extends NativeCalls {
    int aio_mlock(long iocb);

    int aio_error(long iocb);

    /** {@code ssize_t aio_return(struct aiocb *iocb)}: of a lock it is 0 or -1, which the lower half of it says. */
    int aio_return(long iocb);

    int aio_cancel(int fildes, long iocb);

    int aio_suspend(long iocbs, int niocb, long timeout);

    int kqueue();

    int kevent(int kq, long changelist, int nchanges, long eventlist, int nevents, long timeout);

    /** Reports whether the C library has all of them. */
    static boolean areIn(CLibrary library) {
        return Stream.of("aio_mlock", "aio_error", "aio_return", "aio_cancel", "aio_suspend", "kqueue", "kevent")
                .allMatch(library::has);
    }
}
