// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** Locks a buffer and prints what the kernel counted before, during and after, and which modules were in use. */
public final class LockOnce {
    private LockOnce() {}

    public static void main(String[] args) throws Exception {
        PageLocker locker = PageLocker.system();
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
        System.out.println("before " + lockedKilobytes());
        try (PageLock lock = locker.lock(buffer)) {
            System.out.println("during " + lockedKilobytes());
        }
        System.out.println("after " + lockedKilobytes());
        System.out.println("core is named: " + PageLocker.class.getModule().isNamed());
        System.out.println("backend " + locker.backendInfo().name());
    }

    private static String lockedKilobytes() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmLck:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst()
                .orElseThrow();
    }
}
