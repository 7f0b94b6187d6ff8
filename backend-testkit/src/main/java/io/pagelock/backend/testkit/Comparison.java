// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.TestAbortedException;

/**
 * Compares the known answers of a system to locking calls with a subject that should behave like it: the rules of the
 * {@link FakeKernel}, a stand-in, or the kernel itself. The calls are here. The answers of a system are in its backend,
 * in the resource {@code META-INF/pagelock/NAME/answers.tsv}, one line for each topic: the topic, a tab, the answer.
 * Answers that no source gives are left out there and not compared. No row covers what calls cannot show: exec, which
 * ends the caller, mappings of devices, and how long calls block.
 *
 * <p>A row begins with 6 pages of fresh memory. Its answer lists the results of its calls in order, and then, as 1 and
 * 0, which of the 6 pages the kernel counts as locked. {@code A|B} means either answer.
 */
public final class Comparison {
    private static final List<Row> ROWS = new ArrayList<>();

    private static final class Row {
        private final String topic;
        private final Function<Case, String> program;

        private Row(String topic, Function<Case, String> program) {
            this.topic = topic;
            this.program = program;
        }

        private void check(String expected, Supplier<RawCalls> subject) {
            try (RawCalls calls = subject.get()) {
                String answer = program.apply(new Case(calls));
                Assertions.assertTrue(
                        Arrays.asList(expected.split("\\|")).contains(answer),
                        "answered " + answer + ", which is not " + expected);
            }
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
        row("unaligned address, mlock", c -> c.calls.mlock(c.memory + c.page + 100, 1) + c.locked());
        row(
                "unaligned address, munlock",
                c -> c.lock(0, 6) + " " + c.calls.munlock(c.memory + c.page + 100, 1) + c.locked());
        row("unaligned address, msync", c -> c.calls.msync(c.memory + 1, c.page - 1, false));
        row("length 0, aligned", c -> c.lock(0, 0) + c.locked());
        row("length 0, unaligned", c -> c.calls.mlock(c.memory + c.page + 1, 0) + c.locked());
        row("address and length wrap", c -> {
            c.calls.unlimited();
            return c.calls.mlock(c.memory, -c.memory + c.page) + c.locked();
        });
        row("the greatest length", c -> c.calls.mlock(c.memory, -1) + c.locked());
        row("hole, mlock", c -> c.hole().lock(0, 6));
        row("hole, mlock, what it leaves", c -> c.hole().lock(0, 6) + c.locked());
        row("hole, munlock", c -> c.lock(0, 6) + " " + c.hole().unlock(0, 6));
        row("hole, munlock, what it leaves", c -> c.lock(0, 6) + " " + c.hole().unlock(0, 6) + c.locked());
        row("munlock of pages that are not locked", c -> c.unlock(0, 6));
        row("process limit, mlock", c -> limited(c, 2).lock(0, 3));
        row("process limit of 0, mlock", c -> limited(c, -1).lock(0, 1));
        row("system limit, mlock", c -> limitedBySystem(c, 2).lock(0, 3));
        row("process limit, mlockall", c -> limited(c, 2).all(Flag.CURRENT));
        row("system limit, mlockall", c -> limitedBySystem(c, 2).all(Flag.CURRENT));
        row(
                "no privilege",
                c -> without(c).lock(0, 1) + " " + c.unlock(0, 1) + " " + c.all(Flag.FUTURE) + " "
                        + c.calls.munlockall());
        row(
                "no privilege and a limit of 0",
                c -> limited(without(c), -1).lock(0, 1) + " " + c.unlock(0, 1) + " " + c.all(Flag.FUTURE) + " "
                        + c.calls.munlockall());
        row("privilege against the limit", c -> limited(with(c), 2).lock(0, 3));
        row("locked again near the limit", c -> limited(c, 2).lock(0, 2) + " " + c.lock(0, 2));
        row("nesting", c -> c.lock(0, 6) + " " + c.lock(0, 6) + " " + c.unlock(0, 2) + c.locked());
        row("order: permission, length", c -> limited(without(c), -1).lock(0, 0));
        row("order: permission, alignment", c -> without(c).calls.mlock(c.memory + 1, c.page));
        row("order: permission, wrap", c -> limited(without(c), -1).calls.mlock(c.memory, -c.memory + c.page));
        row("order: permission, hole", c -> limited(without(c), -1).hole().lock(0, 6));
        row("order: limit, hole", c -> limited(c, 4).hole().lock(0, 6) + c.locked());
        row("order: limit, wrap", c -> limited(c, 4).calls.mlock(c.memory, -c.memory + c.page));
        row("mlockall without flags", c -> c.all());
        row("mlockall with a flag that means nothing", c -> c.all(Flag.ON_FAULT));
        row(
                "mlockall without flags and permission",
                c -> limited(without(c), -1).all());
        row("mlockall(current) after future", c -> c.all(Flag.FUTURE) + " " + c.all(Flag.CURRENT) + c.later());
        row(
                "mlockall over the limit, what it leaves",
                c -> limited(c, 2).all(Flag.CURRENT, Flag.FUTURE) + c.locked() + c.later());
        row(
                "new mapping over the limit in future mode",
                // Room for what the process maps besides.
                c -> limited(c, 1 << 16).all(Flag.FUTURE) + " " + c.map(1 << 17));
        row(
                "new mapping over the system limit in future mode",
                c -> limitedBySystem(c, 1 << 16).all(Flag.FUTURE) + " " + c.map(1 << 17));
        row(
                "munlockall",
                c -> c.lock(0, 6) + " " + c.all(Flag.FUTURE) + " " + c.calls.munlockall() + c.locked() + c.later());
        row(
                "munlock in future mode",
                c -> c.all(Flag.FUTURE) + " " + c.lock(0, 6) + " " + c.unlock(0, 6) + c.locked() + c.later());
        row("fork", c -> c.lock(0, 6) + " " + c.all(Flag.FUTURE) + forked(c));
        row("munmap of locked pages", c -> {
            String result = c.lock(0, 6);
            c.calls.unmap(c.memory, 1);
            c.calls.remap(c.memory, 2);
            return result + c.locked();
        });
        row("PROT_NONE, mlock", c -> dark(c).lock(0, 6) + c.locked());
        row("PROT_NONE, mlockall", c -> dark(c).all(Flag.CURRENT) + c.locked());
        row("MAP_NORESERVE", c -> {
            c.memory = c.calls.mapReserved(6);
            c.calls.touch(c.memory + c.page);
            return c.lock(0, 6) + c.locked();
        });
        row("past the end of a file, mlock", c -> shortFile(c).lock(0, 6) + c.locked());
        row("past the end of a file, mlockall", c -> shortFile(c).all(Flag.CURRENT));
        row("I/O error while paging in", c -> {
            c.calls.breakPage(c.memory + c.page);
            return c.lock(0, 6);
        });
        row(
                "msync that invalidates locked pages",
                c -> c.calls.msync(c.memory, c.page, true) + " " + c.lock(0, 1) + " "
                        + c.calls.msync(c.memory, c.page, true));
        row("lock on first touch", c -> c.all(Flag.CURRENT, Flag.ON_FAULT));
    }

    private Comparison() {}

    private static void row(String topic, Function<Case, String> program) {
        ROWS.add(new Row(topic, program));
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
     * Returns a test for each row for which the system has an answer.
     *
     * @param system the name of its backend
     * @param subject makes a subject that should behave like it; called for each row, and the subject is closed after
     *     it
     * @return the tests, named like the rows
     * @throws IllegalStateException if the backend has no answers, or one to no row
     */
    public static Stream<DynamicTest> tests(String system, Supplier<RawCalls> subject) {
        return tests(Facts.of(system, "answers.tsv", 2), subject);
    }

    /**
     * Asks every row and records the answers.
     *
     * @param subject makes the subject; called for each row, and the subject is closed after it
     * @return lines in the format of {@code answers.tsv}; a row that the subject cannot be asked is a comment with the
     *     reason
     */
    public static List<String> record(Supplier<RawCalls> subject) {
        List<String> lines = new ArrayList<>();
        for (Row row : ROWS) {
            try (RawCalls calls = subject.get()) {
                lines.add(row.topic + "\t" + row.program.apply(new Case(calls)));
            } catch (TestAbortedException e) {
                lines.add("# " + row.topic + ": " + e.getMessage());
            }
        }
        return lines;
    }

    static Stream<DynamicTest> tests(Facts facts, Supplier<RawCalls> subject) {
        Map<String, String> answers = new HashMap<>(facts.byKey());
        List<DynamicTest> tests = new ArrayList<>();
        for (Row row : ROWS) {
            String expected = answers.remove(row.topic);
            if (expected != null) {
                tests.add(DynamicTest.dynamicTest(row.topic, () -> row.check(expected, subject)));
            }
        }
        if (!answers.isEmpty()) {
            throw new IllegalStateException(facts + " answers what is not asked: " + answers.keySet());
        }
        return tests.stream();
    }
}
