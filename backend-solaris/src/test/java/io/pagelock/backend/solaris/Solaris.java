// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The stand-in for Solaris, and backends over it. */
final class Solaris {
    private static final boolean WIDE = Host.current().bits() == 64;
    /** The data model is that of this JVM, for which the stand-in is compiled. */
    static final Host HOST = new Host("SunOS", "5.11", WIDE ? "amd64" : "x86", WIDE ? 64 : 32);

    private static Solaris once;

    final StandIn standIn;
    /** Ends the access to /proc. */
    boolean blind;

    private final CLibrary library;
    private final CLibrary kstat;
    /** Held, since JNA closes a library that nobody refers to, and its knobs are gone with it. */
    private final NativeLibrary knobs;

    private Solaris(StandIn standIn, Path kstat) {
        this.standIn = standIn;
        this.kstat = CLibrary.open(Host.current(), kstat.toString());
        knobs = NativeLibrary.getInstance(kstat.toString());
        library = CLibrary.open(Host.current(), standIn.file().toString());
    }

    /** The one of this process, with all knobs as they were initially. */
    static synchronized Solaris open() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (once == null) {
            Path kstat = StandIn.compile(Path.of("src/test/c/kstat.c"));
            once = new Solaris(StandIn.of(Path.of("src/test/c/solaris.c")), kstat);
        }
        once.blind = false;
        once.standIn.reset();
        once.available(1 << 30);
        return once;
    }

    /** Sets the pages that the statistics of the kernel call available. */
    void available(long pages) {
        knobs.getFunction("standin_available").invokeVoid(new Object[] {Pointer.createConstant(pages)});
    }

    SolarisBackend memcntl() {
        return (SolarisBackend) SolarisProvider.backend(library, null, () -> kstat, files, HOST);
    }

    SolarisBackend withoutKstat() {
        return (SolarisBackend) SolarisProvider.backend(
                library,
                null,
                () -> {
                    throw PageLockException.because(Reason.NOT_SUPPORTED).build();
                },
                files,
                HOST);
    }

    SolarisBackend mctl() {
        return (SolarisBackend) SolarisProvider.backend(library, library, () -> kstat, files, HOST);
    }

    final ProcFiles files = new ProcFiles() {
        @Override
        public Optional<byte[]> read(String name) {
            if (blind) {
                return Optional.empty();
            }
            byte[] buffer = new byte[1 << 20];
            int length = (int) standIn.call(
                    "standin_proc", name.equals("xmap") ? 1 : 0, buffer, Pointer.createConstant(buffer.length));
            return Optional.of(Arrays.copyOf(buffer, length));
        }

        @Override
        public long objectSize(String name) {
            return standIn.call("standin_object_size", name);
        }
    };
}
