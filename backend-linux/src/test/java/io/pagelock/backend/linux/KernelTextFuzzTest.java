// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.linux.proc.KernelText;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.Mount;
import io.pagelock.spi.Names;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Arbitrary bytes, and texts of a kernel with bytes, fields and lines changed, given to every reader of them. Nothing is thrown,
 * and nothing is claimed that the bytes do not hold, by a reading of the test's own.
 */
class KernelTextFuzzTest {
    private static final int INPUTS = Integer.getInteger("pagelock.fuzz", 5000);
    private static final Pattern HEADER = Pattern.compile(
            "([0-9a-f]{1,16})-([0-9a-f]{1,16}) [r-][w-][x-][psS] [0-9a-f]{1,16} [0-9a-f]{1,16}:[0-9a-f]{1,16} \\d{1,20}( .*)?",
            Pattern.DOTALL);

    private static final String MAPS = "00010000-00020000 rw-p 00000000 00:00 0 \n"
            + "00020000-00030000 r--s 00003000 fe:00 77                         /data/a file\n"
            + "00040000-00050000 ---p 00000000 00:00 0                          [heap]\n"
            + "7f1c3d800000-7f1c3d822000 r-xp 00022000 fe:00 18446744073709551615  /usr/lib/\344\r\\012 (deleted)\n"
            + "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n";
    private static final String SMAPS = MAPS.replace(
            "\n",
            "\nSize:                 64 kB\nRss:                  12 kB\nLocked:                8 kB\nTHPeligible:           0\n"
                    + "VmFlags: rd wr mr mw me lo ac \n");
    private static final String STATUS =
            "Name:\tjava\nUid:\t1000\t1000\t1000\t1000\nGid:\t1\t1\t1\t1\nVmSize:\t 8000000 kB\n"
                    + "VmLck:\t      64 kB\nVmRSS:\t   10000 kB\nCapEff:\t0000000000004000\n";
    private static final String MOUNTINFO = "29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
            + "35 29 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
            + "36 29 0:31 /a /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n";
    private static final String CGROUP = "4:cpu,memory:/docker/x\n0::/a/b:c\n";
    private static final String MEMINFO =
            "MemTotal:  1000 kB\nMemAvailable: 999 kB\nUnevictable: 200 kB\nSwapFree: 5 kB\n";
    private static final String[] PIECES = {
        "\r",
        "\n",
        "\0",
        "\377",
        "\u0085",
        " ",
        "\t",
        ":",
        "-",
        "VmLck:\t 8 kB",
        "VmFlags: rd lo ",
        "+1",
        "-1",
        "99999999999999999999999",
        "ffffffffffffffff",
        "00400000-00401000 rw-p 00000000 00:00 0 ",
        "\\012",
        "\\777",
        " - ",
        "\u0663",
        "Name:\t",
        "Locked: 4 kB",
        "memory",
        "max"
    };

    private final ProcTexts texts = new ProcTexts();
    private final ProcSelf proc = new ProcSelf(texts);

    @Test
    void nothingIsThrownAndNothingIsClaimedThatIsNotThere() throws IOException {
        String maps = real("maps", MAPS);
        String smaps = real("smaps", SMAPS);
        for (int i = 0; i < INPUTS; i++) {
            Random random = new Random(i);
            try {
                texts.put("/proc/self/maps", input(random, i % 7 == 0 ? maps : MAPS));
                texts.put("/proc/self/smaps", input(random, i % 7 == 0 ? smaps : SMAPS));
                texts.put("/proc/self/status", input(random, STATUS));
                texts.put("/proc/self/mountinfo", input(random, MOUNTINFO));
                texts.put("/proc/self/cgroup", input(random, CGROUP));
                texts.put("/proc/meminfo", input(random, MEMINFO));
                texts.put("/proc/sys/vm/max_map_count", input(random, "65530\n"));
                texts.put("/sys/fs/cgroup/a/b:c/memory.max", input(random, "1048576\n"));
                check();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("input " + i, e);
            }
        }
    }

    private void check() {
        proc.mappings().ifPresent(all -> check(all, lines("/proc/self/maps")));
        proc.mappings(0x18000, 0x48000).ifPresent(all -> check(all, lines("/proc/self/maps")));
        proc.flagged(0, -1).ifPresent(all -> check(all, lines("/proc/self/smaps")));
        List<BigInteger> counts = lines("/proc/self/status").stream()
                .filter(line -> line.matches("VmLck:[ \t]*[0-9]+ kB[ \t]*"))
                .map(line -> new BigInteger(line.replaceAll("\\D", "")).shiftLeft(10))
                .toList();
        OptionalLong locked = proc.status().lockedBytes();
        assertTrue(
                !locked.isPresent() || counts.equals(List.of(BigInteger.valueOf(locked.getAsLong()))),
                locked + " of " + counts);
        proc.status().fileUser();
        proc.status().actsAsRealUser();
        proc.canExceedLimit(proc.status());
        Names.text(KernelText.bytes(proc.status().name()));
        OptionalLong most = proc.maxMapCount();
        assertTrue(
                !most.isPresent()
                        || lines("/proc/sys/vm/max_map_count").get(0).trim().matches("\\d+"),
                most.toString());
        proc.fields("/proc/meminfo").values().forEach(each -> assertTrue(each >= 0));
        new MemoryGroups(proc).limited(0);
        lines("/proc/self/mountinfo").forEach(Mount::parse);
    }

    /** By splitting at line feeds and a regular expression. */
    private static void check(List<Mapping> mappings, List<String> lines) {
        long done = 0;
        for (Mapping each : mappings) {
            assertTrue(Long.compareUnsigned(done, each.start) <= 0 && Long.compareUnsigned(each.start, each.end) < 0);
            done = each.end;
            boolean shown = each.toString().codePoints().allMatch(Names::isPlain);
            assertTrue(shown, each.toString());
            if (!each.isKnown()) {
                assertFalse(each.has("lo") || each.anonymous() || each.copiesWhenWritten());
                continue;
            }
            boolean found = false;
            boolean flagged = false;
            for (int i = 0; i < lines.size(); i++) {
                Matcher header = HEADER.matcher(lines.get(i));
                if (header.matches()
                        && Long.compareUnsigned(Long.parseUnsignedLong(header.group(1), 16), each.start) <= 0
                        && Long.parseUnsignedLong(header.group(2), 16) == each.end) {
                    found = true;
                    for (int j = i + 1;
                            j < lines.size() && !HEADER.matcher(lines.get(j)).matches();
                            j++) {
                        flagged |= lines.get(j)
                                        .replaceFirst("VmFlags:", " ")
                                        .concat(" ")
                                        .replace('\t', ' ')
                                        .contains(" lo ")
                                && lines.get(j).startsWith("VmFlags:");
                    }
                }
            }
            assertTrue(found, each + " is in no line");
            assertTrue(!each.has("lo") || flagged, each + " is flagged in no line");
        }
    }

    /** What ends in a line feed. */
    private List<String> lines(String file) {
        String text = new String(texts.files.get(file), StandardCharsets.ISO_8859_1);
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
        lines.remove(lines.size() - 1);
        return lines;
    }

    private static String real(String file, String otherwise) throws IOException {
        Path path = Path.of("/proc/self", file);
        String text = Files.exists(path) ? Files.readString(path, StandardCharsets.ISO_8859_1) : otherwise;
        return text.substring(0, text.lastIndexOf('\n', Math.min(text.length() - 1, 6000)) + 1);
    }

    private static String input(Random random, String text) {
        if (random.nextInt(20) == 0) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        StringBuilder mutated = new StringBuilder(text);
        for (int i = random.nextInt(4); i > 0 && mutated.length() > 0; i--) {
            int at = random.nextInt(mutated.length());
            switch (random.nextInt(6)) {
                case 0:
                    mutated.setCharAt(at, (char) random.nextInt(256));
                    break;
                case 1:
                    mutated.insert(at, PIECES[random.nextInt(PIECES.length)]);
                    break;
                case 2:
                    mutated.delete(at, Math.min(mutated.length(), at + random.nextInt(40)));
                    break;
                case 3:
                    mutated.setLength(at);
                    break;
                case 4:
                    mutated.insert(at, mutated.substring(Math.max(0, at - random.nextInt(120)), at));
                    break;
                default:
                    int line = mutated.indexOf("\n", at) + 1;
                    mutated.insert(line, PIECES[random.nextInt(PIECES.length)] + "\n");
                    break;
            }
        }
        return mutated.toString();
    }

    /** 60,000 lines are read on the way to a refusal. */
    @Test
    void longListIsReadInOneGo() {
        StringBuilder maps = new StringBuilder();
        for (int i = 0; i < 60_000; i++) {
            maps.append(String.format(
                    "%x-%x rw-p 00000000 00:00 0 \n", 0x7f0000000000L + i * 8192L, 0x7f0000001000L + i * 8192L));
        }
        texts.put("/proc/self/maps", maps.toString());
        assertEquals(60_000, proc.mappings().map(List::size).orElse(0));
        texts.put(
                "/proc/self/maps",
                "1000-2000 rw-p 00000000 00:00 0 /" + "x".repeat(1 << 20) + "\n00003000-00004000 rw-p 0 00:00 0\n");
        Optional<List<Mapping>> all = proc.mappings();
        assertEquals(
                List.of(false, true),
                all.orElseThrow().stream().map(Mapping::isKnown).toList());
    }
}
