// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.ArrayList;
import java.util.List;

/** A way to live as a process on Linux: who it is, what it may, and how much. */
enum Life {
    /** Everything is allowed. */
    ROOT,
    /** A user whom the limit of old systems and containers binds. */
    USER_64K(user(), limit(65536)),
    /** A user whom today's default limit binds. */
    USER_8M(user(), limit(8388608)),
    /** A user who may lock nothing. */
    USER_NOTHING(user(), limit(0)),
    /** A user without a limit, who may lower and raise it. */
    USER_UNLIMITED(List.of("prlimit", "--memlock=unlimited:unlimited"), user()),
    /** The capability without being root: the limit is lifted. */
    USER_WITH_CAPABILITY(
            List.of(
                    "setpriv",
                    "--reuid",
                    "65534",
                    "--regid",
                    "65534",
                    "--clear-groups",
                    "--inh-caps=-all,+ipc_lock",
                    "--ambient-caps=-all,+ipc_lock"),
            limit(65536)),
    /** Root without the capability: the limit binds. */
    ROOT_WITHOUT_CAPABILITY(List.of("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"), limit(65536)),
    /** Root in a user namespace: the capability shows and has no effect. */
    ROOT_OF_A_NAMESPACE(limit(65536), List.of("unshare", "--user", "--map-root-user"));

    private final List<String> command = new ArrayList<>();

    @SafeVarargs
    Life(List<String>... wrappers) {
        for (List<String> wrapper : wrappers) {
            command.addAll(wrapper);
        }
    }

    /** The words before {@code java}. */
    List<String> command() {
        return command;
    }

    private static List<String> user() {
        return List.of(
                "setpriv",
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "--inh-caps=-all",
                "--ambient-caps=-all",
                "--bounding-set=-all");
    }

    private static List<String> limit(long bytes) {
        return List.of("prlimit", "--memlock=" + bytes + ":" + bytes);
    }
}
