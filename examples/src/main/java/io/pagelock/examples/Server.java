// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import static io.pagelock.AddressSpaceScope.CURRENT_AND_FUTURE;
import static io.pagelock.LockOption.ON_FAULT;

import io.pagelock.AddressSpaceLock;
import io.pagelock.LockPolicy;
import io.pagelock.PageLocker;

/** Keeps a whole JVM from being swapped out, and goes on where that is not possible. */
final class Server {
    private Server() {}

    public static void main(String[] args) {
        // README
        PageLocker locker = PageLocker.system(LockPolicy.BEST_EFFORT);
        AddressSpaceLock all = locker.lockAddressSpace(CURRENT_AND_FUTURE, ON_FAULT); // until closed
        if (!all.isValid()) {
            System.err.println(locker.report()); // what is not locked, why, and what to change
        }
        // end
        System.out.println("the JVM is locked: " + all.isValid());
    }
}
