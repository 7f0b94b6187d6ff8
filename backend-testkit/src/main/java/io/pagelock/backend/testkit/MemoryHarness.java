// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;

/**
 * Serves harnesses over the memory of a process: what the stand-in's and the agent's have in common.
 *
 * @param <H> the harness itself
 */
public abstract class MemoryHarness<H extends MemoryHarness<H>> extends ForwardingMemory implements Harness {
    private final Backend backend;
    private final BackendProvider provider;
    private final Set<Ability> abilities = EnumSet.of(Ability.REMAP, Ability.PROVIDE);

    /**
     * Makes a harness that can map again and has a provider.
     *
     * @param memory the memory
     * @param backend the backend under test
     * @param provider its provider
     */
    protected MemoryHarness(ProcessMemory memory, Backend backend, BackendProvider provider) {
        super(memory);
        this.backend = Objects.requireNonNull(backend, "backend");
        this.provider = Objects.requireNonNull(provider, "provider");
    }

    /**
     * Adds what the system can do besides.
     *
     * @param more the abilities
     * @return this harness
     */
    public final H with(Ability... more) {
        Collections.addAll(abilities, more);
        return self();
    }

    /**
     * Takes away what the system cannot do.
     *
     * @param less the abilities
     * @return this harness
     */
    public final H without(Ability... less) {
        abilities.removeAll(Arrays.asList(less));
        return self();
    }

    @SuppressWarnings("unchecked")
    private H self() {
        return (H) this;
    }

    @Override
    public Set<Ability> abilities() {
        return Collections.unmodifiableSet(abilities);
    }

    @Override
    public final Backend backend() {
        return backend;
    }

    @Override
    public final BackendProvider provider() {
        return provider;
    }

    @Override
    public final long mapUnlockable(long pages) {
        return mapNoReserve(pages);
    }

    /** Asks whether a page is counted as locked and, where the kernel says it, in memory. */
    @Override
    public final boolean isLocked(long address) {
        return super.isLocked(address) && (!abilities.contains(Ability.SEE_RESIDENT) || isResident(address));
    }
}
