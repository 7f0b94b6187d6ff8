// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** C functions for tests only, bound apart from the library under test. Numbers are those of asm-generic. */
final class Libc {
    static final int PROT_NONE = 0;
    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;
    static final int MAP_SHARED = 1;
    static final int MAP_PRIVATE = 2;
    static final int MAP_DROPPABLE = 8;
    static final int MAP_FIXED = 0x10;
    static final int MAP_ANONYMOUS = 0x20;
    static final int MAP_NORESERVE = 0x4000;
    static final int RLIMIT_MEMLOCK = 8;

    /** The limits of glibc's plain functions are longs. */
    private static final String WIDE = Native.LONG_SIZE == 8 ? "" : "64";

    private static final NativeLibrary PROCESS = NativeLibrary.getProcess();

    private Libc() {}

    private static int call(String name, Object... arguments) {
        return PROCESS.getFunction(name).invokeInt(arguments);
    }

    private static int must(String name, int result) {
        if (result == -1) {
            throw new IllegalStateException(name + ": errno " + Native.getLastError());
        }
        return result;
    }

    private static NativeLong word(long value) {
        return new NativeLong(value);
    }

    static long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        Pointer mapped = (Pointer) PROCESS.getFunction("mmap")
                .invoke(Pointer.class, new Object[] {word(address), word(length), protection, flags, fd, word(offset)});
        long at = Pointer.nativeValue(mapped);
        if (at == -1 || at == 0xffffffffL) {
            throw new IllegalStateException("mmap: errno " + Native.getLastError());
        }
        return at;
    }

    static void munmap(long address, long length) {
        must("munmap", call("munmap", word(address), word(length)));
    }

    static void mprotect(long address, long length, int protection) {
        must("mprotect", call("mprotect", word(address), word(length), protection));
    }

    /** MADV_DONTNEED is 4: unless they are locked, the pages are dropped and read or zeroed anew when touched. */
    static int dropPages(long address, long length) {
        return call("madvise", word(address), word(length), 4);
    }

    static int mlock(long address, long length) {
        return call("mlock", word(address), word(length));
    }

    static int munlock(long address, long length) {
        return call("munlock", word(address), word(length));
    }

    /** MS_ASYNC is 1, MS_INVALIDATE 2 and EBUSY 16: locked pages cannot be invalidated. */
    static boolean isBusy(long address, long length) {
        return call("msync", word(address), word(length), 1 | 2) == -1 && Native.getLastError() == 16;
    }

    /** By mincore, which tells the truth of a file of one's own. */
    static int residentPages(long address, int pages) {
        byte[] vector = new byte[pages];
        must("mincore", call("mincore", word(address), word((long) pages * getpagesize()), vector));
        int resident = 0;
        for (byte each : vector) {
            resident += each & 1;
        }
        return resident;
    }

    static int munlockall() {
        return call("munlockall");
    }

    static int getpagesize() {
        return call("getpagesize");
    }

    /** O_RDONLY is 0 and O_RDWR 2 everywhere. */
    static int open(Path file, boolean write) {
        byte[] name = (file + "\0").getBytes(StandardCharsets.UTF_8);
        return must("open", call("open", name, write ? 2 : 0));
    }

    /** Memory that only this process sees: memfd_secret(2), number 447 everywhere. Negative if the kernel has none. */
    static int memfdSecret() {
        return call("syscall", word(447), word(0));
    }

    static void close(int fd) {
        must("close", call("close", fd));
    }

    static void ftruncate(int fd, long length) {
        must("ftruncate", call("ftruncate", fd, word(length)));
    }

    static long[] getrlimit(int resource) {
        long[] limits = new long[2];
        must("getrlimit", call("getrlimit" + WIDE, resource, limits));
        return limits;
    }

    static void setrlimit(int resource, long soft, long hard) {
        must("setrlimit", call("setrlimit" + WIDE, resource, new long[] {soft, hard}));
    }

    /** Takes a capability out of the effective set of the calling thread, and of no other: capset(2), version 3. */
    static void dropCapability(int capability) {
        int[] header = {0x20080522, 0};
        int[] data = new int[6];
        must("capget", call("capget", header, data));
        data[0] &= ~(1 << capability);
        must("capset", call("capset", header, data));
    }

    static void touch(long address) {
        Pointer page = new Pointer(address);
        page.setByte(0, (byte) (page.getByte(0) + 1));
    }
}
