// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.files.FileChange;
import io.pagelock.files.FileLockException;
import io.pagelock.files.HeldFile;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What a hold did, with the system's own count of locked bytes as the witness. */
final class HoldReport {
    private final boolean onFault;
    private final boolean bestEffort;
    private List<FileLockException> skipped = Collections.emptyList();
    private String backend;
    private List<HeldFile> files = Collections.emptyList();
    private OptionalLong before = OptionalLong.empty();
    private OptionalLong ready = OptionalLong.empty();
    private OptionalLong after = OptionalLong.empty();
    private String endedBy;
    private long heldMillis;
    private Failure failure;

    HoldReport(boolean onFault, boolean bestEffort) {
        this.onFault = onFault;
        this.bestEffort = bestEffort;
    }

    void backend(String name, OptionalLong lockedBytes) {
        backend = name;
        before = lockedBytes;
        after = lockedBytes;
    }

    void skipped(List<FileLockException> all) {
        skipped = all;
    }

    void files(List<HeldFile> all) {
        files = all;
    }

    void ready(OptionalLong lockedBytes) {
        ready = lockedBytes;
    }

    void ended(String by, long millis) {
        endedBy = by;
        heldMillis = millis;
    }

    void after(OptionalLong lockedBytes) {
        after = lockedBytes;
    }

    void failed(Failure why) {
        failure = failure == null ? why : failure;
    }

    Optional<Failure> failure() {
        return Optional.ofNullable(failure);
    }

    OptionalLong before() {
        return before;
    }

    int exitStatus() {
        return failure == null ? 0 : 1;
    }

    Json toJson() {
        Json json = new Json()
                .put("command", "hold")
                .put("result", failure != null ? "failed" : isPartial() ? "partial" : "done")
                .put("backend", backend)
                .put("onFault", onFault)
                .put("bestEffort", bestEffort)
                .putAll("files", files, HoldReport::toJson)
                .putAll("skipped", skipped, Failure::left)
                .put(
                        "changedFiles",
                        files.stream().filter(each -> each.change().isPresent()).count())
                .put("bytes", files.stream().mapToLong(HeldFile::bytes).sum())
                .put(
                        "lockedBytes",
                        files.stream().mapToLong(HeldFile::lockedBytes).sum())
                .put(
                        "systemLockedBytes",
                        new Json().put("before", before).put("ready", ready).put("after", after))
                .put("endedBy", endedBy)
                .put("heldMillis", heldMillis);
        return failure == null ? json : failure.addTo(json);
    }

    private static Json toJson(HeldFile file) {
        Json json = new Json().putPath(file.path());
        json = file.isMapped() ? json.put("bytes", file.bytes()) : json.putNull("bytes");
        json.put("lockedBytes", file.lockedBytes())
                .put("result", result(file))
                .put("change", file.change().map(FileChange::what))
                .put("relockFailure", file.change().flatMap(FileChange::failure).map(FileLockException::getMessage))
                .put("missingPages", file.missingPages());
        return file.problem().isPresent() ? Failure.of(file.problem().get()).addTo(json) : json;
    }

    private static String result(HeldFile file) {
        if (file.problem().isPresent()) {
            return file.lockedBytes() > 0 ? "partial" : "failed";
        }
        return file.bytes() == 0 ? "empty" : file.lockedBytes() > 0 ? "locked" : "notLocked";
    }

    private boolean isPartial() {
        return files.stream().anyMatch(file -> file.problem().isPresent());
    }
}
