// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Call;
import io.pagelock.backend.testkit.FakeKernel.Interceptor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What a test ordered for the calls of a {@link FakeKernel}, and how many there were. Safe for use by several threads. */
final class OrderedFaults {
    private static final Interceptor NOTHING = (call, address, length) -> Errno.OK;

    private final Map<Call, Long> counts = new EnumMap<>(Call.class);
    private final List<Fault> faults = new ArrayList<>();
    private volatile Interceptor interceptor = NOTHING;

    private static final class Fault {
        private final Call call;
        private final Errno errno;
        private final Throwable thrown;
        private final boolean afterwards;
        private int remaining;

        private Fault(Call call, int nth, Errno errno, Throwable thrown, boolean afterwards) {
            if (nth < 1) {
                throw new IllegalArgumentException("call number " + nth + "; the next call is number 1");
            }
            this.call = call;
            this.remaining = nth;
            this.errno = errno;
            this.thrown = thrown;
            this.afterwards = afterwards;
        }

        private void throwIf(boolean after) {
            if (thrown == null || after != afterwards) {
                return;
            }
            if (thrown instanceof Error) {
                throw (Error) thrown;
            }
            throw (RuntimeException) thrown;
        }
    }

    /** Counts a call and carries it out, unless it is ordered to end otherwise. */
    Errno around(Call call, long address, long length, Supplier<Errno> effect) {
        Fault fault = arrive(call);
        Interceptor around = interceptor;
        Errno result = around.before(call, address, length);
        if (fault != null) {
            fault.throwIf(false);
            result = fault.errno;
        }
        if (result == Errno.OK) {
            result = effect.get();
        }
        around.after(call, address, length, result);
        if (fault != null) {
            fault.throwIf(true);
        }
        return result;
    }

    private synchronized Fault arrive(Call call) {
        counts.merge(call, 1L, Long::sum);
        Fault due = null;
        for (Iterator<Fault> all = faults.iterator(); all.hasNext(); ) {
            Fault fault = all.next();
            if ((fault.call == null || fault.call == call) && --fault.remaining == 0) {
                due = fault;
                all.remove();
            }
        }
        return due;
    }

    void intercept(Interceptor around) {
        interceptor = around == null ? NOTHING : around;
    }

    synchronized void fail(Call call, int nth, Errno errno) {
        faults.add(new Fault(call, nth, errno, null, false));
    }

    synchronized void fail(Call call, int nth, Throwable thrown, boolean afterwards) {
        if (!(thrown instanceof Error) && !(thrown instanceof RuntimeException)) {
            throw new IllegalArgumentException("a call does not throw the checked " + thrown);
        }
        faults.add(new Fault(call, nth, afterwards ? Errno.OK : Errno.EIO, thrown, afterwards));
    }

    synchronized void clear() {
        faults.clear();
    }

    synchronized long count(Call call) {
        return counts.getOrDefault(call, 0L);
    }
}
