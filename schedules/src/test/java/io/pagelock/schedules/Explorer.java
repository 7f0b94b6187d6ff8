// SPDX-License-Identifier: Apache-2.0
package io.pagelock.schedules;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import kotlin.Unit;
import org.pastalab.fray.core.TestRunner;
import org.pastalab.fray.core.command.Configuration;
import org.pastalab.fray.core.command.ExecutionInfo;
import org.pastalab.fray.core.command.LambdaExecutor;
import org.pastalab.fray.core.command.NetworkDelegateType;
import org.pastalab.fray.core.command.SystemTimeDelegateType;
import org.pastalab.fray.core.observers.TimelineCoverageType;
import org.pastalab.fray.core.randomness.ControlledRandom;
import org.pastalab.fray.core.randomness.Randomness;
import org.pastalab.fray.core.randomness.RandomnessProvider;
import org.pastalab.fray.core.scheduler.PCTScheduler;
import org.pastalab.fray.core.scheduler.POSScheduler;
import org.pastalab.fray.core.scheduler.RandomScheduler;
import org.pastalab.fray.core.scheduler.Scheduler;

/** Runs programs under Fray, each in many orders, until one fails. Needs the JVM that {@link SchedulesTest} links. */
final class Explorer {
    static final String NOTHING_FOUND = "nothing found in: ";
    /** A program takes some hundred steps; more is an endless loop. */
    private static final int MOST_STEPS = 20_000;

    private Explorer() {}

    /** The same orders for the same seed, so that a failure can be looked at again. */
    private static final class Seeds implements RandomnessProvider {
        private long next;

        private Seeds(long first) {
            next = first;
        }

        @Override
        public Randomness getRandomness() {
            return new ControlledRandom(new ArrayList<>(), new ArrayList<>(), new Random(next++));
        }
    }

    /** Arguments: a directory for reports, the number of schedules, the first seed, the programs. */
    public static void main(String[] arguments) {
        int schedules = Integer.parseInt(arguments[1]);
        long seed = Long.parseLong(arguments[2]);
        for (int i = 3; i < arguments.length; i++) {
            explore(arguments[i], Path.of(arguments[0]), schedules, seed);
        }
        Runtime.getRuntime().halt(0);
    }

    /** Each way to choose the next thread is blind to orders that another finds at once, so all take their share. */
    private static void explore(String program, Path report, int schedules, long seed) {
        List<Function<Randomness, Scheduler>> ways =
                List.of(POSScheduler::new, random -> new PCTScheduler(random, 3, 0), RandomScheduler::new);
        for (Function<Randomness, Scheduler> way : ways) {
            Configuration configuration = configuration(program, report, schedules / ways.size(), seed, way);
            // Ends this JVM when a program fails.
            if (new TestRunner(configuration).run() != null) {
                return;
            }
        }
        System.out.println(NOTHING_FOUND + program);
    }

    private static Configuration configuration(
            String program, Path report, int schedules, long seed, Function<Randomness, Scheduler> scheduler) {
        ExecutionInfo info = new ExecutionInfo(new LambdaExecutor(() -> run(program)), false, false, MOST_STEPS);
        Seeds seeds = new Seeds(seed);
        boolean ignoreTimedBlock = true;
        boolean abortThreadExecutionAfterMainExit = true;
        return new Configuration(
                info,
                report,
                schedules,
                Integer.MAX_VALUE,
                scheduler.apply(seeds.getRandomness()),
                seeds,
                false,
                false,
                false,
                false,
                false,
                true,
                NetworkDelegateType.NONE,
                SystemTimeDelegateType.NONE,
                0,
                ignoreTimedBlock,
                false,
                false,
                false,
                abortThreadExecutionAfterMainExit,
                false,
                TimelineCoverageType.NONE);
    }

    private static Unit run(String program) {
        try {
            new Scene(program).run();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return Unit.INSTANCE;
    }
}
