// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Capability;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
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
import picocli.CommandLine.Parameters;

/** Locks files in memory until a time is over or a signal comes. */
@Command(
        name = "hold",
        description = {
            "Locks files, and the files in directories, in memory until the time is over or a signal comes (SIGINT,"
                    + " SIGTERM, SIGHUP), and then unlocks them.",
            "Prints 'ready' on a line of its own once everything is locked: to standard output, with --json to standard"
                    + " error. Warns when a held file is changed, truncated, replaced or removed, since what is written"
                    + " later may not be locked."
        },
        sortOptions = false)
final class HoldCommand implements Callable<Integer> {
    private static final Duration WATCH = Duration.ofSeconds(1);

    @Option(
            names = "--on-fault",
            description =
                    "Lock each page when this process touches it, which hold itself never does: pages that only other"
                            + " processes touch are not locked. For trying out limits.")
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

    @Mixin
    private CommonOptions common;

    @Parameters(paramLabel = "FILE|DIR", arity = "1..*", description = "What to lock. Each file counts once.")
    private List<Path> paths;

    private final Lockers lockers;
    private final Console console;
    private final StopSignal stop;
    private final MappingBudget budget;

    HoldCommand(Lockers lockers, Console console, StopSignal stop, MappingBudget budget) {
        this.lockers = lockers;
        this.console = console;
        this.stop = stop;
        this.budget = budget;
    }

    @Override
    public Integer call() {
        HoldReport report = new HoldReport(onFault, bestEffort);
        stop.install(this::giveUp);
        try {
            hold(lockers.locker(), report);
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
        Failure why =
                new Failure("INTERRUPTED", "interrupted by a signal; everything is unlocked as this process ends");
        console.warn(why.getMessage());
        if (common.json()) {
            console.document(why.addTo(new Json().put("command", "hold").put("result", "failed")));
        }
    }

    private void hold(PageLocker locker, HoldReport report) {
        report.backend(locker.backendInfo().name(), locker.limits().lockedBytes());
        if (onFault && !locker.capabilities().contains(Capability.LOCK_ON_FAULT)) {
            throw new Failure(
                    "NOT_SUPPORTED",
                    "--on-fault: this system cannot lock pages when they are first touched",
                    "Leave out --on-fault.",
                    null);
        }
        FileList list = FileList.of(paths, console, stop);
        report.skipped(list.skipped());
        list.skipped().forEach(each -> console.warn("skipped " + each.why().getMessage()));
        Holding holding = new Holding(locker, onFault, bestEffort, console);
        report.files(holding.files());
        try {
            lock(holding, list, report);
        } catch (Failure e) {
            stop.ending();
            holding.discard().ifPresent(stuck -> console.warn(stuck.getMessage()));
            report.after(locker.limits().lockedBytes());
            throw e;
        }
        report.ready(locker.limits().lockedBytes());
        sayReady(holding, report.before(), locker);
        console.outputFailure().ifPresent(why -> console.warn(why.getMessage() + "; the files are held all the same"));
        Watch watch = new Watch(holding.files(), locker, onFault, console);
        waitForTheEnd(watch, report);
        stop.ending();
        watch.lookAtAll();
        holding.unlock().ifPresent(report::failed);
        report.after(locker.limits().lockedBytes());
        sayUnlocked(holding, report, locker);
    }

    private void lock(Holding holding, FileList list, HoldReport report) {
        holding.map(list, budget, stop);
        report.skipped(holding.vanished());
        holding.vanished().forEach(each -> console.warn("skipped " + each.why().getMessage()));
        if (holding.pageBytes() > 0) {
            Progress progress = Progress.on(console, holding.bytes());
            try {
                holding.lock(progress, stop);
            } finally {
                progress.close();
            }
        }
        stop.check();
        Set<String> remedies = new LinkedHashSet<>();
        for (HeldFile file : holding.files()) {
            file.problem().ifPresent(why -> {
                console.warn("not locked (" + file.lockedBytes() + " of " + file.bytes() + " bytes are): "
                        + why.getMessage());
                remedies.addAll(why.remedies());
            });
        }
        remedies.forEach(console::suggest);
        if (!holding.isComplete() && holding.lockedBytes() == 0) {
            Failure first = holding.files().stream()
                    .filter(file -> file.problem().isPresent())
                    .findFirst()
                    .flatMap(HeldFile::problem)
                    .get();
            throw new Failure(first.reason(), "nothing could be locked", first.remedies(), first.getCause());
        }
    }

    private void sayReady(Holding holding, OptionalLong before, PageLocker locker) {
        if (common.json()) {
            console.err().println("ready");
            return;
        }
        Map<Path, long[]> byArgument = new LinkedHashMap<>();
        for (HeldFile file : holding.files()) {
            file.mapped().ifPresent(mapped -> {
                long[] sum = byArgument.computeIfAbsent(mapped.entry().argument(), path -> new long[3]);
                sum[0]++;
                sum[1] += file.bytes();
                sum[2] += file.problem().isPresent() ? file.lockedBytes() : file.bytes();
            });
        }
        byArgument.forEach((path, sum) -> console.say("  " + console.name(path) + ": "
                + Holding.describe(sum[0], sum[1])
                + (sum[1] == 0 ? ", empty, nothing to lock" : sum[2] < sum[1] ? ", only " + sum[2] + " locked" : "")));
        if (onFault) {
            console.warn(
                    "--on-fault locks a page when this process touches it, and hold touches none: what other processes"
                            + " touch is not locked");
        }
        console.say((onFault ? "locked when this process touches it: " : "locked: ")
                + Holding.describe(holding.lockedFiles(), holding.lockedBytes()) + ", in pages of "
                + locker.pageSize());
        console.say("locked according to the kernel: " + bytes(before) + " before, "
                + bytes(locker.limits().lockedBytes()) + " now");
        console.say(
                time == null
                        ? "holding until interrupted"
                        : "holding for " + time.toMillis() / 1000.0 + " s or until interrupted");
        console.say("ready");
    }

    private void waitForTheEnd(Watch watch, HoldReport report) {
        long start = System.nanoTime();
        boolean signal = false;
        long left = time == null ? Long.MAX_VALUE : time.toNanos();
        while (!signal && left > 0) {
            signal = stop.await(Duration.ofNanos(Math.min(left, WATCH.toNanos())));
            long held = System.nanoTime() - start;
            left = time == null ? Long.MAX_VALUE : time.toNanos() - held;
            if (!signal && left > 0) {
                watch.look();
            }
        }
        report.ended(
                signal ? "signal" : "time",
                Duration.ofNanos(System.nanoTime() - start).toMillis());
    }

    private void sayUnlocked(Holding holding, HoldReport report, PageLocker locker) {
        for (HeldFile file : holding.files()) {
            file.change()
                    .ifPresent(what -> console.warn(console.name(file.path()) + " " + what + " while it was held"));
        }
        if (!common.json() && !report.failure().isPresent()) {
            console.say("unlocked: " + Holding.describe(holding.lockedFiles(), holding.lockedBytes())
                    + (holding.changedFiles() == 0
                            ? ""
                            : ", as locked at the start; " + holding.changedFiles() + " of them changed while held"));
            console.say(
                    "locked according to the kernel: " + bytes(locker.limits().lockedBytes()));
        }
    }

    private static String bytes(OptionalLong number) {
        return number.isPresent() ? Sizes.exact(number.getAsLong()) : "unknown";
    }
}
