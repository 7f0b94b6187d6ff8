// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import java.util.Set;
import org.opentest4j.TestAbortedException;

/**
 * Makes the calls of a system directly, without the library, on memory of this process, and has a witness.
 * {@link Comparison} compares its answers with the known ones. It is implemented for a fake kernel, a stand-in, or the
 * system itself.
 *
 * <p>Calls return {@code OK} or the name of errno. A subject leaves out what it cannot do; a row that needs it is
 * skipped with that reason.
 */
public interface RawCalls extends AutoCloseable {
    /**
     * Returns the page size.
     *
     * @return bytes in a page
     */
    long pageSize();

    /**
     * Answers mlock(2), or what locks a range here.
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @return the outcome
     */
    String mlock(long address, long length);

    /**
     * Answers munlock(2), or what unlocks a range here.
     *
     * @param address the address, unsigned
     * @param length the length in bytes, unsigned
     * @return the outcome
     */
    String munlock(long address, long length);

    /**
     * Answers mlockall(2), or what locks the address space here.
     *
     * @param flags the flags; on fault is 4 where the system does not know it
     * @return the outcome
     */
    String mlockall(Set<Flag> flags);

    /**
     * Answers munlockall(2), or what unlocks the address space here.
     *
     * @return the outcome
     */
    String munlockall();

    /**
     * Answers msync(2) with MS_SYNC.
     *
     * @param address the address
     * @param length the length in bytes
     * @param invalidate whether with MS_INVALIDATE
     * @return the outcome
     */
    String msync(long address, long length, boolean invalidate);

    /**
     * Maps private memory, not touched, with holes on both sides.
     *
     * @param pages how many pages
     * @return the address; a refusal is an {@link IllegalStateException} with the name of errno as its message
     */
    long map(long pages);

    /**
     * Unmaps pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    void unmap(long address, long pages);

    /**
     * Asks the kernel whether it counts a page as locked, in memory or not.
     *
     * @param address an address in the page
     * @return whether it does
     */
    boolean isLocked(long address);

    /** Unlocks and unmaps everything, and undoes what was set. */
    @Override
    void close();

    /**
     * Maps new memory in place of pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    default void remap(long address, long pages) {
        throw cannot("map at an address");
    }

    /**
     * Maps private memory for which nothing is reserved (MAP_NORESERVE).
     *
     * @param pages how many pages
     * @return the address
     */
    default long mapReserved(long pages) {
        throw cannot("map without reserving");
    }

    /**
     * Maps a file and makes it shorter.
     *
     * @param pages how many pages are mapped
     * @param left how many pages the file has then
     * @return the address
     */
    default long mapShortFile(long pages, long left) {
        throw cannot("make a mapped file shorter");
    }

    /**
     * Removes all access from pages.
     *
     * @param address the address
     * @param pages how many pages
     */
    default void protect(long address, long pages) {
        throw cannot("take access from pages");
    }

    /**
     * Makes a page unreadable on its device.
     *
     * @param address an address in the page
     */
    default void breakPage(long address) {
        throw cannot("break a device");
    }

    /**
     * Writes to a page.
     *
     * @param address an address in the page
     */
    default void touch(long address) {
        throw cannot("touch a page");
    }

    /**
     * Sets the limit of the process to the given number of pages more than it has locked now.
     *
     * @param pages how many pages more it may lock; -1 for a limit of 0
     */
    default void limit(long pages) {
        throw cannot("set the limit of the process");
    }

    /**
     * Makes sure that no limit of the process binds, or says that one does. Initially there is only the system's own
     * limit.
     */
    default void unlimited() {}

    /**
     * Sets the limit of the system to the given number of pages more than are locked now.
     *
     * @param pages how many pages more may be locked
     */
    default void limitSystem(long pages) {
        throw cannot("set the limit of the system");
    }

    /**
     * Gives or takes the privilege; what a process has at first is the privilege if it must have it in order to lock.
     *
     * @param value whether it has it
     */
    default void privilege(boolean value) {
        throw cannot("give or take the privilege");
    }

    /**
     * Forks the process.
     *
     * @return the child's side, closed with this
     */
    default RawCalls fork() {
        throw cannot("fork and go on in the child");
    }

    /**
     * Returns the reason for which a row is skipped.
     *
     * @param what what the subject cannot do
     * @return to be thrown
     */
    static TestAbortedException cannot(String what) {
        return new TestAbortedException("this subject cannot " + what);
    }
}
