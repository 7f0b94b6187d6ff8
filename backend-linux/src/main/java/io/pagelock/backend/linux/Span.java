// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.Mapping;
import java.util.ArrayList;
import java.util.List;

/** A start and a length, where {@link io.pagelock.MemoryRange} would refuse the end of the address space. Immutable. */
final class Span {
    final long start;
    final long length;

    Span(long start, long length) {
        this.start = start;
        this.length = length;
    }

    static List<Span> each(List<Mapping> mappings) {
        List<Span> all = new ArrayList<>();
        for (Mapping each : mappings) {
            all.add(new Span(each.start, each.length()));
        }
        return all;
    }

    /** Adjacent mappings as one. */
    static List<Span> join(List<Mapping> mappings) {
        List<Span> joined = new ArrayList<>();
        for (Mapping each : mappings) {
            Span last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (last != null && last.start + last.length == each.start) {
                joined.set(joined.size() - 1, new Span(last.start, last.length + each.length()));
            } else {
                joined.add(new Span(each.start, each.length()));
            }
        }
        return joined;
    }
}
