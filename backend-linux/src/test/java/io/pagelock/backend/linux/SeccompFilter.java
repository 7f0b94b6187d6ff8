// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** Words before a command that run it under a seccomp filter, as sandboxes and containers do: seccomp(2). Needs a C compiler. */
final class SeccompFilter {
    private static final String LAUNCHER = "#include <errno.h>\n#include <linux/filter.h>\n#include <linux/seccomp.h>\n"
            + "#include <stddef.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <sys/prctl.h>\n"
            + "#include <sys/syscall.h>\n#include <unistd.h>\n"
            + "static struct { const char *name; int number; } calls[] = {\n"
            + "    {\"mlock\", SYS_mlock}, {\"mlock2\", SYS_mlock2}, {\"mlockall\", SYS_mlockall},\n"
            + "    {\"munlock\", SYS_munlock}, {\"msync\", SYS_msync}};\n"
            // Arguments: name=errno ... -- command
            + "int main(int count, char **words) {\n"
            + "    struct sock_filter code[32] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};\n"
            + "    int length = 1, at = 1;\n"
            + "    for (; at < count && strcmp(words[at], \"--\"); at++) {\n"
            + "        char *value = strchr(words[at], '=');\n"
            + "        *value++ = 0;\n"
            + "        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {\n"
            + "            if (!strcmp(calls[i].name, words[at])) {\n"
            + "                code[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);\n"
            + "                code[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(value));\n"
            + "            }\n        }\n    }\n"
            + "    code[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);\n"
            + "    struct sock_fprog program = {length, code};\n"
            + "    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {\n"
            + "        perror(\"seccomp\");\n        return 1;\n    }\n"
            + "    execvp(words[at + 1], words + at + 1);\n    perror(words[at + 1]);\n    return 1;\n}\n";

    private static Path launcher;

    private SeccompFilter() {}

    /**
     * Builds a prefix.
     *
     * @param answers for example {@code mlock=0}, which answers success, or {@code msync=1}, which answers EPERM
     */
    static String[] answering(String... answers) {
        List<String> words = new ArrayList<>();
        words.add(launcher().toString());
        words.addAll(List.of(answers));
        words.add("--");
        return words.toArray(new String[0]);
    }

    private static synchronized Path launcher() {
        if (launcher == null) {
            launcher = compile();
        }
        return launcher;
    }

    private static Path compile() {
        try {
            Path directory = Files.createTempDirectory(
                    "pagelock-filter",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            Path source = Files.writeString(directory.resolve("filter.c"), LAUNCHER);
            Path program = directory.resolve("filter");
            Process compiler = new ProcessBuilder("cc", "-o", program.toString(), source.toString())
                    .inheritIO()
                    .start();
            boolean compiled = compiler.waitFor() == 0;
            Files.delete(source);
            program.toFile().deleteOnExit();
            directory.toFile().deleteOnExit();
            if (!"true".equals(System.getenv("CI"))) {
                assumeTrue(compiled, "the launcher cannot be compiled");
            }
            return program;
        } catch (IOException e) {
            if ("true".equals(System.getenv("CI"))) {
                throw new AssertionError(e);
            }
            return abort("no C compiler: " + e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
