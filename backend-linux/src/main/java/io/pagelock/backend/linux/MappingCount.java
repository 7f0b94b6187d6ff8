// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.spi.MappingBudget;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;

/**
 * Counts mappings by the lines of {@code maps}, without parsing them. Names cannot add lines, since the kernel writes a line
 * end within one as {@code \012}: seq_path() in fs/seq_file.c.
 */
final class MappingCount implements MappingBudget {
    private static final int BUFFER = 1 << 16;

    private final ProcSelf proc;

    MappingCount(ProcSelf proc) {
        this.proc = proc;
    }

    @Override
    public OptionalLong mostMappings() {
        return proc.maxMapCount();
    }

    /** One more than the kernel counts where it lists the gate page, which is no mapping of the process. */
    @Override
    public OptionalLong mappings() {
        OptionalLong count = lines("/proc/self/maps");
        // Empty once the thread that leads the process has ended.
        return count.isPresent() ? count : lines("/proc/thread-self/maps");
    }

    private OptionalLong lines(String name) {
        long count = 0;
        try (InputStream in = proc.files().open(name)) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                for (int i = 0; i < read; i++) {
                    if (buffer[i] == '\n') {
                        count++;
                    }
                }
            }
        } catch (IOException | RuntimeException e) {
            return OptionalLong.empty();
        }
        return count == 0 ? OptionalLong.empty() : OptionalLong.of(count);
    }
}
