// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.clearInvocations;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.verifyNoMoreInteractions;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.MemoryRange;
import io.pagelock.PendingLock;
import io.pagelock.spi.Backend;
import io.pagelock.spi.Syncing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.function.Executable;

/** By reflection, since the tests are compiled for Java 17. */
@EnabledForJreRange(min = JRE.JAVA_22)
class MemoryScopesTest {
    private final Backend backend = mock(Backend.class, withSettings().extraInterfaces(Syncing.class));
    private Engine engine;

    @BeforeEach
    void open() {
        when(backend.info()).thenReturn(new BackendInfo("test", "Test 1", "amd64", List.of()));
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.addressBits()).thenReturn(64);
        when(backend.capabilities()).thenReturn(EnumSet.of(Capability.SYNC));
        when(backend.ability(any())).thenCallRealMethod();
        when(backend.address(any())).thenReturn(0x10000L);
        engine = new Engine(backend);
    }

    private static Object arena(String kind) throws Exception {
        return Class.forName("java.lang.foreign.Arena").getMethod(kind).invoke(null);
    }

    private static Object segment(Object arena) throws Exception {
        return Class.forName("java.lang.foreign.Arena")
                .getMethod("allocate", long.class)
                .invoke(arena, 4096L);
    }

    private static ByteBuffer buffer(Object segment) throws Exception {
        return (ByteBuffer) Class.forName("java.lang.foreign.MemorySegment")
                .getMethod("asByteBuffer")
                .invoke(segment);
    }

    private static void close(Object arena) throws Exception {
        Class.forName("java.lang.foreign.Arena").getMethod("close").invoke(arena);
    }

    private List<Executable> everyCall(ByteBuffer buffer, MemoryRange range) {
        return List.of(
                () -> engine.lock(buffer),
                () -> engine.lock(range),
                () -> engine.lock(List.of(range)),
                () -> engine.lockAsync(buffer),
                () -> engine.lockAsync(range),
                () -> engine.lockAsync(List.of(range), Runnable::run),
                () -> engine.rangeOf(buffer),
                () -> engine.pageStates(buffer),
                () -> engine.pageStates(range),
                () -> engine.sync(buffer),
                () -> engine.sync(range));
    }

    @Test
    void memoryOfAClosedArenaIsRefusedBeforeAnySystemCall() throws Exception {
        for (String kind : List.of("ofConfined", "ofShared")) {
            Object arena = arena(kind);
            Object segment = segment(arena);
            ByteBuffer buffer = buffer(segment).duplicate();
            MemoryRange range = engine.rangeOf(buffer);
            MemoryRange ofSegment = MemoryRange.of(0x10000, 4096, segment);
            close(arena);
            clearInvocations(backend);
            for (MemoryRange each : List.of(range, ofSegment)) {
                for (Executable call : everyCall(buffer, each)) {
                    String message =
                            assertThrows(IllegalStateException.class, call).getMessage();
                    assertTrue(message.contains("is closed"), message);
                }
            }
            verifyNoMoreInteractions(backend);
        }
    }

    @Test
    void memoryConfinedToAnotherThreadIsRefusedBeforeAnySystemCall() throws Exception {
        ByteBuffer buffer = buffer(segment(arena("ofConfined")));
        MemoryRange range = engine.rangeOf(buffer);
        clearInvocations(backend);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread other = new Thread(() -> {
            try {
                for (Executable call : everyCall(buffer, range)) {
                    assertEquals(
                            "java.lang.WrongThreadException",
                            assertThrows(RuntimeException.class, call)
                                    .getClass()
                                    .getName());
                }
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        other.start();
        other.join();
        assertEquals(null, failure.get());
        verifyNoMoreInteractions(backend);
    }

    private static void assertNotLocked(PendingLock pending) {
        Throwable why = assertThrows(
                        ExecutionException.class,
                        () -> pending.toCompletableFuture().get(60, TimeUnit.SECONDS))
                .getCause();
        assertTrue(why instanceof IllegalStateException && why.getMessage().contains("is closed"), why.toString());
    }

    @Test
    void anArenaThatIsClosedBeforeTheExecutorLocksItsMemoryIsNoticed() throws Exception {
        Object arena = arena("ofShared");
        Object segment = segment(arena);
        ByteBuffer buffer = buffer(segment);
        MemoryRange range = MemoryRange.of(0x10000, 4096, segment);
        List<Runnable> queue = new ArrayList<>();
        List<PendingLock> all = List.of(
                engine.lockAsync(buffer, queue::add),
                engine.lockAsync(range, queue::add),
                engine.lockAsync(List.of(MemoryRange.of(0x30000, 1), range), queue::add));
        close(arena);
        clearInvocations(backend);
        queue.forEach(Runnable::run);
        all.forEach(MemoryScopesTest::assertNotLocked);
        verifyNoMoreInteractions(backend);
    }

    @Test
    void anArenaThatIsClosedWhileItsLockWaitsForAnotherIsNoticed() throws Exception {
        CountDownLatch locking = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        doAnswer(call -> {
                    locking.countDown();
                    goOn.await();
                    return null;
                })
                .when(backend)
                .lock(anyLong(), anyLong(), any());
        PendingLock first = engine.lockAsync(MemoryRange.of(0x10000, 4096));
        locking.await();
        Object arena = arena("ofShared");
        PendingLock second = engine.lockAsync(MemoryRange.of(0x10000, 4096, segment(arena)));
        close(arena);
        goOn.countDown();
        assertNotLocked(second);
        first.toCompletableFuture().get().close();
        verify(backend, times(1)).lock(anyLong(), anyLong(), any());
        engine.lock(MemoryRange.of(0x10000, 4096)).close();
    }

    @Test
    void memoryOfOpenArenasAndOrdinaryBuffersPasses() throws Exception {
        for (ByteBuffer each : List.of(
                buffer(segment(arena("ofShared"))),
                buffer(segment(arena("ofConfined"))).asReadOnlyBuffer(),
                buffer(segment(arena("global"))),
                ByteBuffer.allocateDirect(64))) {
            engine.lock(each).close();
            engine.lock(engine.rangeOf(each)).close();
        }
    }
}
