// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

/** A range of a call, as a node of {@link Spans}. It may shrink where it is, since that changes no order. */
final class Span {
    final Call call;
    long start;
    long end;

    // For Spans.
    Span left;
    Span right;
    int priority;

    Span(Call call, long start, long end) {
        this.call = call;
        this.start = start;
        this.end = end;
    }
}
