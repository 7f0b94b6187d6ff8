// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.Tristate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The limits, from texts of {@code /proc} and {@code /sys}. Of the process, 10000 kB are resident. */
class LinuxLimitsTest {
    private static final long MIB = 1 << 20;

    private final ProcTexts proc = new ProcTexts();
    private final ScriptedCalls calls = new ScriptedCalls(LinuxConstants.GENERIC);

    private LockLimits limits() {
        return new LinuxLimits(calls, LinuxConstants.GENERIC, new ProcSelf(proc)).read();
    }

    @Test
    void memlockIsFirstWithItsChargeAndPrivilege() {
        proc.status(12, "0000000000000000");
        calls.hard = 131072;
        LockLimits limits = limits();
        LockLimit memlock = limits.all().get(0);
        assertEquals("RLIMIT_MEMLOCK", memlock.name());
        assertEquals(LockLimit.Scope.PROCESS, memlock.scope());
        assertEquals(LimitValue.ofBytes(65536), memlock.soft());
        assertEquals(LimitValue.ofBytes(131072), memlock.hard());
        assertEquals(12 * 1024, memlock.used().getAsLong());
        assertEquals("CAP_IPC_LOCK", limits.privilege());
        assertEquals(Tristate.NO, limits.privileged());
        assertEquals(LimitValue.ofBytes(65536 - 12 * 1024), limits.lockable());
        assertEquals(1, limits.all().size());
    }

    @ParameterizedTest
    @CsvSource({"-1", "9223372036854775807", "-2"})
    void infinityIsUnlimitedHoweverItIsWritten(long infinity) {
        calls.soft = infinity;
        assertEquals(LimitValue.unlimited(), limits().soft());
    }

    @Test
    void limitThatCannotBeReadIsUnknown() {
        calls.fail("getrlimit", "EINVAL");
        assertEquals(LimitValue.unknown(), limits().soft());
        assertEquals(LimitValue.unknown(), limits().lockable());
    }

    @ParameterizedTest
    @CsvSource({
        "0000000000004000, user:[4026531837], YES",
        "000001ffffffffff, user:[4026531837], YES",
        "000001ffffffffff, user:[4026532000], NO",
        "000001ffffffffff, denied, UNKNOWN",
        "000001ffffffbfff, denied, NO",
        "0000000000000000, user:[4026531837], NO",
        "nonsense, user:[4026531837], UNKNOWN"
    })
    void privilegeNeedsTheBitAndTheInitialNamespace(String capEff, String namespace, Tristate expected) {
        proc.status(0, capEff);
        proc.links.put("/proc/self/ns/user", namespace);
        assertEquals(expected, limits().privileged());
    }

    @Test
    void privilegeIsUnknownWithoutProc() {
        proc.files.clear();
        proc.links.clear();
        assertEquals(Tristate.UNKNOWN, limits().privileged());
        assertEquals(Tristate.UNKNOWN, new ProcSelf(proc).inInitialUserNamespace());
    }

    @Test
    void memoryOfTheMachineLeavesWhatIsAvailableAndOurs() {
        proc.put(
                "/proc/meminfo",
                "MemTotal:        1000000 kB\nMemFree:  1 kB\nMemAvailable:     300000 kB\n"
                        + "SwapFree:         50000 kB\nUnevictable:       20000 kB\nHugePages_Total:       0\n");
        LockLimit memory = limits().all().get(1);
        assertEquals(LockLimit.Scope.SYSTEM, memory.scope());
        assertEquals(LimitValue.ofBytes(1000000L * 1024), memory.soft());
        // Available, swappable, and the 10000 of this process that are in memory already.
        assertEquals((1000000L - 300000 - 50000 - 10000) * 1024, memory.used().getAsLong());
        proc.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 999 kB\nUnevictable: 200 kB\n");
        assertEquals(200 * 1024, limits().all().get(1).used().getAsLong());
        proc.put("/proc/meminfo", "MemTotal: 1000 kB\n");
        assertEquals(1, limits().all().size());
    }

    private void group2(String path, String max, long current) {
        proc.put("/sys/fs/cgroup" + path + "/memory.max", max + "\n");
        proc.put("/sys/fs/cgroup" + path + "/memory.current", current + "\n");
        proc.put(
                "/sys/fs/cgroup" + path + "/memory.stat",
                "anon 5\nfile 5\nactive_file " + MIB + "\ninactive_file " + 2 * MIB + "\nunevictable 4096\n");
    }

    @Test
    void tightestGroupOfVersion2IsTaken() {
        proc.put("/proc/self/cgroup", "0::/a/b\n");
        proc.put(
                "/proc/self/mountinfo",
                "20 1 0:5 / /proc rw - proc proc rw\n"
                        + "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
        group2("/a/b", "max", 50 * MIB);
        group2("/a", Long.toString(200 * MIB), 100 * MIB);
        group2("", Long.toString(1000 * MIB), 500 * MIB);
        LockLimits limits = limits();
        LockLimit group = limits.all().get(1);
        assertEquals("memory of the control group /a", group.name());
        assertEquals(LockLimit.Scope.CONTAINER, group.scope());
        assertEquals(LimitValue.ofBytes(200 * MIB), group.soft());
        // Without the cache of files, and without what is this process's own.
        assertEquals(97 * MIB - 10000 * 1024, group.used().getAsLong());
        proc.status(0, "0000000000004000");
        assertEquals(LimitValue.ofBytes(103 * MIB + 10000 * 1024), limits().lockable());
    }

    @Test
    void groupOfVersion1IsFoundBelowItsMount() {
        proc.put("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/x\n0::/\n");
        proc.put(
                "/proc/self/mountinfo",
                "30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                        + "31 1 0:27 /docker/x /sys/fs/cgroup/memory ro shared:4 - cgroup cgroup rw,memory\n");
        proc.put("/sys/fs/cgroup/memory/memory.limit_in_bytes", 64 * MIB + "\n");
        proc.put("/sys/fs/cgroup/memory/memory.usage_in_bytes", 32 * MIB + "\n");
        proc.put("/sys/fs/cgroup/memory/memory.stat", "total_active_file 0\ntotal_unevictable " + 30 * MIB + "\n");
        LockLimit group = limits().all().get(1);
        assertEquals("memory of the control group /", group.name());
        assertEquals(LimitValue.ofBytes(64 * MIB), group.soft());
        assertEquals(30 * MIB, group.used().getAsLong());
        // The largest number of pages in bytes is how version 1 says that there is none.
        proc.put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertEquals(1, limits().all().size());
    }

    @ParameterizedTest
    @CsvSource({"'0::/a', ''", "'', '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'", "'nonsense', 'nonsense - x'"
    })
    void groupThatCannotBeFoundIsLeftOut(String cgroup, String mounts) {
        proc.put("/proc/self/cgroup", cgroup + "\n");
        proc.put("/proc/self/mountinfo", mounts + "\n");
        assertEquals(1, limits().all().size());
        assertTrue(limits().lockable().bytes().isPresent());
    }
}
