// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/** A thread of this library's own. It takes neither the priority nor the class loader of whoever happens to start it. */
final class Daemon extends Thread {
    Daemon(String name, Runnable work) {
        super(work, name);
        setDaemon(true);
        setPriority(NORM_PRIORITY);
        setContextClassLoader(null);
    }
}
