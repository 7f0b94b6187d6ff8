// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import com.sun.jna.Pointer;
import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.backend.testkit.standin.StandInHarness;
import io.pagelock.spi.Host;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** The stand-in for FreeBSD, see standin.c, and backends over it. */
final class FreeBsd {
    static final long PAGE = 4096;
    /** The data model is that of this JVM, for which the stand-in is compiled. */
    static final int BITS = Host.current().bits();

    static final Host HOST = new Host("FreeBSD", "15.1-RELEASE-p1", BITS == 64 ? "amd64" : "i386", BITS);
    static final AioLayout LAYOUT = AioLayout.of(HOST);

    private static StandIn once;

    private FreeBsd() {}

    /** The one of this process, with all knobs as they were initially. */
    static synchronized StandIn standIn() {
        // Not by a class's initializer, which would make an error of a test that is to be skipped.
        if (once == null) {
            once = StandIn.of(Path.of("src/test/c/standin.c"), "-Wl,-Bsymbolic");
        }
        once.reset();
        return once;
    }

    /** Sets all knobs as they were initially; what is mapped and locked stays so. */
    static void reboot() {
        once.call("standin_boot");
    }

    static CLibrary libc() {
        return CLibrary.open(Host.current(), once.file().toString());
    }

    static FreeBsdBackend open() {
        standIn();
        return backend();
    }

    /** No time passes for it, so that no job is called off because this machine stalls. */
    static FreeBsdBackend backend() {
        return backend(() -> 1);
    }

    static FreeBsdBackend backend(LongSupplier clock) {
        return FreeBsdBackend.over(libc(), HOST, clock);
    }

    /** @param tellsAbsent whether FreeBSD knows that a page is absent, which it does not by default */
    static StandInHarness harness(boolean tellsAbsent) {
        StandInHarness harness = new StandInHarness(standIn(), backend(), new FreeBsdProvider(), "mlock", "munlock", 1)
                .with(Ability.PROTECT, Ability.TRUNCATE, Ability.SHORTEN_LOCKED, Ability.LOCK_ADDRESS_SPACE)
                .withUnlockAll("munlockall")
                .withLimit("limit_cur")
                .withSystemLimit("maximum_bytes")
                .withPermission("unprivileged_mlock")
                .withRefusal(12);
        once.set("euid", 1001);
        once.set("mincore_mapped", tellsAbsent ? 0 : 1);
        // The maximum of the system would skip the tests of the address space, since a JVM has reserved more than that.
        once.set("max_user_wired", -1);
        return tellsAbsent ? harness : harness.without(Ability.TELL_ABSENT);
    }

    /** Puts a job into the queue as other code of the process would. Its control block is never reaped. */
    static int submitForeign(Pointer block, long address, long length) {
        block.clear(LAYOUT.size);
        block.setPointer(LAYOUT.buf, new Pointer(address));
        block.setPointer(LAYOUT.nbytes, new Pointer(length));
        return (int) once.call("aio_mlock", block);
    }
}
