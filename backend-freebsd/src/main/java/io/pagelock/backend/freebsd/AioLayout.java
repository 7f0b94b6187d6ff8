// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import io.pagelock.spi.Host;
import java.util.Locale;

/**
 * Where the members of {@code struct aiocb} lie. The declaration is the same in 10.4, 12.3 and 14; what differs is the width
 * of a pointer and the alignment of {@code int64_t}.
 *
 * <p>Sources: sys/aio.h and sys/signal.h; LP64 printed on 15.1 amd64, the others by a compiler for that processor.
 */
enum AioLayout {
    LP64(160, 16, 24, 80),
    /** int64_t is aligned to 4 bytes. */
    I386(96, 12, 16, 52),
    /** int64_t is aligned to 8 bytes: armv7, powerpc. */
    ILP32(104, 16, 20, 56);

    /** {@code aio_fildes}. */
    static final int FILDES = 0;

    final int size;
    /** {@code aio_buf}. */
    final int buf;
    /** {@code aio_nbytes}. */
    final int nbytes;
    /** {@code aio_sigevent}, which begins with {@code sigev_notify}. */
    final int sigevent;
    /** {@code sigev_signo}, which is the kqueue for SIGEV_KEVENT. */
    final int signo;

    AioLayout(int size, int buf, int nbytes, int sigevent) {
        this.size = size;
        this.buf = buf;
        this.nbytes = nbytes;
        this.sigevent = sigevent;
        this.signo = sigevent + 4;
    }

    static AioLayout of(Host host) {
        if (host.bits() == 64) {
            return LP64;
        }
        String arch = host.arch().toLowerCase(Locale.ROOT);
        return arch.equals("x86") || arch.matches("i[3-6]86") ? I386 : ILP32;
    }
}
