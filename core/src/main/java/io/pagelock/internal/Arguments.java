// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.spi.Backend;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Unsigned;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Checks and rounds what callers give, before any system call. */
final class Arguments {
    private final Backend backend;
    private final BackendInfo info;
    private final Set<Capability> capabilities;
    private final long pageSize;
    private final int addressBits;

    /**
     * Reads what never changes.
     *
     * @throws IllegalArgumentException if the backend's page size or address width makes no sense
     */
    Arguments(Backend backend) {
        this.backend = backend;
        info = backend.info();
        pageSize = backend.pageSize();
        if (Long.bitCount(pageSize) != 1 || pageSize < 0) {
            throw new IllegalArgumentException(
                    info + " reports a page size of " + pageSize + " bytes; it must be a power of two");
        }
        addressBits = backend.addressBits();
        if (addressBits != 32 && addressBits != 64) {
            throw new IllegalArgumentException(
                    info + " reports addresses of " + addressBits + " bits; they have 32 or 64");
        }
        Set<Capability> copy = EnumSet.noneOf(Capability.class);
        copy.addAll(backend.capabilities());
        capabilities = Collections.unmodifiableSet(copy);
    }

    BackendInfo info() {
        return info;
    }

    Set<Capability> capabilities() {
        return capabilities;
    }

    long pageSize() {
        return pageSize;
    }

    MemoryRange rangeUnder(ByteBuffer buffer) {
        Objects.requireNonNull(buffer, "buffer");
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(buffer + " is on the Java heap, where the garbage collector moves it;"
                    + " use ByteBuffer.allocateDirect or a mapped file");
        }
        if (!buffer.hasRemaining()) {
            throw new IllegalArgumentException(
                    buffer + " has no bytes remaining; a lock covers the bytes from position to limit");
        }
        MemoryScopes.check(buffer);
        return MemoryRange.of(backend.address(buffer) + buffer.position(), buffer.remaining());
    }

    /** A copy of ranges that a caller gave. */
    static List<MemoryRange> copyOf(Collection<MemoryRange> ranges) {
        List<MemoryRange> copy = new ArrayList<>(Objects.requireNonNull(ranges, "ranges"));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("ranges is empty; at least one range is needed");
        }
        for (MemoryRange range : copy) {
            Objects.requireNonNull(range, "an element of ranges");
        }
        return copy;
    }

    /** The pages of ranges, those that touch joined. */
    RangeSet pages(List<MemoryRange> ranges) {
        RangeSet.Builder pages = RangeSet.builder();
        for (MemoryRange range : ranges) {
            pages.add(alignedStart(range), alignedEnd(range));
        }
        RangeSet set = pages.build();
        for (int i = 0; i < set.size(); i++) {
            if (set.end(i) - set.start(i) < 0) {
                throw new IllegalArgumentException("ranges that join to 2^63 bytes or more; lock them separately");
            }
        }
        return set;
    }

    /** The same as start and end in turn. */
    long[] bounds(List<MemoryRange> ranges) {
        RangeSet set = pages(ranges);
        long[] bounds = new long[2 * set.size()];
        for (int i = 0; i < set.size(); i++) {
            bounds[2 * i] = set.start(i);
            bounds[2 * i + 1] = set.end(i);
        }
        return bounds;
    }

    boolean isOnFault(LockOption... options) {
        boolean onFault = false;
        for (LockOption option : Objects.requireNonNull(options, "options")) {
            if (Objects.requireNonNull(option, "an element of options") == LockOption.ON_FAULT) {
                require(Capability.LOCK_ON_FAULT, "lock on fault");
                onFault = true;
            }
        }
        return onFault;
    }

    Set<LockOption> addressSpaceOptions(LockOption... options) {
        Set<LockOption> set = setOf(LockOption.class, options);
        require(Capability.LOCK_ADDRESS_SPACE, "lock the address space");
        if (set.contains(LockOption.ON_FAULT)) {
            require(Capability.LOCK_ADDRESS_SPACE_ON_FAULT, "lock the address space on fault");
        }
        return set;
    }

    static <E extends Enum<E>> Set<E> setOf(Class<E> type, E[] options) {
        Set<E> set = EnumSet.noneOf(type);
        for (E option : Objects.requireNonNull(options, "options")) {
            set.add(Objects.requireNonNull(option, "an element of options"));
        }
        return set;
    }

    void require(Capability capability, String action) {
        if (!capabilities.contains(capability)) {
            throw new UnsupportedOperationException(
                    "backend " + info + " cannot " + action + ": it lacks the capability " + capability);
        }
    }

    long alignedStart(MemoryRange range) {
        Objects.requireNonNull(range, "range");
        long start = range.address() & -pageSize;
        long end = (range.end() + pageSize - 1) & -pageSize;
        boolean outside = addressBits == 32 && Unsigned.less(0xffffffffL & -pageSize, end);
        if (start == 0 || end == 0 || outside || end - start < 0) {
            throw new IllegalArgumentException(range + ", rounded to pages of " + pageSize
                    + " bytes, touches the first or the last page of the " + addressBits
                    + "-bit address space, lies outside it, or has 2^63 bytes or more");
        }
        return start;
    }

    long alignedEnd(MemoryRange range) {
        return (range.end() + pageSize - 1) & -pageSize;
    }
}
