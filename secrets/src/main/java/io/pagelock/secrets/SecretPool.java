// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.CheckReturnValue;
import io.pagelock.LockPolicy;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.Tristate;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Provides a pool of locked memory for many small secrets: 128 of 32 bytes take one page of 4 KiB.
 *
 * <pre>{@code
 * SecretPool pool = SecretPool.create(PageLocker.system());
 * try (Secret key = pool.allocate(32)) {
 *     key.write(bytes);
 * }
 * }</pre>
 *
 * <p>You choose the protections of the memory one by one ({@link Protection}). If a required one cannot be kept, the
 * pool is not made, and later allocations that would break it are refused. A preferred one is kept if the system can;
 * {@link #kept} and {@link #whyNot} report it.
 *
 * <p>Allocating and closing take the same time however many secrets there are, except that the first allocation in a
 * page makes the page. Empty pages stay with the pool until {@link #trim}, {@link #close} or an allocation that would be
 * refused or not locked otherwise. Secrets larger than half a page have separate pages, which are freed when they are
 * closed.
 *
 * <p>A pool that is garbage-collected is closed; open secrets keep their pool reachable. All methods may be called by
 * any thread at any time.
 */
public final class SecretPool implements AutoCloseable {
    private static final String SHUTTING_DOWN = "the JVM is shutting down";

    private final Slabs slabs;
    private final Reaper.Pool watched;
    private final Tristate wipedAtExit;

    private SecretPool(Slabs slabs, boolean wipedAtExit) {
        this.slabs = slabs;
        this.wipedAtExit = Tristate.of(wipedAtExit);
        try {
            watched = Reaper.watch(this, slabs, wipedAtExit);
        } catch (Throwable failure) {
            slabs.close();
            throw failure;
        }
    }

    /**
     * Makes a pool without a budget. Its memory must be locked, unless the {@link PageLocker#policy} of the locker says
     * otherwise; it prefers all other protections except {@link Protection#SECRET_MEMORY}.
     *
     * @param locker what locks the memory
     * @return a new pool
     * @throws PageLockException if a first page could not be locked
     */
    public static SecretPool create(PageLocker locker) {
        Builder builder = builder(locker);
        if (locker.policy() == LockPolicy.REQUIRED) {
            builder.require(Protection.LOCKED);
        }
        return builder.prefer(
                        Protection.LOCKED,
                        Protection.NOT_DUMPED,
                        Protection.NOT_INHERITED,
                        Protection.GUARD_PAGES,
                        Protection.WIPED_AT_EXIT)
                .build();
    }

    /**
     * Begins a pool over the locker of this process, or over none if no backend fits this system: such a pool only
     * wipes, and reports all other protections as not kept.
     *
     * @return a builder that asks for nothing but wiping
     */
    public static Builder builder() {
        return new Builder(PageLocker.system(LockPolicy.BEST_EFFORT));
    }

    /**
     * Begins a pool.
     *
     * @param locker what locks the memory
     * @return a builder that asks for nothing but wiping
     */
    public static Builder builder(PageLocker locker) {
        return new Builder(Objects.requireNonNull(locker, "locker"));
    }

    /** Collects the properties of a pool. Not safe for use by several threads. */
    public static final class Builder {
        private final PageLocker locker;
        private final Set<Protection> required = EnumSet.noneOf(Protection.class);
        private final Set<Protection> wanted = EnumSet.noneOf(Protection.class);
        private long budget = Long.MAX_VALUE;

        Builder(PageLocker locker) {
            this.locker = locker;
        }

        /**
         * Asks for protections without which there must be no secret.
         *
         * @param protections which
         * @return this builder
         */
        public Builder require(Protection... protections) {
            Collections.addAll(required, protections);
            return prefer(protections);
        }

        /**
         * Asks for protections where the system can keep them.
         *
         * @param protections which
         * @return this builder
         */
        public Builder prefer(Protection... protections) {
            Collections.addAll(wanted, protections);
            return this;
        }

        /**
         * Limits the memory of the pool.
         *
         * @param bytes the largest size of its pages; guard pages do not count
         * @return this builder
         * @throws IllegalArgumentException if it is 0 or negative
         */
        public Builder budget(long bytes) {
            if (bytes <= 0) {
                throw new IllegalArgumentException("a budget of " + bytes + " bytes; it must be more than 0");
            }
            budget = bytes;
            return this;
        }

        /**
         * Makes the pool and its first page.
         *
         * @return a new pool
         * @throws PageLockException if something required cannot be kept: with {@link Reason#NOT_SUPPORTED} if the
         *     system lacks it, with the reasons of {@link PageLocker#lock} if the system refused, and with
         *     {@link Reason#OVER_LIMIT} if the budget is less than a page
         */
        public SecretPool build() {
            Recipe recipe = new Recipe(locker, EnumSet.copyOf(all(required)), EnumSet.copyOf(all(wanted)));
            boolean atExit = wanted.contains(Protection.WIPED_AT_EXIT) && Reaper.hook();
            if (required.contains(Protection.WIPED_AT_EXIT) && !atExit) {
                throw PageLockException.because(Reason.NOT_SUPPORTED)
                        .action("make a pool of secrets with " + Protection.WIPED_AT_EXIT)
                        .detail(SHUTTING_DOWN)
                        .build();
            }
            return new SecretPool(new Slabs(recipe, budget).open(), atExit);
        }

        private static Collection<Protection> all(Set<Protection> asked) {
            Set<Protection> all = EnumSet.of(Protection.WIPED_ON_CLOSE);
            all.addAll(asked);
            return all;
        }
    }

    /**
     * Allocates a secret that is all zeros.
     *
     * @param size its size in bytes, 1 or more
     * @return the secret; close it to wipe it
     * @throws IllegalArgumentException if the size is 0 or negative, or more than a direct buffer can have
     * @throws IllegalStateException if the pool is closed
     * @throws PageLockException with {@link Reason#OVER_LIMIT} if the budget or the limit of the system is used up, naming both; or
     *     with the other reasons of {@link PageLocker#lock}. Nothing is allocated then.
     */
    @CheckReturnValue
    public Secret allocate(int size) {
        if (size <= 0) {
            throw new IllegalArgumentException("a secret of " + size + " bytes; it must have 1 or more");
        }
        return slabs.allocate(this, size);
    }

    /**
     * Reports whether a protection is kept for all pages of the pool.
     *
     * @param protection which one
     * @return no if one page lacks it or it was not asked for; unknown if the pool has no page
     */
    public Tristate kept(Protection protection) {
        Objects.requireNonNull(protection, "protection");
        switch (protection) {
            case WIPED_ON_CLOSE:
                return Tristate.YES;
            case WIPED_AT_EXIT:
                return wipedAtExit;
            default:
                return slabs.kept(protection);
        }
    }

    Tristate kept(Slab slab, Protection protection) {
        return protection == Protection.WIPED_AT_EXIT ? wipedAtExit : Tristate.of(slab.pages.keeps(protection));
    }

    /**
     * Returns why a protection that was asked for is not kept.
     *
     * @param protection which one
     * @return the reason, as the system gave it; empty if it is kept or was not asked for
     */
    public Optional<String> whyNot(Protection protection) {
        if (protection == Protection.WIPED_AT_EXIT) {
            return wipedAtExit == Tristate.NO && slabs.recipe.wanted.contains(protection)
                    ? Optional.of(SHUTTING_DOWN)
                    : Optional.empty();
        }
        return Optional.ofNullable(slabs.failure(Objects.requireNonNull(protection, "protection")));
    }

    /**
     * Returns the figures of the pool.
     *
     * @return a snapshot
     */
    public PoolStatistics statistics() {
        return slabs.statistics();
    }

    /** Unlocks pages that hold no secret and gives them back to the system. */
    public void trim() {
        slabs.trim();
    }

    /** Wipes and closes every secret and frees all memory. Closing again does nothing. */
    @Override
    public void close() {
        watched.close();
    }

    @Override
    public String toString() {
        return "SecretPool[" + statistics() + "]";
    }
}
