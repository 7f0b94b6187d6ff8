// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.MemoryRange;
import io.pagelock.backend.testkit.Errno;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeHarness;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Host;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** The fake kernel as the Linux backend sees one: functions with flags and errno in numbers, and texts in {@code /proc}. */
final class FakeLinux implements LinuxCalls, ProcFiles {
    private final FakeKernel kernel;
    private final LinuxConstants constants;
    private final ThreadLocal<Integer> errno = ThreadLocal.withInitial(() -> 0);
    private final Set<Long> droppable = new TreeSet<>();

    private FakeLinux(FakeKernel kernel, LinuxConstants constants) {
        this.kernel = kernel;
        this.constants = constants;
    }

    /** A harness whose backend is the real one over this. */
    static Harness harness(FakeKernel kernel, LinuxConstants constants, Host host) {
        FakeLinux linux = new FakeLinux(kernel, constants);
        FakeBackend addresses = new FakeBackend(kernel);
        Backend backend = new LinuxBackend(linux, constants, linux, addresses::address, host, "java");
        FakeHarness harness = new FakeHarness(kernel, backend).without(Harness.Ability.SET_SYSTEM_LIMIT);
        return (Harness) Proxy.newProxyInstance(
                Harness.class.getClassLoader(), new Class<?>[] {Harness.class}, (proxy, method, arguments) -> {
                    try {
                        Object result = method.invoke(harness, arguments);
                        if (method.getName().equals("mapUnlockable")) {
                            for (long i = 0; i < (long) arguments[0]; i++) {
                                linux.droppable.add(
                                        (long) result + i * kernel.rules().pageSize());
                            }
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private int result(Errno result) {
        if (result == Errno.OK) {
            return 0;
        }
        errno.set(constants.errno.numbers().get(result.name()));
        return -1;
    }

    @Override
    public int errno() {
        return errno.get();
    }

    @Override
    public boolean has(String function) {
        return true;
    }

    @Override
    public int mlock(long addr, long len) {
        return result(kernel.mlock(addr, len));
    }

    @Override
    public int mlock2(long addr, long len, int flags) {
        return result(kernel.mlock2(addr, len, flags == LinuxConstants.MLOCK_ONFAULT));
    }

    @Override
    public int munlock(long addr, long len) {
        return result(kernel.munlock(addr, len));
    }

    @Override
    public int mlockall(int flags) {
        Set<Flag> set = EnumSet.noneOf(Flag.class);
        if ((flags & constants.mclCurrent) != 0) {
            set.add(Flag.CURRENT);
        }
        if ((flags & constants.mclFuture) != 0) {
            set.add(Flag.FUTURE);
        }
        if ((flags & constants.mclOnfault) != 0) {
            set.add(Flag.ON_FAULT);
        }
        boolean unknown = (flags & ~(constants.mclCurrent | constants.mclFuture | constants.mclOnfault)) != 0;
        return result(unknown ? Errno.EINVAL : kernel.mlockall(set));
    }

    @Override
    public int munlockall() {
        return result(kernel.munlockall());
    }

    @Override
    public int msync(long addr, long len, int flags) {
        return result(kernel.msync(
                addr,
                len,
                (flags & constants.msSync) != 0,
                (flags & constants.msAsync) != 0,
                (flags & constants.msInvalidate) != 0));
    }

    @Override
    public int mincore(long addr, long length, byte[] vec) {
        return result(kernel.mincore(addr, length, vec));
    }

    /** As before Linux 5.14. */
    @Override
    public int madvise(long addr, long length, int advice) {
        return result(Errno.EINVAL);
    }

    /** As before Linux 6.11. */
    @Override
    public int open(byte[] pathname, int flags) {
        return -1;
    }

    @Override
    public int ioctl(int fd, long request, long[] argument) {
        throw new AssertionError("no descriptor was given out");
    }

    @Override
    public int close(int fd) {
        throw new AssertionError("no descriptor was given out");
    }

    @Override
    public int getrlimit(int resource, long[] rlim) {
        if (resource != constants.rlimitMemlock) {
            return result(Errno.EINVAL);
        }
        rlim[0] = kernel.limit() == Long.MAX_VALUE ? -1 : kernel.limit();
        rlim[1] = kernel.hardLimit() == Long.MAX_VALUE ? -1 : kernel.hardLimit();
        return 0;
    }

    @Override
    public int getpagesize() {
        return (int) kernel.rules().pageSize();
    }

    @Override
    public InputStream open(String name) throws IOException {
        switch (name) {
            case "/proc/self/status":
                return text("Uid:\t0\t0\t0\t0\nVmSize:\t" + kernel.virtualBytes() / 1024 + " kB\nVmLck:\t"
                        + kernel.lockedBytes() / 1024 + " kB\nVmRSS:\t0 kB\nCapEff:\t"
                        + (kernel.isPrivileged() ? "0000000000004000" : "0000000000000000") + "\n");
            case "/proc/self/maps":
                return text(maps(false));
            case "/proc/self/smaps":
                return text(maps(true));
            case "/proc/sys/vm/max_map_count":
                return text(kernel.mapCountLimit() + "\n");
            case "/proc/self/pagemap":
                return new Pagemap();
            default:
                throw new NoSuchFileException(name);
        }
    }

    private static InputStream text(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private String maps(boolean flags) {
        StringBuilder text = new StringBuilder();
        long page = kernel.rules().pageSize();
        for (MemoryRange range : kernel.mapped(page, Long.MAX_VALUE - 2 * page)) {
            long start = range.address();
            for (long at = start + page; at <= range.end(); at += page) {
                if (at == range.end() || !state(at).equals(state(start))) {
                    text.append(Long.toHexString(start))
                            .append('-')
                            .append(Long.toHexString(at))
                            .append(' ')
                            .append(kernel.isAnyUnreachable(start, page) ? "---p" : "rw-p")
                            .append(" 00000000 00:00 0 \n");
                    if (flags) {
                        text.append("Size: 4 kB\nVmFlags: ")
                                .append(state(start))
                                .append(" \n");
                    }
                    start = at;
                }
            }
        }
        // Listed at the end of every process's, also where nothing is mapped yet.
        text.append("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n")
                .append(flags ? "VmFlags: ex \n" : "");
        return text.toString();
    }

    private String state(long address) {
        Mode mode = kernel.mode(address);
        return (kernel.isAnyUnreachable(address, kernel.rules().pageSize()) ? "" : "rd wr ")
                + "mr mw me"
                + (mode == Mode.NONE ? "" : mode == Mode.FULL ? " lo" : " lo lf")
                + (droppable.contains(address) ? " dp" : "");
    }

    @Override
    public String readLink(String name) {
        return "user:[4026531837]";
    }

    @Override
    public Optional<FileFacts> file(String name) {
        return Optional.empty();
    }

    @Override
    public boolean isWritable(String name) {
        return false;
    }

    @Override
    public OptionalLong roomInMemory(String name) {
        return OptionalLong.empty();
    }

    /** An entry of 8 bytes for each page of the address space. */
    private final class Pagemap extends InputStream {
        private long position;

        @Override
        public long skip(long bytes) {
            position += bytes;
            return bytes;
        }

        @Override
        public int read() {
            long page = position / 8;
            long entry = kernel.isResident(page * kernel.rules().pageSize()) ? 1L << 63 : 0;
            byte[] bytes = ByteBuffer.allocate(8)
                    .order(ByteOrder.nativeOrder())
                    .putLong(entry)
                    .array();
            return bytes[(int) (position++ % 8)] & 0xff;
        }
    }
}
