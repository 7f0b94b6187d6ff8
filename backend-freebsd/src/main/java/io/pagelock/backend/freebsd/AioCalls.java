// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import com.sun.jna.Native;
import io.pagelock.backend.support.CLibrary;
import java.util.stream.Stream;

/**
 * The C functions of asynchronous locking, literally, but that pointers are {@code long}. Apart from the others because AIO
 * may be missing. Pointers are to native memory that stays where it is: the kernel finds a job by the address of its control
 * block, and {@link #kevent} blocks.
 *
 * <p>Sources: aio_mlock(2), aio_error(2), aio_return(2), aio_cancel(2), aio_suspend(2), kqueue(2) of FreeBSD.
 */
interface AioCalls {
    int aio_mlock(long iocb);

    int aio_error(long iocb);

    long aio_return(long iocb);

    int aio_cancel(int fildes, long iocb);

    int aio_suspend(long iocbs, int niocb, long timeout);

    int kqueue();

    int kevent(int kq, long changelist, int nchanges, long eventlist, int nevents, long timeout);

    int errno();

    /** Tells whether the C library has all of them. */
    static boolean areIn(CLibrary library) {
        return Stream.of("aio_mlock", "aio_error", "aio_return", "aio_cancel", "aio_suspend", "kqueue", "kevent")
                .allMatch(library::has);
    }

    static AioCalls bind(CLibrary library, int bits) {
        return bits == 64 ? library.bind(new Lp64()) : library.bind(new Ilp32());
    }

    final class Lp64 implements AioCalls {
        @Override
        public native int aio_mlock(long iocb);

        @Override
        public native int aio_error(long iocb);

        @Override
        public native long aio_return(long iocb);

        @Override
        public native int aio_cancel(int fildes, long iocb);

        @Override
        public native int aio_suspend(long iocbs, int niocb, long timeout);

        @Override
        public native int kqueue();

        @Override
        public native int kevent(int kq, long changelist, int nchanges, long eventlist, int nevents, long timeout);

        @Override
        public int errno() {
            return Native.getLastError();
        }
    }

    final class Ilp32 implements AioCalls {
        private native int aio_mlock(int iocb);

        private native int aio_error(int iocb);

        private native int aio_return(int iocb);

        private native int aio_cancel(int fildes, int iocb);

        private native int aio_suspend(int iocbs, int niocb, int timeout);

        @Override
        public native int kqueue();

        private native int kevent(int kq, int changelist, int nchanges, int eventlist, int nevents, int timeout);

        @Override
        public int aio_mlock(long iocb) {
            return aio_mlock((int) iocb);
        }

        @Override
        public int aio_error(long iocb) {
            return aio_error((int) iocb);
        }

        @Override
        public long aio_return(long iocb) {
            return aio_return((int) iocb);
        }

        @Override
        public int aio_cancel(int fildes, long iocb) {
            return aio_cancel(fildes, (int) iocb);
        }

        @Override
        public int aio_suspend(long iocbs, int niocb, long timeout) {
            return aio_suspend((int) iocbs, niocb, (int) timeout);
        }

        @Override
        public int kevent(int kq, long changelist, int nchanges, long eventlist, int nevents, long timeout) {
            return kevent(kq, (int) changelist, nchanges, (int) eventlist, nevents, (int) timeout);
        }

        @Override
        public int errno() {
            return Native.getLastError();
        }
    }
}
