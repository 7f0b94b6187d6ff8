// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import java.io.Reader;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Describes how one system locks pages, as data for a {@link FakeKernel}: a set of {@link Trait}s and the errno of each
 * {@link Refusal}. Immutable; the {@code with} methods return a changed copy.
 *
 * <p>Without any trait, a kernel rounds addresses outward, accepts length 0, leaves nothing behind when a lock fails,
 * unlocks nothing when an unlock meets a hole, refuses pages without access or past the end of a file, and charges a
 * page once against a limit that binds everybody. In every kernel here a page is either locked or not: the first unlock
 * ends it.
 *
 * <p>Each trait of a system has a source, see {@link #sources()}, and tests check it against facts.
 * {@link #unconfirmed()} lists traits that no source decides; for these, the more troublesome behaviour was chosen.
 */
public final class KernelRules {
    /** Names one thing in which systems differ. */
    public enum Trait {
        /** Lock and unlock refuse an unaligned address with {@link Refusal#ARGUMENT}; otherwise it is rounded down. */
        UNALIGNED_IS_REFUSED,
        /**
         * Length 0 is {@link Refusal#ARGUMENT}. Otherwise it succeeds, and at an unaligned address it locks
         * a page.
         */
        EMPTY_IS_REFUSED,
        /** A lock of length 0 locks nothing, also at an unaligned address. */
        EMPTY_LOCKS_NOTHING,
        /** A length within a page of the largest number becomes 0 when rounded, and succeeds. */
        HUGE_LENGTH_LOCKS_NOTHING,
        /** The arguments are checked before the permission; otherwise after it. */
        ARGUMENTS_BEFORE_PERMISSION,

        /**
         * Locks are counted, and go from mapping to mapping: each mapping is charged as a whole when it is first locked, and
         * a hole after one that is already locked is not noticed. An unlock removes one lock, skips holes with success, and
         * leaves the mapping before a hole as it is. A hole at the start is {@link Refusal#HOLE} for both.
         */
        LOCKS_ARE_COUNTED,
        /** A failed lock leaves the pages that it had reached locked and charged, and more than it had brought in. */
        FAILED_LOCK_KEEPS,
        /** An unlock that meets a hole has unlocked what precedes it. */
        UNLOCK_STOPS_AT_HOLE,
        /** Pages without access are locked like others. */
        UNREADABLE_IS_LOCKED,
        /** Pages past the end of their file are left out, with success. */
        PAST_END_IS_SKIPPED,
        /** Reserved memory that was never touched is left out, with success (MAP_NORESERVE). */
        RESERVED_IS_SKIPPED,

        /** There is no limit per process, only one for the system. */
        NO_PROCESS_LIMIT,
        /** Pages that are locked already are charged again when they are asked for again. */
        CHARGES_TWICE,
        /** The limit of the process counts what is in the page table: no page without access, and none that its file lost. */
        LIMIT_COUNTS_PAGE_TABLE,
        /** The privilege lifts the limit of the process. */
        PRIVILEGE_LIFTS_LIMIT,
        /** Without the privilege, a limit of 0 means that locking is not permitted at all. */
        LIMIT_ZERO_FORBIDS,
        /** Only a process with the privilege may lock. */
        PRIVILEGE_IS_NEEDED,
        /** Unlocking needs the same permission as locking. */
        UNLOCK_NEEDS_PERMISSION,

        /** Locking on first touch exists, for ranges and the address space, and weakens a lock that is there. */
        ON_FAULT,
        /** The address space cannot be locked or unlocked as a whole: ENOSYS. */
        NO_LOCK_ALL,
        /** Locking everything that is current ends future locking. */
        CURRENT_ENDS_FUTURE,
        /** Invalid flags are {@link Refusal#ARGUMENT} even for a process that may not lock at all. */
        FLAGS_BEFORE_PERMISSION,
        /** Locking everything includes pages without access and skips pages that cannot be brought in. */
        LOCK_ALL_IGNORES_FAILURES,
        /** A failed call to lock all leaves future locking on, unless it failed by the limit. */
        FAILED_LOCK_ALL_LEAVES_FUTURE,
        /** A length over the limit is {@link Refusal#LIMIT} even if the range passes the end of the address space. */
        LIMIT_BEFORE_WRAP,
        /** The limit is checked after future locking was switched on. */
        LIMIT_AFTER_FUTURE,
        /** A mapping in future mode that exceeds the limit of the system is made, unlocked, with success. */
        FUTURE_SHORTAGE_IS_SILENT,

        /** The system can lock by itself while the process goes on (aio_mlock). */
        ASYNC_LOCK,
        /** Such a lock can be cancelled until it begins; a backend must cope with both. */
        CANCELS_QUEUED,

        /** Sync refuses an unaligned address with {@link Refusal#ARGUMENT}. */
        UNALIGNED_SYNC_IS_REFUSED
    }

    /** Names why a call is refused. Each system has its errno for it. */
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
        /** Invalidating locked pages; {@link Errno#OK} where the system does it. */
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
     * Returns a kernel without traits, to which others are added.
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
     * Returns the rules of a system, from the resource {@code META-INF/pagelock/NAME/kernel.tsv} of its backend. A line
     * has four columns, separated by tabs: {@code system}, {@code name} and what {@code uname} prints; {@code trait},
     * its name, {@code yes} or {@code no}, the source; {@code errno}, the {@link Refusal}, the errno or {@code usual},
     * the source. A line that no source decides has the source {@code unconfirmed}.
     *
     * @param system the name of the backend, which is on the class path
     * @return the rules
     * @throws IllegalStateException if there is no such backend, or none for a fake kernel in it
     */
    public static KernelRules of(String system) {
        return of(Facts.of(system, "kernel.tsv", 4));
    }

    /**
     * Reads rules, as {@link #of} has them in its resource.
     *
     * @param from the lines; is closed
     * @return the rules
     * @throws IllegalStateException if they cannot be understood
     */
    public static KernelRules read(Reader from) {
        return of(Facts.read("these rules", from, 4));
    }

    private static KernelRules of(Facts facts) {
        KernelRules rules = PLAIN;
        for (List<String> row : facts.rows()) {
            String name = row.get(1);
            String value = row.get(2);
            try {
                switch (row.get(0)) {
                    case "system":
                        rules = named(value);
                        break;
                    case "trait":
                        rules = value.equals("yes") ? rules.with(Trait.valueOf(name)) : rules;
                        rules = rules.citing(row.get(3), Trait.valueOf(name));
                        break;
                    case "errno":
                        rules = value.equals("usual") ? rules : rules.with(Refusal.valueOf(name), Errno.valueOf(value));
                        rules = rules.citing(row.get(3), Refusal.valueOf(name));
                        break;
                    default:
                        throw new IllegalArgumentException(row.get(0));
                }
            } catch (IllegalArgumentException e) {
                throw new IllegalStateException(facts + ": " + String.join(" ", row), e);
            }
        }
        return rules;
    }

    private KernelRules citing(String source, Enum<?> what) {
        if (source.equals("unconfirmed")) {
            Set<Enum<?>> all = new LinkedHashSet<>(unconfirmed);
            all.add(what);
            return new KernelRules(
                    system, pageSize, addressBits, traits, errnos, Collections.unmodifiableSet(all), sources);
        }
        Map<Enum<?>, String> all = new LinkedHashMap<>(sources);
        all.put(what, source);
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

    private static Set<Trait> copyOf(Collection<Trait> traits) {
        Set<Trait> copy = EnumSet.noneOf(Trait.class);
        copy.addAll(traits);
        return copy;
    }

    /**
     * Returns the name of the system, as {@code uname} gives it.
     *
     * @return for example {@code SunOS}
     */
    public String system() {
        return system;
    }

    /**
     * Returns the page size.
     *
     * @return bytes in a page
     */
    public long pageSize() {
        return pageSize;
    }

    /**
     * Returns the width of a pointer.
     *
     * @return 32 or 64
     */
    public int addressBits() {
        return addressBits;
    }

    /**
     * Reports whether the system has a trait.
     *
     * @param trait one thing in which systems differ
     * @return true if it does
     */
    public boolean has(Trait trait) {
        return traits.contains(trait);
    }

    /**
     * Returns the errno of a refusal.
     *
     * @param refusal why a call is refused
     * @return its errno on this system
     */
    public Errno errno(Refusal refusal) {
        return errnos.getOrDefault(refusal, refusal.usual);
    }

    /**
     * Returns the {@link Trait}s and {@link Refusal}s that no source decides, and that may differ on the real system.
     *
     * @return an unmodifiable set
     */
    public Set<Enum<?>> unconfirmed() {
        return unconfirmed;
    }

    /**
     * Returns the source of each {@link Trait} and of the errno of each {@link Refusal}: a manual page, a function of
     * its source, or a key of what was recorded.
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
