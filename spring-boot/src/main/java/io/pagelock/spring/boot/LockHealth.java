// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.LockPolicy;
import io.pagelock.LockReport;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import io.pagelock.Tristate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Judges whether what handles stand for is locked, by the kernel and not by this library's counts alone. Of both versions of Boot,
 * whose indicators only differ in their types.
 */
final class LockHealth {
    private final String status;
    private final Map<String, Object> details = new LinkedHashMap<>();

    private LockHealth(String status) {
        this.status = status;
    }

    static LockHealth of(PageLocker locker) {
        LockReport report = locker.report();
        // The kernel may count enough in all, and yet nothing where a handle is.
        Optional<List<MemoryRange>> unmapped = locker.unmapped();
        boolean isGone = unmapped.isPresent() && !unmapped.get().isEmpty();
        Tristate kept = isGone ? Tristate.NO : report.kept();
        LockHealth health = new LockHealth(status(locker.policy(), kept));
        report.toMap().forEach((key, value) -> {
            if (value != null) {
                health.details.put(key, value);
            }
        });
        if (isGone) {
            health.details.put(
                    "unmapped", unmapped.get().stream().map(Object::toString).toList());
        }
        return health;
    }

    /** What is only wished for does not take an application out of service; the details say what became of it. */
    private static String status(LockPolicy policy, Tristate kept) {
        if (policy != LockPolicy.REQUIRED || kept == Tristate.YES) {
            return "UP";
        }
        return kept == Tristate.NO ? "DOWN" : "UNKNOWN";
    }

    /** Returns {@code UP}, {@code DOWN}, or {@code UNKNOWN} where the system does not report what is locked. */
    String status() {
        return status;
    }

    Map<String, Object> details() {
        return details;
    }
}
