// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;

/**
 * What is known of how five systems lock pages, as calls and answers, for all that is to behave like one of them: the rules
 * of the {@link FakeKernel}, the stand-ins, and the kernels themselves.
 *
 * <p>Sources: Linux was asked (6.18), FreeBSD recorded (15.1, and its source), the rest is from the source of illumos (2019)
 * and the manual pages of HP-UX 11i and IRIX 6.5. What none of them says is left out here, and free there. Left out, too, is
 * what no call can show: exec, which ends whoever asks, mappings of devices, and how long calls block.
 *
 * <p>A row begins with 6 pages of fresh memory. Its answer is what its calls returned, in their order, and which of the 6
 * pages are then locked by the kernel's account, as 1 and 0. {@code A|B} is either.
 */
public final class Comparison {
    /** A system that is compared. */
    public enum System {
        /** Linux. */
        LINUX,
        /** FreeBSD. */
        FREEBSD,
        /** Solaris and illumos. */
        SOLARIS,
        /** HP-UX. */
        HPUX,
        /** IRIX. */
        IRIX
    }

    /** No source says. */
    private static final String UNSAID = "";

    private static final List<Row> ROWS = new ArrayList<>();

    private static final class Row {
        private final String topic;
        private final Function<Case, String> program;
        private final List<String> answers;

        private Row(String topic, Function<Case, String> program, String... answers) {
            this.topic = topic;
            this.program = program;
            this.answers = Arrays.asList(answers);
        }
    }

    /** A subject, and its memory under test. */
    private static final class Case {
        private final RawCalls calls;
        private final long page;
        private long memory;

        private Case(RawCalls calls) {
            this.calls = calls;
            page = calls.pageSize();
            memory = calls.map(6);
        }

        private String lock(long first, long count) {
            return calls.mlock(memory + first * page, count * page);
        }

        private String unlock(long first, long count) {
            return calls.munlock(memory + first * page, count * page);
        }

        private String all(Flag... flags) {
            EnumSet<Flag> set = EnumSet.noneOf(Flag.class);
            Collections.addAll(set, flags);
            return calls.mlockall(set);
        }

        private String locked() {
            return locked(calls, memory, 6);
        }

        private String locked(RawCalls side, long address, int pages) {
            StringBuilder text = new StringBuilder(" ");
            for (int i = 0; i < pages; i++) {
                text.append(side.isLocked(address + i * page) ? 1 : 0);
            }
            return text.toString();
        }

        private Case hole() {
            calls.unmap(memory + 2 * page, 1);
            return this;
        }

        private String later() {
            return locked(calls, calls.map(1), 1);
        }

        private String map(long pages) {
            try {
                return "OK" + locked(calls, calls.map(pages), 1);
            } catch (IllegalStateException e) {
                return e.getMessage();
            }
        }
    }

    static {
        // In the order of the columns: Linux, FreeBSD, Solaris, HP-UX, IRIX.
        row(
                "unaligned address, mlock",
                c -> c.calls.mlock(c.memory + c.page + 100, 1) + c.locked(),
                "OK 010000",
                "OK 010000",
                "EINVAL 000000",
                "OK 010000",
                "OK 010000");
        row(
                "unaligned address, munlock",
                c -> c.lock(0, 6) + " " + c.calls.munlock(c.memory + c.page + 100, 1) + c.locked(),
                "OK OK 101111",
                "OK OK 101111",
                "OK EINVAL 111111",
                "OK OK 101111",
                "OK OK 101111");
        row(
                "unaligned address, msync",
                c -> c.calls.msync(c.memory + 1, c.page - 1, false),
                "EINVAL",
                "OK",
                "EINVAL",
                UNSAID,
                UNSAID);
        row(
                "length 0, aligned",
                c -> c.lock(0, 0) + c.locked(),
                "OK 000000",
                "OK 000000",
                "EINVAL 000000",
                "EINVAL 000000",
                UNSAID);
        row(
                "length 0, unaligned",
                c -> c.calls.mlock(c.memory + c.page + 1, 0) + c.locked(),
                "OK 010000",
                "OK 010000",
                "EINVAL 000000",
                "EINVAL 000000",
                UNSAID);
        row(
                "address and length wrap",
                c -> {
                    c.calls.unlimited();
                    return c.calls.mlock(c.memory, -c.memory + c.page) + c.locked();
                },
                "EINVAL 000000",
                "EINVAL 000000",
                "ENOMEM 000000",
                "ENOMEM 000000",
                "ENOMEM 000000");
        row(
                "the greatest length",
                c -> c.calls.mlock(c.memory, -1) + c.locked(),
                "OK 000000",
                "EINVAL 000000",
                "ENOMEM 000000",
                "ENOMEM 000000",
                "ENOMEM 000000");
        row("hole, mlock", c -> c.hole().lock(0, 6), "ENOMEM", "ENOMEM", "ENOMEM", "ENOMEM", "ENOMEM");
        row(
                "hole, mlock, what it leaves",
                c -> c.hole().lock(0, 6) + c.locked(),
                "ENOMEM 110000",
                "ENOMEM 000000",
                "ENOMEM 000000",
                "ENOMEM 000000",
                UNSAID);
        row(
                "hole, munlock",
                c -> c.lock(0, 6) + " " + c.hole().unlock(0, 6),
                "OK ENOMEM",
                "OK ENOMEM",
                "OK ENOMEM",
                "OK ENOMEM",
                "OK ENOMEM");
        row(
                "hole, munlock, what it leaves",
                c -> c.lock(0, 6) + " " + c.hole().unlock(0, 6) + c.locked(),
                "OK ENOMEM 000111",
                "OK ENOMEM 110111",
                "OK ENOMEM 000111",
                "OK ENOMEM 110111",
                UNSAID);
        row("munlock of pages that are not locked", c -> c.unlock(0, 6), "OK", "OK", "OK", "OK", UNSAID);
        row("process limit, mlock", c -> limited(c, 2).lock(0, 3), "ENOMEM", "ENOMEM", "EAGAIN", UNSAID, "ENOMEM");
        row("process limit of 0, mlock", c -> limited(c, -1).lock(0, 1), "EPERM", "ENOMEM", "EAGAIN", UNSAID, "ENOMEM");
        row(
                "system limit, mlock",
                c -> limitedBySystem(c, 2).lock(0, 3),
                "EAGAIN",
                "ENOMEM",
                "EAGAIN",
                "EAGAIN",
                "EAGAIN");
        row(
                "process limit, mlockall",
                c -> limited(c, 2).all(Flag.CURRENT),
                "ENOMEM",
                "ENOMEM",
                "EAGAIN",
                UNSAID,
                "EAGAIN|ENOMEM");
        row(
                "system limit, mlockall",
                c -> limitedBySystem(c, 2).all(Flag.CURRENT),
                UNSAID,
                "ENOMEM",
                "EAGAIN",
                UNSAID,
                "EAGAIN|ENOMEM");
        row(
                "no privilege",
                c -> without(c).lock(0, 1) + " " + c.unlock(0, 1) + " " + c.all(Flag.FUTURE) + " "
                        + c.calls.munlockall(),
                "OK OK OK OK",
                "OK OK OK OK",
                "EPERM EPERM EPERM EPERM",
                "EPERM EPERM EPERM EPERM",
                "OK OK OK OK");
        row(
                "no privilege and a limit of 0",
                c -> limited(without(c), -1).lock(0, 1) + " " + c.unlock(0, 1) + " " + c.all(Flag.FUTURE) + " "
                        + c.calls.munlockall(),
                "EPERM OK EPERM OK",
                "ENOMEM OK OK OK",
                "EPERM EPERM EPERM EPERM",
                UNSAID,
                UNSAID);
        row("privilege against the limit", c -> limited(with(c), 2).lock(0, 3), "OK", "ENOMEM", "EAGAIN", UNSAID, "OK");
        row(
                "locked again near the limit",
                c -> limited(c, 2).lock(0, 2) + " " + c.lock(0, 2),
                "OK OK",
                "OK ENOMEM",
                "OK OK",
                UNSAID,
                UNSAID);
        row(
                "nesting",
                c -> c.lock(0, 6) + " " + c.lock(0, 6) + " " + c.unlock(0, 2) + c.locked(),
                "OK OK OK 001111",
                "OK OK OK 001111",
                "OK OK OK 001111",
                "OK OK OK 001111",
                "OK OK OK 001111");
        row(
                "order: permission, length",
                c -> limited(without(c), -1).lock(0, 0),
                "EPERM",
                "OK",
                "EINVAL",
                UNSAID,
                UNSAID);
        row(
                "order: permission, alignment",
                c -> without(c).calls.mlock(c.memory + 1, c.page),
                "OK",
                "OK",
                "EINVAL",
                UNSAID,
                UNSAID);
        row(
                "order: permission, wrap",
                c -> limited(without(c), -1).calls.mlock(c.memory, -c.memory + c.page),
                "EPERM",
                "EINVAL",
                "ENOMEM",
                UNSAID,
                UNSAID);
        row(
                "order: permission, hole",
                c -> limited(without(c), -1).hole().lock(0, 6),
                "EPERM",
                "ENOMEM",
                "EPERM",
                UNSAID,
                UNSAID);
        row(
                "order: limit, hole",
                c -> limited(c, 4).hole().lock(0, 6) + c.locked(),
                "ENOMEM 000000",
                "ENOMEM 000000",
                UNSAID,
                UNSAID,
                UNSAID);
        row(
                "order: limit, wrap",
                c -> limited(c, 4).calls.mlock(c.memory, -c.memory + c.page),
                "ENOMEM",
                "EINVAL",
                "ENOMEM",
                UNSAID,
                UNSAID);
        row("mlockall without flags", c -> c.all(), "EINVAL", "EINVAL", "EINVAL", "EINVAL", "EINVAL");
        row(
                "mlockall with a flag that means nothing",
                c -> c.all(Flag.ON_FAULT),
                "EINVAL",
                "EINVAL",
                "EINVAL",
                "EINVAL",
                "EINVAL");
        row(
                "mlockall without flags and permission",
                c -> limited(without(c), -1).all(),
                "EINVAL",
                "EINVAL",
                "EPERM",
                UNSAID,
                "EINVAL");
        row(
                "mlockall(current) after future",
                c -> c.all(Flag.FUTURE) + " " + c.all(Flag.CURRENT) + c.later(),
                "OK OK 0",
                "OK OK 1",
                "OK OK 1",
                UNSAID,
                UNSAID);
        row(
                "mlockall over the limit, what it leaves",
                c -> limited(c, 2).all(Flag.CURRENT, Flag.FUTURE) + c.locked() + c.later(),
                "ENOMEM 000000 0",
                // By its source the flag stays; recorded was that it does not.
                "ENOMEM 000000 0",
                "EAGAIN 000000 1",
                UNSAID,
                UNSAID);
        row(
                "new mapping over the limit in future mode",
                // Room for what the process maps besides.
                c -> limited(c, 1 << 16).all(Flag.FUTURE) + " " + c.map(1 << 17),
                "OK EAGAIN",
                "OK ENOMEM",
                "OK EAGAIN",
                UNSAID,
                "OK ENOMEM");
        row(
                "new mapping over the system limit in future mode",
                c -> limitedBySystem(c, 1 << 16).all(Flag.FUTURE) + " " + c.map(1 << 17),
                UNSAID,
                "OK OK 0",
                "OK EAGAIN",
                UNSAID,
                UNSAID);
        row(
                "munlockall",
                c -> c.lock(0, 6) + " " + c.all(Flag.FUTURE) + " " + c.calls.munlockall() + c.locked() + c.later(),
                "OK OK OK 000000 0",
                "OK OK OK 000000 0",
                "OK OK OK 000000 0",
                "OK OK OK 000000 0",
                "OK OK OK 000000 0");
        row(
                "munlock in future mode",
                c -> c.all(Flag.FUTURE) + " " + c.lock(0, 6) + " " + c.unlock(0, 6) + c.locked() + c.later(),
                "OK OK OK 000000 1",
                "OK OK OK 000000 1",
                "OK OK OK 000000 1",
                "OK OK OK 000000 1",
                UNSAID);
        row(
                "fork",
                c -> c.lock(0, 6) + " " + c.all(Flag.FUTURE) + forked(c),
                "OK OK 000000 0 111111",
                "OK OK 000000 0 111111",
                "OK OK 000000 0 111111",
                "OK OK 000000 0 111111",
                "OK OK 000000 0 111111");
        row(
                "munmap of locked pages",
                c -> {
                    String result = c.lock(0, 6);
                    c.calls.unmap(c.memory, 1);
                    c.calls.remap(c.memory, 2);
                    return result + c.locked();
                },
                "OK 001111",
                "OK 001111",
                "OK 001111",
                UNSAID,
                UNSAID);
        row(
                "PROT_NONE, mlock",
                c -> dark(c).lock(0, 6) + c.locked(),
                "ENOMEM 111111",
                "ENOMEM 000000",
                "OK 111111",
                UNSAID,
                UNSAID);
        row(
                "PROT_NONE, mlockall",
                c -> dark(c).all(Flag.CURRENT) + c.locked(),
                "OK 111111",
                "OK 110111",
                "OK 111111",
                UNSAID,
                UNSAID);
        row(
                "MAP_NORESERVE",
                c -> {
                    c.memory = c.calls.mapReserved(6);
                    c.calls.touch(c.memory + c.page);
                    return c.lock(0, 6) + c.locked();
                },
                "OK 111111",
                "OK 111111",
                "OK 010000",
                UNSAID,
                UNSAID);
        row(
                "past the end of a file, mlock",
                c -> shortFile(c).lock(0, 6) + c.locked(),
                "ENOMEM 111111",
                "ENOMEM 000000",
                "OK 110000",
                UNSAID,
                UNSAID);
        row(
                "past the end of a file, mlockall",
                c -> shortFile(c).all(Flag.CURRENT),
                "OK",
                "EAGAIN",
                "OK",
                UNSAID,
                "OK");
        row(
                "I/O error while paging in",
                c -> {
                    c.calls.breakPage(c.memory + c.page);
                    return c.lock(0, 6);
                },
                "ENOMEM|EAGAIN",
                "ENOMEM",
                "EIO",
                UNSAID,
                UNSAID);
        row(
                "msync that invalidates locked pages",
                c -> c.calls.msync(c.memory, c.page, true) + " " + c.lock(0, 1) + " "
                        + c.calls.msync(c.memory, c.page, true),
                "OK OK EBUSY",
                "OK OK EBUSY",
                "OK OK EBUSY",
                UNSAID,
                UNSAID);
        row(
                "lock on first touch",
                c -> c.all(Flag.CURRENT, Flag.ON_FAULT),
                "OK",
                "EINVAL",
                "EINVAL",
                "EINVAL",
                "EINVAL");
    }

    private Comparison() {}

    private static void row(String topic, Function<Case, String> program, String... answers) {
        if (answers.length != System.values().length) {
            throw new IllegalStateException(topic + ": an answer for each system, or that none is known");
        }
        ROWS.add(new Row(topic, program, answers));
    }

    private static Case limited(Case c, long pages) {
        c.calls.limit(pages);
        return c;
    }

    private static Case limitedBySystem(Case c, long pages) {
        c.calls.limitSystem(pages);
        return c;
    }

    private static Case with(Case c) {
        c.calls.privilege(true);
        return c;
    }

    private static Case without(Case c) {
        c.calls.privilege(false);
        return c;
    }

    private static Case dark(Case c) {
        c.calls.protect(c.memory + 2 * c.page, 1);
        return c;
    }

    private static Case shortFile(Case c) {
        c.memory = c.calls.mapShortFile(6, 2);
        return c;
    }

    private static String forked(Case c) {
        RawCalls child = c.calls.fork();
        return c.locked(child, c.memory, 6) + c.locked(child, child.map(1), 1) + c.locked();
    }

    /**
     * A test for each row that says something of a system.
     *
     * @param system the system
     * @param subject what is to behave like it, made anew for each row and closed after it
     * @return the tests, named like the rows
     */
    public static Stream<DynamicTest> tests(System system, Supplier<RawCalls> subject) {
        return ROWS.stream()
                .filter(row -> !row.answers.get(system.ordinal()).equals(UNSAID))
                .map(row -> DynamicTest.dynamicTest(row.topic, () -> {
                    List<String> expected =
                            Arrays.asList(row.answers.get(system.ordinal()).split("\\|"));
                    try (RawCalls calls = subject.get()) {
                        String answer = row.program.apply(new Case(calls));
                        Assertions.assertTrue(
                                expected.contains(answer), "answered " + answer + ", which is not " + expected);
                    }
                }));
    }
}
