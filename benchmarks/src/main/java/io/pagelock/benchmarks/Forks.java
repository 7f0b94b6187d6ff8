// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Starts the JVMs that measure. */
final class Forks {
    /** Until C2 has compiled what 10,000 locks one by one take. */
    private static final int WARM_UP_SECONDS = 2;

    private final Path notes = Baseline.BUILT.resolve("notes").toAbsolutePath();
    private final int iterations;
    private final long millis;

    Forks(int iterations, long millis) {
        this.iterations = iterations;
        this.millis = millis;
    }

    private List<String> jvmArgs() {
        List<String> args = new ArrayList<>();
        args.add("-Xmx2g");
        // What measures the other one says so.
        args.add("-Dio.pagelock.binding=jna");
        args.add("-Dpagelock.built=" + Baseline.BUILT.toAbsolutePath());
        args.add("-D" + Notes.PROPERTY + "=" + notes);
        if (Runtime.version().feature() >= 22) {
            args.add("--enable-native-access=ALL-UNNAMED");
        }
        if (Runtime.version().feature() >= 23) {
            args.add("--sun-misc-unsafe-memory-access=allow");
        }
        return args;
    }

    /** One fork of a benchmark; its iterations' scores, each with what the fork noted of it. */
    List<Iteration> benchmark(Class<?> benchmark, String... params) {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + benchmark.getName().replace(".", "\\.") + "\\.")
                .forks(1)
                .warmupIterations(WARM_UP_SECONDS)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(iterations)
                .measurementTime(TimeValue.milliseconds(millis))
                .shouldFailOnError(false)
                .verbosity(VerboseMode.SILENT)
                .jvmArgs(jvmArgs().toArray(new String[0]));
        for (int i = 0; i < params.length; i += 2) {
            options.param(params[i], params[i + 1]);
        }
        Notes.take(notes);
        List<Double> scores = new ArrayList<>();
        try {
            Collection<RunResult> results = new Runner(options.build()).run();
            for (RunResult result : results) {
                for (BenchmarkResult fork : result.getBenchmarkResults()) {
                    for (IterationResult iteration : fork.getIterationResults()) {
                        scores.add(iteration.getPrimaryResult().getScore());
                    }
                }
            }
        } catch (RunnerException e) {
            throw new IllegalStateException(e);
        }
        List<Double> noted = Notes.take(notes);
        List<Iteration> all = new ArrayList<>();
        for (int i = 0; i < scores.size(); i++) {
            int at = noted.size() - 2 * (scores.size() - i);
            all.add(new Iteration(
                    scores.get(i), at < 0 ? Double.NaN : noted.get(at), at < 0 ? Double.NaN : noted.get(at + 1)));
        }
        return all;
    }

    /** The score of one iteration, and what C took before and after it. */
    static final class Iteration {
        final double score;
        final double before;
        final double after;

        Iteration(double score, double before, double after) {
            this.score = score;
            this.before = before;
            this.after = after;
        }

        double overC() {
            return score / ((before + after) / 2);
        }
    }

    /** Runs a main class in a JVM of its own; the numbers that it prints, by line. Empty if it fails. */
    List<double[]> main(Class<?> main, String... args) {
        return main(List.of(), System.getProperty("java.class.path"), main, args);
    }

    /** The same with pagelock and JNA alone on the class path: looking for a provider opens every jar there. */
    List<double[]> mainWithoutPeers(List<String> options, Class<?> main, String... args) {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> new File(entry).getName().matches("(pagelock|jna)-.*"))
                .collect(Collectors.joining(File.pathSeparator));
        return main(options, classPath, main, args);
    }

    private List<double[]> main(List<String> options, String classPath, Class<?> main, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArgs());
        command.addAll(options);
        command.add("-cp");
        command.add(classPath);
        command.add(main.getName());
        command.addAll(List.of(args));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.appendTo(new File(Baseline.BUILT.toFile(), "errors")))
                    .start();
            String out = new String(process.getInputStream().readAllBytes());
            if (process.waitFor() != 0) {
                System.out.println("  " + main.getSimpleName() + " " + String.join(" ", args)
                        + " failed; see the file errors in " + Baseline.BUILT);
                return List.of();
            }
            List<double[]> lines = new ArrayList<>();
            for (String line : out.split("\n")) {
                // A JVM that writes an AOT cache reports that among what the program prints.
                if (!line.matches("[\\d.E -]+")) {
                    continue;
                }
                String[] words = line.trim().split(" ");
                double[] numbers = new double[words.length];
                for (int i = 0; i < words.length; i++) {
                    numbers[i] = Double.parseDouble(words[i]);
                }
                lines.add(numbers);
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The C program alone. */
    double program(String... args) {
        try {
            List<String> command = new ArrayList<>();
            command.add(Baseline.BUILT.resolve("baseline").toString());
            command.addAll(List.of(args));
            Process process = new ProcessBuilder(command).start();
            String out = new String(process.getInputStream().readAllBytes()).trim();
            if (process.waitFor() != 0) {
                throw new IllegalStateException("the C program failed");
            }
            return Double.parseDouble(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
