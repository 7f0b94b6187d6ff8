// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.engine.PageLockers;
import io.pagelock.spi.Backend;
import io.pagelock.spi.PageStateReading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Runs random programs over a backend and its system or stand-in, and the same programs over a {@link FakeKernel} with
 * the rules of that system: locks, closes, address-space locks, holes, new memory in place of old, lowered limits, a
 * right that is taken away. After each step, both must have given the same answer and must have the same pages locked.
 * Written for {@link BackendContract}'s harness; extend it beside the contract.
 *
 * <p>The programs are the same in every run. {@code -Dpagelock.backend.programs} sets their number,
 * {@code -Dpagelock.backend.seed} where they begin. A failure shows the shortest part of its program that still fails.
 */
public abstract class BackendPrograms {
    private static final int PAGES = 8;
    private static final int STEPS = 30;
    /** Room that no step uses up: what a program can hold, and the undo of what fails. */
    private static final int ROOM = 64;

    private static final int UNLIMITED = -1;

    /** Makes the test; JUnit calls it. */
    protected BackendPrograms() {}

    /**
     * Opens the harness for one program; it is closed afterwards.
     *
     * @return a new harness
     */
    protected abstract Harness open();

    /**
     * Returns the rules of the system.
     *
     * @return such as {@link KernelRules#of} reads
     */
    protected abstract KernelRules rules();

    /**
     * Returns how many programs to run.
     *
     * @return {@code -Dpagelock.backend.programs}, or 8: a harness that reads /proc takes a second for each
     */
    protected int programs() {
        return Integer.getInteger("pagelock.backend.programs", 8);
    }

    /** What a step does, on both sides. */
    private interface Action {
        String on(Side side);
    }

    private static final class Step {
        private final String text;
        private final Action action;

        private Step(String text, Action action) {
            this.text = text;
            this.action = action;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final class Held {
        private final PageLock lock;
        private final int[] generations;

        private Held(PageLock lock, int[] generations) {
            this.lock = lock;
            this.generations = generations;
        }
    }

    /** The backend under test with its system, or a fake backend with the rules. */
    private static final class Side implements AutoCloseable {
        private final Harness harness;
        private final PageLocker locker;
        private final long page;
        private final long area;
        private final List<Held> locks = new ArrayList<>();
        private final List<AddressSpaceLock> spaces = new ArrayList<>();
        private final boolean[] mapped = new boolean[PAGES];
        /** How often a page was mapped or unmapped. */
        private final int[] generations = new int[PAGES];

        private boolean limited;

        private Side(Harness harness) {
            this.harness = harness;
            locker = PageLockers.over(harness.backend());
            page = harness.pageSize();
            area = harness.map(PAGES);
            Arrays.fill(mapped, true);
        }

        private MemoryRange pages(int first, int count) {
            return MemoryRange.of(area + first * page, count * page);
        }

        private String lock(List<MemoryRange> ranges, LockOption... options) {
            return outcome(() -> locks.add(new Held(locker.lock(ranges, options), generations.clone())));
        }

        private String close(int which) {
            if (locks.isEmpty()) {
                return "nothing";
            }
            Held held = locks.get(which % locks.size());
            return outcome(() -> {
                held.lock.close();
                locks.remove(held);
            });
        }

        private String lockAll(AddressSpaceScope scope) {
            return limited ? "nothing" : outcome(() -> spaces.add(locker.lockAddressSpace(scope)));
        }

        private String closeAll(int which) {
            if (spaces.isEmpty()) {
                return "nothing";
            }
            AddressSpaceLock space = spaces.get(which % spaces.size());
            return outcome(() -> {
                space.close();
                spaces.remove(space);
            });
        }

        /** A limit of this many pages more than are locked now. None while the address space is locked, whose size differs. */
        private String limit(int more) {
            if (!spaces.isEmpty()) {
                return "nothing";
            }
            limited = more != UNLIMITED;
            harness.setLimit(limited ? harness.lockedBytes() + more * page : Long.MAX_VALUE);
            return "ok";
        }

        private String forbid(boolean value) {
            harness.forbid(value);
            return "ok";
        }

        private String unmap(int first) {
            harness.unmap(area + first * page, 1);
            mapped[first] = false;
            generations[first]++;
            return "ok";
        }

        private String remap(int first, int count) {
            harness.remap(area + first * page, count);
            for (int i = first; i < first + count; i++) {
                mapped[i] = true;
                generations[i]++;
            }
            return "ok";
        }

        private String touch(int first, int count) {
            for (int i = first; i < first + count; i++) {
                if (mapped[i]) {
                    harness.touch(area + i * page);
                }
            }
            return "ok";
        }

        private static String outcome(Runnable call) {
            try {
                call.run();
                return "ok";
            } catch (PageLockException e) {
                return "refused: " + e.reason();
            }
        }

        private String state() {
            StringBuilder text = new StringBuilder("locked ");
            for (int i = 0; i < PAGES; i++) {
                text.append(isHeldStale(i) ? '?' : harness.isLocked(area + i * page) ? '1' : '0');
            }
            text.append(", held ")
                    .append(locker.statistics().lockedBytes() / page)
                    .append(" pages, valid ");
            for (Held each : locks) {
                text.append(each.lock.isValid() ? '1' : '0');
            }
            return text.toString();
        }

        /** Whether handles cover a page whose memory is not what they locked: other calls may or may not have locked it since. */
        private boolean isHeldStale(int index) {
            MemoryRange own = pages(index, 1);
            boolean stale = false;
            for (Held each : locks) {
                boolean covers = each.lock.ranges().stream()
                        .anyMatch(range -> range.address() <= own.address() && own.end() <= range.end());
                if (covers && each.generations[index] == generations[index]) {
                    return false;
                }
                stale |= covers;
            }
            return stale;
        }

        /** Everything can be closed, and then nothing is locked. */
        private String end() {
            if (limited) {
                limit(UNLIMITED);
            }
            if (harness.abilities().contains(Ability.FORBID)) {
                harness.forbid(false);
            }
            StringBuilder text = new StringBuilder();
            while (!spaces.isEmpty()) {
                text.append(closeAll(0)).append(' ');
            }
            while (!locks.isEmpty() && !text.toString().contains("refused")) {
                text.append(close(0)).append(' ');
            }
            return text + state();
        }

        @Override
        public void close() {
            harness.close();
        }
    }

    /** What both sides can do. */
    private static final class World {
        private final Set<Ability> abilities;
        private final Set<Capability> capabilities;
        private final boolean listsMappings;
        private final KernelRules rules;
        private final boolean locksAll;

        private World(Harness harness, KernelRules rules) {
            Backend backend = harness.backend();
            this.rules = rules.withPageSize(harness.pageSize()).withAddressBits(backend.addressBits());
            capabilities = EnumSet.copyOf(FakeBackend.allOf(rules));
            capabilities.retainAll(backend.capabilities());
            try (Harness fake = fake()) {
                abilities = EnumSet.copyOf(fake.abilities());
            }
            abilities.retainAll(harness.abilities());
            long probe = harness.map(1);
            listsMappings = backend.ability(PageStateReading.class)
                    .flatMap(reading -> reading.mapped(MemoryRange.of(probe, harness.pageSize())))
                    .isPresent();
            locksAll = capabilities.contains(Capability.LOCK_ADDRESS_SPACE)
                    && abilities.contains(Ability.LOCK_ADDRESS_SPACE)
                    && harness.room() == Long.MAX_VALUE;
        }

        private Harness fake() {
            FakeKernel kernel = new FakeKernel(rules);
            kernel.setPrivileged(rules.has(Trait.PRIVILEGE_IS_NEEDED));
            return new FakeHarness(kernel, new FakeBackend(kernel, capabilities, listsMappings));
        }

        /** @param isWide whether the address space may be locked, which takes long in a JVM */
        private Step step(Random random, boolean isWide) {
            int first = random.nextInt(PAGES);
            int count = 1 + random.nextInt(PAGES - first);
            int other = random.nextInt(PAGES);
            switch (random.nextInt(15)) {
                case 0:
                    boolean onFault = capabilities.contains(Capability.LOCK_ON_FAULT);
                    return onFault
                            ? new Step(
                                    "lock on fault " + first + "+" + count,
                                    side -> side.lock(
                                            Collections.singletonList(side.pages(first, count)), LockOption.ON_FAULT))
                            : lock(first, count);
                case 1:
                    return new Step(
                            "lock " + first + "+" + count + " and " + other + "+1",
                            side -> side.lock(Arrays.asList(side.pages(first, count), side.pages(other, 1))));
                case 2:
                    return new Step("unmap " + first, side -> side.unmap(first));
                case 3:
                case 4:
                    return abilities.contains(Ability.REMAP)
                            ? new Step("map again " + first + "+" + count, side -> side.remap(first, count))
                            : lock(first, count);
                case 5:
                    AddressSpaceScope scope = AddressSpaceScope.values()[other % 3];
                    return locksAll && isWide
                            ? new Step("lock the address space " + scope, side -> side.lockAll(scope))
                            : lock(first, count);
                case 6:
                    return new Step("close address-space lock " + other, side -> side.closeAll(other));
                case 7:
                    int more = random.nextInt(PAGES + 1) - 1;
                    return abilities.containsAll(
                                    EnumSet.of(Ability.SET_LIMIT, Ability.SET_UNLIMITED, Ability.SEE_LOCKED_BYTES))
                            ? new Step(more < 0 ? "no limit" : "room for " + more, side -> side.limit(more))
                            : lock(first, count);
                case 8:
                    boolean forbids = random.nextInt(3) == 0;
                    return abilities.contains(Ability.FORBID)
                            ? new Step(forbids ? "forbid" : "permit", side -> side.forbid(forbids))
                            : lock(first, count);
                case 9:
                    return new Step("touch " + first + "+" + count, side -> side.touch(first, count));
                case 10:
                case 11:
                case 12:
                    return new Step("close " + other, side -> side.close(other));
                default:
                    return lock(first, count);
            }
        }

        private static Step lock(int first, int count) {
            return new Step(
                    "lock " + first + "+" + count,
                    side -> side.lock(Collections.singletonList(side.pages(first, count))));
        }
    }

    @Test
    void randomProgramsEndAsTheRulesOfTheSystemSay() {
        World world;
        try (Harness harness = open()) {
            assumeTrue(harness.abilities().contains(Ability.SEE_LOCKED), "needs the ability SEE_LOCKED");
            assumeTrue(
                    harness.room() >= ROOM * harness.pageSize(),
                    () -> "needs to lock " + ROOM + " pages, but this process may lock " + harness.room() + " bytes");
            world = new World(harness, rules());
        }
        long seed = Long.getLong("pagelock.backend.seed", 1);
        for (int i = 0; i < programs(); i++) {
            Random random = new Random(seed + i);
            List<Step> program = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                program.add(world.step(random, i % 20 == 0));
            }
            String failure = run(world, program);
            if (failure != null) {
                List<Step> shortest = shorten(world, program);
                throw new AssertionError("seed " + (seed + i) + ", left the backend, right the rules of " + world.rules
                        + "\n" + run(world, shortest));
            }
        }
    }

    /** Leaves out each step without which the program still fails. */
    private List<Step> shorten(World world, List<Step> program) {
        List<Step> shortest = program;
        for (int i = program.size() - 1; i >= 0; i--) {
            List<Step> without = new ArrayList<>(shortest);
            without.remove(i);
            if (run(world, without) != null) {
                shortest = without;
            }
        }
        return shortest;
    }

    /** Runs a program on both sides. Returns how they differ; null if they do not. */
    private String run(World world, List<Step> program) {
        StringBuilder story = new StringBuilder();
        try (Side real = new Side(open());
                Side fake = new Side(world.fake())) {
            boolean same = true;
            for (Step step : program) {
                String left = step.action.on(real);
                String right = step.action.on(fake);
                story.append("\n  ")
                        .append(step)
                        .append(": ")
                        .append(left)
                        .append(" | ")
                        .append(right);
                same = areSame(left, right);
                left = real.state();
                right = fake.state();
                if (!same || !left.equals(right)) {
                    return story + "\n    " + left + "\n    " + right;
                }
            }
            String left = real.end();
            String right = fake.end();
            return left.equals(right) ? null : story + "\n  the end: " + left + " | " + right;
        }
    }

    /** Two causes may be there at once, and a backend need not find the one that it was. */
    private static boolean areSame(String left, String right) {
        String unknown = "refused: " + Reason.UNKNOWN;
        boolean bothRefused = left.startsWith("refused") && right.startsWith("refused");
        return left.equals(right)
                || bothRefused && (left.equals(unknown) || right.equals(unknown) || mayBoth(left, right));
    }

    private static boolean mayBoth(String left, String right) {
        Set<String> both = new HashSet<>(Arrays.asList(left, right));
        Set<String> limits = new HashSet<>(Arrays.asList(
                "refused: " + Reason.OVER_LIMIT, "refused: " + Reason.NOT_PERMITTED, "refused: " + Reason.NOT_MAPPED));
        return limits.containsAll(both);
    }
}
