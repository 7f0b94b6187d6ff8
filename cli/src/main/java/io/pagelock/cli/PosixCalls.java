// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.support.NativeCalls;
import io.pagelock.spi.Host;
import java.lang.invoke.MethodHandles;

/** The calls of the command itself, for what Java has no method for. Sources: manual pages of POSIX.1-2008. */
interface PosixCalls extends NativeCalls {
    /** {@code int open(const char *pathname, int flags)}. */
    int open(byte[] pathname, int flags);

    /** {@code int close(int fd)}. */
    int close(int fd);

    /** {@code int posix_fadvise(int fd, off_t offset, off_t len, int advice)}: returns an errno. */
    int posix_fadvise(int fd, long offset, long len, int advice);

    /** {@code int socket(int domain, int type, int protocol)}. */
    int socket(int domain, int type, int protocol);

    /** {@code ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen)}. */
    int sendto(int fd, byte[] buf, long len, int flags, byte[] to, int tolen);

    static PosixCalls bind() {
        return CLibrary.open(Host.current()).bind(MethodHandles.lookup(), PosixCalls.class);
    }
}
