// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import com.godaddy.asherah.securememory.protectedmemoryimpl.linux.LinuxLibc;
import com.goterl.lazysodium.SodiumJava;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import io.pagelock.MemoryRange;
import io.pagelock.PageLocker;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import net.openhft.posix.PosixAPI;
import one.nio.os.Mem;
import org.apache.rocketmq.store.util.LibC;

/** A way to lock pages from Java. All but pagelock call mlock and munlock and keep no account. */
abstract class Peer {
    static final String PAGELOCK = "pagelock";

    private static final String FOREIGN_BINDING = ", foreign binding";

    /** The same without JNA. */
    static final String FOREIGN = PAGELOCK + FOREIGN_BINDING;

    /** The libraries that go through JNA, as pagelock does. */
    static final List<String> JNA = List.of("rocketmq-store", "asherah", "lazysodium");

    /** JNA with nothing around it. */
    static final List<String> PLAIN = List.of("JNA interface", "JNA direct");

    /** Those that go through hand-written or generated native code. */
    static final List<String> BARE = List.of("one-nio", "openhft posix", "JNR");

    static final String FFM = "foreign functions";

    /** What is measured. */
    static final String[] NAMES = {
        PAGELOCK,
        FOREIGN,
        "one-nio",
        "openhft posix",
        "JNR",
        "rocketmq-store",
        "asherah",
        "lazysodium",
        "JNA interface",
        "JNA direct",
        FFM
    };

    /** Whether this is a way to lock a page that the caller chooses, and keeps no account. */
    static boolean locksAnyPage(String name) {
        return !name.equals("lazysodium") && !name.startsWith(PAGELOCK);
    }

    static boolean available(String name) {
        return !name.equals(FFM) && !name.contains(FOREIGN_BINDING)
                || Runtime.version().feature() >= 22;
    }

    /** What a reader should know about a row. */
    static String note(String name) {
        switch (name) {
            case "openhft posix":
                return "has no munlock; JNR's is used";
            case "lazysodium":
                return "sodium_malloc and sodium_free, which also map and guard the page: its mlock takes a Java array and"
                        + " locks a copy of it";
            default:
                return "";
        }
    }

    static Peer named(String name) {
        switch (name) {
            case PAGELOCK:
            case FOREIGN:
                return new Pagelock(name);
            case "one-nio":
                return new OneNio();
            case "openhft posix":
                return new OpenHft();
            case "JNR":
                return new Jnr();
            case "rocketmq-store":
                return new Rocketmq();
            case "asherah":
                return new Asherah();
            case "lazysodium":
                return new Lazysodium();
            case "JNA interface":
                return new JnaInterface();
            case "JNA direct":
                return new JnaDirect();
            case FFM:
                return new ForeignFunctions();
            default:
                throw new IllegalArgumentException(name);
        }
    }

    /** Opens the locker of this JVM by the binding that a name means; others of this JVM may not have opened it before. */
    static PageLocker pagelock(String name) {
        String binding = name.contains(FOREIGN_BINDING) ? "foreign" : "jna";
        System.setProperty("io.pagelock.binding", binding);
        PageLocker locker = PageLocker.system();
        if (!locker.backendInfo().binding().equals(Optional.of(binding))) {
            throw new IllegalStateException(name + " has another binding: " + locker.backendInfo());
        }
        return locker;
    }

    abstract int lock(long address, long length);

    abstract int unlock(long address, long length);

    /** Locks and unlocks; the sum of the results. */
    int pair(long address, long length) {
        return lock(address, length) + unlock(address, length);
    }

    static final class Pagelock extends Peer {
        private final PageLocker locker;

        private Pagelock(String name) {
            locker = pagelock(name);
        }

        @Override
        int lock(long address, long length) {
            throw new UnsupportedOperationException("pagelock gives a handle");
        }

        @Override
        int unlock(long address, long length) {
            throw new UnsupportedOperationException("pagelock gives a handle");
        }

        @Override
        int pair(long address, long length) {
            locker.lock(MemoryRange.of(address, length)).close();
            return 0;
        }
    }

    static final class OneNio extends Peer {
        @Override
        int lock(long address, long length) {
            return Mem.mlock(address, length);
        }

        @Override
        int unlock(long address, long length) {
            return Mem.munlock(address, length);
        }
    }

    /** What jnr-ffi makes an implementation of. */
    public interface JnrC {
        int mlock(long address, long length);

        int munlock(long address, long length);
    }

    static final class Jnr extends Peer {
        private static final JnrC C = LibraryLoader.create(JnrC.class).load("c");

        @Override
        int lock(long address, long length) {
            return C.mlock(address, length);
        }

        @Override
        int unlock(long address, long length) {
            return C.munlock(address, length);
        }
    }

    static final class OpenHft extends Peer {
        private static final PosixAPI API = PosixAPI.posix();
        private final Jnr jnr = new Jnr();

        @Override
        int lock(long address, long length) {
            return API.mlock(address, length) ? 0 : -1;
        }

        @Override
        int unlock(long address, long length) {
            return jnr.unlock(address, length);
        }
    }

    static final class Rocketmq extends Peer {
        @Override
        int lock(long address, long length) {
            return LibC.INSTANCE.mlock(new Pointer(address), new NativeLong(length));
        }

        @Override
        int unlock(long address, long length) {
            return LibC.INSTANCE.munlock(new Pointer(address), new NativeLong(length));
        }
    }

    static final class Asherah extends Peer {
        private final LinuxLibc libc = new LinuxLibc();

        @Override
        int lock(long address, long length) {
            return libc.mlock(new Pointer(address), new NativeLong(length));
        }

        @Override
        int unlock(long address, long length) {
            return libc.munlock(new Pointer(address), new NativeLong(length));
        }
    }

    static final class Lazysodium extends Peer {
        private final SodiumJava sodium = new SodiumJava();

        @Override
        int lock(long address, long length) {
            throw new UnsupportedOperationException("locks only its own memory");
        }

        @Override
        int unlock(long address, long length) {
            throw new UnsupportedOperationException("locks only its own memory");
        }

        @Override
        int pair(long address, long length) {
            Pointer own = sodium.sodium_malloc((int) length);
            sodium.sodium_free(own);
            return own == null ? -1 : 0;
        }
    }

    /** What JNA makes an implementation of. */
    public interface JnaC extends Library {
        int mlock(Pointer address, NativeLong length);

        int munlock(Pointer address, NativeLong length);
    }

    static final class JnaInterface extends Peer {
        private static final JnaC C = Native.load("c", JnaC.class);

        @Override
        int lock(long address, long length) {
            return C.mlock(new Pointer(address), new NativeLong(length));
        }

        @Override
        int unlock(long address, long length) {
            return C.munlock(new Pointer(address), new NativeLong(length));
        }
    }

    static final class JnaDirect extends Peer {
        static {
            Native.register(JnaDirect.class, "c");
        }

        private static native int mlock(long address, long length);

        private static native int munlock(long address, long length);

        @Override
        int lock(long address, long length) {
            return mlock(address, length);
        }

        @Override
        int unlock(long address, long length) {
            return munlock(address, length);
        }
    }

    /** The foreign-function API, by reflection, since this is compiled for older JVMs as well. */
    static final class ForeignFunctions extends Peer {
        private static final MethodHandle MLOCK = downcall("mlock");
        private static final MethodHandle MUNLOCK = downcall("munlock");

        private static MethodHandle downcall(String name) {
            try {
                Class<?> linkers = Class.forName("java.lang.foreign.Linker");
                Class<?> layouts = Class.forName("java.lang.foreign.MemoryLayout");
                Class<?> segments = Class.forName("java.lang.foreign.MemorySegment");
                Class<?> descriptors = Class.forName("java.lang.foreign.FunctionDescriptor");
                Class<?> values = Class.forName("java.lang.foreign.ValueLayout");
                Class<?> options = Class.forName("java.lang.foreign.Linker$Option");
                Class<?> lookups = Class.forName("java.lang.foreign.SymbolLookup");
                Object linker = linkers.getMethod("nativeLinker").invoke(null);
                Object lookup = linkers.getMethod("defaultLookup").invoke(linker);
                Object symbol =
                        ((Optional<?>) lookups.getMethod("find", String.class).invoke(lookup, name)).orElseThrow();
                Object size = values.getField("JAVA_LONG").get(null);
                Object parameters = Array.newInstance(layouts, 2);
                Array.set(parameters, 0, size);
                Array.set(parameters, 1, size);
                Object descriptor = descriptors
                        .getMethod("of", layouts, parameters.getClass())
                        .invoke(null, values.getField("JAVA_INT").get(null), parameters);
                Object none = Array.newInstance(options, 0);
                Method downcall = linkers.getMethod("downcallHandle", segments, descriptors, none.getClass());
                return (MethodHandle) downcall.invoke(linker, symbol, descriptor, none);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        int lock(long address, long length) {
            try {
                return (int) MLOCK.invokeExact(address, length);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        int unlock(long address, long length) {
            try {
                return (int) MUNLOCK.invokeExact(address, length);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
