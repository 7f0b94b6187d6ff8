// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import java.util.Locale;

/**
 * Names why the system refused, as far as the backend could find out. The same errno has different reasons on different
 * systems, and even on one system, so use this and not {@link PageLockException#errno()}.
 *
 * <p>More reasons may be added in later versions; treat one that you do not know as {@link #UNKNOWN}.
 */
public enum Reason {
    /** Says that the process lacks the privilege that locking needs on this system. */
    NOT_PERMITTED("not permitted"),
    /** Says that the request exceeds what this process, its user, project or container may lock. */
    OVER_LIMIT("over the limit"),
    /** Says that the system as a whole has no more memory that may be locked. */
    NO_LOCKABLE_MEMORY("out of lockable memory"),
    /** Says that part of the range is not mapped. */
    NOT_MAPPED("not mapped"),
    /**
     * Says that a page of the range cannot be brought into memory: it has no access, lies past the end of its file, or
     * is of a kind that the kernel drops at any time.
     */
    CANNOT_BE_PAGED_IN("cannot be paged in"),
    /** Says that the process has too many separate mappings, and that locking part of one would add another. */
    TOO_MANY_MAPPINGS("too many mappings"),
    /** Says that the pages are in use in a way that forbids the request, for example locked while they should be invalidated. */
    BUSY("busy"),
    /** Says that reading or writing the pages failed on the device. */
    IO_ERROR("I/O error"),
    /** Says that the file system has no room for pages that a file mapping still has to allocate. */
    NO_SPACE("no space"),
    /** Says that the system's queue of asynchronous requests is full. */
    QUEUE_FULL("queue full"),
    /** Says that the request was cancelled before it was carried out. */
    CANCELLED("cancelled"),
    /** Says that this system, kernel or process environment does not offer the call, or that no backend is usable. */
    NOT_SUPPORTED("not supported"),
    /** Says that none of the above could be established. */
    UNKNOWN("unknown reason");

    private final String text;

    Reason(String text) {
        this.text = text;
    }

    /**
     * Returns the address of the page that explains this reason and what can be done about it on each system. Messages of
     * {@link PageLockException} end with it.
     *
     * @return an address with a fragment
     */
    public String page() {
        return "https://pagelock.io/docs/errors.html#"
                + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the reason in words, as messages use it.
     *
     * @return a short phrase in lower case
     */
    @Override
    public String toString() {
        return text;
    }
}
