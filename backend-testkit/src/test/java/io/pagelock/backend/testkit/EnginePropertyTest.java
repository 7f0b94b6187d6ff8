// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import io.pagelock.Capability;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random programs against {@link Model}: 14 worlds, {@code -Dpagelock.programs} programs each. A failure prints the seed, the
 * program shrunk as far as it still fails, and what its steps were; the seed is set with {@code -DQT_SEED}.
 */
class EnginePropertyTest {
    private static final int PROGRAMS = Integer.getInteger("pagelock.programs", 100);

    private record World(String name, Supplier<Model> make) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<World> worlds() {
        KernelRules linux = Systems.of("linux");
        return Stream.of(
                world("Linux", linux, true),
                world("Linux, 32 bits", linux.withAddressBits(32), true),
                world("Linux, pages so large that locks go in steps", linux.withPageSize(2L << 20), true),
                world("Linux without a list of mappings", linux, false),
                world("FreeBSD", Systems.of("freebsd"), true),
                world("FreeBSD without a list of mappings", Systems.of("freebsd"), false),
                new World(
                        "FreeBSD with room for one asynchronous lock",
                        () -> new Model(Systems.of("freebsd"), FakeBackend.allOf(Systems.of("freebsd")), true)
                                .withShortQueue()),
                world("FreeBSD without aio_mlock", Systems.of("freebsd"), true, Capability.NATIVE_ASYNC),
                world("Solaris", Systems.of("solaris").withPageSize(8192), true),
                world("HP-UX", Systems.of("hpux"), false, Capability.LOCKED_PAGES, Capability.LOCKED_BYTES),
                world("IRIX", Systems.of("irix").withPageSize(16384), false, Capability.LOCKED_PAGES),
                world("IRIX in large pages", Systems.of("irix").withPageSize(2L << 20), true),
                world("macOS", Systems.of("macos").withPageSize(16384), true),
                world("a plain kernel", KernelRules.named("Plain"), true));
    }

    private static World world(String name, KernelRules rules, boolean listsMappings, Capability... missing) {
        Set<Capability> capabilities = EnumSet.copyOf(FakeBackend.allOf(rules));
        capabilities.removeAll(List.of(missing));
        return new World(name, () -> new Model(rules, capabilities, listsMappings));
    }

    @ParameterizedTest
    @MethodSource("worlds")
    void engineModelAndKernelAgree(World world) {
        // One model for many programs, since every engine has a thread; after a failure, a new one.
        Model[] model = {world.make.get()};
        qt().withExamples(PROGRAMS)
                .withShrinkCycles(3000)
                .forAll(lists().of(integers().all()).ofSizeBetween(1, 40))
                .checkAssert(program -> {
                    try {
                        model[0].run(program);
                    } catch (AssertionError e) {
                        model[0] = world.make.get();
                        throw e;
                    }
                });
    }

    /** A native lock succeeds, the end of a refused address-space lock drops it, and it is refused when it is asked for again. */
    @Test
    void whatWasLockedNativelyIsUnlockedWhenItsRenewalIsRefused() {
        new Model(Systems.of("freebsd"), FakeBackend.allOf(Systems.of("freebsd")), true)
                .run(List.of(0, 1296434, 0, 0, 0, 0, 93296416, 94830, -1));
    }
}
