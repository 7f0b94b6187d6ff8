// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import io.pagelock.backend.testkit.Comparison;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.RawCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * The kernel of this machine, row by row against what the fake kernel's rules for Linux say. {@link LivesTest} runs it once
 * more as a user whom a limit can bind.
 */
@EnabledOnOs(OS.LINUX)
class LinuxComparisonTest {
    @TestFactory
    Stream<DynamicTest> theKernelAnswersAsItsRulesSay() {
        return Comparison.tests("linux", Kernel::new);
    }

    private static final class Kernel implements RawCalls {
        private static final long PAGE = Libc.getpagesize();
        private static final int READ_WRITE = Libc.PROT_READ | Libc.PROT_WRITE;
        private static final int PRIVATE = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS;
        private static final int CAP_IPC_LOCK = 14;

        private final LinuxConstants constants =
                LinuxConstants.forArch(System.getProperty("os.arch")).orElseThrow();
        private final Deque<Runnable> undo = new ArrayDeque<>();
        private final boolean privileged =
                (Long.parseUnsignedLong(Witness.status("CapEff"), 16) >> CAP_IPC_LOCK & 1) != 0;
        private boolean privilegeIsWanted;
        /** The row wants the limit that there is. */
        private boolean isLimited;

        private String call(String function, Object... arguments) {
            int result = NativeLibrary.getProcess().getFunction(function).invokeInt(arguments);
            return result == 0 ? "OK" : constants.errno.name(Native.getLastError());
        }

        private static NativeLong word(long value) {
            return new NativeLong(value);
        }

        @Override
        public long pageSize() {
            return PAGE;
        }

        @Override
        public String mlock(long address, long length) {
            return call("mlock", word(address), word(length));
        }

        @Override
        public String munlock(long address, long length) {
            return call("munlock", word(address), word(length));
        }

        @Override
        public String mlockall(Set<Flag> flags) {
            boolean isHarmless = privileged || isLimited || Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0] == -1;
            if (!isHarmless && (flags.contains(Flag.CURRENT) || flags.contains(Flag.FUTURE))) {
                throw RawCalls.cannot("lock all of a JVM under its limit, which would keep it from starting threads");
            }
            int number = (flags.contains(Flag.CURRENT) ? constants.mclCurrent : 0)
                    | (flags.contains(Flag.FUTURE) ? constants.mclFuture : 0)
                    | (flags.contains(Flag.ON_FAULT) ? constants.mclOnfault : 0);
            return call("mlockall", number);
        }

        @Override
        public String munlockall() {
            return call("munlockall");
        }

        @Override
        public String msync(long address, long length, boolean invalidate) {
            return call(
                    "msync", word(address), word(length), constants.msSync | (invalidate ? constants.msInvalidate : 0));
        }

        @Override
        public long map(long pages) {
            return map(pages, PRIVATE, -1);
        }

        private long map(long pages, int flags, int fd) {
            long all;
            try {
                all = Libc.mmap(0, (pages + 2) * PAGE, READ_WRITE, PRIVATE | Libc.MAP_NORESERVE, -1, 0);
            } catch (IllegalStateException e) {
                throw new IllegalStateException(
                        constants.errno.name(Integer.parseInt(e.getMessage().replaceAll("\\D", ""))), e);
            }
            // Never unmapped in between, when another thread of this JVM could get the place.
            Libc.munmap(all, PAGE);
            Libc.munmap(all + (pages + 1) * PAGE, PAGE);
            undo.push(() -> Libc.munmap(all + PAGE, pages * PAGE));
            return Libc.mmap(all + PAGE, pages * PAGE, READ_WRITE, flags | Libc.MAP_FIXED, fd, 0);
        }

        @Override
        public void unmap(long address, long pages) {
            Libc.munmap(address, pages * PAGE);
        }

        @Override
        public boolean isLocked(long address) {
            return Witness.flagged(address);
        }

        @Override
        public void close() {
            Libc.munlockall();
            while (!undo.isEmpty()) {
                undo.pop().run();
            }
        }

        @Override
        public void remap(long address, long pages) {
            Libc.mmap(address, pages * PAGE, READ_WRITE, PRIVATE | Libc.MAP_FIXED, -1, 0);
        }

        @Override
        public long mapReserved(long pages) {
            return map(pages, PRIVATE | Libc.MAP_NORESERVE, -1);
        }

        @Override
        public long mapShortFile(long pages, long left) {
            try {
                Path file = Files.createTempFile("pagelock", ".data");
                undo.push(() -> file.toFile().delete());
                int fd = Libc.open(file, true);
                Libc.ftruncate(fd, pages * PAGE);
                long at = map(pages, Libc.MAP_SHARED, fd);
                Libc.ftruncate(fd, left * PAGE);
                Libc.close(fd);
                return at;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void protect(long address, long pages) {
            Libc.mprotect(address, pages * PAGE, Libc.PROT_NONE);
        }

        @Override
        public void touch(long address) {
            Libc.touch(address);
        }

        @Override
        public void unlimited() {
            if (!privileged && Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0] != -1) {
                throw RawCalls.cannot("be without a limit");
            }
        }

        @Override
        public void limit(long pages) {
            if (privileged && !privilegeIsWanted) {
                throw RawCalls.cannot("be bound by a limit: it has CAP_IPC_LOCK");
            }
            long[] before = Libc.getrlimit(Libc.RLIMIT_MEMLOCK);
            long soft = pages < 0 ? 0 : Witness.lockedBytes() + pages * PAGE;
            if (Long.compareUnsigned(soft, before[1]) > 0) {
                throw RawCalls.cannot("have a soft limit of " + soft + " bytes: the hard one is " + before[1]);
            }
            isLimited = true;
            undo.push(() -> Libc.setrlimit(Libc.RLIMIT_MEMLOCK, before[0], before[1]));
            Libc.setrlimit(Libc.RLIMIT_MEMLOCK, soft, before[1]);
        }

        @Override
        public void privilege(boolean value) {
            if (value != privileged) {
                throw RawCalls.cannot(value ? "get CAP_IPC_LOCK" : "drop CAP_IPC_LOCK");
            }
            privilegeIsWanted = value;
        }
    }
}
