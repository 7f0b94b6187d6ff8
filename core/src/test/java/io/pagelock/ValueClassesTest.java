// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pagelock.spi.Backend;
import io.pagelock.spi.DaemonThread;
import io.pagelock.spi.Host;
import io.pagelock.spi.RangeSet;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every public class that holds values is equal by value, prints itself, and becomes JSON without help. */
class ValueClassesTest {
    private static final LockLimit LIMIT = LockLimit.builder("LIMIT", LockLimit.Scope.PROCESS)
            .soft(LimitValue.ofBytes(8192))
            .hard(LimitValue.unlimited())
            .used(OptionalLong.of(4096))
            .liftedByPrivilege(true)
            .build();

    /** Two instances that are made apart and equal each other, and one that differs, per class. */
    private static final Map<Class<?>, List<Supplier<?>>> VALUES = Map.ofEntries(
            entry(MemoryRange.class, () -> MemoryRange.of(4096, 10), () -> MemoryRange.of(4096, 11)),
            entry(LimitValue.class, () -> LimitValue.ofBytes(1), LimitValue::unlimited),
            entry(
                    LockLimit.class,
                    () -> LockLimit.builder("x", LockLimit.Scope.USER).build(),
                    () -> LIMIT),
            entry(LockLimits.class, () -> limits(Tristate.YES), () -> limits(Tristate.NO)),
            entry(Statistics.class, () -> statistics(1), () -> statistics(2)),
            entry(Forecast.class, () -> forecast(4096), () -> forecast(8192)),
            entry(BackendInfo.class, () -> info("amd64"), () -> info("arm64")),
            entry(Availability.class, () -> availability(true), () -> availability(false)),
            entry(Availability.Candidate.class, () -> candidate(true), () -> candidate(false)),
            entry(LockReport.class, () -> report(1), () -> report(2)),
            entry(LockReport.NotLocked.class, () -> notLocked(1), () -> notLocked(2)),
            entry(PageStates.class, () -> states(Tristate.YES), () -> states(Tristate.NO)),
            entry(Host.class, () -> new Host("Linux", "6.1", "amd64", 64), () -> new Host("Linux", "6.1", "arm64", 64)),
            entry(RangeSet.class, () -> RangeSet.of(MemoryRange.of(4096, 10)), RangeSet::empty));

    private static Map.Entry<Class<?>, List<Supplier<?>>> entry(Class<?> type, Supplier<?> one, Supplier<?> other) {
        return Map.entry(type, List.of(one, one, other));
    }

    private static LockLimits limits(Tristate permitted) {
        return LockLimits.builder()
                .limit(LIMIT)
                .lockedBytes(OptionalLong.of(4096))
                .privilege("RIGHT", Tristate.NO)
                .permitted(permitted)
                .build();
    }

    private static Statistics statistics(long handles) {
        return Statistics.builder()
                .openHandles(handles)
                .lockedBytes(4096)
                .lockedPages(1)
                .failures(Reason.BUSY, 3)
                .failures(Reason.UNKNOWN, 0)
                .build();
    }

    private static Forecast forecast(long bytes) {
        return new Forecast(Tristate.NO, bytes, Reason.OVER_LIMIT, "too much", List.of("Raise it", "Lock less"));
    }

    private static BackendInfo info(String arch) {
        return new BackendInfo("linux", "Linux 6.1", arch, "jna", List.of("a note"));
    }

    private static Availability.Candidate candidate(boolean chosen) {
        return new Availability.Candidate("linux", "chosen", chosen);
    }

    private static Availability availability(boolean available) {
        return new Availability(
                List.of(candidate(available)), available ? null : "no backend", List.of("Add one"), null);
    }

    private static LockReport report(long handles) {
        return new LockReport(
                LockPolicy.BEST_EFFORT, 4096, OptionalLong.of(8192), Tristate.YES, List.of(notLocked(handles)));
    }

    private static LockReport.NotLocked notLocked(long handles) {
        return new LockReport.NotLocked(Reason.OVER_LIMIT, handles, 4096, "too much", List.of("Raise it"));
    }

    private static PageStates states(Tristate locked) {
        return PageStates.unknown(MemoryRange.of(4096, 8192), 4096)
                .locked(1, locked)
                .build();
    }

    /** A class with state of its own that is no handle, exception, builder or thread. */
    private static Stream<Class<?>> valueClasses() throws IOException {
        List<Class<?>> found = new ArrayList<>();
        for (Class<?> start : List.of(PageLocker.class, Backend.class)) {
            Path directory =
                    Path.of("target/classes").resolve(start.getPackageName().replace('.', '/'));
            try (Stream<Path> files = Files.list(directory)) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".class") && !name.endsWith("-info.class"))
                        .map(name -> start.getPackageName() + "." + name.replace(".class", ""))
                        .map(ValueClassesTest::load)
                        .filter(ValueClassesTest::holdsValues)
                        .forEach(found::add);
            }
        }
        return found.stream();
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, ValueClassesTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean holdsValues(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && !type.isInterface()
                && !type.isEnum()
                && !Throwable.class.isAssignableFrom(type)
                && type != DaemonThread.class
                && !type.getSimpleName().equals("Builder")
                && Stream.of(type.getDeclaredFields()).anyMatch(field -> !Modifier.isStatic(field.getModifiers()));
    }

    @TestFactory
    Stream<DynamicTest> everyValueClassIsEqualByValueAndPrintsItself() throws IOException {
        List<Class<?>> all = valueClasses().toList();
        assertTrue(all.size() >= 12, all::toString);
        return all.stream()
                .map(type -> DynamicTest.dynamicTest(type.getName(), () -> {
                    List<Supplier<?>> made = VALUES.get(type);
                    assertTrue(made != null, () -> type + " is new: add it to this test");
                    for (Method method : List.of(
                            Object.class.getMethod("equals", Object.class),
                            Object.class.getMethod("hashCode"),
                            Object.class.getMethod("toString"))) {
                        assertEquals(
                                type,
                                type.getMethod(method.getName(), method.getParameterTypes())
                                        .getDeclaringClass());
                    }
                    Object one = made.get(0).get();
                    assertEquals(one, made.get(1).get());
                    assertEquals(one.hashCode(), made.get(1).get().hashCode());
                    assertNotEquals(one, made.get(2).get());
                    assertNotEquals(one, null);
                    assertFalse(one.toString().contains("@"), one.toString());
                }));
    }

    /** As a caller gets it who does nothing for it: without modules and without settings. */
    @TestFactory
    Stream<DynamicTest> everyValueOfTheApiBecomesJson() throws IOException {
        return valueClasses()
                .filter(type -> type.getPackageName().equals("io.pagelock"))
                .map(type -> DynamicTest.dynamicTest(type.getName(), () -> {
                    Object value = VALUES.get(type).get(0).get();
                    JsonNode json = new ObjectMapper().readTree(new ObjectMapper().writeValueAsString(value));
                    assertTrue(json.isObject() && json.size() > 1, json::toString);
                    Map<?, ?> map = (Map<?, ?>) type.getMethod("toMap").invoke(value);
                    assertEquals(map.size(), json.size());
                    for (Object key : map.keySet()) {
                        assertTrue(json.has((String) key), json::toString);
                    }
                }));
    }

    @Test
    void statisticsAsJsonAreThis() throws IOException {
        assertEquals(
                "{\"openHandles\":1,\"lockedBytes\":4096,\"lockedPages\":1,\"systemLockedBytes\":null,\"leakedHandles\":0,"
                        + "\"longestLockNanos\":0,\"leftoverBytes\":0,\"failures\":{\"BUSY\":3}}",
                new ObjectMapper().writeValueAsString(statistics(1)));
        assertEquals(
                "{\"bytes\":8192,\"known\":true,\"unlimited\":false,\"none\":false}",
                new ObjectMapper().writeValueAsString(LimitValue.ofBytes(8192)));
    }

    @Test
    void withoutPermissionNothingIsLockableWhateverTheLimits() {
        assertEquals(LimitValue.ofBytes(4096), limits(Tristate.YES).lockable());
        assertEquals(LimitValue.ofBytes(0), limits(Tristate.NO).lockable());
        assertEquals(LimitValue.unknown(), limits(Tristate.UNKNOWN).lockable());
        LockLimits none = limits(Tristate.YES).toBuilder()
                .limits(Collections.singletonList(LockLimit.builder("x", LockLimit.Scope.PROCESS)
                        .soft(LimitValue.none())
                        .build()))
                .build();
        assertEquals(LimitValue.unlimited(), none.lockable());
        assertEquals(Optional.of("RIGHT"), none.privilege());
        assertThrows(
                IllegalArgumentException.class,
                () -> LockLimits.builder().permitted(Tristate.YES).build());
    }

    @Test
    void theHardLimitIsTheSoftOneUnlessSet() {
        LockLimit limit = LockLimit.builder("x", LockLimit.Scope.SYSTEM)
                .soft(LimitValue.ofBytes(7))
                .build();
        assertEquals(LimitValue.ofBytes(7), limit.hard());
        assertEquals(Reason.NO_LOCKABLE_MEMORY, limit.reason());
        assertEquals(Reason.OVER_LIMIT, LIMIT.reason());
    }
}
