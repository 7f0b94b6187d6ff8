// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLocker;
import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.files.FileEntry;
import io.pagelock.files.FileListing;
import io.pagelock.files.FileLockException;
import io.pagelock.files.FilePages;
import io.pagelock.files.FileSelection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Drops files from memory. Source: posix_fadvise(2) Linux, POSIX_FADV_DONTNEED. */
@Command(
        name = "evict",
        description =
                "Asks the kernel to drop files from memory. Pages that are locked, mapped by a process or not yet written to"
                        + " disk stay (Linux).",
        sortOptions = false)
final class EvictCommand implements Callable<Integer> {
    private static final int O_RDONLY_NONBLOCK_CLOEXEC = 0x80800;
    /** 4 on every processor but s390, where it is 6: {@code asm-generic/fcntl.h} and {@code linux/fadvise.h}. */
    private static final int POSIX_FADV_DONTNEED =
            System.getProperty("os.arch", "").startsWith("s390") ? 6 : 4;

    @Mixin
    private FileArguments files;

    @Mixin
    private CommonOptions common;

    private final Lockers lockers;
    private final Console console;

    EvictCommand(Lockers lockers, Console console) {
        this.lockers = lockers;
        this.console = console;
    }

    @Override
    public Integer call() {
        return common.run(console, "evict", () -> evict(files.required()));
    }

    private int evict(FileSelection selection) {
        if (!"Linux".equals(System.getProperty("os.name"))) {
            throw new Failure("NOT_SUPPORTED", "evict works on Linux only");
        }
        PageLocker locker = lockers.locker();
        FileListing list = selection.list();
        list.skipped().forEach(each -> console.warn("skipped " + each.getMessage()));
        List<FileLockException> failed = new ArrayList<>(list.failed());
        OptionalLong before = residentPages(locker, list.files(), failed);
        PosixCalls calls = PosixCalls.bind();
        List<Failure> refused = new ArrayList<>();
        for (FileEntry each : list.files()) {
            evict(calls, each, refused);
        }
        OptionalLong after = residentPages(locker, list.files(), new ArrayList<>());
        failed.forEach(each -> refused.add(Failure.of(each)));
        refused.forEach(each -> console.fail(each, common.debug()));
        if (common.json()) {
            Json json = new Json()
                    .put("command", "evict")
                    .put("result", refused.isEmpty() ? "done" : "failed")
                    .put("files", list.files().size())
                    .put("residentPagesBefore", before)
                    .put("residentPages", after)
                    .putAll("skipped", list.skipped(), Failure::left);
            console.document(refused.isEmpty() ? json : refused.get(0).addTo(json));
        } else {
            console.say(evicted(before, after));
        }
        return refused.isEmpty() ? 0 : 1;
    }

    private static String evicted(OptionalLong before, OptionalLong after) {
        if (!before.isPresent() || !after.isPresent()) {
            return "evicted: an unknown number of pages; Linux reports which pages of a file are in memory only to its owner and"
                    + " to users who may write it";
        }
        long stay = after.getAsLong();
        return "evicted: " + Math.max(0, before.getAsLong() - stay) + " of " + before.getAsLong() + " pages"
                + (stay == 0 ? "" : "; " + stay + " stay (locked, mapped or not yet written to disk)");
    }

    private void evict(PosixCalls calls, FileEntry file, List<Failure> refused) {
        byte[] name = FileNames.bytes(file.path());
        int fd = calls.open(Arrays.copyOf(name, name.length + 1), O_RDONLY_NONBLOCK_CLOEXEC);
        if (fd < 0) {
            refused.add(
                    new Failure("IO_ERROR", console.name(file.path()) + ": cannot open it, errno " + calls.errno()));
            return;
        }
        boolean whole = file.start() == 0 && file.bytes() == file.size();
        int errno = calls.posix_fadvise(fd, file.start(), whole ? 0 : file.bytes(), POSIX_FADV_DONTNEED);
        calls.close(fd);
        if (errno != 0) {
            refused.add(new Failure("IO_ERROR", console.name(file.path()) + ": posix_fadvise failed, errno " + errno));
        }
    }

    /** Empty if it is unknown of one. */
    private static OptionalLong residentPages(
            PageLocker locker, List<FileEntry> files, List<FileLockException> failed) {
        long[] resident = new long[1];
        long[] unknown = new long[1];
        FilePages.read(locker, files, new FilePages.Visitor() {
            @Override
            public void file(FileEntry file, long size) {
                // Its pages follow.
            }

            @Override
            public void pages(FileEntry file, long firstPage, PageStates states) {
                resident[0] += states.countResident(Tristate.YES);
                unknown[0] += states.countResident(Tristate.UNKNOWN);
            }

            @Override
            public void end(FileEntry file) {
                // Counted.
            }

            @Override
            public void failed(FileEntry file, FileLockException why) {
                failed.add(why);
            }
        });
        return unknown[0] > 0 ? OptionalLong.empty() : OptionalLong.of(resident[0]);
    }
}
