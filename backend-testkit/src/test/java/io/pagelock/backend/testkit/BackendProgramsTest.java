// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.LockOption;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.spi.Backend;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The programs pass over a right backend, and find wrong ones. */
class BackendProgramsTest {
    private static final class Subject extends BackendPrograms {
        private final KernelRules rules;
        private final KernelRules ofSystem;
        private final Function<FakeBackend, Backend> spoilt;

        private Subject(KernelRules rules, KernelRules ofSystem, Function<FakeBackend, Backend> spoilt) {
            this.rules = rules;
            this.ofSystem = ofSystem;
            this.spoilt = spoilt;
        }

        @Override
        protected Harness open() {
            FakeKernel kernel = new FakeKernel(ofSystem);
            kernel.setPrivileged(ofSystem.has(Trait.PRIVILEGE_IS_NEEDED));
            return new FakeHarness(kernel, spoilt.apply(new FakeBackend(kernel)));
        }

        @Override
        protected int programs() {
            return 40;
        }

        @Override
        protected KernelRules rules() {
            return rules;
        }
    }

    static Stream<KernelRules> systems() {
        return Systems.all().stream();
    }

    @ParameterizedTest
    @MethodSource("systems")
    void aRightBackendPasses(KernelRules rules) {
        new Subject(rules, rules, good -> good).randomProgramsEndAsTheRulesOfTheSystemSay();
    }

    static Stream<Function<FakeBackend, Backend>> wrong() {
        return Stream.of(
                good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        good.lock(address, length == 5 * page ? 4 * page : length, options);
                    }
                },
                good -> new PassingBackend(good) {
                    @Override
                    public void unlock(long address, long length) {
                        if (length != 3 * page) {
                            good.unlock(address, length);
                        }
                    }
                },
                good -> new PassingBackend(good) {
                    @Override
                    public void lock(long address, long length, Set<LockOption> options) {
                        try {
                            good.lock(address, length, options);
                        } catch (PageLockException e) {
                            if (e.reason() != Reason.NOT_MAPPED) {
                                throw e;
                            }
                        }
                    }
                },
                good -> new PassingBackend(good) {
                    @Override
                    public boolean failedLockLeavesNothing() {
                        return true;
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aWrongBackendIsFoundAndItsProgramIsShort(Function<FakeBackend, Backend> spoilt) {
        KernelRules rules = Systems.of("linux");
        AssertionError found = assertThrows(
                AssertionError.class,
                () -> new Subject(rules, rules, spoilt).randomProgramsEndAsTheRulesOfTheSystemSay());
        assertTrue(found.getMessage().lines().count() < 12, found.getMessage());
    }

    /** A system that does otherwise than its rules say. */
    @Test
    void rulesThatAreNotTheSystemsAreFound() {
        KernelRules rules = Systems.of("freebsd");
        assertThrows(
                AssertionError.class,
                () -> new Subject(rules.without(Trait.UNLOCK_NEEDS_PERMISSION), rules, good -> good)
                        .randomProgramsEndAsTheRulesOfTheSystemSay());
    }
}
