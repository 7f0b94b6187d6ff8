// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

/**
 * Loads the classes that a lock needs, so that a JVM can write them to an archive. More than half of the time of the
 * first lock in a JVM goes into loading and verifying classes, which an archive saves.
 *
 * <p>Run it once, with the class path of your program:
 * {@code java -XX:AOTCacheOutput=program.aot -cp ... io.pagelock.TrainingRun} on JDK 25 and later, with
 * {@code -XX:ArchiveClassesAtExit=program.jsa} on JDK 13 and later; then start the program with
 * {@code -XX:AOTCache=program.aot} or {@code -XX:SharedArchiveFile=program.jsa}. The same JDK must do both, and the
 * class path of the program must begin with the same jars; a class path with a directory of classes gets no archive. A training run of the program itself, in which it locks
 * memory, works too and also archives the program's classes.
 */
public final class TrainingRun {
    private static final long REGISTRATION_MILLIS = 30_000;

    private TrainingRun() {}

    /**
     * Locks one page, unlocks it, and waits until pagelock has registered its MBean. If the kernel refuses the lock,
     * for example while an image is built without the right to lock memory, it returns normally, since the classes are
     * loaded by then. Prints nothing.
     *
     * @param arguments ignored
     * @throws PageLockException if no backend fits this system
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String... arguments) throws InterruptedException {
        PageLocker locker = PageLocker.system();
        try {
            locker.lock(locker.allocatePages(1)).close();
        } catch (PageLockException e) {
            // The archive is usable without the lock; the program itself will hear of the refusal.
            return;
        }
        // HotSpot writes the archive while it ends, and crashes if a thread links a lambda meanwhile (seen with
        // 25.0.3).
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("pagelock-jmx")) {
                thread.join(REGISTRATION_MILLIS);
            }
        }
    }
}
