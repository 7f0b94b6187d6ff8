// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import io.pagelock.backend.testkit.ChildJvm;
import java.util.Map;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Doctor where a seccomp filter refuses the call that asks whether a page is locked: that is no sign that it is not. */
@EnabledOnOs(OS.LINUX)
class DoctorUnderFilterTest {
    /** By os.arch: seccomp, msync, mincore; asm/unistd.h. */
    private static final Map<String, int[]> NUMBERS =
            Map.of("amd64", new int[] {317, 26, 27}, "aarch64", new int[] {277, 227, 232});

    /** The command in a JVM whose threads all get the errno of the arguments for msync, and for mincore if told. */
    static final class Filtered {
        public static void main(String[] arguments) {
            int[] numbers = NUMBERS.get(System.getProperty("os.arch"));
            int calls = Boolean.parseBoolean(arguments[1]) ? 2 : 1;
            // struct sock_filter: BPF_LD of the number; BPF_JEQ and BPF_RET for each call; BPF_RET. linux/filter.h
            Memory code = new Memory(8L * (2 + 2 * calls));
            statement(code, 0, 0x20, 0, 0);
            for (int i = 0; i < calls; i++) {
                statement(code, 1 + 2 * i, 0x15, 1 << 8, numbers[1 + i]);
                statement(code, 2 + 2 * i, 0x06, 0, 0x00050000 | Integer.parseInt(arguments[0]));
            }
            statement(code, 1 + 2 * calls, 0x06, 0, 0x7fff0000);
            Memory program = new Memory(16);
            program.setShort(0, (short) (2 + 2 * calls));
            program.setPointer(8, code);
            // PR_SET_NO_NEW_PRIVS; then SECCOMP_SET_MODE_FILTER for every thread, SECCOMP_FILTER_FLAG_TSYNC.
            call("prctl", 38, 1, 0, 0, Pointer.NULL);
            call("syscall", numbers[0], 1, 1, program);
            Main.main(new String[] {"doctor"});
        }

        private static void statement(Memory code, int index, int operation, int jumps, int value) {
            code.setInt(8L * index, operation | jumps << 16);
            code.setInt(8L * index + 4, value);
        }

        private static void call(String name, Object... values) {
            Object[] words = new Object[values.length];
            for (int i = 0; i < words.length; i++) {
                words[i] = values[i] instanceof Integer ? new NativeLong((Integer) values[i]) : values[i];
            }
            int result = NativeLibrary.getProcess()
                    .getFunction(name, Function.C_CONVENTION)
                    .invokeInt(words);
            if (result != 0) {
                throw new IllegalStateException(name + " failed");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, false", "38, false", "1, true"})
    void whatCannotBeAskedIsNoAlarm(int errno, boolean mincore) {
        assumeTrue(NUMBERS.containsKey(System.getProperty("os.arch")), "numbers of calls are not known");
        String output = new ChildJvm()
                .run(Filtered.class, Integer.toString(errno), Boolean.toString(mincore))
                .succeeded();
        assertTrue(output.contains("msync is refused"), output);
        assertTrue(output.contains("ok: locked according to the kernel"), output);
        assertFalse(output.contains("CONTRADICTED") || output.contains("not locked"), output);
    }
}
