// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Availability;
import io.pagelock.Forecast;
import io.pagelock.LockLimits;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/**
 * Shows at {@code /actuator/pagelock} what {@code pagelock doctor} shows, for the running application: the backend and
 * why it was chosen, limits, rights, what is locked, and what to change. Locks and unlocks one page to verify that this
 * works.
 */
@Endpoint(id = "pagelock")
public class PagelockEndpoint {
    private final PageLocker locker;

    /**
     * Makes the endpoint.
     *
     * @param locker the locker of the application
     */
    public PagelockEndpoint(PageLocker locker) {
        this.locker = locker;
    }

    /**
     * Examines the system as it is now. The keys are those of {@code pagelock doctor --json} where they mean the same.
     *
     * @return plain values
     */
    @ReadOperation
    public Map<String, @Nullable Object> doctor() {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        Set<String> advice = new LinkedHashSet<>();
        Availability availability = PageLocker.availability();
        LockLimits limits = locker.limits();
        body.put("system", locker.backendInfo().system());
        body.put("arch", locker.backendInfo().arch());
        body.put("backend", locker.backendInfo().name());
        body.put("binding", locker.backendInfo().binding().orElse(null));
        body.put("notes", locker.backendInfo().notes());
        body.put("candidates", availability.toMap().get("candidates"));
        body.put("policy", locker.policy().name());
        body.put("capabilities", locker.capabilities());
        body.put("pageSize", locker.pageSize());
        body.put("limits", limits.toMap());
        body.put("lockAll", lockAll());
        body.put("probe", probe(advice));
        body.put("report", locker.report().toMap());
        body.put("counters", locker.statistics().toMap());
        advice.addAll(availability.remedies());
        addMore(limits, advice);
        body.put("toChange", List.copyOf(advice));
        return body;
    }

    private @Nullable Map<String, @Nullable Object> lockAll() {
        try {
            return locker.forecastAddressSpace(AddressSpaceScope.CURRENT).toMap();
        } catch (UnsupportedOperationException e) {
            return null;
        }
    }

    private Map<String, @Nullable Object> probe(Set<String> advice) {
        Map<String, @Nullable Object> probe = new LinkedHashMap<>();
        int page = Math.toIntExact(locker.pageSize());
        // Two pages of bytes hold one whole page wherever they start.
        ByteBuffer memory = ByteBuffer.allocateDirect(2 * page);
        MemoryRange range = MemoryRange.of(
                MemoryRange.of(locker.rangeOf(memory).address() + page - 1, 1)
                        .alignedTo(page)
                        .address(),
                page);
        try (PageLock lock = locker.lock(range)) {
            Tristate locked = lock.isValid() ? locker.pageStates(range).locked(0) : Tristate.NO;
            probe.put(
                    "result", locked == Tristate.UNKNOWN ? "unwitnessed" : locked == Tristate.YES ? "done" : "failed");
            probe.put("pageLocked", locked == Tristate.UNKNOWN ? null : locked == Tristate.YES);
            lock.failure().ifPresent(why -> addFailure(why, probe, advice));
        } catch (PageLockException e) {
            probe.put("result", "failed");
            addFailure(e, probe, advice);
        }
        // Keeps the memory reachable: the range alone does not.
        memory.put(0, (byte) 0);
        return probe;
    }

    private static void addFailure(PageLockException why, Map<String, @Nullable Object> probe, Set<String> advice) {
        probe.put("reason", why.reason().name());
        probe.put("message", why.getMessage());
        advice.addAll(why.remedies());
    }

    /** What would let more be locked, where a limit or a right is in the way; no setting adds memory. */
    private void addMore(LockLimits limits, Set<String> advice) {
        OptionalLong room = limits.lockable().bytes();
        if (room.isPresent()) {
            Forecast more = locker.forecast(room.getAsLong() + locker.pageSize());
            more.reason()
                    .filter(reason -> reason == Reason.OVER_LIMIT || reason == Reason.NOT_PERMITTED)
                    .ifPresent(reason -> advice.addAll(more.remedies()));
        }
    }
}
