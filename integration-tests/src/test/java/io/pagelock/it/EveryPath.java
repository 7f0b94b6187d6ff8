// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import io.pagelock.AddressSpaceLock;
import io.pagelock.AddressSpaceScope;
import io.pagelock.LockPolicy;
import io.pagelock.PageLock;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.PageLockerMXBean;
import io.pagelock.SyncOption;
import io.pagelock.Tristate;
import io.pagelock.files.FileLockOptions;
import io.pagelock.files.FileLocker;
import io.pagelock.files.FileSelection;
import io.pagelock.files.HeldFiles;
import io.pagelock.secrets.Protection;
import io.pagelock.secrets.Secret;
import io.pagelock.secrets.SecretPool;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import jdk.jfr.Recording;

/** Does once whatever of the library looks something up by name, for {@link NativeImageMetadataTest}. */
public final class EveryPath {
    private static final ByteBuffer HOT = ByteBuffer.allocateDirect(64 * 1024);

    /** Kept, since java.util.logging forgets what was set on a logger that nobody has. */
    private static final Logger LOGGER = Logger.getLogger("io.pagelock");

    private EveryPath() {}

    /** The report of a leak has arrived. */
    private static final class Logged extends Handler {
        private static volatile boolean logged;

        @Override
        public void publish(LogRecord entry) {
            logged = true;
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    public static void main(String[] args) throws Exception {
        System.out.println(PageLocker.availability());
        if (args.length > 0) {
            // Where no backend fits.
            try (PageLock lock = PageLocker.system(LockPolicy.BEST_EFFORT).lock(HOT)) {
                System.out.println("done " + lock.isValid());
            }
            return;
        }
        PageLocker locker = PageLocker.system();
        LOGGER.setUseParentHandlers(false);
        LOGGER.addHandler(new Logged());
        try (Recording recording = new Recording()) {
            recording.start();
            ranges(locker);
            drop(locker);
            await(() -> Logged.logged);
        }
        locker.limits();
        locker.forecast(4096);
        try (AddressSpaceLock all = locker.lockAddressSpace(AddressSpaceScope.CURRENT)) {
            System.out.println("address space " + all.isValid());
        } catch (PageLockException e) {
            System.out.println("address space " + e.reason());
        }
        watch();
        try (SecretPool pool = SecretPool.create(locker);
                Secret secret = pool.allocate(32)) {
            secret.write(new byte[32]);
            System.out.println("secret " + secret.kept(Protection.LOCKED));
        }
        Path file = Files.write(Files.createTempFile("every", "path"), new byte[4096]);
        try (HeldFiles held = FileLocker.system().lock(FileSelection.of(file), FileLockOptions.bestEffort())) {
            System.out.println("file " + held.lockedBytes());
        }
        if (Runtime.version().feature() >= 22) {
            confined(locker);
        }
        System.out.println("done");
    }

    private static void ranges(PageLocker locker) throws InterruptedException, ExecutionException {
        try (PageLock lock = locker.lock(HOT)) {
            System.out.println(
                    "range " + lock.isValid() + " " + locker.pageStates(HOT).countLocked(Tristate.YES));
        }
        try (PageLock lock = locker.lockAsync(HOT).toCompletableFuture().get()) {
            System.out.println("asynchronous " + lock.isValid());
        }
        // So large that it matters whether this is a virtual thread.
        try (PageLock lock = locker.lock(ByteBuffer.allocateDirect(48 << 20))) {
            System.out.println("large " + lock.isValid());
        } catch (PageLockException e) {
            System.out.println("large " + e.reason());
        }
        locker.sync(HOT, SyncOption.ASYNC);
        PageLocker lenient = PageLocker.system(LockPolicy.BEST_EFFORT);
        try (PageLock lock = lenient.lock(locker.allocatePages(4096))) {
            System.out.println(
                    "policy " + lock.isValid() + " " + lenient.report().kept());
        }
    }

    private static void drop(PageLocker locker) {
        locker.lock(HOT);
    }

    private static void watch() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName(PageLockerMXBean.NAME);
        await(() -> server.isRegistered(name));
        // Its last look-up comes after that.
        await(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("pagelock-jmx")));
        System.out.println("bean "
                + JMX.newMXBeanProxy(server, name, PageLockerMXBean.class).getOpenHandles());
    }

    /** The buffer of an arena that is confined to another thread; Java 17 compiles this. */
    private static void confined(PageLocker locker) throws Exception {
        Class<?> arenas = Class.forName("java.lang.foreign.Arena");
        Object[] buffer = new Object[1];
        Thread thread = new Thread(() -> {
            try {
                Object arena = arenas.getMethod("ofConfined").invoke(null);
                Object segment = arenas.getMethod("allocate", long.class).invoke(arena, 4096L);
                buffer[0] = Class.forName("java.lang.foreign.MemorySegment")
                        .getMethod("asByteBuffer")
                        .invoke(segment);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        });
        thread.start();
        thread.join();
        try (PageLock lock = locker.lock((ByteBuffer) buffer[0])) {
            throw new AssertionError(lock);
        } catch (RuntimeException e) {
            System.out.println("confined " + e.getClass().getSimpleName());
        }
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("not within two minutes");
            }
            System.gc();
            Thread.sleep(10);
        }
    }
}
