// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.files.ChangePolicy;
import io.pagelock.files.FileChange;
import io.pagelock.files.FileListing;
import io.pagelock.files.FileLockException;
import io.pagelock.files.FileLockOptions;
import io.pagelock.files.FileLocker;
import io.pagelock.files.FileSelection;
import io.pagelock.files.HeldFile;
import io.pagelock.files.HeldFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Locks files in memory until a time is over or a signal comes. */
@Command(
        name = "hold",
        description = {
            "Locks files, and the files in directories, in memory until the given time has passed or a signal"
                    + " arrives (SIGINT, SIGTERM, SIGHUP), and then unlocks them.",
            "Prints 'ready' on a separate line once everything is locked: to standard output, with --json to standard"
                    + " error. Warns when a held file is changed, truncated, replaced or removed, since pages"
                    + " written later may not be locked."
        },
        sortOptions = false)
final class HoldCommand implements Callable<Integer> {
    private static final Duration WATCH = Duration.ofSeconds(1);

    @Option(
            names = "--on-fault",
            description =
                    "Lock only pages that are in memory now, and bring none in. Pages that other processes bring in"
                            + " later are not locked.")
    private boolean onFault;

    @Option(
            names = "--best-effort",
            description = "Lock as much as possible and report the rest, instead of all or nothing.")
    private boolean bestEffort;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            description = "How long to hold the lock, for example 500ms, 5s, 2m or 1h30m. Default: until interrupted.")
    private Duration time;

    @Option(
            names = "--budget",
            paramLabel = "BYTES",
            converter = Sizes.Parser.class,
            description = "Lock at most this much, the first files first, for example 500m or 2g.")
    private Long budget;

    @Option(
            names = "--on-change",
            paramLabel = "report|relock|fail",
            description =
                    "What to do when a held file is changed, truncated, replaced or removed, or loses pages: report"
                            + " it (the default), map and lock it again as it is now, or unlock everything and fail.")
    private ChangePolicy onChange = ChangePolicy.REPORT;

    @Option(
            names = "--pid-file",
            paramLabel = "FILE",
            converter = FileNames.Parser.class,
            description = "Write the process id to this file once everything is locked, and remove it at the end.")
    private String pidFile;

    @Mixin
    private FileArguments files;

    @Mixin
    private CommonOptions common;

    private final Lockers lockers;
    private final Console console;
    private final StopSignal stop;
    private final ServiceManager manager = new ServiceManager(System.getenv("NOTIFY_SOCKET"));

    HoldCommand(Lockers lockers, Console console, StopSignal stop) {
        this.lockers = lockers;
        this.console = console;
        this.stop = stop;
    }

    @Override
    public Integer call() {
        HoldReport report = new HoldReport(onFault, bestEffort);
        try {
            FileSelection selection = files.required();
            stop.install(this::giveUp);
            hold(lockers.locker(), selection, report);
        } catch (PageLockException e) {
            report.failed(Failure.of(e));
        } catch (Failure e) {
            report.failed(e);
        }
        report.failure().ifPresent(why -> console.fail(why, common.debug()));
        if (common.json()) {
            console.document(report.toJson());
        }
        return report.exitStatus();
    }

    /** A signal came, and the kernel does not return. */
    private void giveUp() {
        Failure why = new Failure(
                Failure.INTERRUPTED, "interrupted by a signal; everything is unlocked as this process ends");
        console.warn(why.getMessage());
        if (common.json()) {
            console.document(why.addTo(new Json().put("command", "hold").put("result", "failed")));
        }
    }

    private void hold(PageLocker locker, FileSelection selection, HoldReport report) {
        report.backend(locker.backendInfo().name(), locker.limits().lockedBytes());
        if (onFault && !locker.capabilities().contains(Capability.LOCK_ON_FAULT)) {
            throw new Failure(
                    "NOT_SUPPORTED",
                    "--on-fault: this system cannot lock pages when they are first touched",
                    "Leave out --on-fault.",
                    null);
        }
        HeldFiles held;
        try {
            FileListing list = selection.list(stop::isRequested);
            report.skipped(list.skipped());
            list.skipped().forEach(each -> console.warn("skipped " + each.getMessage()));
            held = lock(locker, list);
            int listed = list.skipped().size();
            held.skipped()
                    .subList(listed, held.skipped().size())
                    .forEach(each -> console.warn("skipped " + each.getMessage()));
            report.skipped(held.skipped());
        } catch (FileLockException e) {
            report.files(e.files());
            warnOfProblems(e.files());
            for (Throwable stuck : e.getSuppressed()) {
                console.warn(stuck.getMessage());
            }
            report.after(locker.limits().lockedBytes());
            throw Failure.ofHold(e);
        }
        report.files(held.files());
        warnOfProblems(held.files());
        report.ready(locker.limits().lockedBytes());
        try (PidFile pid = PidFile.write(pidFile == null ? null : FileNames.path(RawArguments.bytes(pidFile)))) {
            sayReady(held, report.before(), locker);
            notify("READY=1\nSTATUS=holding " + describe(lockedFiles(held), held.lockedBytes()) + "\n");
            console.outputFailure()
                    .ifPresent(why -> console.warn(why.getMessage() + "; the files are held all the same"));
            waitForTheEnd(held, report);
            stop.ending();
            notify("STOPPING=1\n");
        } finally {
            end(held, report);
        }
        report.after(locker.limits().lockedBytes());
        sayUnlocked(held, report, locker);
    }

    private void notify(String state) {
        manager.send(state).ifPresent(why -> console.warn("the service manager was not notified: " + why));
    }

    private static void end(HeldFiles held, HoldReport report) {
        held.failure().ifPresent(why -> report.failed(Failure.of(why)));
        try {
            held.close();
        } catch (FileLockException e) {
            report.failed(Failure.of(e));
        }
    }

    private HeldFiles lock(PageLocker locker, FileListing list) {
        FileLockOptions options = (bestEffort ? FileLockOptions.bestEffort() : FileLockOptions.required())
                .onChange(onChange, this::warnOf)
                .cancelWhen(stop::isRequested);
        options = onFault ? options.onFault() : options;
        options = budget == null ? options : options.budget(budget);
        Progress.Holder progress = new Progress.Holder(console, "locking");
        try {
            return FileLocker.over(locker).lock(list, options.progress(progress::at));
        } finally {
            progress.close();
            if (stop.isRequested()) {
                stop.ending();
            }
        }
    }

    private void warnOfProblems(List<HeldFile> all) {
        Set<String> remedies = new LinkedHashSet<>();
        for (HeldFile file : all) {
            file.problem().ifPresent(why -> {
                console.warn("not locked (" + file.lockedBytes() + " of " + file.bytes() + " bytes are): "
                        + why.getMessage());
                remedies.addAll(Failure.of(why).remedies());
            });
        }
        remedies.forEach(console::suggest);
    }

    private void warnOf(FileChange change) {
        String missing = change.missingPages() == 0
                ? ""
                : "; " + change.missingPages() + " of " + change.pages() + " pages are no longer in memory";
        console.warn(console.name(change.path()) + " " + change.what() + " while it is held; "
                + change.failure()
                        .map(why -> "it cannot be locked again: " + why.getMessage())
                        .orElseGet(() -> change.isRelocked()
                                ? "it is locked again as it is now"
                                : meaning(change.kind()) + missing));
    }

    private static String meaning(FileChange.Kind change) {
        switch (change) {
            case VANISHED:
            case REPLACED:
            case UNREADABLE:
                return "the file that was there stays locked";
            case GREW:
                return "the added part is not locked";
            default:
                return "pages that are written or read again may not be locked";
        }
    }

    private void sayReady(HeldFiles held, OptionalLong before, PageLocker locker) {
        if (onFault) {
            console.warn("--on-fault locks only pages that are in memory now; the kernel does not lock pages that other"
                    + " processes bring in later");
        }
        if (common.json()) {
            console.err().println("ready");
            return;
        }
        Map<Path, long[]> byArgument = new LinkedHashMap<>();
        for (HeldFile file : held.files()) {
            if (file.isMapped()) {
                long[] sum = byArgument.computeIfAbsent(file.argument(), path -> new long[3]);
                sum[0]++;
                sum[1] += file.bytes();
                sum[2] += file.problem().isPresent() ? file.lockedBytes() : file.bytes();
            }
        }
        byArgument.forEach((path, sum) -> console.say("  " + console.name(path) + ": "
                + describe(sum[0], sum[1])
                + (sum[1] == 0 ? ", empty, nothing to lock" : sum[2] < sum[1] ? ", only " + sum[2] + " locked" : "")));
        console.say((onFault ? "locked, of what is in memory: " : "locked: ")
                + describe(lockedFiles(held), held.lockedBytes()) + ", in pages of "
                + locker.pageSize());
        console.say("locked according to the kernel: " + bytes(before) + " before, "
                + bytes(locker.limits().lockedBytes()) + " now");
        console.say(
                time == null
                        ? "holding until interrupted"
                        : "holding for " + time.toMillis() / 1000.0 + " s or until interrupted");
        console.say("ready");
    }

    private static long lockedFiles(HeldFiles held) {
        return held.files().stream().filter(file -> file.lockedBytes() > 0).count();
    }

    private static String describe(long count, long bytes) {
        return count + (count == 1 ? " file, " : " files, ") + ByteSize.format(bytes);
    }

    private void waitForTheEnd(HeldFiles held, HoldReport report) {
        long start = System.nanoTime();
        boolean signal = false;
        long left = time == null ? Long.MAX_VALUE : time.toNanos();
        while (!signal && left > 0 && !held.failure().isPresent()) {
            signal = stop.await(Duration.ofNanos(Math.min(left, WATCH.toNanos())));
            long passed = System.nanoTime() - start;
            left = time == null ? Long.MAX_VALUE : time.toNanos() - passed;
            if (!signal && left > 0) {
                held.check();
            }
        }
        report.ended(
                signal ? "signal" : held.failure().isPresent() ? "change" : "time",
                Duration.ofNanos(System.nanoTime() - start).toMillis());
    }

    private void sayUnlocked(HeldFiles held, HoldReport report, PageLocker locker) {
        long changed = 0;
        for (HeldFile file : held.files()) {
            if (file.change().isPresent()) {
                FileChange change = file.change().get();
                console.warn(console.name(file.path()) + " " + change.what() + " while it was held"
                        + (change.isRelocked() ? ", and was locked again" : ""));
                changed++;
            }
        }
        if (!common.json() && !report.failure().isPresent()) {
            console.say("unlocked: " + describe(lockedFiles(held), held.lockedBytes())
                    + (changed == 0
                            ? ""
                            : (onChange == ChangePolicy.RELOCK ? ", as locked last; " : ", as locked at the start; ")
                                    + changed + " of them changed while held"));
            console.say(
                    "locked according to the kernel: " + bytes(locker.limits().lockedBytes()));
        }
    }

    private static String bytes(OptionalLong number) {
        return number.isPresent() ? Sizes.exact(number.getAsLong()) : "unknown";
    }
}
