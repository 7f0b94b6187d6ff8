// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLockException;
import io.pagelock.files.FileLockException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Why a command, or one file of it, came to nothing: for a person and for a script. */
final class Failure extends RuntimeException {
    /** The reason of what a signal ended. */
    static final String INTERRUPTED = "INTERRUPTED";

    private static final long serialVersionUID = 1L;

    private final String reason;
    private final transient List<String> remedies;

    Failure(String reason, String message, List<String> remedies, Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.remedies = Remedies.here(remedies);
    }

    Failure(String reason, String message, String remedy, Throwable cause) {
        this(reason, message, remedy.isEmpty() ? Collections.emptyList() : Collections.singletonList(remedy), cause);
    }

    Failure(String reason, String message) {
        this(reason, message, Collections.emptyList(), null);
    }

    static Failure of(PageLockException e) {
        return new Failure(e.reason().name(), e.summary(), e.remedies(), e);
    }

    static Failure of(FileLockException e) {
        String reason = e.reason();
        List<String> remedies = e.remedies();
        if (reason.equals(FileLockException.CANCELLED)) {
            return new Failure(INTERRUPTED, "interrupted by a signal while locking; everything is unlocked again");
        }
        return new Failure(
                reason, e.getMessage(), remedies, e.getCause() instanceof PageLockException ? e.getCause() : e);
    }

    /** The same for a hold, which may leave files out. */
    static Failure ofHold(FileLockException e) {
        Failure why = of(e);
        return e.reason().equals(FileLockException.ACCESS_DENIED)
                ? new Failure(
                        why.reason,
                        why.getMessage(),
                        "Run this as a user who may read it, or use --best-effort to skip it and hold the other files.",
                        why.getCause())
                : why;
    }

    static Failure of(String name, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new Failure("NO_SUCH_FILE", name + ": no such file or directory", "", e);
        }
        String why = e instanceof FileSystemException ? ((FileSystemException) e).getReason() : e.getMessage();
        return e instanceof AccessDeniedException
                ? new Failure("ACCESS_DENIED", name + ": no permission", "", e)
                : new Failure(
                        "IO_ERROR", name + ": " + (why == null ? e.getClass().getSimpleName() : why), "", e);
    }

    String reason() {
        return reason;
    }

    /** The page that explains it; empty if the system refused nothing. */
    Optional<String> page() {
        return getCause() instanceof PageLockException
                ? Optional.of(((PageLockException) getCause()).reason().page())
                : Optional.empty();
    }

    /** What to do, the most likely first. */
    List<String> remedies() {
        return remedies;
    }

    /** Adds what is known to a document or to the entry of one file. */
    Json addTo(Json json) {
        PageLockException from = getCause() instanceof PageLockException ? (PageLockException) getCause() : null;
        json.put("reason", reason).put("message", getMessage());
        if (from == null) {
            return json.putNull("function")
                    .putNull("errno")
                    .putNull("errnoName")
                    .putTexts("remedies", remedies);
        }
        return json.put("function", from.function())
                .put("errno", from.errno())
                .put("errnoName", from.errnoName())
                .putTexts("remedies", remedies);
    }

    /** A path that was left out, and why. */
    static Json left(FileLockException e) {
        return new Json().putPath(e.path().get()).put("reason", e.reason()).put("message", e.getMessage());
    }

    @Override
    public String toString() {
        return reason.toLowerCase(Locale.ROOT) + ": " + getMessage();
    }
}
