// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code src/main/c/baseline.c} as a library in this process. A negative number of nanoseconds is -errno. */
final class Baseline {
    static final long PAGE = 4096;

    /** The directory with what {@code benchmarks/run} compiled. */
    static final Path BUILT = Path.of(System.getProperty("pagelock.built", "target"));

    static {
        Native.register(Baseline.class, NativeLibrary.getInstance(library().toString()));
    }

    private Baseline() {}

    private static Path library() {
        Path library = BUILT.resolve("libbaseline.so").toAbsolutePath();
        if (!Files.exists(library)) {
            throw new IllegalStateException(library + " is missing; start with benchmarks/run");
        }
        return library;
    }

    static native long fresh(long length);

    static native long map_file(String name, long length);

    static native int unmap(long address, long length);

    static native int drop(String name);

    static native long lock_nanos(long address, long length);

    static native int unlock(long address, long length);

    static native long pair_nanos(long address, long length, long times);

    static native long many_nanos(long[] addresses, long length, long count);

    static native long threads_pairs(long start, long distance, int threads, long millis);

    static native void map_until(long stop, long pause, long[] result);

    /** Fresh private memory whose pages are in memory. */
    static long resident(long pages) {
        long at = checked(fresh(pages * PAGE));
        for (long page = 0; page < pages; page++) {
            new com.sun.jna.Pointer(at).setByte(page * PAGE, (byte) 1);
        }
        return at;
    }

    static long checked(long result) {
        if (result <= 0) {
            throw new IllegalStateException("the C baseline answers " + result);
        }
        return result;
    }
}
