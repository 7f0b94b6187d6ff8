// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.Mapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts of {@code /proc}, as kernels of several ages and processors write them. */
class ProcSelfTest {
    private final ProcTexts texts = new ProcTexts();
    private final ProcSelf proc = new ProcSelf(texts);

    private Mapping line(String line) {
        return proc(line).get(0);
    }

    private List<Mapping> proc(String... lines) {
        texts.maps(lines);
        return proc.mappings().orElseThrow();
    }

    @Test
    void lineOfMapsIsReadInFull() {
        Mapping mapping = line(
                "7f1c3d800000-7f1c3d822000 r-xp 00022000 fe:00 260131                     /usr/lib/a  b (deleted)");
        assertEquals(0x7f1c3d800000L, mapping.start);
        assertEquals(0x7f1c3d822000L, mapping.end);
        assertEquals(0x22000, mapping.offset);
        assertEquals(260131, mapping.inode);
        assertEquals("/usr/lib/a  b (deleted)", mapping.name);
        assertTrue(mapping.accessible());
        assertFalse(mapping.anonymous());
        assertFalse(mapping.copiesWhenWritten());
        Mapping part = mapping.clip(0x7f1c3d801000L, -1);
        assertEquals(0x7f1c3d801000L, part.start);
        assertEquals(0x7f1c3d822000L, part.end);
        assertEquals(0x23000, part.offset);
    }

    @Test
    void lineWithoutNameOfA32BitProcessIsRead() {
        Mapping mapping = line("b7f00000-ffffe000 ---p 00000000 00:00 0 ");
        assertEquals(0xffffe000L, mapping.end);
        assertEquals("", mapping.name);
        assertFalse(mapping.accessible());
        assertTrue(mapping.anonymous());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[vdso]", "[vvar]", "[uprobes]", "/dev/zero (deleted)"})
    void whatIsNotPlainMemoryIsNotTakenForIt(String name) {
        assertFalse(
                line("1000-2000 r--p 00000000 00:00 0                  " + name).anonymous());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[heap]", "[stack]", "[anon: glibc: malloc]", "[anon:dalvik-main space]"})
    void plainMemoryMayHaveAName(String name) {
        assertTrue(
                line("1000-2000 rw-p 00000000 00:00 0                  " + name).anonymous());
    }

    @Test
    void privateAndWritableIsCopied() {
        assertTrue(line("1000-2000 rw-p 00000000 fe:00 7 /f").copiesWhenWritten());
        assertFalse(line("1000-2000 rw-s 00000000 fe:00 7 /f").copiesWhenWritten());
    }

    @Test
    void pageOfTheKernelAtAFixedAddressIsNoMapping() {
        texts.maps(
                "ffff0000-ffff1000 r-xp 00000000 00:00 0          [vectors]",
                "7fff00000000-7fff00001000 r-xp 00000000 00:00 0          [vdso]",
                "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]");
        assertEquals(1, proc.mappings().orElseThrow().size());
    }

    /** As between two pieces of the file mappings are joined. */
    @Test
    void whatIsToldTwiceCountsOnce() {
        texts.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 r--p 00000000 00:00 0 ",
                "00020000-00040000 r--p 00000000 00:00 0 ",
                "00038000-00040000 rw-p 00000000 00:00 0 ");
        assertEquals(
                List.of("0x10000-0x20000", "0x20000-0x30000", "0x30000-0x40000"),
                proc.mappings().orElseThrow().stream().map(Mapping::toString).collect(Collectors.toList()));
        assertEquals(1, proc.mappings(0x22000, 0x28000).orElseThrow().size(), "the rest lies behind the range");
    }

    @Test
    void readingStopsBehindTheRange() {
        texts.maps(
                "00010000-00020000 rw-p 00000000 00:00 0 ",
                "00020000-00030000 rw-p 00000000 00:00 0 ",
                "00030000-00040000 rw-p 00000000 00:00 0 ",
                "nonsense");
        assertEquals(
                List.of(0x10000L, 0x20000L),
                proc.mappings(0x1f000, 0x30000).orElseThrow().stream()
                        .map(each -> each.start)
                        .toList());
        List<Mapping> all = proc.mappings().orElseThrow();
        assertEquals(4, all.size());
        assertFalse(all.get(3).isKnown());
    }

    @Test
    void mappingsAreThoseOfTheThreadOnceTheLeaderHasEnded() {
        String line = "00010000-00020000 rw-p 00000000 00:00 0 \n";
        texts.put("/proc/thread-self/maps", line).put("/proc/thread-self/smaps", line + "VmFlags: rd lo\n");
        texts.files.put("/proc/thread-self/pagemap", new byte[16]);
        for (String file : new String[] {"maps", "smaps", "pagemap"}) {
            texts.put("/proc/self/" + file, "");
        }
        assertEquals(1, proc.mappings().orElseThrow().size());
        assertEquals(1, proc.flagged(0, -1).orElseThrow().size());
        assertEquals(2, proc.pagemap(0, 2).orElseThrow().length);
        // Later kernels do not even open it.
        texts.without("/proc/self/maps");
        assertEquals(1, proc.mappings().orElseThrow().size());
    }

    @Test
    void noMappingsAtAllMeansThatTheyCannotBeRead() {
        texts.put("/proc/self/maps", "").put("/proc/self/smaps", "");
        assertEquals(Optional.empty(), proc.mappings(0x10000, 0x20000));
        assertEquals(Optional.empty(), proc.flagged(0x10000, 0x20000));
        texts.put("/proc/thread-self/maps", "").put("/proc/thread-self/smaps", "");
        assertEquals(Optional.empty(), proc.mappings(0x10000, 0x20000));
        assertEquals(Optional.empty(), proc.flagged(0x10000, 0x20000));
    }

    @Test
    void flagsAreThoseOfTheMappingTheyStandUnder() {
        texts.put(
                "/proc/self/smaps",
                "00010000-00020000 rw-p 00000000 00:00 0 \nSize:                 64 kB\nTHPeligible:           0\n"
                        + "ProtectionKey:         0\nVmFlags: rd wr mr mw me lo ac \n"
                        + "abcd0000-abce0000 rw-p 00000000 00:00 0                          [anon: x]\n"
                        + "Rss:  0 kB\nVmFlags: rd wr lo lf\n");
        List<Mapping> found = proc.flagged(0x10000, -1).orElseThrow();
        assertEquals(2, found.size());
        assertTrue(found.get(0).has("lo")
                && found.get(0).has("ac")
                && !found.get(0).has("lf"));
        assertTrue(found.get(1).has("lf")
                && found.get(1).has("rd")
                && !found.get(1).has("me"));
        assertEquals(1, proc.flagged(0x20000, 0xabcd1000L).orElseThrow().size());
        assertEquals(0, proc.flagged(0x20000, 0x30000).orElseThrow().size());
    }

    @Test
    void statusOfAKernelThreadOrAnOldKernelLacksFields() {
        texts.put("/proc/self/status", "Name:\tx\n");
        assertTrue(proc.status().known());
        assertFalse(proc.status().lockedBytes().isPresent());
        assertFalse(proc.status().fileUser().isPresent());
        texts.put("/proc/self/status", "VmLck:\t      132 kB\nUid:\t1\t2\t3\t4\n");
        assertEquals(132 * 1024, proc.status().lockedBytes().getAsLong());
        assertEquals(4, proc.status().fileUser().getAsLong());
        texts.put("/proc/self/status", "VmLck:\t      132 MB\n");
        assertFalse(proc.status().lockedBytes().isPresent());
    }

    @Test
    void statusIsThatOfTheThreadWhereTheKernelTells() {
        texts.status(0, "0000000000004000");
        assertEquals(Tristate.YES, proc.canExceedLimit(proc.status()), "before Linux 3.17 only the process's is there");
        texts.put("/proc/thread-self/status", "CapEff:\t0000000000000000\n");
        assertEquals(Tristate.NO, proc.canExceedLimit(proc.status()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"max", "", "-", "1 2"})
    void whatIsNotANumberIsNone(String text) {
        texts.put("/x", text + "\n");
        assertFalse(proc.number("/x").isPresent());
    }

    @Test
    void pagemapIsReadInTheOrderOfThisMachine() {
        ByteBuffer bytes = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
        for (int i = 0; i < 5; i++) {
            bytes.putLong(1L << 63 | i);
        }
        texts.files.put("/proc/self/pagemap", bytes.array());
        assertArrayEquals(
                new long[] {1L << 63 | 2, 1L << 63 | 3}, proc.pagemap(2, 2).orElseThrow());
        assertFalse(proc.pagemap(4, 2).isPresent(), "behind its end");
        assertFalse(proc.pagemap(9, 1).isPresent(), "behind its end");
        texts.deny("/proc/self/pagemap");
        assertFalse(proc.pagemap(0, 1).isPresent());
    }
}
