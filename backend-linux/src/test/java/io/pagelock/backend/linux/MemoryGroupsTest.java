// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Control groups of both versions, from texts. */
class MemoryGroupsTest {
    private static final long MIB = 1 << 20;
    private static final String V2 = "20 1 0:5 / /proc rw - proc proc rw\n"
            + "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

    private final ProcTexts proc = new ProcTexts();

    private List<MemoryUse> limited(long swapFree) {
        return new MemoryGroups(new ProcSelf(proc)).limited(swapFree);
    }

    private MemoryUse only(long swapFree) {
        List<MemoryUse> all = limited(swapFree);
        assertEquals(1, all.size());
        return all.get(0);
    }

    private void version2(String path, String max, long current) {
        String directory = "/sys/fs/cgroup" + path;
        proc.put("/proc/self/mountinfo", V2);
        proc.put(directory + "/memory.max", max + "\n");
        proc.put(directory + "/memory.current", current + "\n");
        proc.put(
                directory + "/memory.stat",
                "anon 5\nfile 5\nactive_file " + MIB + "\ninactive_file " + 2 * MIB + "\nactive_anon " + 4 * MIB
                        + "\ninactive_anon " + 4 * MIB + "\nslab_reclaimable " + MIB + "\nunevictable 4096\n");
    }

    private void version1(String directory, long max, long usage) {
        proc.put(directory + "/memory.limit_in_bytes", max + "\n");
        proc.put(directory + "/memory.usage_in_bytes", usage + "\n");
        proc.put(
                directory + "/memory.stat",
                "active_file 1\ntotal_active_file " + MIB + "\ntotal_inactive_file 0\ntotal_active_anon " + 8 * MIB
                        + "\ntotal_unevictable " + 30 * MIB + "\n");
    }

    @Test
    void tightestGroupOfVersion2IsFirstAndAllThatLimitAreThere() {
        proc.put("/proc/self/cgroup", "0::/a/b\n");
        version2("/a/b", "max", 50 * MIB);
        version2("/a", Long.toString(200 * MIB), 100 * MIB);
        version2("", Long.toString(1000 * MIB), 500 * MIB);
        List<MemoryUse> all = limited(0);
        assertEquals(2, all.size());
        MemoryUse group = all.get(0);
        assertEquals("memory of the control group /a", group.name);
        assertEquals("/sys/fs/cgroup/a/memory.max", group.file);
        assertEquals(LimitValue.ofBytes(200 * MIB), group.limit);
        // Without the cache of files, and with a thirty-second to go on.
        assertEquals(97 * MIB + 200 * MIB / 32, group.kept);
        assertEquals(MIB, group.reclaimable);
        assertEquals(103 * MIB - 200 * MIB / 32, group.room());
        assertEquals("memory of the control group /", all.get(1).name);
    }

    @Test
    void ownMemoryAndSwapAreNoCertainRoom() {
        proc.put("/proc/self/cgroup", "0::/a\n");
        version2("/a", Long.toString(200 * MIB), 100 * MIB);
        proc.put("/sys/fs/cgroup/memory.max", "max\n");
        LockLimit limit = only(100 * MIB).toLimit(10 * MIB);
        assertEquals(97 * MIB + 200 * MIB / 32, limit.used().getAsLong());
        // The kernel's caches, all anonymous memory, and what is resident of this process.
        assertEquals((1 + 8 + 10) * MIB, limit.reclaimable());
        assertEquals(Reason.NO_LOCKABLE_MEMORY, limit.reason());
    }

    @ParameterizedTest
    @CsvSource({"0, 100, 0", "max, 0, 8", "5, 3, 2", "3, 5, 0"})
    void swapIsThatOfTheGroupAndNotOfTheMachineAlone(String max, long current, long expected) {
        proc.put("/proc/self/cgroup", "0::/a/b\n");
        version2("/a/b", Long.toString(200 * MIB), 100 * MIB);
        // The limit of a group counts for all below.
        proc.put("/sys/fs/cgroup/a/memory.max", "max\n");
        proc.put(
                "/sys/fs/cgroup/a/memory.swap.max",
                (max.equals("max") ? max : Long.toString(Long.parseLong(max) * MIB)) + "\n");
        proc.put("/sys/fs/cgroup/a/memory.swap.current", current * MIB + "\n");
        proc.put("/sys/fs/cgroup/memory.max", "max\n");
        assertEquals(expected * MIB + MIB, only(1000 * MIB).reclaimable);
    }

    @Test
    void groupOfVersion1IsFoundBelowItsMount() {
        proc.put("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/x\n0::/\n");
        proc.put(
                "/proc/self/mountinfo",
                "30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                        + "31 1 0:27 /docker/x /sys/fs/cgroup/mem\\040ory ro shared:4 - cgroup cgroup rw,memory\n");
        String directory = "/sys/fs/cgroup/mem ory";
        version1(directory, 64 * MIB, 35 * MIB);
        MemoryUse group = only(100 * MIB);
        assertEquals("memory of the control group /", group.name);
        assertEquals(directory + "/memory.limit_in_bytes", group.file);
        assertEquals(LimitValue.ofBytes(64 * MIB), group.limit);
        assertEquals(36 * MIB, group.kept);
        // Up to what is locked, although 8 MiB could be swapped out.
        assertEquals(4 * MIB, group.reclaimable);
        proc.put(directory + "/memory.memsw.limit_in_bytes", 66 * MIB + "\n");
        proc.put(directory + "/memory.memsw.usage_in_bytes", 36 * MIB + "\n");
        assertEquals(MIB, only(100 * MIB).reclaimable);
    }

    @Test
    void nestedGroupsOfVersion1AreAllLookedAt() {
        proc.put("/proc/self/cgroup", "4:memory:/a/b\n");
        proc.put("/proc/self/mountinfo", "31 1 0:27 / /m rw - cgroup cgroup rw,memory\n");
        version1("/m", Long.MAX_VALUE & -4096, 1000 * MIB);
        version1("/m/a", 64 * MIB, 40 * MIB);
        version1("/m/a/b", 100 * MIB, 33 * MIB);
        assertEquals("/m/a/memory.limit_in_bytes", limited(0).get(0).file);
        assertEquals(2, limited(0).size());
    }

    /** Each large lock waits for these reads. */
    @Test
    void usageIsReadOnlyOfGroupsThatHaveALimit() {
        proc.put("/proc/self/cgroup", "0::/a/b\n");
        proc.put("/sys/fs/cgroup/cgroup.controllers", "cpu\n");
        version2("/a/b", "max", MIB);
        version2("/a", "max", MIB);
        proc.opened.clear();
        assertEquals(List.of(), limited(MIB));
        assertEquals(
                List.of(
                        "/sys/fs/cgroup/memory.max",
                        "/sys/fs/cgroup/cgroup.controllers",
                        "/sys/fs/cgroup/a/memory.max",
                        "/sys/fs/cgroup/a/b/memory.max"),
                proc.opened.stream().filter(each -> each.startsWith("/sys")).toList());
        proc.put("/proc/self/cgroup", "4:memory:/a/b\n");
        proc.put("/proc/self/mountinfo", "31 1 0:27 / /m rw - cgroup cgroup rw,memory\n");
        version1("/m", Long.MAX_VALUE & -4096, 1000 * MIB);
        version1("/m/a", Long.MAX_VALUE & -4096, 1000 * MIB);
        version1("/m/a/b", Long.MAX_VALUE & -4096, 1000 * MIB);
        proc.opened.clear();
        assertEquals(List.of(), limited(MIB));
        assertEquals(
                List.of(
                        "/m/memory.limit_in_bytes",
                        "/m/memory.stat",
                        "/m/a/memory.limit_in_bytes",
                        "/m/a/b/memory.limit_in_bytes"),
                proc.opened.stream().filter(each -> each.startsWith("/m/")).toList());
    }

    @Test
    void limitAroundTheContainerShowsInVersion1() {
        proc.put("/proc/self/cgroup", "4:memory:/\n");
        proc.put("/proc/self/mountinfo", "31 1 0:27 / /m rw - cgroup cgroup rw,memory\n");
        // The largest number of pages in bytes is how version 1 says that there is none.
        version1("/m", Long.MAX_VALUE & -4096, 40 * MIB);
        assertEquals(0, limited(0).size());
        proc.put("/m/memory.stat", "hierarchical_memory_limit " + 64 * MIB + "\n");
        assertEquals(LimitValue.unknown(), only(0).limit);
    }

    @ParameterizedTest
    @CsvSource({
        "'0::/a', ''",
        "'0::/a', 'nonsense - x'",
        "'4:memory:/a', '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'",
        "'0::/a', '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'"
    })
    void whatCannotBeReadIsUnknownAndNotUnlimited(String cgroup, String mounts) {
        proc.put("/proc/self/cgroup", cgroup + "\n");
        proc.put("/proc/self/mountinfo", mounts + "\n");
        proc.put("/sys/fs/cgroup/cgroup.controllers", "memory\n");
        MemoryUse group = only(0);
        assertEquals(LimitValue.unknown(), group.limit);
        assertEquals(LimitValue.unknown(), group.toLimit(0).soft());
    }

    @Test
    void aGroupWithoutUsageIsUnknown() {
        proc.put("/proc/self/cgroup", "0::/a\n");
        version2("/a", Long.toString(200 * MIB), 100 * MIB);
        proc.put("/sys/fs/cgroup/memory.max", "max\n");
        proc.deny("/sys/fs/cgroup/a/memory.current");
        assertEquals(LimitValue.unknown(), only(0).limit);
    }

    @ParameterizedTest
    @CsvSource({"cpu io", "memory"})
    void theRootAndGroupsWithoutTheControllerHaveNoLimit(String controllers) {
        proc.put("/proc/self/cgroup", "0::/\n");
        proc.put("/proc/self/mountinfo", V2);
        proc.put("/sys/fs/cgroup/cgroup.controllers", controllers + "\n");
        assertEquals(List.of(), limited(0));
    }

    @ParameterizedTest
    @CsvSource({"''", "nonsense", "4:cpu:/a"})
    void withoutGroupsThereIsNoLimit(String cgroup) {
        proc.put("/proc/self/cgroup", cgroup + "\n");
        assertEquals(List.of(), limited(0));
    }
}
