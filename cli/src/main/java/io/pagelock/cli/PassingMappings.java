// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Makes mappings of which each is used only until the next: however large the files are, few exist at a time. Java unmaps a
 * buffer when the garbage collector finds it, so that is asked to look from time to time.
 */
final class PassingMappings {
    /** The size of a mapping; a multiple of every page size. */
    static final long WINDOW = 256L << 20;

    private static final int MANY = 256;
    private static final int PATIENCE_MILLIS = 5000;

    private final long available;
    private int made;

    PassingMappings() {
        available = MappingBudget.system().available();
    }

    /**
     * Maps a part of a file for reading. The one before is not to be used any more.
     *
     * @throws Failure if there are too many mappings already
     */
    MappedByteBuffer map(FileChannel channel, long start, long length) throws IOException {
        long room = Math.min(MANY, available / 2);
        if (++made > room) {
            collect(room);
            made = 1;
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, start, length);
    }

    private static void collect(long room) {
        MappingBudget budget = null;
        for (int waited = 0; waited < PATIENCE_MILLIS; waited += 10) {
            System.gc();
            budget = MappingBudget.system();
            if (budget.available() > room) {
                return;
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw (budget == null ? MappingBudget.system() : budget).exceeded("cannot map a file", room + 1);
    }
}
