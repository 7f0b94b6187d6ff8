// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spi;

import java.io.IOException;
import java.security.AccessController;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;

/**
 * Reads the system's own files with the rights of this library under a security manager, so that its callers need none.
 * Do not pass a lambda: linking the first one of a JVM takes longer than the reading.
 */
public final class Privileged {
    private Privileged() {}

    /**
     * Reads something with the rights of the action's own code.
     *
     * @param <T> what is read
     * @param read the reading, which throws no other checked exception than {@link IOException}
     * @return what it returns
     * @throws IOException if it does
     */
    public static <T> T read(PrivilegedExceptionAction<T> read) throws IOException {
        try {
            return AccessController.doPrivileged(read);
        } catch (PrivilegedActionException e) {
            throw (IOException) e.getException();
        } catch (NoClassDefFoundError e) {
            // The class is deprecated for removal, see JEP 411.
            return direct(read);
        }
    }

    private static <T> T direct(PrivilegedExceptionAction<T> read) throws IOException {
        try {
            return read.run();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
