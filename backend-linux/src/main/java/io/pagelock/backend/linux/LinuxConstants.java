// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.support.ErrnoTable;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The numbers of Linux, which differ between processors. Source: the kernel's own headers for each of them, Linux 6.1,
 * {@code asm/mman.h}, {@code asm/resource.h}, {@code asm/errno.h}; compared with golang/sys where that has the processor.
 */
enum LinuxConstants {
    /** {@code asm-generic}: also all that is not named below but known to {@link #forArch}. */
    GENERIC(LinuxErrno.GENERIC, new Mcl(1, 2, 4), new Ms(1, 2, 4), 8),
    POWERPC(LinuxErrno.GENERIC, new Mcl(0x2000, 0x4000, 0x8000), new Ms(1, 2, 4), 8),
    MIPS(LinuxErrno.MIPS, new Mcl(1, 2, 4), new Ms(1, 2, 4), 9),
    SPARC(LinuxErrno.SPARC, new Mcl(0x2000, 0x4000, 0x8000), new Ms(1, 2, 4), 8),
    ALPHA(LinuxErrno.ALPHA, new Mcl(0x2000, 0x4000, 0x8000), new Ms(1, 4, 2), 9);

    /** The same everywhere. */
    static final int MLOCK_ONFAULT = 1;

    /** The same everywhere, Linux 5.14: asm-generic/mman-common.h, and asm/mman.h of the four that do not use it. */
    static final int MADV_POPULATE_READ = 22;

    static final int MADV_POPULATE_WRITE = 23;

    final ErrnoTable errno;
    final int mclCurrent;
    final int mclFuture;
    final int mclOnfault;
    final int msAsync;
    final int msInvalidate;
    final int msSync;
    final int rlimitMemlock;

    LinuxConstants(ErrnoTable errno, Mcl mcl, Ms ms, int rlimitMemlock) {
        this.errno = errno;
        this.mclCurrent = mcl.current;
        this.mclFuture = mcl.future;
        this.mclOnfault = mcl.onfault;
        this.msAsync = ms.async;
        this.msInvalidate = ms.invalidate;
        this.msSync = ms.sync;
        this.rlimitMemlock = rlimitMemlock;
    }

    /**
     * Finds the numbers for a JVM's processor.
     *
     * @param arch as {@code os.arch} gives it
     * @return the numbers; empty if the processor is not known, for which there is no default
     */
    static Optional<LinuxConstants> forArch(String arch) {
        switch (arch.toLowerCase(Locale.ROOT)) {
            case "x86":
            case "i386":
            case "i486":
            case "i586":
            case "i686":
            case "amd64":
            case "x86_64":
            case "x86-64":
            case "aarch64":
            case "arm64":
            case "arm":
            case "armel":
            case "armhf":
            case "riscv64":
            case "s390x":
            case "loongarch64":
                return Optional.of(GENERIC);
            case "ppc":
            case "powerpc":
            case "ppc64":
            case "powerpc64":
            case "ppc64le":
            case "ppc64el":
            case "powerpc64le":
                return Optional.of(POWERPC);
            case "mips":
            case "mipsel":
            case "mips64":
            case "mips64el":
                return Optional.of(MIPS);
            case "sparc":
            case "sparc64":
            case "sparcv9":
                return Optional.of(SPARC);
            case "alpha":
                return Optional.of(ALPHA);
            default:
                return Optional.empty();
        }
    }

    /** What of the numbers is not confirmed for a processor that {@link #forArch} knows. */
    static List<String> unconfirmed(String arch) {
        return arch.equalsIgnoreCase("sparc")
                ? Collections.singletonList(
                        "for 32-bit sparc only MCL_ and RLIMIT_MEMLOCK are confirmed; MS_ and errno are"
                                + " those of sparc64, whose headers are the same")
                : Collections.emptyList();
    }

    /** The processors, as a message names them. */
    static List<String> processors() {
        return Arrays.asList(
                "x86",
                "amd64",
                "aarch64",
                "arm",
                "riscv64",
                "s390x",
                "loongarch64",
                "ppc",
                "ppc64",
                "ppc64le",
                "mips",
                "mipsel",
                "mips64",
                "mips64el",
                "sparc",
                "sparc64",
                "alpha");
    }

    private static final class Mcl {
        final int current;
        final int future;
        final int onfault;

        Mcl(int current, int future, int onfault) {
            this.current = current;
            this.future = future;
            this.onfault = onfault;
        }
    }

    private static final class Ms {
        final int async;
        final int invalidate;
        final int sync;

        Ms(int async, int invalidate, int sync) {
            this.async = async;
            this.invalidate = invalidate;
            this.sync = sync;
        }
    }
}
