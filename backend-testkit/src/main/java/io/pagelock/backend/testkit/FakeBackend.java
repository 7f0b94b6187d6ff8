// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.AddressSpaceScope;
import io.pagelock.BackendInfo;
import io.pagelock.ByteSize;
import io.pagelock.Capability;
import io.pagelock.LimitValue;
import io.pagelock.LockLimit;
import io.pagelock.LockLimits;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageStates;
import io.pagelock.Reason;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.KernelRules.Refusal;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.AsyncCall;
import io.pagelock.spi.AsyncLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.MemoryGuarding;
import io.pagelock.spi.PageStateReading;
import io.pagelock.spi.PagingIn;
import io.pagelock.spi.Syncing;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Acts as a backend over a {@link FakeKernel}, whatever its rules: it does what a real backend does on such a system,
 * without a binding. Like a real one, it finds reasons by looking at mappings and limits after a failure. It throws an
 * exception for ranges that are not aligned and for two calls in progress for overlapping ranges, which an engine must
 * never pass to a backend.
 *
 * <p>A direct buffer gets its address on the fake system when it is first asked for: separate memory, unless
 * {@link #place} put it somewhere.
 */
public final class FakeBackend
        implements Backend, AddressSpaceLocking, AsyncLocking, MemoryGuarding, PageStateReading, PagingIn, Syncing {
    private final FakeKernel kernel;
    private final Set<Capability> capabilities;
    private final boolean listsMappings;
    private final FakeAsyncLocks asyncLocks;
    private final List<Placed> buffers = new ArrayList<>();
    private final List<MemoryRange> inFlight = new ArrayList<>();

    private static final class Placed extends WeakReference<ByteBuffer> {
        private final long address;

        private Placed(ByteBuffer buffer, long address) {
            super(buffer);
            this.address = address;
        }
    }

    /**
     * Makes a backend with every ability of its kernel.
     *
     * @param kernel the system
     */
    public FakeBackend(FakeKernel kernel) {
        this(kernel, allOf(kernel.rules()), true);
    }

    /**
     * Makes a backend that lacks abilities of its kernel.
     *
     * @param kernel the system
     * @param capabilities its capabilities
     * @param listsMappings whether {@link #mapped} answers
     */
    public FakeBackend(FakeKernel kernel, Set<Capability> capabilities, boolean listsMappings) {
        this.kernel = Objects.requireNonNull(kernel, "kernel");
        Set<Capability> copy = EnumSet.noneOf(Capability.class);
        copy.addAll(capabilities);
        this.capabilities = Collections.unmodifiableSet(copy);
        this.listsMappings = listsMappings;
        asyncLocks = new FakeAsyncLocks(kernel.aio());
    }

    /**
     * Returns the capabilities of this backend on a system with such rules.
     *
     * @param rules the rules
     * @return a new set
     */
    public static Set<Capability> allOf(KernelRules rules) {
        Set<Capability> all = EnumSet.allOf(Capability.class);
        if (!rules.has(Trait.ASYNC_LOCK)) {
            all.remove(Capability.NATIVE_ASYNC);
        }
        if (rules.has(Trait.NO_LOCK_ALL)) {
            all.remove(Capability.LOCK_ADDRESS_SPACE);
        }
        if (!rules.has(Trait.ON_FAULT)) {
            all.remove(Capability.LOCK_ON_FAULT);
            all.remove(Capability.PAGE_IN);
            all.remove(Capability.LOCK_ADDRESS_SPACE_ON_FAULT);
        }
        return all;
    }

    /**
     * Returns the system underneath.
     *
     * @return the kernel
     */
    public FakeKernel kernel() {
        return kernel;
    }

    /**
     * Sets the address of a buffer, so that two can share a page.
     *
     * @param buffer a direct buffer
     * @param address the address of its first byte, mapped by the caller
     */
    public void place(ByteBuffer buffer, long address) {
        synchronized (buffers) {
            buffers.add(new Placed(buffer, address));
        }
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo(
                "fake",
                kernel.rules().system() + " (fake)",
                "none",
                Collections.singletonList("nothing is really locked"));
    }

    @Override
    public long pageSize() {
        return kernel.rules().pageSize();
    }

    @Override
    public int addressBits() {
        return kernel.rules().addressBits();
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public void lock(long address, long length, Set<LockOption> options) {
        MemoryRange range = enter(address, length);
        try {
            lockAligned(address, length, options.contains(LockOption.ON_FAULT));
        } finally {
            leave(range);
        }
    }

    private void lockAligned(long address, long length, boolean onFault) {
        Errno errno = onFault ? kernel.mlock2(address, length, true) : kernel.mlock(address, length);
        PageLockException refusal = refusalOf(errno, onFault ? "mlock2" : "mlock", address, length, onFault);
        if (refusal != null) {
            throw refusal;
        }
        if (kernel.rules().has(Trait.LOCKS_ARE_COUNTED)) {
            // One is enough, and a kernel cannot count any number.
            kernel.locks(address, length).forEach((part, locks) -> {
                if (locks > 1) {
                    kernel.munlock(part.address(), part.length());
                }
            });
        }
    }

    /** Null if the range is locked. A success says little on a system that skips what it cannot lock. */
    private PageLockException refusalOf(Errno errno, String function, long address, long length, boolean onFault) {
        if (errno != Errno.OK) {
            return refused(function, errno, whyNotLocked(address, length, errno), length)
                    .build();
        }
        if (hasHole(address, length)) {
            return refused(function, errno, Reason.NOT_MAPPED, 0).build();
        }
        if (onFault ? uncharged(address, length) > 0 : !kernel.isAllLocked(address, length)) {
            return PageLockException.because(Reason.CANNOT_BE_PAGED_IN)
                    .detail("the system reported success but left pages unlocked")
                    .build();
        }
        return null;
    }

    /** Locks by {@link FakeAio}, which cancels nothing that runs. */
    @Override
    public AsyncCall lockAsync(long address, long length, Consumer<PageLockException> done) {
        MemoryRange range = enter(address, length);
        AsyncCall call = null;
        try {
            call = asyncLocks.start(address, length, errno -> {
                PageLockException refusal =
                        errno == null ? queueFull(length) : refusalOf(errno, "aio_mlock", address, length, false);
                leave(range);
                done.accept(refusal);
            });
        } finally {
            if (call == null) {
                leave(range);
            }
        }
        if (call == null) {
            throw queueFull(length);
        }
        return call;
    }

    private PageLockException queueFull(long length) {
        return refused("aio_mlock", Errno.EAGAIN, Reason.QUEUE_FULL, length).build();
    }

    @Override
    public boolean pageIn(long address, long length) {
        aligned(address, length);
        return kernel.populate(address, length) == Errno.OK;
    }

    @Override
    public void unlock(long address, long length) {
        MemoryRange range = enter(address, length);
        try {
            if (kernel.rules().has(Trait.LOCKS_ARE_COUNTED)) {
                unlockCounted(address, length);
            } else {
                unlockAligned(address, length);
            }
        } finally {
            leave(range);
        }
    }

    /** Part by part, since the kernel leaves what precedes a hole, and says nothing of it. */
    private void unlockCounted(long address, long length) {
        kernel.locks(address, length).forEach((part, locks) -> {
            for (int i = 0; i < locks; i++) {
                unlockAligned(part.address(), part.length());
            }
        });
        if (hasHole(address, length)) {
            throw refused("munlock", Errno.OK, Reason.NOT_MAPPED, 0).build();
        }
    }

    private void unlockAligned(long address, long length) {
        Errno errno = kernel.munlock(address, length);
        if (errno != Errno.OK) {
            Reason reason = reasonOf(errno);
            if (reason == Reason.UNKNOWN && hasHole(address, length)) {
                reason = Reason.NOT_MAPPED;
            } else if (reason == Reason.UNKNOWN && hasManyMappings()) {
                reason = Reason.TOO_MANY_MAPPINGS;
            }
            throw refused("munlock", errno, reason, 0).build();
        }
    }

    /** What the engine promises to every backend is checked here, where its tests run. */
    private MemoryRange enter(long address, long length) {
        MemoryRange range = aligned(address, length);
        synchronized (inFlight) {
            for (MemoryRange other : inFlight) {
                if (other.overlaps(range)) {
                    throw new IllegalStateException("two calls under way: " + range + " and " + other);
                }
            }
            inFlight.add(range);
        }
        return range;
    }

    private void leave(MemoryRange range) {
        synchronized (inFlight) {
            inFlight.remove(range);
        }
    }

    private MemoryRange aligned(long address, long length) {
        MemoryRange range = MemoryRange.of(address, length);
        if (!range.alignedTo(pageSize()).equals(range)) {
            throw new IllegalArgumentException(range + " is not aligned to pages of " + pageSize() + " bytes");
        }
        return range;
    }

    @Override
    public void lockAll(AddressSpaceScope scope, Set<LockOption> options) {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        if (scope.includesCurrent()) {
            flags.add(Flag.CURRENT);
        }
        if (scope.includesFuture()) {
            flags.add(Flag.FUTURE);
        }
        if (options.contains(LockOption.ON_FAULT)) {
            flags.add(Flag.ON_FAULT);
        }
        Errno errno = kernel.mlockall(flags);
        if (errno != Errno.OK) {
            Reason reason = reasonOf(errno);
            long bytes = kernel.virtualBytes();
            if (reason == Reason.UNKNOWN && flags.contains(Flag.CURRENT)) {
                reason = kernel.isBoundByLimit() && bytes > kernel.limit()
                        ? Reason.OVER_LIMIT
                        : bytes > kernel.systemLimit() ? Reason.NO_LOCKABLE_MEMORY : Reason.UNKNOWN;
            }
            throw refused("mlockall", errno, reason, bytes - kernel.lockedBytes())
                    .build();
        }
    }

    /** Returns true also where the kernel reports pages as locked that are not, since the others are. */
    @Override
    public boolean failedLockLeavesNothing() {
        KernelRules rules = kernel.rules();
        return !rules.has(Trait.FAILED_LOCK_KEEPS)
                && !rules.has(Trait.LOCKS_ARE_COUNTED)
                && !rules.has(Trait.RESERVED_IS_SKIPPED)
                && !rules.has(Trait.PAST_END_IS_SKIPPED);
    }

    @Override
    public boolean failedLockAllLeavesNothing() {
        return !kernel.rules().has(Trait.FAILED_LOCK_ALL_LEAVES_FUTURE);
    }

    @Override
    public void unlockAll(List<MemoryRange> keep) {
        Errno errno = kernel.munlockall();
        if (errno != Errno.OK) {
            throw refused("munlockall", errno, reasonOf(errno), 0).build();
        }
    }

    @Override
    public void sync(long address, long length, Set<SyncOption> options) {
        aligned(address, length);
        boolean wouldDoIt = kernel.rules().errno(Refusal.LOCKED) == Errno.OK;
        if (wouldDoIt && options.contains(SyncOption.INVALIDATE) && kernel.chargedBytes(address, length) > 0) {
            throw refused("msync", Errno.OK, Reason.BUSY, 0).build();
        }
        Errno errno = kernel.msync(
                address,
                length,
                !options.contains(SyncOption.ASYNC),
                options.contains(SyncOption.ASYNC),
                options.contains(SyncOption.INVALIDATE));
        if (errno != Errno.OK) {
            Reason reason = reasonOf(errno);
            boolean hole = reason == Reason.UNKNOWN && hasHole(address, length);
            throw refused("msync", errno, hole ? Reason.NOT_MAPPED : reason, 0).build();
        }
    }

    @Override
    public Set<MemoryGuard> guards() {
        return EnumSet.allOf(MemoryGuard.class);
    }

    @Override
    public void guard(long address, long length, MemoryGuard guard) {
        change(address, length, guard, true);
    }

    @Override
    public void unguard(long address, long length, MemoryGuard guard) {
        change(address, length, guard, false);
    }

    private void change(long address, long length, MemoryGuard guard, boolean on) {
        aligned(address, length);
        Errno errno = kernel.guard(address, length, guard, on);
        if (errno != Errno.OK) {
            throw refused("guard", errno, Reason.NOT_MAPPED, 0).build();
        }
    }

    @Override
    public PageStates pageStates(MemoryRange range) {
        PageStates.Builder answers = PageStates.unknown(range, pageSize());
        for (int page = 0; page < range.length() / pageSize(); page++) {
            long address = range.address() + page * pageSize();
            if (capabilities.contains(Capability.LOCKED_PAGES)) {
                answers.locked(page, Tristate.of(kernel.isLocked(address)));
            }
            if (capabilities.contains(Capability.RESIDENT_PAGES)) {
                answers.resident(page, Tristate.of(kernel.isResident(address)));
            }
        }
        return answers.build();
    }

    @Override
    public Optional<List<MemoryRange>> mapped(MemoryRange range) {
        return listsMappings ? Optional.of(kernel.mapped(range.address(), range.length())) : Optional.empty();
    }

    @Override
    public LockLimits limits() {
        OptionalLong used = capabilities.contains(Capability.LOCKED_BYTES)
                ? OptionalLong.of(kernel.lockedBytes())
                : OptionalLong.empty();
        boolean absent = kernel.rules().has(Trait.NO_PROCESS_LIMIT);
        Tristate permitted = Tristate.of(kernel.isPermitted());
        return LockLimits.builder()
                .limit(LockLimit.builder("limit of the process", LockLimit.Scope.PROCESS)
                        .soft(absent ? LimitValue.none() : limit(kernel.limit()))
                        .hard(absent ? LimitValue.none() : limit(kernel.hardLimit()))
                        .used(used.isPresent() ? OptionalLong.of(kernel.limitedBytes()) : used)
                        .liftedByPrivilege(kernel.rules().has(Trait.PRIVILEGE_LIFTS_LIMIT))
                        .build())
                .limit(LockLimit.builder("limit of the system", LockLimit.Scope.SYSTEM)
                        .soft(limit(kernel.systemLimit()))
                        .used(used)
                        .build())
                .lockedBytes(used)
                .privilege("privilege", Tristate.of(kernel.isPrivileged() && kernel.isPermitted()))
                .permitted(permitted)
                .build();
    }

    private static LimitValue limit(long bytes) {
        return bytes == Long.MAX_VALUE ? LimitValue.unlimited() : LimitValue.ofBytes(bytes);
    }

    @Override
    public OptionalLong addressSpaceBytes() {
        return OptionalLong.of(kernel.virtualBytes());
    }

    @Override
    public List<String> remedies(Reason reason, long bytes) {
        switch (reason) {
            case OVER_LIMIT:
                return Collections.singletonList("Raise the limit of the process with setLimit"
                        + (bytes == 0 ? "" : ", to " + ByteSize.format(bytes) + " or more"));
            case NO_LOCKABLE_MEMORY:
                return Collections.singletonList("Raise the limit of the system with setSystemLimit");
            case NOT_PERMITTED:
                return Collections.singletonList("Give the process the privilege with setPrivileged");
            case QUEUE_FULL:
                return Collections.singletonList("Take the results of jobs that are done");
            case NOT_MAPPED:
                return Collections.singletonList("Map the whole range with map");
            default:
                return Collections.emptyList();
        }
    }

    @Override
    public long address(ByteBuffer buffer) {
        synchronized (buffers) {
            buffers.removeIf(each -> each.get() == null);
            for (Placed each : buffers) {
                if (each.get() == buffer) {
                    return each.address;
                }
            }
            long pages = (buffer.capacity() + pageSize() - 1) / pageSize();
            long address = kernel.map(pages, FakeKernel.Kind.ANONYMOUS);
            buffers.add(new Placed(buffer, address));
            return address;
        }
    }

    private static Reason reasonOf(Errno errno) {
        switch (errno) {
            case EPERM:
                return Reason.NOT_PERMITTED;
            case EIO:
                return Reason.IO_ERROR;
            case EBUSY:
                return Reason.BUSY;
            case ENOSPC:
                return Reason.NO_SPACE;
            case ENOSYS:
                return Reason.NOT_SUPPORTED;
            case ECANCELED:
                return Reason.CANCELLED;
            default:
                return Reason.UNKNOWN;
        }
    }

    /** In the order in which the kernel looks: the limit before the pages, where both have one errno. */
    private Reason whyNotLocked(long address, long length, Errno errno) {
        Reason reason = reasonOf(errno);
        if (reason != Reason.UNKNOWN) {
            return reason;
        }
        long locked = kernel.lockedBytes();
        long fresh = uncharged(address, length);
        long asked = kernel.rules().has(Trait.CHARGES_TWICE) ? length : fresh;
        KernelRules rules = kernel.rules();
        if (errno == rules.errno(Refusal.LIMIT)
                && kernel.isBoundByLimit()
                && kernel.limitedBytes() + asked > kernel.limit()) {
            return Reason.OVER_LIMIT;
        }
        if (errno == rules.errno(Refusal.SYSTEM_LIMIT) && locked + fresh > kernel.systemLimit()) {
            return Reason.NO_LOCKABLE_MEMORY;
        }
        if (hasHole(address, length)) {
            return Reason.NOT_MAPPED;
        }
        if (kernel.isAnyUnreachable(address, length)) {
            return Reason.CANNOT_BE_PAGED_IN;
        }
        return hasManyMappings() ? Reason.TOO_MANY_MAPPINGS : Reason.UNKNOWN;
    }

    private long uncharged(long address, long length) {
        return length - kernel.chargedBytes(address, length);
    }

    private boolean hasHole(long address, long length) {
        List<MemoryRange> parts = kernel.mapped(address, length);
        return parts.size() != 1 || parts.get(0).length() != length;
    }

    /** Locking or unlocking the middle of a mapping makes two more. */
    private boolean hasManyMappings() {
        return kernel.mapCountLimit() != Long.MAX_VALUE && kernel.mapCount() + 2 > kernel.mapCountLimit();
    }

    private PageLockException.Builder refused(String function, Errno errno, Reason reason, long asked) {
        String detail = reason == Reason.OVER_LIMIT || reason == Reason.NO_LOCKABLE_MEMORY
                ? "asked for " + ByteSize.format(asked) + ", " + ByteSize.format(kernel.lockedBytes())
                        + " locked already, soft limit " + limits().all().get(0).soft() + ", hard limit "
                        + limits().all().get(0).hard()
                : "";
        return PageLockException.because(reason)
                .detail(detail)
                .call(function, errno.ordinal(), errno.name())
                .remedies(remedies(reason, asked == 0 ? 0 : kernel.lockedBytes() + asked));
    }
}
