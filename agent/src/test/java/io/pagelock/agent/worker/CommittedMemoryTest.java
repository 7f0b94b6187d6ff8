// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.MappingReader;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommittedMemoryTest {
    private final CommittedMemory memory = new CommittedMemory("/opt/jdk \u00e4");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "true|rw-p 00000000 00:00 0|heap, stack, metaspace",
                "true|rwxp 00000000 00:00 0|code cache",
                "true|rw-p 00000000 00:00 0 [heap]|malloc",
                "true|rw-p 00000000 00:00 0 [stack]|",
                "true|rw-p 00000000 00:00 0 [anon:java heap]|",
                "true|rw-s 00000000 00:01 42 /memfd:java_heap (deleted)|ZGC",
                "true|rw-s 00000000 00:01 42 /SYSV00000000 (deleted)|UseSHM",
                "true|rw-s 00000000 00:01 42 /dev/zero (deleted)|",
                "true|rw-p 00000000 08:01 42 /opt/jdk \u00c3\u00a4/lib/server/classes.jsa|",
                "false|---p 00000000 00:00 0|reserved",
                "false|r--p 00000000 00:00 0|",
                "false|r-xp 00000000 08:01 42 /opt/jdk \u00c3\u00a4/lib/server/libjvm.so|",
                "false|rw-s 00000000 08:01 42 /tmp/hsperfdata_me/1|",
                "false|rw-p 00000000 08:01 42 /opt/jdk-other/data|",
                "false|rw-s 00000000 08:01 42 /memfd:java_heap (deleted)|a file of the disk",
                "false|rw-s 00000000 00:01 42 /secretmem (deleted)|locked by nature",
            })
    void whatTheJvmWritesToIsItsMemory(boolean is, String line, String what) throws Exception {
        String text = "7f0000000000-7f0000001000 " + line + "\n";
        try (MappingReader reader =
                new MappingReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)), false, 0)) {
            Mapping mapping = reader.next();
            assertEquals(is, memory.isOfJvm(mapping), line);
        }
    }

    @Test
    void theHeapOfThisJvmIsFound() throws Exception {
        // It may grow meanwhile.
        long heap = Runtime.getRuntime().totalMemory();
        long bytes = memory.read().bytes();
        assertTrue(bytes > heap, bytes + " bytes, of which " + heap + " are the heap's");
        assertTrue(!memory.read().contains(MemoryRange.of(4096, 4096)));
    }
}
