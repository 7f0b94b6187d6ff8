// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records of kern.proc.vmmap as the kernel writes them, and as it never would. */
class MapEntryTest {
    private static final long PAGE = 4096;
    /** Beginnings of members in struct kinfo_vmentry. */
    private static final int START = 8;

    private static final int END = 16;
    private static final int OFFSET = 24;
    private static final int FLAGS = 44;
    private static final int PROTECTION = 56;
    private static final int VN_SIZE = 72;
    private static final int STATUS = 86;

    private static ByteBuffer record(long start, long end, String path) {
        byte[] name = path.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        int size = 136 + name.length + 8 & -8;
        ByteBuffer record = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        record.putInt(0, size)
                .putInt(4, 2)
                .putLong(START, start)
                .putLong(END, end)
                .putInt(PROTECTION, 0x70003);
        record.position(136);
        record.put(name);
        return record;
    }

    private static byte[] join(ByteBuffer... records) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(records).mapToInt(ByteBuffer::capacity).sum());
        for (ByteBuffer record : records) {
            all.put(record.array());
        }
        return all.array();
    }

    private static Optional<List<MapEntry>> parse(byte[] records) {
        return MapEntry.parse(records, records.length, PAGE);
    }

    @Test
    void aNameIsNotRead() {
        String forged = "a\r\n00400000-00401000 r--p\u001b]0;title\u0007\0x";
        List<MapEntry> entries = parse(join(record(PAGE, 2 * PAGE, forged), record(4 * PAGE, 5 * PAGE, "")))
                .get();
        assertEquals(2, entries.size());
        assertEquals(
                Optional.of(MemoryRange.of(2 * PAGE, 2 * PAGE)),
                Mappings.rangeSet(entries).firstGap(MemoryRange.of(PAGE, 4 * PAGE)));
        assertTrue(entries.get(0).isAccessible());
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 135, 152, 1 << 20, Integer.MAX_VALUE})
    void aRecordOfAnImpossibleLengthMakesTheListUnknown(int size) {
        ByteBuffer first = record(PAGE, 2 * PAGE, "");
        first.putInt(0, size);
        assertEquals(Optional.empty(), parse(first.array()));
        assertEquals(Optional.empty(), parse(join(record(PAGE, 2 * PAGE, ""), first)));
    }

    @Test
    void whatIsNoWholeRecordMakesTheListUnknown() {
        byte[] one = record(PAGE, 2 * PAGE, "name").array();
        for (int length = 1; length < one.length; length++) {
            assertEquals(Optional.empty(), MapEntry.parse(one, length, PAGE));
        }
        assertEquals(Optional.empty(), MapEntry.parse(one, one.length + 1, PAGE));
        assertEquals(Optional.empty(), MapEntry.parse(one, -1, PAGE));
        assertEquals(Optional.empty(), MapEntry.parse(one, Long.MIN_VALUE, PAGE));
        assertEquals(0, MapEntry.parse(one, 0, PAGE).get().size());
    }

    @Test
    void addressesThatNoKernelReportsMakeTheListUnknown() {
        assertEquals(Optional.empty(), parse(record(2 * PAGE, 2 * PAGE, "").array()));
        assertEquals(Optional.empty(), parse(record(3 * PAGE, 2 * PAGE, "").array()));
        assertEquals(Optional.empty(), parse(record(PAGE + 1, 2 * PAGE, "").array()));
        assertEquals(Optional.empty(), parse(record(PAGE, 2 * PAGE - 1, "").array()));
        assertEquals(Optional.empty(), parse(join(record(2 * PAGE, 4 * PAGE, ""), record(3 * PAGE, 5 * PAGE, ""))));
        assertEquals(Optional.empty(), parse(join(record(4 * PAGE, 5 * PAGE, ""), record(PAGE, 2 * PAGE, ""))));
        assertTrue(parse(record(-2 * PAGE, -PAGE, "").array()).isPresent());
    }

    @Test
    void theEndOfAFileIsWithinItsMappingWhateverItsLength() {
        for (long size :
                new long[] {Long.MIN_VALUE, -1, 0, 1, PAGE, 2 * PAGE + 1, Long.MAX_VALUE - 1, Long.MAX_VALUE}) {
            for (long offset : new long[] {Long.MIN_VALUE, -PAGE, 0, PAGE, Long.MAX_VALUE}) {
                ByteBuffer record = record(8 * PAGE, 12 * PAGE, "file");
                record.putLong(VN_SIZE, size).putLong(OFFSET, offset).putShort(STATUS, (short) 1);
                long end = parse(record.array()).get().get(0).endOfFile(PAGE);
                assertTrue(end >= 8 * PAGE && end <= 12 * PAGE && end % PAGE == 0, size + ", " + offset + ": " + end);
            }
        }
    }

    /** Nothing is claimed that the bytes do not hold, and nothing is thrown. */
    @Test
    void arbitraryBytesAreAListThatTheyHoldOrUnknown() {
        long seed = Long.getLong("pagelock.fuzz.seed", 1);
        int inputs = Integer.getInteger("pagelock.fuzz.inputs", 100_000);
        Random random = new Random(seed);
        int known = 0;
        for (int i = 0; i < inputs; i++) {
            byte[] records = mutated(random);
            int length = random.nextInt(8) == 0 ? random.nextInt(records.length + 1) : records.length;
            Optional<List<MapEntry>> entries = MapEntry.parse(records, length, PAGE);
            if (entries.isPresent()) {
                known++;
                assertHeld(entries.get(), ByteBuffer.wrap(records).order(ByteOrder.nativeOrder()), length);
            }
        }
        assertTrue(
                known > inputs / 100 && known < inputs, known + " of " + inputs + " inputs were lists; seed " + seed);
    }

    private static byte[] mutated(Random random) {
        List<ByteBuffer> records = new ArrayList<>();
        long at = PAGE;
        for (int i = random.nextInt(5); i >= 0; i--) {
            long start = at + random.nextInt(3) * PAGE;
            at = start + (1 + random.nextInt(4)) * PAGE;
            records.add(record(start, at, "x".repeat(random.nextInt(20))));
            records.get(records.size() - 1).putInt(FLAGS, random.nextInt(0x200));
        }
        byte[] bytes = join(records.toArray(new ByteBuffer[0]));
        for (int i = random.nextInt(4); i > 0; i--) {
            int where = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[where] = (byte) random.nextInt();
                case 1 -> bytes[where & -8] = (byte) (1 << random.nextInt(8));
                default -> Arrays.fill(bytes, where, Math.min(bytes.length, where + 8), (byte) -random.nextInt(2));
            }
        }
        return bytes;
    }

    private static void assertHeld(List<MapEntry> entries, ByteBuffer bytes, int length) {
        int at = 0;
        long before = 0;
        for (MapEntry entry : entries) {
            assertEquals(bytes.getLong(at + START), entry.start);
            assertEquals(bytes.getLong(at + END), entry.end);
            assertEquals((bytes.getInt(at + FLAGS) & 0x40) != 0, entry.isUserWired());
            assertFalse(Unsigned.less(entry.start, before) || !Unsigned.less(entry.start, entry.end));
            long end = entry.endOfFile(PAGE);
            assertFalse(Unsigned.less(end, entry.start) || Unsigned.less(entry.end, end));
            before = entry.end;
            at += bytes.getInt(at);
        }
        assertEquals(length, at, "bytes that no record accounts for");
    }
}
