// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.Tristate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The limits, from texts of {@code /proc} and {@code /sys}. Of the process, 10000 kB are resident. */
class LinuxLimitsTest {
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
        assertEquals("CAP_IPC_LOCK", limits.privilege().get());
        assertEquals(Tristate.NO, limits.privileged());
        assertEquals(LimitValue.ofBytes(65536 - 12 * 1024), limits.lockable());
        assertEquals(1, limits.all().size());
    }

    @ParameterizedTest
    @CsvSource({"-1", "9223372036854775807", "-2"})
    void infinityIsUnlimitedHoweverItIsWritten(long infinity) {
        calls.soft = infinity;
        assertEquals(LimitValue.unlimited(), limits().all().get(0).soft());
    }

    @Test
    void limitThatCannotBeReadIsUnknown() {
        calls.fail("getrlimit", "EINVAL");
        assertEquals(LimitValue.unknown(), limits().all().get(0).soft());
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
    void memoryOfTheMachineIsSureOnlyWhereNothingMustBeSwappedOut() {
        proc.put(
                "/proc/meminfo",
                "MemTotal:        1000000 kB\nMemFree:  200000 kB\nMemAvailable:     300000 kB\n"
                        + "Active(file): 90000 kB\nInactive(file): 40000 kB\nSReclaimable: 10000 kB\n"
                        + "Active(anon): 20000 kB\nInactive(anon): 70000 kB\n"
                        + "SwapFree:         50000 kB\nUnevictable:       20000 kB\nHugePages_Total:       0\n");
        LockLimit memory = limits().all().get(1);
        assertEquals(LockLimit.Scope.SYSTEM, memory.scope());
        assertEquals(LimitValue.ofBytes(1000000L * 1024), memory.soft());
        assertEquals((1000000L - 300000 + 8192) * 1024, memory.used().getAsLong());
        // Free, the cache of files, the kernel's own, what can be swapped out, and the 10000 of this process.
        long most = (200000L + 90000 + 40000 + 10000 + 50000 + 10000) * 1024;
        assertEquals(most, 300000L * 1024 + memory.reclaimable());
        proc.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 999 kB\nUnevictable: 200 kB\n");
        assertEquals((200 + 1000 / 32.0) * 1024, limits().all().get(1).used().getAsLong());
        assertEquals(0, limits().all().get(1).reclaimable());
        proc.put("/proc/meminfo", "MemTotal: 1000 kB\n");
        assertEquals(1, limits().all().size());
    }
}
