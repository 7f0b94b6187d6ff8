// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.freebsd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.Errno;
import io.pagelock.backend.testkit.FakeAio;
import io.pagelock.backend.testkit.FakeAio.Block;
import io.pagelock.backend.testkit.FakeAio.Cancel;
import io.pagelock.backend.testkit.FakeKernel;
import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.MapRefusedException;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules;
import io.pagelock.backend.testkit.KernelRules.Trait;
import io.pagelock.backend.testkit.Recorded;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The fake kernel answers as FreeBSD 15.1 did, row by row: the table is that of the stand-in, see {@code GoldenTest}. What it
 * has no call for is named here with the reason, so that every row is one or the other.
 */
class FakeKernelGoldenTest {
    private static final long P = 4096;
    private static final long UNLIMITED = Long.MAX_VALUE;
    /** Longer than any job takes, and never waited for. */
    private static final long PATIENCE = 20_000;

    /** Beginnings of keys, and why the fake kernel cannot be asked. */
    private static final Map<String, String> NOT_EXPRESSED = new LinkedHashMap<>();

    static {
        String sysctl = "there is no sysctl; a test sets what it wants";
        NOT_EXPRESSED.put("layout.", "there are no structures");
        NOT_EXPRESSED.put("default.pagesizes", "there is one page size");
        NOT_EXPRESSED.put("default.max_user_wired", sysctl);
        NOT_EXPRESSED.put("default.old_mlock", sysctl);
        NOT_EXPRESSED.put("default.mlock_allowed", sysctl);
        NOT_EXPRESSED.put("max_user_wired.set", sysctl);
        String notification = "the end of a job is told by a callback, not by a signal or an event";
        NOT_EXPRESSED.put("aio.SIGEV_", notification);
        NOT_EXPRESSED.put("aio.signal", notification);
        NOT_EXPRESSED.put("aio.ignored members", "a control block has no member that the kernel ignores");
        NOT_EXPRESSED.put("aio.opcode not changed", "a control block has no opcode");
        NOT_EXPRESSED.put("aio.bad pointer", "a reference is good or null");
        NOT_EXPRESSED.put("lio_listio", "there is no lio_listio");
        NOT_EXPRESSED.put("exit with a job pending", "a process does not exit; it is forgotten");
        String kind = "a mapping is accessible or not, and of no kind but those of FakeKernel.Kind";
        NOT_EXPRESSED.put("mlock.MAP_", kind);
        NOT_EXPRESSED.put("munlock.MAP_GUARD", kind);
        NOT_EXPRESSED.put("mlock.PROT_READ anonymous", kind);
        NOT_EXPRESSED.put("mlock.file shared read-only", kind);
        NOT_EXPRESSED.put("mlock.anonymous shared", kind);
        NOT_EXPRESSED.put("madvise of locked", "there is no madvise, and pages have no content");
        NOT_EXPRESSED.put("minherit and NOCORE of locked", "there is no minherit");
        NOT_EXPRESSED.put("POSIX shared memory past its end", kind);
        NOT_EXPRESSED.put("rctl", "there is no rctl; its rules are as the limit");
        NOT_EXPRESSED.put("mincore of locked", "mincore says only whether a page is resident");
        NOT_EXPRESSED.put("capsicum", "there is no capability mode");
    }

    private final Map<String, String> answers = new LinkedHashMap<>();
    private FakeKernel kernel;
    private FakeAio aio;
    private long m;

    @TestFactory
    Stream<DynamicTest> theFakeKernelAnswersAsFreeBsdDid() throws InterruptedException {
        defaults();
        jobs();
        jobsThatFail();
        queue();
        waitComplete();
        jobsThatAreDisturbed();
        ranges();
        kinds();
        limits();
        rights();
        all();
        gaps();
        Map<String, String> recorded = Recorded.of("freebsd");
        Set<String> keys = new LinkedHashSet<>(recorded.keySet());
        keys.addAll(answers.keySet());
        keys.removeIf(key -> !answers.containsKey(key) && isNotExpressed(key));
        return keys.stream()
                .map(key -> DynamicTest.dynamicTest(key, () -> assertEquals(recorded.get(key), answers.get(key))));
    }

    @Test
    void whatTheRulesCiteAsRecordedIsInTheTable() {
        KernelRules.of("freebsd").sources().forEach((what, source) -> {
            if (source.startsWith("recorded: ")) {
                assertTrue(
                        Recorded.of("freebsd").containsKey(source.substring(10)),
                        what + " cites the unknown row " + source);
            }
        });
    }

    /** A reason that no row needs any more must go. */
    @Test
    void everyReasonConcernsARowThatIsNotAsked() throws InterruptedException {
        long asked = theFakeKernelAnswersAsFreeBsdDid().count();
        NOT_EXPRESSED.forEach((key, reason) -> {
            assertTrue(Recorded.of("freebsd").keySet().stream().anyMatch(row -> row.startsWith(key)), key);
            assertFalse(answers.keySet().stream().anyMatch(row -> row.startsWith(key)), key);
        });
        long left = Recorded.of("freebsd").keySet().stream()
                .filter(FakeKernelGoldenTest::isNotExpressed)
                .count();
        assertEquals(Recorded.of("freebsd").size(), asked + left);
    }

    private static boolean isNotExpressed(String key) {
        return NOT_EXPRESSED.keySet().stream().anyMatch(key::startsWith);
    }

    // Scene and words

    private void start() {
        start(KernelRules.of("freebsd"), true);
    }

    private void start(KernelRules rules, boolean root) {
        kernel = new FakeKernel(rules);
        kernel.setPrivileged(root);
        aio = kernel.aio();
        m = kernel.map(512, Kind.ANONYMOUS);
    }

    private void row(String key, Object... parts) {
        StringBuilder text = new StringBuilder();
        for (Object part : parts) {
            text.append(part instanceof Errno ? result((Errno) part) : part.toString());
        }
        answers.put(key, text.toString());
    }

    /** As C code sees the result of a call. */
    private static String result(Errno errno) {
        return errno == Errno.OK ? "0" : "-1/" + errno;
    }

    /** As aio_error returns it. */
    private static String number(Errno errno) {
        return errno == Errno.OK ? "0" : errno.name();
    }

    private long wired() {
        return kernel.lockedBytes() / P;
    }

    private int wired(long address, long pages) {
        for (long page = 0; page < pages; page++) {
            if (kernel.mode(address + page * P) != Mode.FULL) {
                return 0;
            }
        }
        return 1;
    }

    private Errno mlockall(Flag... flags) {
        EnumSet<Flag> set = EnumSet.noneOf(Flag.class);
        set.addAll(List.of(flags));
        return kernel.mlockall(set);
    }

    private Block block(long address, long length) {
        return new Block(address, length, -1);
    }

    private Errno submit(Block block) {
        return aio.mlock(block, () -> {});
    }

    private Errno end(Block block) {
        aio.suspend(new Block[] {block}, 1, PATIENCE);
        return aio.error(block);
    }

    private void life(String key, Block block) {
        Errno submitted = submit(block);
        if (submitted != Errno.OK) {
            row(key, "submit ", submitted);
            return;
        }
        Errno error = end(block);
        row(key, "submit 0; ", number(error), "; return ", aio.aioReturn(block));
    }

    // Rows, in the order of golden.c

    private void defaults() {
        start();
        row("default.pagesize", kernel.rules().pageSize());
        row("default.unprivileged_mlock", KernelRules.of("freebsd").has(Trait.PRIVILEGE_IS_NEEDED) ? 0 : 1);
        int own = 0;
        while (submit(block(m, 0)) == Errno.OK) {
            own++;
        }
        row("default.max_aio_queue_per_proc", own);
        start();
        aio.setLimit(Integer.MAX_VALUE);
        int all = 0;
        while (submit(block(m, 0)) == Errno.OK) {
            all++;
        }
        row("default.max_aio_queue", all);
    }

    private void jobs() throws InterruptedException {
        start();
        Block cb = block(m, P);
        row("aio_suspend before any use", aio.suspend(new Block[] {cb}, 1, 0));
        row("aio.never submitted", number(aio.error(cb)), "; return ", aio.aioReturn(cb));

        aio.hold(true);
        row("aio.submit", submit(cb), ", ", number(aio.error(cb)));
        row("aio.return in progress", aio.aioReturn(cb), ", then ", number(aio.error(cb)));
        row("aio_suspend pending", aio.suspend(new Block[] {cb}, 1, 0));
        int file = aio.open();
        int other = aio.open();
        Block withFile = new Block(m + P, P, file);
        submit(withFile);
        while (aio.queued() > 0) {
            Thread.sleep(1);
        }
        row(
                "aio_cancel running",
                cancel(file, withFile),
                ", other ",
                cancel(other, withFile),
                ", closed ",
                cancel(999, withFile));
        List<Block> many = new ArrayList<>();
        // Of 32 threads, two are busy with the jobs above.
        List<Block> busy = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            busy.add(block(m + 2 * P, P));
            submit(busy.get(i));
        }
        while (aio.queued() > 0) {
            Thread.sleep(1);
        }
        int calledOff = 0;
        int ended = 0;
        for (int i = 0; i < 40; i++) {
            many.add(new Block(m + 2 * P, P, file));
            submit(many.get(i));
        }
        for (Block each : many) {
            calledOff += aio.cancel(file, each) == Cancel.CANCELED ? 1 : 0;
            ended += aio.error(each) == Errno.ECANCELED ? 1 : 0;
        }
        row("aio_cancel queued", "1 for ", calledOff, " of 40, ECANCELED at once ", ended);
        row("aio_cancel all of a descriptor", cancel(file, null));
        Block copy = cb.copy();
        row("aio.copy elsewhere", number(aio.error(copy)), "; return ", aio.aioReturn(copy));
        row("aio.forked child", number(kernel.fork().aio().aioReturn(cb)));
        aio.hold(false);
        end(cb);
        many.forEach(aio::aioReturn);
        for (Block each : busy) {
            end(each);
            aio.aioReturn(each);
        }
        end(withFile);
        row("aio_cancel done, no match or none", cancel(file, null));
        aio.aioReturn(withFile);
        row("aio_suspend completed", aio.suspend(new Block[] {cb}, 1, PATIENCE));
        Errno error = aio.error(cb);
        row("aio.success", number(error), "; return ", aio.aioReturn(cb), ", locked ", wired(m, 1));
        row("aio.return twice", aio.aioReturn(cb));
        row("aio.error after return", number(aio.error(cb)));
        row(
                "aio_suspend others",
                "returned ",
                aio.suspend(new Block[] {cb}, 1, PATIENCE),
                ", NULL ",
                aio.suspend(new Block[] {null}, 1, PATIENCE),
                ", n=0 ",
                aio.suspend(new Block[] {cb}, 0, PATIENCE),
                ", n=-1 ",
                aio.suspend(new Block[] {cb}, -1, PATIENCE),
                ", n=1000000 ",
                aio.suspend(new Block[] {cb}, 1_000_000, PATIENCE));
    }

    private String cancel(int file, Block block) {
        Cancel answer = aio.cancel(file, block);
        return answer == Cancel.BAD_FILE ? "-1/EBADF" : String.valueOf(answer.ordinal());
    }

    private void jobsThatFail() {
        start();
        long hole = kernel.map(3, Kind.ANONYMOUS);
        kernel.unmap(hole + P, 1);
        Block cb = block(hole + P, P);
        life("aio.unmapped", cb);
        row("aio.error after failed job's return", number(aio.error(cb)));
        life("aio.hole", block(hole, 3 * P));
        kernel.setLimit(4 * P);
        life("aio.over limit", block(m, 5 * P));
        kernel.mlock(m, 4 * P);
        life("aio.same pages over limit", block(m, 4 * P));
        kernel.munlockall();
        kernel.setLimit(UNLIMITED);
        kernel.setSystemLimit(0);
        life("aio.over max_user_wired", block(m, P));
        kernel.setSystemLimit(UNLIMITED);
        life("aio.overflow", block(-1 - 8 * P, 16 * P));
        Block tooLong = block(m, Long.MIN_VALUE);
        life("aio.nbytes over SSIZE_MAX", tooLong);
        row("aio.refused submit", number(aio.error(tooLong)), "; return ", aio.aioReturn(tooLong));
        life("aio.nbytes SSIZE_MAX", block(m, Long.MAX_VALUE));
        life("aio.empty", block(m, 0));
        life("aio.empty unaligned", block(m + 5, 0));
        row("aio.empty unaligned wires", wired());
        row("aio.NULL", submit(null));
    }

    private void queue() {
        start();
        aio.hold(true);
        List<Block> many = new ArrayList<>();
        Errno refused;
        while (true) {
            Block next = block(m + many.size() * P, P);
            refused = submit(next);
            if (refused != Errno.OK) {
                break;
            }
            many.add(next);
        }
        aio.hold(false);
        many.forEach(this::end);
        Block last = block(m + 300 * P, P);
        Errno allDone = submit(last);
        aio.aioReturn(many.get(0));
        row("aio.queue full", many.size(), ", then ", refused, "; all done ", allDone, "; one returned ", submit(last));
        start();
        aio.setOthers(1023);
        submit(block(m, P));
        row("aio.1025th over all", submit(block(m, P)));
    }

    private void waitComplete() {
        start();
        Block[] out = {block(m, P)};
        row("aio_waitcomplete none, 0", aio.waitComplete(out, 0), ", ", out[0] == null ? "NULL" : "?");
        out[0] = block(m, P);
        // The time makes no difference to a process that has no job.
        row("aio_waitcomplete none, 1 s", aio.waitComplete(out, 10), ", ", out[0] == null ? "NULL" : "?");
        Block cb = block(m, P);
        submit(cb);
        Errno result = aio.waitComplete(out, PATIENCE);
        row("aio_waitcomplete", result, ", ", out[0] == cb ? "aiocb" : "?", "; return ", aio.aioReturn(cb));
        Block failing = block(m - P, P);
        submit(failing);
        result = aio.waitComplete(out, PATIENCE);
        row("aio_waitcomplete failed", result, ", ", out[0] == failing ? "aiocb" : "?");
    }

    private void jobsThatAreDisturbed() throws InterruptedException {
        start();
        aio.hold(true);
        Block cb = block(m, P);
        Errno first = submit(cb);
        Errno again = submit(cb);
        aio.hold(false);
        Errno[] results = new Errno[3];
        for (int i = 0; i < 3; i++) {
            end(cb);
            results[i] = aio.aioReturn(cb);
        }
        row("aio.same aiocb twice", first, ", ", again, "; return ", results[0], ", ", results[1], ", ", results[2]);

        aio.hold(true);
        cb = block(m, P);
        submit(cb);
        cb.overwrite(0xa5a5a5a5a5a5a5a5L);
        Errno error = aio.error(cb);
        aio.hold(false);
        row("aio.overwritten", number(error), ", ", number(end(cb)), "; return ", aio.aioReturn(cb));
        kernel.munlockall();

        long gone = kernel.map(64, Kind.ANONYMOUS);
        aio.hold(true);
        cb = block(gone, 64 * P);
        submit(cb);
        kernel.unmap(gone, 64);
        aio.hold(false);
        row("aio.munmap during the job", number(end(cb)), ", ", wired());
        aio.hold(true);
        cb = block(m, P);
        submit(cb);
        Errno unlocked = kernel.munlock(m, P);
        aio.hold(false);
        row("aio.munlock during the job", unlocked, ", ", number(end(cb)), ", locked ", wired(m, 1));
    }

    private void ranges() {
        start();
        row("mlock.unaligned", kernel.mlock(m + 100, 1), ", ", wired());
        kernel.munlock(m, 8 * P);
        row("mlock.straddling", kernel.mlock(m + P - 1, 2), ", ", wired());
        row("munlock.other address in page", kernel.munlock(m + P + 17, 1), ", ", wired());
        kernel.munlock(m, 8 * P);

        long hole = kernel.map(3, Kind.ANONYMOUS);
        kernel.unmap(hole + P, 1);
        row("mlock.empty aligned", kernel.mlock(m, 0), ", ", wired());
        row("mlock.empty null", kernel.mlock(0, 0));
        row("mlock.empty unmapped", kernel.mlock(hole + P, 0));
        row("mlock.empty unaligned", kernel.mlock(m + 5, 0), ", ", wired());
        kernel.munlock(m, 8 * P);
        row("mlock.empty unaligned unmapped", kernel.mlock(hole + P + 5, 0));

        row("mlock.hole", kernel.mlock(hole, 3 * P), ", ", wired());
        kernel.mlock(hole, P);
        kernel.mlock(hole + 2 * P, P);
        row("mlock.hole, parts locked before", kernel.mlock(hole, 3 * P), ", ", wired());
        row("munlock.hole", kernel.munlock(hole, 3 * P), ", ", wired());
        kernel.munlock(hole, P);
        kernel.munlock(hole + 2 * P, P);
        row("mlock.overflow", kernel.mlock(m, -m + P));
        row("munlock.overflow", kernel.munlock(m, -m + P));
        row("mlock.size max", kernel.mlock(m, -1));
        row("munlock.size max", kernel.munlock(m, -1));
        row("mlock.null", kernel.mlock(0, 1));
        row("mlock.kernel address", kernel.mlock(0xffffffff81000000L, 1));
        row("mlock.2^62", kernel.mlock(m, 1L << 62));
        row("munlock.never locked", kernel.munlock(m, P));
        row("munlock.unmapped", kernel.munlock(hole + P, P));

        kernel.mlock(m, P);
        kernel.mlock(m, P);
        kernel.munlock(m, P);
        row("mlock.twice, munlock once", wired());
        kernel.mlock(m, 3 * P);
        kernel.mlock(m + P, 3 * P);
        kernel.munlock(m, 3 * P);
        row("mlock.overlapping, munlock one", wired());
        kernel.munlock(m, 8 * P);

        long gone = kernel.map(2, Kind.ANONYMOUS);
        kernel.mlock(gone, 2 * P);
        kernel.unmap(gone, 1);
        kernel.mapAt(gone + P, 1, Kind.ANONYMOUS);
        row("munmap and MAP_FIXED over locked", wired());
        kernel.mlock(m, 4 * P);
        FakeKernel child = kernel.fork();
        long locked = child.lockedBytes();
        row("fork", "child ", locked, ", ", child.munlock(m, 4 * P), "; parent ", wired());
    }

    private void kinds() {
        start();
        long none = kernel.mapInaccessible(3);
        row("mlock.PROT_NONE", kernel.mlock(none, 3 * P), ", ", wired());
        row("munlock.PROT_NONE", kernel.munlock(none, 3 * P));
        long mixed = kernel.map(3, Kind.ANONYMOUS);
        kernel.protect(mixed + P, 1, false);
        row("mlock.one PROT_NONE page inside", kernel.mlock(mixed, 3 * P), ", ", wired());
        row("munlock.one PROT_NONE page inside", kernel.munlock(mixed, 3 * P));
        long file = kernel.map(2, Kind.FILE);
        row("mlock.file private read-only", kernel.mlock(file, 2 * P));
        kernel.munlockall();
        long past = kernel.map(2, Kind.FILE);
        kernel.truncate(past, 1);
        row("mlock.past end of file", kernel.mlock(past, 2 * P), ", ", wired());
        row("mlockall.past end of file", mlockall(Flag.CURRENT));
        kernel.munlockall();
        kernel.unmap(past, 2);
        long broken = kernel.map(2, Kind.FILE);
        kernel.breakPage(broken + P, true);
        row("unreadable block", "mlock ", kernel.mlock(broken, 2 * P), ", mlockall ", mlockall(Flag.CURRENT));
        life("aio.unreadable block", block(broken, 2 * P));
        kernel.munlockall();
        kernel.unmap(broken, 2);
        long dark = kernel.map(4, Kind.ANONYMOUS);
        kernel.mlock(dark, 4 * P);
        kernel.setLimit(kernel.lockedBytes());
        Errno before = kernel.mlock(m, 1);
        kernel.protect(dark, 4, false);
        row("limit after PROT_NONE", "before ", before, ", after ", kernel.mlock(m, 1), "; flagged ", wired(dark, 4));
        kernel.setLimit(UNLIMITED);
        kernel.munlockall();

        kernel.mlock(m, 2 * P);
        kernel.protect(m, 2, false);
        row("mprotect of locked", "0, ", wired());
        row("munlock after mprotect", kernel.munlock(m, 2 * P), ", ", wired());
        row("mlock after mprotect", kernel.mlock(m, 2 * P));
        long six = kernel.map(6, Kind.ANONYMOUS);
        kernel.mlock(six + 2 * P, 2 * P);
        int inside = wired(six + 2 * P, 2);
        int around = wired(six + P, 1) + wired(six + 4 * P, 1);
        kernel.munlock(six + 2 * P, 2 * P);
        row("vmmap USER_WIRED", inside, ", around ", around, ", after munlock ", wired(six + 2 * P, 2));
    }

    private void limits() {
        start();
        kernel.setLimit(16 * P);
        row("limit.over, root", kernel.mlock(m, 17 * P));
        kernel.setPrivileged(false);
        row("limit.over, uid 1001", kernel.mlock(m, 17 * P));
        kernel.setPrivileged(true);
        kernel.mlock(m, 16 * P);
        row("limit.same again", kernel.mlock(m, 16 * P));
        row("limit.empty at full", kernel.mlock(m, 0));
        kernel.munlock(m, 16 * P);
        kernel.mlock(m, 8 * P);
        row("limit.8 locked, 0 to 12", kernel.mlock(m, 12 * P));
        row("limit.8 locked, 8 to 16", kernel.mlock(m + 8 * P, 8 * P));
        kernel.munlockall();
        kernel.setLimit(4095);
        row("limit.4095", kernel.mlock(m, 1));
        kernel.setLimit(8191);
        row("limit.8191", kernel.mlock(m, 1));
        kernel.munlockall();
        kernel.setLimit(0);
        row("limit.0, empty", kernel.mlock(m, 0));
        row("order.EINVAL before ENOMEM", kernel.mlock(m, -1));
        kernel.setForbidden(true);
        row("order.EPERM before EINVAL", kernel.mlock(m, -1));

        start();
        kernel.setSystemLimit(8 * P);
        kernel.mlock(m, 8 * P);
        row("max_user_wired.mlock", kernel.mlock(m + 8 * P, P));
        row("max_user_wired.mlockall", mlockall(Flag.CURRENT));
        row("max_user_wired.locked again", kernel.mlock(m, 8 * P));
    }

    private void rights() {
        // unprivileged_mlock=0 is the need for a privilege that FreeBSD has not by itself.
        KernelRules forPrivileged = KernelRules.of("freebsd").with(Trait.PRIVILEGE_IS_NEEDED);
        start(forPrivileged, false);
        four("unprivileged_mlock=0, uid 1001");
        life("unprivileged_mlock=0, uid 1001, aio_mlock", block(m, P));
        start(forPrivileged, true);
        four("unprivileged_mlock=0, root");
        for (boolean root : new boolean[] {true, false}) {
            start(KernelRules.of("freebsd"), root);
            kernel.mlock(m, P);
            kernel.setForbidden(true);
            four(root ? "jail, root" : "jail, uid 1001");
        }
        kernel.setForbidden(false);
        four("jail with allow.mlock, uid 1001");
    }

    private void four(String key) {
        row(
                key,
                "mlock ",
                kernel.mlock(m, P),
                ", empty ",
                kernel.mlock(m, 0),
                ", munlock ",
                kernel.munlock(m, P),
                ", mlockall ",
                mlockall(Flag.FUTURE),
                ", flags 0 ",
                mlockall(),
                ", munlockall ",
                kernel.munlockall());
    }

    private void all() {
        start();
        row(
                "mlockall.flags",
                mlockall(),
                ", ",
                mlockall(Flag.ON_FAULT),
                ", ",
                // Any flag besides that FreeBSD does not know.
                mlockall(Flag.CURRENT, Flag.ON_FAULT));
        row("munlockall.nothing locked", kernel.munlockall());
        kernel.mlock(m, P);
        mlockall(Flag.FUTURE);
        kernel.munlockall();
        long none = wired();
        kernel.map(1, Kind.ANONYMOUS);
        row("munlockall.undoes", none, ", later ", wired());

        kernel.setLimit(8 * P);
        row("mlockall.CURRENT over limit", mlockall(Flag.CURRENT));
        Errno refused = mlockall(Flag.CURRENT, Flag.FUTURE);
        kernel.map(1, Kind.ANONYMOUS);
        row("mlockall.both over limit", refused, ", later wired ", wired());
        kernel.setLimit(0);
        row("mlockall.FUTURE, limit 0", mlockall(Flag.FUTURE), "; mmap ", mmap(true), ", PROT_NONE ", mmap(false));
        kernel.munlockall();
        row("munlockall.ends that", mmap(true));
    }

    private String mmap(boolean accessible) {
        try {
            if (accessible) {
                kernel.map(1, Kind.ANONYMOUS);
            } else {
                kernel.mapInaccessible(1);
            }
            return "0";
        } catch (MapRefusedException e) {
            return e.errno().name();
        }
    }

    private void gaps() {
        start();
        kernel.setSystemLimit(0);
        mlockall(Flag.FUTURE);
        row("gap.FUTURE at max_user_wired", mmap(true), ", ", wired());
        start();
        long dark = kernel.mapInaccessible(4);
        Errno result = mlockall(Flag.CURRENT, Flag.FUTURE);
        long second = kernel.mapInaccessible(4);
        for (long each : new long[] {dark, second}) {
            kernel.protect(each, 4, true);
            kernel.touch(each);
        }
        row("gap.PROT_NONE made readable later", result, "; CURRENT ", wired(dark, 4), ", FUTURE ", wired(second, 4));
        long part = kernel.map(4, Kind.ANONYMOUS);
        int wired = wired(part, 4);
        result = kernel.munlock(part + P, P);
        row("munlock under mlockall", wired, "; ", result, ", ", wired(part + P, 1));
        result = mlockall(Flag.CURRENT);
        row("mlockall.CURRENT leaves FUTURE", result, ", ", wired(kernel.map(2, Kind.ANONYMOUS), 2));
        FakeKernel child = kernel.fork();
        child.map(2, Kind.ANONYMOUS);
        row("fork under FUTURE", child.lockedBytes());
    }
}
