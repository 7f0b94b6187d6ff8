// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.nio.file.Path;
import java.util.Optional;

/** One file of a hold and what became of it. */
final class HeldFile {
    private final Path path;
    private final MappedFile mapped;
    private long lockedBytes;
    private Failure problem;
    private String change;
    private long missing;

    HeldFile(MappedFile mapped) {
        this.path = mapped.path();
        this.mapped = mapped;
    }

    /** A file that could not even be mapped. */
    HeldFile(Path path, Failure problem) {
        this.path = path;
        this.mapped = null;
        this.problem = problem;
    }

    Path path() {
        return path;
    }

    Optional<MappedFile> mapped() {
        return Optional.ofNullable(mapped);
    }

    /** The size of the file; 0 if it could not be looked at. */
    long bytes() {
        return mapped == null ? 0 : mapped.bytes();
    }

    /** What is or was locked of it, in whole pages. */
    long lockedBytes() {
        return lockedBytes;
    }

    void locked(long bytes) {
        lockedBytes += bytes;
    }

    Optional<Failure> problem() {
        return Optional.ofNullable(problem);
    }

    /** Keeps the first problem; the later ones follow from it or repeat it. */
    void failed(Failure failure) {
        if (problem == null) {
            problem = failure;
        }
    }

    /** Nothing of it is locked after all. */
    void discarded() {
        lockedBytes = 0;
    }

    /** Something happened to the file while it was held, so that less of it is in memory than it seems. */
    void changed(String what, long pagesMissing) {
        change = what;
        missing = pagesMissing;
    }

    /** What happened last, to follow the name of the file. */
    Optional<String> change() {
        return Optional.ofNullable(change);
    }

    Json toJson() {
        Json json = new Json().putPath(path);
        json = mapped == null ? json.putNull("bytes") : json.put("bytes", mapped.bytes());
        json.put("lockedBytes", lockedBytes)
                .put("result", result())
                .put("change", change)
                .put("missingPages", missing);
        return problem == null ? json : problem.addTo(json);
    }

    private String result() {
        if (problem != null) {
            return lockedBytes > 0 ? "partial" : "failed";
        }
        return mapped.bytes() == 0 ? "empty" : lockedBytes > 0 ? "locked" : "notLocked";
    }
}
