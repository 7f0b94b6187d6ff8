// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Host;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** In a user namespace nobody may raise the hard limit; what the remedy says is done outside. */
@EnabledOnOs(OS.LINUX)
class NamespaceRemedyTest {
    @Test
    void theLimitIsRaisedOutside() {
        String refusal = ChildJvm.in(Life.ROOT_OF_A_NAMESPACE)
                .run(Locking.class)
                .succeeded()
                .output();
        assertFalse(refusal.contains("as root, 'ulimit"), refusal);
        Matcher limit =
                Pattern.compile("prlimit --pid PID (--memlock=\\d+:\\d+)").matcher(refusal);
        assertTrue(limit.find(), refusal);
        String second = ChildJvm.in(Life.ROOT)
                .wrappedIn("prlimit", limit.group(1), "unshare", "--user", "--map-root-user")
                .run(Locking.class)
                .succeeded()
                .output();
        assertEquals("locked", second.strip());
    }

    static final class Locking {
        public static void main(String[] arguments) {
            PageLocker locker = PageLockers.over(new LinuxProvider().open(Host.current()));
            long at = Libc.mmap(
                    0, 1 << 20, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
            try {
                locker.lock(MemoryRange.of(at, 1 << 20)).close();
                System.out.println("locked");
            } catch (PageLockException e) {
                System.out.println(e.remedies().toString());
            }
        }
    }
}
