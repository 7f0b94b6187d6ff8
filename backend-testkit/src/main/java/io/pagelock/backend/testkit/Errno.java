// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

/** Names the outcome of a call to {@link FakeKernel} by its C name. Its number depends on the backend. */
public enum Errno {
    /** The call succeeded: it returns 0 and leaves errno alone. */
    OK,
    /** Not permitted. */
    EPERM,
    /** Interrupted by a signal. */
    EINTR,
    /** I/O failed. */
    EIO,
    /** Out of memory, over a limit, or not mapped. */
    ENOMEM,
    /** Try again; on several systems over a limit. */
    EAGAIN,
    /** Bad address. */
    EFAULT,
    /** In use. */
    EBUSY,
    /** An argument that the system refuses. */
    EINVAL,
    /** No space on the device. */
    ENOSPC,
    /** The call does not exist here. */
    ENOSYS,
    /** A job is not done yet. */
    EINPROGRESS,
    /** A job was cancelled before it began. */
    ECANCELED
}
