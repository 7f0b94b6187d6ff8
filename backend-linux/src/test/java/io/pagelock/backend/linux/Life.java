// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.standin.OrdinaryUser;
import java.util.ArrayList;
import java.util.List;

/** A way to live as a process on Linux: who it is, what it may, and how much. */
enum Life {
    /** Everything is allowed. */
    ROOT,
    /** A user whom the limit of old systems and containers binds. */
    USER_64K(OrdinaryUser.WITHOUT_RIGHTS, limit(65536)),
    /** A user whom today's default limit binds. */
    USER_8M(OrdinaryUser.WITHOUT_RIGHTS, limit(8388608)),
    /** A user who may lock nothing. */
    USER_NOTHING(OrdinaryUser.WITHOUT_RIGHTS, limit(0)),
    /** A user without a limit, who may lower and raise it. */
    USER_UNLIMITED(List.of("prlimit", "--memlock=unlimited:unlimited"), OrdinaryUser.WITHOUT_RIGHTS),
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

    /** A JVM that lives so. Only root can give lives away; elsewhere such tests are skipped, but never in CI. */
    ChildJvm jvm() {
        if (!"true".equals(System.getenv("CI"))) {
            assumeTrue(this == ROOT || Witness.status("Uid").startsWith("0"), "only root can run a process as " + this);
        }
        if (this == USER_UNLIMITED) {
            // Root of a container often has not this right.
            assumeTrue(
                    Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[1] == -1 || mayRaiseLimits(),
                    "this process may not raise its own limit, so it cannot give one away");
        }
        return new ChildJvm().through(command).classPath(ChildJvm.classPathForAll());
    }

    /** CAP_SYS_RESOURCE. */
    private static boolean mayRaiseLimits() {
        return (Long.parseUnsignedLong(Witness.status("CapEff"), 16) >>> 24 & 1) == 1;
    }

    private static List<String> limit(long bytes) {
        return OrdinaryUser.limit(bytes, bytes);
    }
}
