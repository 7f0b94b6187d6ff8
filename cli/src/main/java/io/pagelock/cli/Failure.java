// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Forecast;
import io.pagelock.PageLockException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Why a command, or one file of it, came to nothing: for a person and for a script. */
final class Failure extends RuntimeException {
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
        return new Failure(e.reason().name(), Remedies.without(e), e.remedies(), e);
    }

    static Failure of(String what, PageLockException e) {
        return of(what, e, e.remedies());
    }

    static Failure of(String what, PageLockException e, List<String> remedies) {
        return new Failure(e.reason().name(), what + ": " + Remedies.without(e), remedies, e);
    }

    static Failure of(String what, Forecast forecast) {
        String reason = forecast.reason().map(Enum::name).orElse("UNKNOWN");
        String phrase = forecast.reason().map(Object::toString).orElse("");
        return new Failure(reason, what + ": " + phrase + ": " + forecast.detail(), forecast.remedies(), null);
    }

    static Failure of(String name, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new Failure("NO_SUCH_FILE", name + ": no such file or directory", "", e);
        }
        if (e instanceof AccessDeniedException) {
            return new Failure(
                    "ACCESS_DENIED",
                    name + ": no permission to read it",
                    "Run this as a user who may read it, or skip it with --best-effort.",
                    e);
        }
        String why = e instanceof FileSystemException ? ((FileSystemException) e).getReason() : e.getMessage();
        return new Failure("IO_ERROR", name + ": " + (why == null ? e.getClass().getSimpleName() : why), "", e);
    }

    String reason() {
        return reason;
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

    @Override
    public String toString() {
        return reason.toLowerCase(Locale.ROOT) + ": " + getMessage();
    }
}
