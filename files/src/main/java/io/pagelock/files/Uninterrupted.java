// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/**
 * Works with a channel of a file although the thread is, or gets, interrupted: that closes the channel, which would look like a
 * broken file. The thread stays interrupted, as after a lock of memory.
 */
final class Uninterrupted {
    /** Opens a channel and works with it. */
    interface Work<T> {
        /** Runs again, with another channel, after an interrupt. */
        T run() throws IOException;
    }

    private Uninterrupted() {}

    static <T> T run(Work<T> work) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                interrupted |= Thread.interrupted();
                try {
                    return work.run();
                } catch (ClosedByInterruptException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
