// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.files.FileEntry;
import io.pagelock.files.FileListing;
import io.pagelock.files.FileLockException;
import io.pagelock.files.FilePages;
import io.pagelock.spi.Names;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows which pages of files are in memory, or what a process has locked. */
@Command(
        name = "status",
        description = {
            "Shows which pages of each file are in memory: one line per file, with counts.",
            "With --pid, lists the locked mappings of a process (Linux)."
        },
        sortOptions = false)
final class StatusCommand implements Callable<Integer> {
    private static final String INCOMPLETE =
            "part of /proc/PID/smaps cannot be parsed; there may be more locked mappings than are listed";
    private static final int STRIP_MIN = 10;
    private static final int STRIP_MAX = 64;
    private static final int COUNTS = 44;
    private static final int NAME_MAX = 24;
    /** So many are written at once. */
    private static final int LINES = 100;

    @Option(names = "--pid", paramLabel = "PID", description = "List the locked mappings of this process.")
    private Long pid;

    @Mixin
    private CommonOptions common;

    @Mixin
    private FileArguments files;

    @Spec
    private CommandSpec spec;

    private final Lockers lockers;
    private final Console console;
    private final Path proc;

    StatusCommand(Lockers lockers, Console console, Path proc) {
        this.lockers = lockers;
        this.console = console;
        this.proc = proc;
    }

    @Override
    public Integer call() {
        if (files.isEmpty() == (pid == null)) {
            throw new ParameterException(spec.commandLine(), "give either files or --pid PID");
        }
        if (pid != null && pid <= 0) {
            throw new ParameterException(spec.commandLine(), "--pid: a process id must be 1 or more, not " + pid);
        }
        return common.run(
                console,
                "status",
                () -> pid == null ? files(lockers.locker()) : process(ProcessMappings.of(proc, pid)));
    }

    private static Json document() {
        return new Json().put("command", "status");
    }

    private int files(PageLocker locker) {
        FileListing list = files.selection().list();
        list.skipped().forEach(each -> console.warn("skipped " + each.getMessage()));
        List<FileLockException> failed = new ArrayList<>(list.failed());
        List<Residency> shown = new ArrayList<>();
        Map<String, Integer> unknown = new LinkedHashMap<>();
        int width = stripWidth(list.files());
        List<String> lines = new ArrayList<>();
        boolean blocks = console.hasBlocks();
        FilePages.read(locker, list.files(), new FilePages.Visitor() {
            private Residency current;

            @Override
            public void file(FileEntry file, long size) {
                current = new Residency(file, size, locker.pageSize(), width);
            }

            @Override
            public void pages(FileEntry file, long firstPage, PageStates states) {
                current.add(firstPage, states, common.json());
            }

            @Override
            public void failed(FileEntry file, FileLockException why) {
                failed.add(why);
            }

            @Override
            public void end(FileEntry file) {
                current.whyUnknown().ifPresent(why -> unknown.merge(why, 1, Integer::sum));
                if (common.json()) {
                    shown.add(current);
                } else {
                    lines.add(current.line(console.name(file.path()), width, blocks));
                    if (lines.size() >= LINES) {
                        console.say(lines);
                        lines.clear();
                    }
                }
            }
        });
        console.say(lines);
        unknown.forEach(
                (why, count) -> console.warn("unknown of " + count + (count == 1 ? " file: " : " files: ") + why));
        failed.forEach(each -> console.fail(Failure.of(each), common.debug()));
        if (common.json()) {
            Json json = document()
                    .put("result", failed.isEmpty() ? "done" : "failed")
                    .put("backend", locker.backendInfo().name())
                    .put("pageSize", locker.pageSize())
                    .putAll("files", shown, Residency::toJson)
                    .putNumbers(ResidentSet.KEY, shown, Residency::ranges)
                    .putAll("skipped", list.skipped(), Failure::left)
                    .putAll("failed", failed, Failure::left);
            console.document(failed.isEmpty() ? json : Failure.of(failed.get(0)).addTo(json));
        }
        return failed.isEmpty() ? 0 : 1;
    }

    private int stripWidth(List<FileEntry> files) {
        int longest = files.stream()
                .mapToInt(entry -> console.name(entry.path()).length())
                .max()
                .orElse(0);
        int room = console.columns() - COUNTS - Math.min(longest, NAME_MAX);
        return Math.max(STRIP_MIN, Math.min(STRIP_MAX, room));
    }

    private int process(ProcessMappings mappings) {
        if (common.json()) {
            console.document(document()
                    .put("result", "done")
                    .put("pid", pid)
                    .put("process", Names.text(mappings.command()))
                    .putAll("mappings", mappings.locked(), ProcessMappings::toJson)
                    .put("complete", mappings.isComplete())
                    .put("bytes", mappings.mappedBytes())
                    .put("lockedBytes", mappings.lockedBytes()));
            return 0;
        }
        mappings.lines(console.charset()).forEach(console::say);
        if (!mappings.isComplete()) {
            console.warn(INCOMPLETE);
        }
        int count = mappings.locked().size();
        console.say(
                "process " + pid + " (" + Names.text(mappings.command(), console.charset()) + "): " + count + " locked "
                        + (count == 1 ? "mapping, " : "mappings, ") + ByteSize.format(mappings.mappedBytes())
                        + "; locked according to the kernel: "
                        + (mappings.lockedBytes().isPresent()
                                ? ByteSize.format(mappings.lockedBytes().getAsLong())
                                : "unknown"));
        return 0;
    }
}
