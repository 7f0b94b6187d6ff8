// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.ProcWitness;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Memory of this process, and what Linux says of it: neither the library nor the stand-in is asked. */
final class Witness implements AutoCloseable {
    static final long PAGE = 4096;

    private static final int NONE = 0;
    private static final int READ_WRITE = 3;
    private static final int SHARED = 1;
    private static final int PRIVATE = 2;
    private static final int FIXED = 0x10;
    private static final int ANONYMOUS = 0x20;
    private static final int NORESERVE = 0x4000;
    private static final Pointer FAILED = new Pointer(Native.POINTER_SIZE == 8 ? -1 : 0xffffffffL);

    private final List<long[]> mapped = new ArrayList<>();
    private final Map<Long, Path> files = new HashMap<>();

    static long lockedBytes() {
        return ProcWitness.lockedBytes();
    }

    /** Whether Linux lets this process lock as much as it likes. */
    static boolean isUnbound() {
        return (Long.parseUnsignedLong(ProcWitness.status("CapEff"), 16) >> 14 & 1) != 0;
    }

    /** Linux refuses to invalidate locked pages. Lists of mappings leave some out while other threads map and unmap. */
    static boolean isLocked(long address) {
        int flags = 1 | 2;
        return libc("msync").invokeInt(new Object[] {new Pointer(address & -PAGE), size(1), flags}) != 0
                && Native.getLastError() == 16;
    }

    static String locked(long address, int pages) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pages; i++) {
            text.append(isLocked(address + i * PAGE) ? '1' : '0');
        }
        return text.toString();
    }

    static boolean isResident(long address) {
        try (RandomAccessFile pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
            pagemap.seek(address / PAGE * 8);
            byte[] entry = new byte[8];
            pagemap.readFully(entry);
            return ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN).getLong() < 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Private memory with an unmapped page on either side. */
    long map(long pages) {
        long all = mmap(0, pages + 2, NONE, PRIVATE | ANONYMOUS, -1);
        long address = mmap(all + PAGE, pages, READ_WRITE, PRIVATE | ANONYMOUS | FIXED, -1);
        munmap(all, 1);
        munmap(address + pages * PAGE, 1);
        mapped.add(new long[] {address, pages});
        return address;
    }

    void remap(long address, long pages) {
        mmap(address, pages, READ_WRITE, PRIVATE | ANONYMOUS | FIXED, -1);
    }

    long mapFile(long pages) {
        try {
            Path file = Files.createTempFile("pagelock", ".map");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate((int) (pages * PAGE)));
            }
            int fd = libc("open").invokeInt(new Object[] {file.toString(), 2});
            long address = mmap(0, pages, READ_WRITE, SHARED, fd);
            libc("close").invokeInt(new Object[] {fd});
            mapped.add(new long[] {address, pages});
            files.put(address, file);
            return address;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void truncate(long address, long pages) {
        try (FileChannel channel = FileChannel.open(files.get(address), StandardOpenOption.WRITE)) {
            channel.truncate(pages * PAGE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void unmap(long address, long pages) {
        munmap(address, pages);
    }

    void protect(long address, long pages) {
        if (libc("mprotect").invokeInt(new Object[] {new Pointer(address), size(pages), NONE}) != 0) {
            throw new AssertionError("mprotect");
        }
    }

    void touch(long address) {
        new Pointer(address).setByte(0, (byte) 1);
    }

    @Override
    public void close() {
        // Stays reserved, since a locker of an earlier test may still unlock what it held there.
        mapped.forEach(each -> mmap(each[0], each[1], NONE, PRIVATE | ANONYMOUS | FIXED | NORESERVE, -1));
        for (Path file : files.values()) {
            try {
                Files.delete(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static long mmap(long address, long pages, int protection, int flags, int fd) {
        Pointer at = libc("mmap")
                .invokePointer(
                        new Object[] {new Pointer(address), size(pages), protection, flags, fd, new NativeLong(0)});
        if (Pointer.nativeValue(at) == Pointer.nativeValue(FAILED)) {
            throw new AssertionError("mmap of " + pages + " pages");
        }
        return Pointer.nativeValue(at);
    }

    private static void munmap(long address, long pages) {
        libc("munmap").invokeInt(new Object[] {new Pointer(address), size(pages)});
    }

    /** A size_t. */
    private static NativeLong size(long pages) {
        return new NativeLong(pages * PAGE);
    }

    private static Function libc(String name) {
        return Function.getFunction("c", name);
    }
}
