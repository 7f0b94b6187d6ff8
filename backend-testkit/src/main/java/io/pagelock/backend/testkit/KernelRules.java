// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * How one system locks pages, as data for a {@link FakeKernel}: a set of {@link Trait}s and the errno of each
 * {@link Refusal}. Immutable; the {@code with} methods return a changed copy.
 *
 * <p>Without any trait, a kernel rounds addresses outward, accepts length 0, leaves nothing behind when a lock fails,
 * unlocks nothing when an unlock meets a hole, refuses pages without access or past the end of a file, and charges a page
 * once against a limit that binds everybody. In every kernel here a page is either locked or not: the first unlock ends it.
 *
 * <p>Each trait of a system has its source, see {@link #sources()}, and tests check it against facts. What no
 * source decides is listed by {@link #unconfirmed()}; there the more troublesome behaviour was chosen.
 */
public final class KernelRules {
    /** One thing in which systems differ. */
    public enum Trait {
        /** Lock and unlock refuse an unaligned address with {@link Refusal#ARGUMENT} (Solaris); otherwise it is rounded down. */
        UNALIGNED_IS_REFUSED,
        /**
         * Length 0 is {@link Refusal#ARGUMENT} (Solaris, HP-UX). Otherwise it succeeds, and at an unaligned address it locks
         * a page.
         */
        EMPTY_IS_REFUSED,
        /** A length within a page of the largest number becomes 0 when rounded, and succeeds (Linux). */
        HUGE_LENGTH_LOCKS_NOTHING,
        /** The arguments are looked at before the permission (Solaris); otherwise after it. */
        ARGUMENTS_BEFORE_PERMISSION,

        /** A failed lock keeps, locked and charged, what it had reached, and more than it had brought in (Linux). */
        FAILED_LOCK_KEEPS,
        /** An unlock that meets a hole has unlocked what precedes it (Linux, Solaris). */
        UNLOCK_STOPS_AT_HOLE,
        /** Pages without access are locked like others (Solaris). */
        UNREADABLE_IS_LOCKED,
        /** Pages past the end of their file are left out, with success (Solaris). */
        PAST_END_IS_SKIPPED,
        /** Reserved memory that was never touched is left out, with success (Solaris, MAP_NORESERVE). */
        RESERVED_IS_SKIPPED,

        /** There is no limit per process, only one for the system (HP-UX). */
        NO_PROCESS_LIMIT,
        /** Pages that are locked already are charged again when they are asked for again (FreeBSD). */
        CHARGES_TWICE,
        /** The privilege lifts the limit of the process (Linux, IRIX). */
        PRIVILEGE_LIFTS_LIMIT,
        /** Without the privilege, a limit of 0 means that locking is not permitted at all (Linux). */
        LIMIT_ZERO_FORBIDS,
        /** Only a process with the privilege may lock (Solaris, HP-UX). */
        PRIVILEGE_IS_NEEDED,
        /** Unlocking needs the same permission as locking (Solaris, HP-UX, FreeBSD). */
        UNLOCK_NEEDS_PERMISSION,

        /** Locking on first touch exists, for ranges and the address space, and weakens a lock that is there (Linux). */
        ON_FAULT,
        /** Locking all that is current switches future locking off (Linux). */
        CURRENT_ENDS_FUTURE,
        /** Flags without meaning are {@link Refusal#ARGUMENT} also for those who may not lock at all (Linux). */
        FLAGS_BEFORE_PERMISSION,
        /** Locking all takes in pages without access and passes over what cannot be brought in (Linux, IRIX). */
        LOCK_ALL_IGNORES_FAILURES,
        /** A failed call to lock all leaves future locking on, unless it failed by the limit (FreeBSD, Solaris). */
        FAILED_LOCK_ALL_LEAVES_FUTURE,
        /** A length over the limit is {@link Refusal#LIMIT} also where it passes the end of the address space (Linux). */
        LIMIT_BEFORE_WRAP,
        /** The limit is looked at after future locking was switched on (Solaris). */
        LIMIT_AFTER_FUTURE,
        /** A mapping in future mode that exceeds the limit of the system is made, unlocked, with success (FreeBSD). */
        FUTURE_SHORTAGE_IS_SILENT,

        /** The system can lock by itself while the process goes on (FreeBSD, aio_mlock). */
        ASYNC_LOCK,
        /**
         * Such a lock can be cancelled until it begins. FreeBSD's source reads so, but 15.1 cancelled none; no system here has
         * it, and a backend must cope with both.
         */
        CANCELS_QUEUED,

        /** Sync refuses an unaligned address with {@link Refusal#ARGUMENT} (Linux, Solaris). */
        UNALIGNED_SYNC_IS_REFUSED
    }

    /** Why a call is refused. Each system has its errno for it. */
    public enum Refusal {
        /** No right to lock at all. */
        PERMISSION(Errno.EPERM),
        /** An argument that the system does not take. */
        ARGUMENT(Errno.EINVAL),
        /** Address and length pass the end of the address space. */
        WRAP(Errno.EINVAL),
        /** A part of the range is not mapped. */
        HOLE(Errno.ENOMEM),
        /** A page without access. */
        UNREADABLE(Errno.ENOMEM),
        /** A page past the end of its file. */
        PAST_END(Errno.ENOMEM),
        /** A page that could not be read from the device. */
        READ_FAILED(Errno.ENOMEM),
        /** More than the process may lock. */
        LIMIT(Errno.ENOMEM),
        /** More than the system may lock in all. */
        SYSTEM_LIMIT(Errno.ENOMEM),
        /** The limit, for a new mapping in future mode. */
        FUTURE_LIMIT(Errno.ENOMEM),
        /** A page of the address space that cannot be brought in, where that ends the call. */
        LOCK_ALL_PAGE(Errno.EAGAIN),
        /** Splitting a mapping would make one too many. */
        MAP_COUNT(Errno.ENOMEM),
        /** Invalidating locked pages. */
        LOCKED(Errno.EBUSY);

        private final Errno usual;

        Refusal(Errno usual) {
            this.usual = usual;
        }
    }

    private static final KernelRules PLAIN = new KernelRules(
            "Plain",
            4096,
            64,
            EnumSet.noneOf(Trait.class),
            new EnumMap<>(Refusal.class),
            Collections.<Enum<?>>emptySet(),
            Collections.<Enum<?>, String>emptyMap());

    private final String system;
    private final long pageSize;
    private final int addressBits;
    private final Set<Trait> traits;
    private final Map<Refusal, Errno> errnos;
    private final Set<Enum<?>> unconfirmed;
    private final Map<Enum<?>, String> sources;

    private KernelRules(
            String system,
            long pageSize,
            int addressBits,
            Set<Trait> traits,
            Map<Refusal, Errno> errnos,
            Set<Enum<?>> unconfirmed,
            Map<Enum<?>, String> sources) {
        this.system = system;
        this.pageSize = pageSize;
        this.addressBits = addressBits;
        this.traits = traits;
        this.errnos = errnos;
        this.unconfirmed = unconfirmed;
        this.sources = sources;
    }

    /**
     * A kernel without traits, to which others are added.
     *
     * @param system the name of the system
     * @return rules with pages of 4096 bytes and addresses of 64 bits
     */
    public static KernelRules named(String system) {
        return new KernelRules(
                system,
                PLAIN.pageSize,
                PLAIN.addressBits,
                PLAIN.traits,
                PLAIN.errnos,
                PLAIN.unconfirmed,
                PLAIN.sources);
    }

    /**
     * Linux since 4.4, as observed on 6.18.
     *
     * @return the rules
     */
    public static KernelRules linux() {
        String seen = "seen on 6.18";
        return named("Linux")
                .cited(
                        seen,
                        Trait.HUGE_LENGTH_LOCKS_NOTHING,
                        Trait.FAILED_LOCK_KEEPS,
                        Trait.UNLOCK_STOPS_AT_HOLE,
                        Trait.LIMIT_ZERO_FORBIDS,
                        Trait.LIMIT_BEFORE_WRAP,
                        Trait.FLAGS_BEFORE_PERMISSION,
                        Trait.CURRENT_ENDS_FUTURE,
                        Trait.LOCK_ALL_IGNORES_FAILURES)
                .cited("mlock(2), limits and permissions", Trait.PRIVILEGE_LIFTS_LIMIT)
                .cited("mlock2(2); that it weakens: " + seen, Trait.ON_FAULT)
                .cited("msync(2)", Trait.UNALIGNED_SYNC_IS_REFUSED)
                .cited(seen, Refusal.FUTURE_LIMIT, Errno.EAGAIN)
                // No limit, but a page that cannot be had while the lock brings it in.
                .cited("mm/mlock.c, __mlock_posix_error_return", Refusal.SYSTEM_LIMIT, Errno.EAGAIN);
    }

    /**
     * FreeBSD 15.1, as recorded on it: see {@link Recorded#freebsd()}, whose keys are the sources.
     *
     * @return the rules
     */
    public static KernelRules freebsd() {
        return named("FreeBSD")
                .cited("recorded: limit.same again", Trait.CHARGES_TWICE)
                .cited("recorded: jail, root", Trait.UNLOCK_NEEDS_PERMISSION)
                // Recorded is only that it leaves nothing if it failed by the limit.
                .cited("sys/vm/vm_mmap.c, sys_mlockall", Trait.FAILED_LOCK_ALL_LEAVES_FUTURE)
                .cited("sys/vm/vm_mmap.c, sys_mlockall", Refusal.LOCK_ALL_PAGE, Errno.EAGAIN)
                .cited("recorded: gap.FUTURE at max_user_wired", Trait.FUTURE_SHORTAGE_IS_SILENT)
                .cited("recorded: aio.success", Trait.ASYNC_LOCK);
    }

    /**
     * Solaris as its free descendant illumos, from the source of 2019; what Oracle changed since is not known.
     *
     * @return the rules
     */
    public static KernelRules solaris() {
        String call = "illumos syscall/memcntl.c, memcntl";
        String pages = "illumos vm/seg_vn.c, segvn_lockop";
        String all = "illumos vm/vm_as.c, as_ctl";
        return named("SunOS")
                .cited(
                        call,
                        Trait.UNALIGNED_IS_REFUSED,
                        Trait.EMPTY_IS_REFUSED,
                        Trait.ARGUMENTS_BEFORE_PERMISSION,
                        Trait.PRIVILEGE_IS_NEEDED,
                        Trait.UNLOCK_NEEDS_PERMISSION,
                        Trait.UNALIGNED_SYNC_IS_REFUSED)
                .cited(call, Refusal.WRAP, Errno.ENOMEM)
                .cited(pages, Trait.UNREADABLE_IS_LOCKED, Trait.PAST_END_IS_SKIPPED, Trait.RESERVED_IS_SKIPPED)
                .cited(pages, Refusal.READ_FAILED, Errno.EIO)
                .cited(pages, Refusal.LIMIT, Errno.EAGAIN)
                .cited(pages, Refusal.SYSTEM_LIMIT, Errno.EAGAIN)
                .cited(all, Trait.UNLOCK_STOPS_AT_HOLE, Trait.FAILED_LOCK_ALL_LEAVES_FUTURE, Trait.LIMIT_AFTER_FUTURE)
                .cited("illumos vm/vm_as.c, as_map", Refusal.FUTURE_LIMIT, Errno.EAGAIN);
    }

    /**
     * HP-UX 11i, from its manual pages.
     *
     * @return the rules
     */
    public static KernelRules hpux() {
        String page = "mlock(2) HP-UX 11i v2";
        return named("HP-UX")
                .cited(page, Trait.EMPTY_IS_REFUSED, Trait.NO_PROCESS_LIMIT, Trait.PRIVILEGE_IS_NEEDED)
                .cited("munlock(2), munlockall(2) HP-UX 11i v3", Trait.UNLOCK_NEEDS_PERMISSION)
                .cited(page, Refusal.WRAP, Errno.ENOMEM)
                .cited(page, Refusal.SYSTEM_LIMIT, Errno.EAGAIN)
                .with(Trait.FAILED_LOCK_ALL_LEAVES_FUTURE)
                .with(Refusal.FUTURE_LIMIT, Errno.EAGAIN)
                .unsure(
                        Trait.FAILED_LOCK_ALL_LEAVES_FUTURE,
                        Trait.FLAGS_BEFORE_PERMISSION,
                        Trait.CURRENT_ENDS_FUTURE,
                        Trait.UNREADABLE_IS_LOCKED,
                        Trait.PAST_END_IS_SKIPPED,
                        Trait.LOCK_ALL_IGNORES_FAILURES,
                        Trait.UNALIGNED_SYNC_IS_REFUSED,
                        Refusal.FUTURE_LIMIT,
                        Refusal.LOCK_ALL_PAGE,
                        Refusal.READ_FAILED,
                        Refusal.LOCKED);
    }

    /**
     * IRIX 6.5, from its manual pages.
     *
     * @return the rules
     */
    public static KernelRules irix() {
        String page = "mlock(3C) IRIX 6.5";
        return named("IRIX64")
                .cited(page, Trait.PRIVILEGE_LIFTS_LIMIT)
                .cited(page, Refusal.WRAP, Errno.ENOMEM)
                .cited(page, Refusal.SYSTEM_LIMIT, Errno.EAGAIN)
                // Said of the end of a file only.
                .cited("mlockall(3C) IRIX 6.5", Trait.LOCK_ALL_IGNORES_FAILURES)
                .with(Trait.FAILED_LOCK_KEEPS, Trait.UNLOCK_STOPS_AT_HOLE, Trait.FAILED_LOCK_ALL_LEAVES_FUTURE)
                .unsure(
                        Trait.EMPTY_IS_REFUSED,
                        Trait.FAILED_LOCK_KEEPS,
                        Trait.UNLOCK_STOPS_AT_HOLE,
                        Trait.CHARGES_TWICE,
                        Trait.UNREADABLE_IS_LOCKED,
                        Trait.PAST_END_IS_SKIPPED,
                        Trait.FAILED_LOCK_ALL_LEAVES_FUTURE,
                        Trait.FLAGS_BEFORE_PERMISSION,
                        Trait.CURRENT_ENDS_FUTURE,
                        Trait.UNALIGNED_SYNC_IS_REFUSED,
                        Refusal.READ_FAILED,
                        Refusal.LOCKED);
    }

    private KernelRules cited(String source, Trait... traits) {
        return with(traits).citing(source, traits);
    }

    private KernelRules cited(String source, Refusal refusal, Errno errno) {
        return with(refusal, errno).citing(source, refusal);
    }

    private KernelRules citing(String source, Enum<?>... what) {
        Map<Enum<?>, String> all = new LinkedHashMap<>(sources);
        for (Enum<?> each : what) {
            all.put(each, source);
        }
        return new KernelRules(
                system, pageSize, addressBits, traits, errnos, unconfirmed, Collections.unmodifiableMap(all));
    }

    /**
     * Adds traits.
     *
     * @param more what else the system does
     * @return the changed rules
     */
    public KernelRules with(Trait... more) {
        Set<Trait> all = copyOf(traits);
        Collections.addAll(all, more);
        return new KernelRules(system, pageSize, addressBits, all, errnos, unconfirmed, sources);
    }

    /**
     * Takes traits away.
     *
     * @param less what the system does not do
     * @return the changed rules
     */
    public KernelRules without(Trait... less) {
        Set<Trait> all = copyOf(traits);
        for (Trait each : less) {
            all.remove(each);
        }
        return new KernelRules(system, pageSize, addressBits, all, errnos, unconfirmed, sources);
    }

    /**
     * Sets the errno of a refusal.
     *
     * @param refusal why a call is refused
     * @param errno what it then leaves
     * @return the changed rules
     */
    public KernelRules with(Refusal refusal, Errno errno) {
        Map<Refusal, Errno> all = new EnumMap<>(Refusal.class);
        all.putAll(errnos);
        all.put(refusal, Objects.requireNonNull(errno, "errno"));
        return new KernelRules(system, pageSize, addressBits, traits, all, unconfirmed, sources);
    }

    /**
     * Sets the page size.
     *
     * @param bytes bytes in a page, a power of two
     * @return the changed rules
     */
    public KernelRules withPageSize(long bytes) {
        if (Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("page size is " + bytes + "; it must be a power of two");
        }
        return new KernelRules(system, bytes, addressBits, traits, errnos, unconfirmed, sources);
    }

    /**
     * Sets the width of a pointer.
     *
     * @param bits 32 or 64
     * @return the changed rules
     */
    public KernelRules withAddressBits(int bits) {
        if (bits != 32 && bits != 64) {
            throw new IllegalArgumentException("pointers of " + bits + " bits; there are 32 or 64");
        }
        return new KernelRules(system, pageSize, bits, traits, errnos, unconfirmed, sources);
    }

    private KernelRules unsure(Enum<?>... what) {
        Set<Enum<?>> all = new LinkedHashSet<>(unconfirmed);
        Collections.addAll(all, what);
        return new KernelRules(
                system, pageSize, addressBits, traits, errnos, Collections.unmodifiableSet(all), sources);
    }

    private static Set<Trait> copyOf(Collection<Trait> traits) {
        Set<Trait> copy = EnumSet.noneOf(Trait.class);
        copy.addAll(traits);
        return copy;
    }

    /**
     * The name of the system, as {@code uname} gives it.
     *
     * @return for example {@code SunOS}
     */
    public String system() {
        return system;
    }

    /**
     * The page size.
     *
     * @return bytes in a page
     */
    public long pageSize() {
        return pageSize;
    }

    /**
     * The width of a pointer.
     *
     * @return 32 or 64
     */
    public int addressBits() {
        return addressBits;
    }

    /**
     * Tells whether the system behaves so.
     *
     * @param trait one thing in which systems differ
     * @return true if it does
     */
    public boolean has(Trait trait) {
        return traits.contains(trait);
    }

    /**
     * The errno of a refusal.
     *
     * @param refusal why a call is refused
     * @return its errno on this system
     */
    public Errno errno(Refusal refusal) {
        return errnos.getOrDefault(refusal, refusal.usual);
    }

    /**
     * What no source decides: {@link Trait}s and {@link Refusal}s that may be otherwise on the real system.
     *
     * @return an unmodifiable set
     */
    public Set<Enum<?>> unconfirmed() {
        return unconfirmed;
    }

    /**
     * Where it is said, or was seen, that the system has a {@link Trait} or the errno of a {@link Refusal}: a manual page, a
     * function of its source, or a key of what was recorded.
     *
     * @return an unmodifiable map; what {@link #with} added has no source
     */
    public Map<Enum<?>, String> sources() {
        return sources;
    }

    @Override
    public String toString() {
        return system;
    }
}
