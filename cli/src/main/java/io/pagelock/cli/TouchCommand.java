// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import io.pagelock.PageLocker;
import io.pagelock.files.FileEntry;
import io.pagelock.files.FileListing;
import io.pagelock.files.FileLockException;
import io.pagelock.files.FilePages;
import io.pagelock.files.FileSelection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Brings files into memory. */
@Command(
        name = "touch",
        description = {
            "Brings files into memory without locking them, by reading the missing pages. The kernel may drop them"
                    + " again at any time.",
            "With --from, brings in the pages that were in memory when 'status --json' wrote that document."
        },
        sortOptions = false)
final class TouchCommand implements Callable<Integer> {
    @Option(
            names = "--from",
            paramLabel = "FILE",
            converter = FileNames.Parser.class,
            description = "A document of 'pagelock status --json'; '-' is standard input.")
    private String from;

    @Mixin
    private FileArguments files;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    private final Lockers lockers;
    private final Console console;
    private final StopSignal stop;

    TouchCommand(Lockers lockers, Console console, StopSignal stop) {
        this.lockers = lockers;
        this.console = console;
        this.stop = stop;
    }

    @Override
    public Integer call() {
        if (files.isEmpty() == (from == null)) {
            throw new ParameterException(spec.commandLine(), "give either files or --from FILE");
        }
        return common.run(console, "touch", () -> touch(from == null ? files.selection() : null));
    }

    private int touch(FileSelection selection) {
        PageLocker locker = lockers.locker();
        List<FileEntry> entries = new ArrayList<>();
        List<FileLockException> skipped = new ArrayList<>();
        List<FileLockException> failed = new ArrayList<>();
        List<FileSelection> all = new ArrayList<>();
        if (selection == null) {
            all.addAll(ResidentSet.read(RawArguments.bytes(from)));
        } else {
            all.add(selection);
        }
        for (FileSelection each : all) {
            FileListing list = each.list(stop::isRequested);
            entries.addAll(list.files());
            skipped.addAll(list.skipped());
            failed.addAll(list.failed());
        }
        skipped.forEach(each -> console.warn("skipped " + each.getMessage()));
        Progress.Holder progress = new Progress.Holder(console, "reading");
        long read;
        try {
            read = FilePages.bringIn(locker, entries, failed::add, progress::at, stop::isRequested);
        } finally {
            progress.close();
        }
        failed.forEach(each -> console.fail(Failure.of(each), common.debug()));
        if (common.json()) {
            Json json = new Json()
                    .put("command", "touch")
                    .put("result", failed.isEmpty() ? "done" : "failed")
                    .put("bytes", entries.stream().mapToLong(FileEntry::bytes).sum())
                    .put("readBytes", read)
                    .putAll("skipped", skipped, Failure::left)
                    .putAll("failed", failed, Failure::left);
            console.document(failed.isEmpty() ? json : Failure.of(failed.get(0)).addTo(json));
        } else {
            console.say("brought in: " + ByteSize.format(read) + " of "
                    + ByteSize.format(
                            entries.stream().mapToLong(FileEntry::bytes).sum())
                    + (failed.isEmpty() ? "; the rest was in memory" : ""));
        }
        return failed.isEmpty() ? 0 : 1;
    }
}
