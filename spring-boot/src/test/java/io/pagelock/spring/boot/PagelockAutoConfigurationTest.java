// SPDX-License-Identifier: Apache-2.0
package io.pagelock.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pagelock.LockPolicy;
import io.pagelock.MemoryRange;
import io.pagelock.PageLock;
import io.pagelock.PageLocker;
import io.pagelock.backend.testkit.FakeBackend;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.engine.PageLockers;
import io.pagelock.micrometer.PageLockerMetrics;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** What is configured, in the version of Boot that is on the class path: 3 in this module, 4 in spring-boot-4. */
class PagelockAutoConfigurationTest {
    private static final long PAGE = 4096;
    private static final String INDICATOR = "pagelockHealthIndicator";

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    PagelockAutoConfiguration.class,
                    PagelockEndpointAutoConfiguration.class,
                    PagelockHealthBoot3AutoConfiguration.class,
                    PagelockHealthBoot4AutoConfiguration.class,
                    PagelockMetricsAutoConfiguration.class));
    private final FakeKernel kernel = new FakeKernel(KernelRules.named("Plain"));
    private final PageLocker fake = PageLockers.over(new FakeBackend(kernel));

    private ApplicationContextRunner overFake() {
        return runner.withBean("own", PageLocker.class, () -> fake);
    }

    /** By its methods, whose types differ between the versions of Boot. */
    private static String health(ApplicationContext context) {
        try {
            Object indicator = context.getBean(INDICATOR);
            return indicator.getClass().getMethod("health").invoke(indicator).toString();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theLockerOfTheProcessIsABean() {
        runner.run(context -> {
            assertEquals(LockPolicy.REQUIRED, context.getBean(PageLocker.class).policy());
            assertSame(PageLocker.system(), context.getBean(PageLocker.class));
            assertNotNull(context.getBean(PageLockerMetrics.class));
            assertTrue(context.containsBean(INDICATOR));
        });
    }

    @Test
    void theApplicationsOwnLockerIsUsed() {
        overFake().run(context -> assertSame(fake, context.getBean(PageLocker.class)));
    }

    @Test
    void thePolicyIsAProperty() {
        runner.withPropertyValues("pagelock.policy=best-effort")
                .run(context -> assertEquals(
                        LockPolicy.BEST_EFFORT,
                        context.getBean(PageLocker.class).policy()));
        runner.withPropertyValues("pagelock.policy=maybe")
                .run(context -> assertTrue(
                        context.getStartupFailure().getCause().getMessage().contains("pagelock"),
                        context.getStartupFailure()::toString));
    }

    @Test
    void withoutALockTheHealthIsUp() {
        overFake().run(context -> assertTrue(health(context).startsWith("UP"), health(context)));
    }

    @Test
    void whatIsLockedIsUpAsTheKernelSays() {
        overFake().run(context -> {
            try (PageLock lock = fake.lock(MemoryRange.of(kernel.map(2, FakeKernel.Kind.ANONYMOUS), 2 * PAGE))) {
                String health = health(context);
                assertTrue(health.startsWith("UP"), health);
                assertTrue(health.contains("systemLockedBytes=8192"), health);
            }
        });
    }

    @Test
    void whatOtherCodeUnlockedIsDown() {
        overFake().run(context -> {
            long memory = kernel.map(2, FakeKernel.Kind.ANONYMOUS);
            try (PageLock lock = fake.lock(MemoryRange.of(memory, 2 * PAGE))) {
                kernel.munlock(memory, PAGE);
                String health = health(context);
                assertTrue(health.startsWith("DOWN"), health);
                assertTrue(health.contains("lockedBytes=8192") && health.contains("systemLockedBytes=4096"), health);
            }
        });
    }

    /** Though the kernel counts enough in all. */
    @Test
    void whatIsUnmappedUnderItsHandleIsDown() {
        overFake().run(context -> {
            long memory = kernel.map(2, FakeKernel.Kind.ANONYMOUS);
            try (PageLock lock = fake.lock(MemoryRange.of(memory, 2 * PAGE))) {
                kernel.unmap(memory, 1);
                kernel.mlock(kernel.map(4, FakeKernel.Kind.ANONYMOUS), 4 * PAGE);
                String health = health(context);
                assertTrue(health.startsWith("DOWN"), health);
                assertTrue(health.contains("unmapped=[0x" + Long.toHexString(memory)), health);
            }
        });
    }

    @Test
    void whatIsOnlyWishedForIsUpAndSaysWhatIsNotLocked() {
        runner.withPropertyValues("pagelock.policy=off").run(context -> {
            PageLocker off = context.getBean(PageLocker.class);
            try (PageLock lock = off.lock(ByteBuffer.allocateDirect(100))) {
                assertFalse(lock.isValid());
                String health = health(context);
                assertTrue(health.startsWith("UP"), health);
                assertTrue(health.contains("kept=NO"), health);
                assertTrue(health.contains("policy=OFF"), health);
            }
        });
    }

    @Test
    void theIndicatorCanBeSwitchedOffAndReplaced() {
        overFake()
                .withPropertyValues("management.health.pagelock.enabled=false")
                .run(context -> assertFalse(context.containsBean(INDICATOR)));
        overFake()
                .withBean(INDICATOR, String.class, () -> "own")
                .run(context -> assertEquals("own", context.getBean(INDICATOR)));
    }

    @Test
    void theMetricsAreOfTheApplicationsLocker() {
        overFake().run(context -> {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            context.getBean(PageLockerMetrics.class).bindTo(registry);
            try (PageLock lock = fake.lock(MemoryRange.of(kernel.map(1, FakeKernel.Kind.ANONYMOUS), PAGE))) {
                assertEquals(PAGE, registry.get("pagelock.locked").gauge().value());
            }
        });
    }

    @Test
    void theEndpointIsThereOnlyWhereItIsExposed() {
        overFake().run(context -> assertEquals(Map.of(), context.getBeansOfType(PagelockEndpoint.class)));
        overFake()
                .withPropertyValues("management.endpoints.web.exposure.include=pagelock")
                .run(context -> assertNotNull(context.getBean(PagelockEndpoint.class)));
    }

    @Test
    void theEndpointShowsWhatDoctorShows() {
        runner.withPropertyValues("management.endpoints.web.exposure.include=pagelock")
                .run(context -> {
                    Map<String, Object> body =
                            context.getBean(PagelockEndpoint.class).doctor();
                    assertEquals(PageLocker.system().backendInfo().name(), body.get("backend"));
                    assertEquals("done", ((Map<?, ?>) body.get("probe")).get("result"), body.toString());
                    for (String key : new String[] {
                        "system", "candidates", "pageSize", "limits", "lockAll", "report", "counters", "toChange"
                    }) {
                        assertNotNull(body.get(key), key);
                    }
                });
    }

    @Test
    void aProbeThatIsRefusedSaysWhyAndWhatToDo() {
        PagelockEndpoint endpoint = new PagelockEndpoint(PageLocker.system(LockPolicy.OFF));
        Map<String, Object> body = endpoint.doctor();
        Map<?, ?> probe = (Map<?, ?>) body.get("probe");
        assertEquals("failed", probe.get("result"));
        assertNotNull(probe.get("reason"));
    }

    @Test
    void withoutActuatorThereIsTheLockerAlone() {
        overFake()
                .withClassLoader(
                        new FilteredClassLoader("org.springframework.boot.actuate", "org.springframework.boot.health"))
                .run(context -> {
                    assertSame(fake, context.getBean(PageLocker.class));
                    assertFalse(context.containsBean(INDICATOR));
                    assertEquals(Map.of(), context.getBeansOfType(PagelockEndpoint.class));
                });
    }

    @Test
    void withoutMicrometerThereAreNoMetrics() {
        overFake().withClassLoader(new FilteredClassLoader("io.micrometer")).run(context -> {
            assertSame(fake, context.getBean(PageLocker.class));
            assertFalse(context.containsBean("pageLockerMetrics"));
        });
    }

    @Test
    void everyConfigurationIsListed() throws Exception {
        String resource = "META-INF/spring/org.springframework.boot.autoconfigure.AutoConfiguration.imports";
        String listed = new String(PagelockAutoConfiguration.class
                .getClassLoader()
                .getResources(resource)
                .asIterator()
                .next()
                .openStream()
                .readAllBytes());
        assertFalse(listed.isEmpty());
        try (var sources = Files.list(Path.of("../spring-boot/src/main/java/io/pagelock/spring/boot"))) {
            String imports = Files.readString(Path.of("../spring-boot/src/main/resources/" + resource));
            sources.map(each -> each.getFileName().toString())
                    .filter(name -> name.endsWith("AutoConfiguration.java"))
                    .forEach(name -> assertTrue(imports.contains(name.replace(".java", "\n")), name));
        }
    }
}
