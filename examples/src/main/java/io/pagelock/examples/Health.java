// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import java.nio.ByteBuffer;

/** Answers a health check: what the program wants locked is locked, and the kernel agrees. */
final class Health {
    private Health() {}

    public static void main(String[] args) {
        PageLocker locker = PageLocker.system(LockPolicy.BEST_EFFORT);
        try (PageLock lock = locker.lock(ByteBuffer.allocateDirect(Integer.parseInt(args[0])))) {
            // README
            LockReport report = locker.report();
            boolean up = report.kept() == Tristate.YES; // by pagelock's count and by the kernel's
            report.notLocked().forEach(each -> System.err.println(each.message() + each.remedies()));
            // end
            System.out.println("up: " + up + ", valid: " + lock.isValid());
        }
    }
}
