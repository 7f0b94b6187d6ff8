// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.LimitValue;
import io.pagelock.Reason;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.ProcWitness;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import io.pagelock.spi.MemoryGuard;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The kernel of this machine for the contract of backends; {@link Witness} sees what is locked. What a process may do, such
 * as lower its limit, depends on the {@link Life} it has.
 */
final class LinuxHarness implements Harness {
    /** Set in a JVM whose address space may be locked as a whole. */
    static final String ALONE = "pagelock.alone";

    private static final long PAGE = Libc.getpagesize();
    private static final int RW = Libc.PROT_READ | Libc.PROT_WRITE;
    private static final Backend BACKEND = new LinuxProvider().open(Host.current());

    private final Set<Ability> abilities = EnumSet.of(
            Ability.SEE_LOCKED,
            Ability.SEE_RESIDENT,
            Ability.TELL_ABSENT,
            Ability.SEE_ON_FAULT,
            Ability.SEE_LOCKED_BYTES,
            Ability.SEE_LIMIT,
            Ability.REMAP,
            Ability.PROTECT,
            Ability.TRUNCATE,
            Ability.SHORTEN_LOCKED,
            Ability.SEE_GUARDS,
            Ability.PROVIDE);

    private final long[] limits = Libc.getrlimit(Libc.RLIMIT_MEMLOCK);
    private final boolean privileged;
    private final TreeMap<Long, Long> mapped = new TreeMap<>();
    private final Map<Long, Integer> files = new HashMap<>();

    LinuxHarness() {
        boolean namespace = !link("/proc/self/ns/user").equals("user:[4026531837]");
        privileged = !namespace && (Long.parseUnsignedLong(Witness.status("CapEff"), 16) >>> 14 & 1) == 1;
        if (!privileged) {
            abilities.add(Ability.FORBID);
            if (limits[1] == -1 || limits[1] >= 16 * PAGE) {
                abilities.add(Ability.SET_LIMIT);
                if (limits[1] == -1) {
                    abilities.add(Ability.SET_UNLIMITED);
                }
            }
        }
        // With future locking under a small limit the JVM itself ends: it cannot map memory any more.
        if (Boolean.getBoolean(ALONE) && (privileged || limits[0] == -1)) {
            abilities.add(Ability.LOCK_ADDRESS_SPACE);
        }
        if (Fork.IS_POSSIBLE) {
            abilities.add(Ability.FORK);
        }
        String[] release = System.getProperty("os.version").split("[.-]");
        if (Integer.parseInt(release[0]) * 1000 + Integer.parseInt(release[1]) >= 6011) {
            abilities.add(Ability.MAP_UNLOCKABLE);
        }
    }

    private static String link(String name) {
        try {
            return Files.readSymbolicLink(Path.of(name)).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Set<Ability> abilities() {
        return Collections.unmodifiableSet(abilities);
    }

    @Override
    public Backend backend() {
        return BACKEND;
    }

    @Override
    public BackendProvider provider() {
        return new LinuxProvider();
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public long room() {
        long soft = Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0];
        return privileged || soft == -1 ? Long.MAX_VALUE : Math.max(0, soft - Witness.lockedBytes());
    }

    @Override
    public Reason refusal() {
        return Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0] == 0 ? Reason.NOT_PERMITTED : Reason.OVER_LIMIT;
    }

    @Override
    public LimitValue limit() {
        long soft = Libc.getrlimit(Libc.RLIMIT_MEMLOCK)[0];
        return soft == -1 ? LimitValue.unlimited() : LimitValue.ofBytes(soft);
    }

    @Override
    public void setLimit(long bytes) {
        Libc.setrlimit(Libc.RLIMIT_MEMLOCK, bytes == Long.MAX_VALUE ? -1 : bytes, limits[1]);
    }

    @Override
    public void forbid(boolean value) {
        Libc.setrlimit(Libc.RLIMIT_MEMLOCK, value ? 0 : limits[0], limits[1]);
    }

    @Override
    public long map(long pages) {
        long all = Libc.mmap(0, (pages + 2) * PAGE, RW, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        Libc.munmap(all, PAGE);
        Libc.munmap(all + (pages + 1) * PAGE, PAGE);
        mapped.put(all + PAGE, pages);
        return all + PAGE;
    }

    @Override
    public long mapUnlockable(long pages) {
        long at = Libc.mmap(0, pages * PAGE, RW, Libc.MAP_ANONYMOUS | Libc.MAP_DROPPABLE, -1, 0);
        mapped.put(at, pages);
        return at;
    }

    @Override
    public long mapFile(long pages) {
        try {
            Path file = Files.createTempFile("pagelock", ".contract");
            Files.write(file, new byte[(int) (pages * PAGE)]);
            int fd = Libc.open(file, true);
            Files.delete(file);
            long at = Libc.mmap(0, pages * PAGE, RW, Libc.MAP_SHARED, fd, 0);
            mapped.put(at, pages);
            files.put(at, fd);
            return at;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void truncate(long address, long pages) {
        Libc.ftruncate(files.get(address), pages * PAGE);
    }

    @Override
    public void remap(long address, long pages) {
        Libc.mmap(address, pages * PAGE, RW, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_FIXED, -1, 0);
    }

    @Override
    public void unmap(long address, long pages) {
        Libc.munmap(address, pages * PAGE);
    }

    @Override
    public void protect(long address, long pages) {
        Libc.mprotect(address, pages * PAGE, Libc.PROT_NONE);
    }

    @Override
    public void touch(long address) {
        Libc.touch(address);
    }

    @Override
    public boolean isLocked(long address) {
        return Witness.locked(address);
    }

    @Override
    public boolean isResident(long address) {
        return Witness.present(address);
    }

    @Override
    public boolean isOnFault(long address) {
        return Witness.onFault(address);
    }

    @Override
    public boolean isGuarded(long address, MemoryGuard guard) {
        return ProcWitness.isGuarded(address, guard);
    }

    @Override
    public int childReads(long address) {
        return Fork.childReads(address);
    }

    @Override
    public long lockedBytes() {
        return Witness.lockedBytes();
    }

    @Override
    public void close() {
        Libc.setrlimit(Libc.RLIMIT_MEMLOCK, limits[0], limits[1]);
        Libc.munlockall();
        // Stays reserved, since a locker of an earlier test may still unlock what it held there.
        mapped.forEach((address, pages) -> Libc.mmap(
                address,
                pages * PAGE,
                Libc.PROT_NONE,
                Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_FIXED | Libc.MAP_NORESERVE,
                -1,
                0));
        files.values().forEach(Libc::close);
    }
}
