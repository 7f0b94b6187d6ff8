// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Availability;
import io.pagelock.BackendInfo;
import io.pagelock.ByteSize;
import io.pagelock.Forecast;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Statistics;
import io.pagelock.Tristate;
import io.pagelock.spi.Host;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** What {@code doctor} found out; complete as far as it goes where there is no backend. */
final class Diagnosis {
    private final Host host;
    private final Availability availability;
    private final BackendPath backends;
    private BackendInfo backend;
    private long pageSize;
    private LockLimits limits;
    private Forecast lockAll;
    private Probe probe;
    private Statistics counters;
    private Failure failure;
    private final Set<String> advice = new LinkedHashSet<>();

    private Diagnosis(Host host, Availability availability, BackendPath backends) {
        this.host = host;
        this.backends = backends;
        this.availability = availability;
    }

    static Diagnosis of(Host host, Lockers lockers, BackendPath backends) {
        Diagnosis diagnosis = new Diagnosis(host, lockers.availability(), backends);
        try {
            if (diagnosis.availability.isAvailable()) {
                diagnosis.examine(lockers.locker());
            } else {
                diagnosis.failure = new Failure(
                        "NOT_SUPPORTED",
                        diagnosis.availability.problem().orElse(""),
                        diagnosis.availability.remedies(),
                        diagnosis.availability.cause().orElse(null));
                diagnosis.advice.addAll(diagnosis.failure.remedies());
            }
        } catch (PageLockException e) {
            diagnosis.failure = Failure.of(e);
            diagnosis.advice.addAll(diagnosis.failure.remedies());
        }
        return diagnosis;
    }

    private void examine(PageLocker locker) {
        backend = locker.backendInfo();
        pageSize = locker.pageSize();
        limits = locker.limits();
        lockAll = forecastAll(locker);
        probe = Probe.run(locker);
        // After the probe, so that there is something to count.
        counters = locker.statistics();
        failure = probe.failure();
        if (failure != null) {
            advice.addAll(failure.remedies());
        }
        OptionalLong room = limits.lockable().bytes();
        if (failure == null && room.isPresent()) {
            Forecast more = locker.forecast(room.getAsLong() + pageSize);
            // That there is no more memory is nothing that a setting changes.
            if (more.reason()
                    .filter(r -> r == Reason.OVER_LIMIT || r == Reason.NOT_PERMITTED)
                    .isPresent()) {
                Remedies.here(more.remedies())
                        .forEach(remedy ->
                                advice.add("to lock more than " + Sizes.exact(room.getAsLong()) + ": " + remedy));
            }
        }
    }

    private static Forecast forecastAll(PageLocker locker) {
        try {
            return locker.forecastAddressSpace(AddressSpaceScope.CURRENT);
        } catch (UnsupportedOperationException e) {
            return null;
        }
    }

    /** Why nothing can be locked; empty if it can. */
    Optional<Failure> failure() {
        return Optional.ofNullable(failure);
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        line(lines, "system", backend == null ? host.osName() + " " + host.osVersion() : backend.system());
        line(lines, "processor", host.arch() + ", " + host.bits() + "-bit JVM");
        line(lines, "JVM", jvm());
        line(
                lines,
                "backend",
                availability.backend().orElse("none: " + availability.problem().orElse("")));
        availability.candidates().forEach(each -> line(lines, "", (each.chosen() ? "+ " : "- ") + each));
        line(lines, "", "further backends: jars in " + backends.text() + ", or " + BackendPath.OPTION + " PATH");
        if (backend != null) {
            backend.binding().ifPresent(binding -> line(lines, "binding", binding));
            backend.notes().forEach(note -> line(lines, "", "note: " + note));
            line(lines, "page size", ByteSize.format(pageSize));
            limits.all().forEach(limit -> line(lines, "limit", describe(limit)));
            line(lines, "locked now", bytes(limits.lockedBytes()) + " according to the kernel");
            line(lines, "permitted", word(limits.permitted()));
            line(
                    lines,
                    "privilege",
                    limits.privilege()
                            .map(name -> name + ": " + word(limits.privileged()))
                            .orElse("none"));
            line(lines, "lockable", lockable());
            line(lines, "lock all", lockAll == null ? "not possible on this system" : describe(lockAll));
            if (lockAll != null) {
                line(
                        lines,
                        "",
                        "note: CURRENT alone does not lock the memory by which a Java heap grows; use"
                                + " CURRENT_AND_FUTURE, or -Xms equal to -Xmx with -XX:+AlwaysPreTouch");
            }
            line(lines, "probe", probe.line());
            line(
                    lines,
                    "counters",
                    "handles: " + counters.openHandles() + " open, " + counters.leakedHandles() + " leaked");
            line(lines, "", "locked: " + describe(counters));
            line(lines, "", "longest lock: " + counters.longestLockNanos() / 1000 + " microseconds");
            line(lines, "", "failures: " + (counters.failures().isEmpty() ? "none" : failures()));
        }
        if (advice.isEmpty()) {
            line(lines, "to change", "nothing");
        }
        advice.forEach(each -> line(lines, "to change", each));
        return lines;
    }

    private static void line(List<String> lines, String key, String text) {
        lines.add(String.format(Locale.ROOT, "%-11s %s", key, text));
    }

    private static String jvm() {
        return System.getProperty("java.vm.name") + " " + System.getProperty("java.version") + ", "
                + System.getProperty("java.vendor") + ", " + System.getProperty("java.home");
    }

    private String describe(LockLimit limit) {
        boolean lifted = limit.liftedByPrivilege() && limits.privileged() == Tristate.YES;
        return limit + (lifted ? "; lifted by " + limits.privilege().orElse("privilege") : "");
    }

    private static String describe(Forecast forecast) {
        return "would be charged " + ByteSize.format(forecast.bytes()) + " for this small JVM; fits: "
                + word(forecast.fits()) + (forecast.fits() == Tristate.YES ? "" : ", " + forecast.detail());
    }

    private String describe(Statistics now) {
        return ByteSize.format(now.lockedBytes()) + ", " + now.lockedBytes() / pageSize + " pages, under handles; "
                + bytes(now.systemLockedBytes()) + " according to the kernel; " + ByteSize.format(now.leftoverBytes())
                + " that the kernel refused to unlock";
    }

    private String failures() {
        return counters.failures().entrySet().stream()
                .map(each -> each.getKey().name() + " " + each.getValue())
                .collect(Collectors.joining(", "));
    }

    private String lockable() {
        LimitValue lockable = limits.lockable();
        return lockable.isUnlimited() ? "unlimited (only by physical memory)" : lockable.toString();
    }

    private static String word(Tristate answer) {
        return answer.name().toLowerCase(Locale.ROOT);
    }

    private static String bytes(OptionalLong number) {
        return number.isPresent() ? ByteSize.format(number.getAsLong()) : "unknown";
    }

    Json toJson() {
        Json json = new Json()
                .put("command", "doctor")
                .put("result", failure == null ? "done" : "failed")
                .put("system", backend == null ? host.osName() + " " + host.osVersion() : backend.system())
                .put("arch", host.arch())
                .put("bits", host.bits())
                .put("jvm", jvm())
                .put("backend", availability.backend())
                .putAll(
                        "candidates",
                        availability.candidates(),
                        each -> new Json()
                                .put("name", each.name())
                                .put("chosen", each.chosen())
                                .put("verdict", each.verdict()))
                .put("backendDirectory", backends.directory().map(Path::toString));
        if (backend == null) {
            for (String key : new String[] {
                "binding",
                "pageSize",
                "limits",
                "lockedBytes",
                "permitted",
                "privilege",
                "privileged",
                "lockable",
                "lockAll",
                "probe",
                "counters"
            }) {
                json.putNull(key);
            }
        } else {
            json.put("binding", backend.binding())
                    .putTexts("notes", backend.notes())
                    .put("pageSize", pageSize)
                    .putAll("limits", limits.all(), Diagnosis::toJson)
                    .put("lockedBytes", limits.lockedBytes())
                    .put("permitted", limits.permitted())
                    .put("privilege", limits.privilege())
                    .put("privileged", limits.privileged())
                    .put("lockable", limits.lockable())
                    .put("lockableUnlimited", limits.lockable().isUnlimited());
            json = lockAll == null ? json.putNull("lockAll") : json.put("lockAll", toJson(lockAll));
            json.put("probe", probe.toJson()).put("counters", toJson(counters));
        }
        json.putTexts("toChange", advice);
        return failure == null ? json : failure.addTo(json);
    }

    private Json toJson(Statistics now) {
        Json failures = new Json();
        now.failures().forEach((reason, count) -> failures.put(reason.name(), count));
        return new Json()
                .put("openHandles", now.openHandles())
                .put("leakedHandles", now.leakedHandles())
                .put("lockedBytes", now.lockedBytes())
                .put("lockedPages", now.lockedBytes() / pageSize)
                .put("systemLockedBytes", now.systemLockedBytes())
                .put("leftoverBytes", now.leftoverBytes())
                .put("longestLockNanos", now.longestLockNanos())
                .put("failures", failures);
    }

    private static Json toJson(LockLimit limit) {
        return new Json()
                .put("name", limit.name())
                .put("scope", limit.scope().name().toLowerCase(Locale.ROOT))
                .put("soft", limit.soft())
                .put("hard", limit.hard())
                .put("unlimited", limit.soft().isUnlimited())
                .put("known", limit.soft().isKnown())
                .put("used", limit.used())
                .put("liftedByPrivilege", limit.liftedByPrivilege());
    }

    private static Json toJson(Forecast forecast) {
        return new Json()
                .put("bytes", forecast.bytes())
                .put("fits", forecast.fits())
                .put("detail", forecast.detail())
                .putTexts("remedies", Remedies.here(forecast.remedies()));
    }
}
