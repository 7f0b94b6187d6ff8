// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reports to the service manager that started this process, if one did and asked for it. Source: sd_notify(3), unix(7).
 */
final class ServiceManager {
    private static final int AF_UNIX = 1;
    /** SOCK_DGRAM and SOCK_CLOEXEC: {@code asm/socket.h}; MIPS has another number for the first. */
    private static final int SOCK_DGRAM_CLOEXEC =
            (System.getProperty("os.arch", "").startsWith("mips") ? 1 : 2) | 0x80000;
    /** MSG_NOSIGNAL and MSG_DONTWAIT: a manager that does not read its socket must not stop this program. */
    private static final int FLAGS = 0x4040;

    private static final int EAGAIN = 11;
    private static final int TRIES = 20;
    private static final int PAUSE_MILLIS = 50;

    private static final int NAME_MAX = 107;

    private final byte[] socket;

    /**
     * Makes one.
     *
     * @param socket the value of {@code NOTIFY_SOCKET}: a path, or a name in the abstract namespace after an at sign; null for
     *     none
     */
    ServiceManager(String socket) {
        this.socket = socket == null || !(socket.startsWith("/") || socket.startsWith("@"))
                ? null
                : socket.getBytes(StandardCharsets.UTF_8);
    }

    /** Sends a state; returns why that was not possible. */
    Optional<String> send(String state) {
        if (socket == null) {
            return Optional.empty();
        }
        if (socket.length > NAME_MAX) {
            return Optional.of("the name in NOTIFY_SOCKET is too long");
        }
        try {
            PosixCalls calls = PosixCalls.bind();
            int fd = calls.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
            if (fd < 0) {
                return Optional.of("no socket, errno " + calls.errno());
            }
            byte[] text = state.getBytes(StandardCharsets.UTF_8);
            byte[] address = address();
            int errno = send(calls, fd, text, address);
            for (int tries = 1; errno == EAGAIN && tries < TRIES; tries++) {
                Thread.sleep(PAUSE_MILLIS);
                errno = send(calls, fd, text, address);
            }
            calls.close(fd);
            return errno == 0
                    ? Optional.empty()
                    : Optional.of(
                            errno == EAGAIN
                                    ? "it does not read NOTIFY_SOCKET, whose queue is full"
                                    : "cannot send to NOTIFY_SOCKET, errno " + errno);
        } catch (PageLockException e) {
            return Optional.of(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }

    /** Returns 0 or an errno. */
    private static int send(PosixCalls calls, int fd, byte[] text, byte[] address) {
        boolean sent = calls.sendto(fd, text, text.length, FLAGS, address, address.length) == text.length;
        return sent ? 0 : calls.errno();
    }

    /** A {@code struct sockaddr_un}: the family and the name; a path ends with a zero, an abstract name begins with one. */
    private byte[] address() {
        boolean isAbstract = socket[0] == '@';
        byte[] name = isAbstract ? socket.clone() : Arrays.copyOf(socket, socket.length + 1);
        name[0] = isAbstract ? 0 : name[0];
        return ByteBuffer.allocate(2 + name.length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_UNIX)
                .put(name)
                .array();
    }
}
