// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import io.pagelock.PageLocker;
import io.pagelock.secrets.Protection;
import io.pagelock.secrets.Secret;
import io.pagelock.secrets.SecretPool;

/** Keeps a key out of the Java heap, the swap space and core dumps. */
final class Secrets {
    private Secrets() {}

    public static void main(String[] args) {
        byte[] bytes = "correct horse battery staple".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        // README
        SecretPool pool = SecretPool.create(PageLocker.system()); // one for the program; secrets share pages
        try (Secret key = pool.allocate(32)) {
            key.write(bytes);
            sign(key);
        } // wiped
        // end
        pool.close();
    }

    private static void sign(Secret key) {
        System.out.println("the key is locked: " + key.kept(Protection.LOCKED));
    }
}
