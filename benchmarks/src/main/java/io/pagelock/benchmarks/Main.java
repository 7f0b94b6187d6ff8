// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import io.pagelock.TrainingRun;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Measures everything and writes the report. Arguments: {@code --quick}; {@code --write FILE} to put the figures into a
 * document; {@code --only PART,PART}.
 */
final class Main {
    private static final List<String> PARTS = List.of(
            "pair",
            "many",
            "threads",
            "secrets",
            "lock-table",
            "heap",
            "large",
            "stalls",
            "cold",
            "neighbours",
            "command");
    private static final int[] THREADS = {1, 2, 4, 8, 16, 32, 64};
    private static final long GIB = 1L << 30;
    private static final List<String> FOREIGN_BINDING = List.of("-Dio.pagelock.binding=foreign");

    private final Report report = new Report();
    private final Sample noise = new Sample();
    private final Forks forks;
    private final int rounds;
    private final int large;
    private final int cold;

    private Main(boolean quick) {
        forks = quick ? new Forks(4, 250) : new Forks(5, 1000);
        rounds = quick ? 3 : 5;
        large = quick ? 4 : 9;
        cold = quick ? 11 : 31;
    }

    public static void main(String[] args) throws IOException {
        boolean quick = false;
        Path file = null;
        Set<String> only = new HashSet<>(PARTS);
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--quick")) {
                quick = true;
            } else if (args[i].equals("--write") && i + 1 < args.length) {
                file = Path.of(args[++i]);
            } else if (args[i].equals("--only") && i + 1 < args.length) {
                only = new HashSet<>(Arrays.asList(args[++i].split(",")));
            } else {
                System.err.println("usage: benchmarks/run [--quick] [--only " + String.join(",", PARTS) + "]");
                System.exit(2);
            }
        }
        System.setProperty("jmh.ignoreLock", "true");
        String text = new Main(quick).run(quick, only);
        System.out.println("\n" + text);
        if (file != null && only.containsAll(PARTS)) {
            Report.writeInto(file, text);
            System.out.println("Written into " + file + ".");
        }
    }

    private String run(boolean quick, Set<String> only) throws IOException {
        String loadBefore = load();
        long begin = System.nanoTime();
        for (String part : PARTS) {
            if (only.contains(part)) {
                System.out.println(part + " ...");
                part(part);
            }
        }
        long minutes = (System.nanoTime() - begin) / 60_000_000_000L + 1;
        return report.text(machine(quick, loadBefore, minutes));
    }

    private void part(String part) throws IOException {
        switch (part) {
            case "pair":
                pair();
                break;
            case "many":
                many();
                break;
            case "threads":
                threads();
                break;
            case "secrets":
                secrets();
                break;
            case "lock-table":
                lockTable();
                break;
            case "heap":
                heap();
                break;
            case "large":
                large();
                break;
            case "stalls":
                stalls();
                break;
            case "cold":
                cold();
                break;
            case "neighbours":
                neighbours();
                break;
            case "command":
                new CommandRows(report, rounds).run();
                break;
            default:
                throw new IllegalArgumentException(part);
        }
    }

    /** Runs each name once a round, in another order each time, and collects what C in the same process is exceeded by. */
    private Map<String, Measured> interleaved(Class<?> benchmark, List<String> names) {
        Map<String, Measured> all = new LinkedHashMap<>();
        names.forEach(name -> all.put(name, new Measured()));
        List<String> order = new ArrayList<>(names);
        for (int round = 0; round < rounds; round++) {
            java.util.Collections.shuffle(order, new Random(round));
            for (String name : order) {
                Measured measured = all.get(name);
                for (Forks.Iteration iteration : forks.benchmark(benchmark, "peer", name)) {
                    measured.time.add(iteration.score);
                    measured.c.add((iteration.before + iteration.after) / 2);
                    measured.overC.add(iteration.overC());
                    noise.add(iteration.before / iteration.after);
                }
            }
        }
        return all;
    }

    private static final class Measured {
        final Sample time = new Sample();
        final Sample c = new Sample();
        final Sample overC = new Sample();
    }

    private void pair() {
        List<String> names = new ArrayList<>();
        for (String name : Peer.NAMES) {
            if (Peer.available(name)) {
                names.add(name);
            }
        }
        Sample program = new Sample();
        for (int i = 0; i < rounds; i++) {
            program.add(forks.program("pair", "100000") / 1000);
        }
        Map<String, Measured> all = interleaved(PairBenchmark.class, names);
        for (int i = 0; i < rounds; i++) {
            program.add(forks.program("pair", "100000") / 1000);
        }
        Measured own = all.get(Peer.PAGELOCK);
        report.atMost("lock and close one resident page", "the same pair in C, same process", own.overC, 1.2);
        report.atMost("", "the fastest library through JNA", own.overC.map(x -> x / fastest(all, Peer.JNA)), 1);
        report.atMost("", "plain JNA, direct", own.overC.map(x -> x / fastest(all, Peer.PLAIN)), 1.05);
        report.atMost("", "the fastest bare JNI or JNR call", own.overC.map(x -> x / fastest(all, Peer.BARE)), 1.2);
        Measured foreign = all.get(Peer.FOREIGN);
        if (foreign != null) {
            report.atMost("the same, foreign binding", "the same pair in C, same process", foreign.overC, 1.1);
            report.atMost("", "the fastest of JNI, JNR and JNA", foreign.overC.map(x -> x / fastest(all, all())), 1);
        }
        report.heading(
                "Lock and close one resident page",
                "In a process of its own, C takes " + program.text(" ns") + ".",
                "who",
                "time",
                "of C in the same process",
                "of pagelock",
                "remarks");
        for (String name : names) {
            Measured each = all.get(name);
            report.row(
                    name,
                    each.time.text(" ns"),
                    each.overC.text(""),
                    wins(each.overC, own.overC, name),
                    Peer.note(name));
        }
    }

    private static List<String> all() {
        List<String> all = new ArrayList<>(Peer.PLAIN);
        all.addAll(Peer.JNA);
        all.addAll(Peer.BARE);
        return all;
    }

    private static double fastest(Map<String, Measured> all, List<String> names) {
        return names.stream()
                .filter(all::containsKey)
                .mapToDouble(name -> all.get(name).overC.median())
                .filter(ratio -> !Double.isNaN(ratio))
                .min()
                .orElse(Double.NaN);
    }

    /** How much of pagelock's time it takes, in bold where that is less. */
    private static String wins(Sample peer, Sample own, String name) {
        if (peer.isEmpty()) {
            return "";
        }
        double ratio = peer.median() / own.median();
        return ratio < 1 && !name.startsWith(Peer.PAGELOCK)
                ? "**" + Sample.number(ratio) + ", faster**"
                : Sample.number(ratio);
    }

    private void many() {
        List<String> names =
                new ArrayList<>(List.of(ManyBenchmark.BATCH, ManyBenchmark.ONE_BY_ONE, ManyBenchmark.NESTED));
        List<String> peers = new ArrayList<>();
        for (String name : Peer.NAMES) {
            if (Peer.available(name) && Peer.locksAnyPage(name)) {
                peers.add(name);
            }
        }
        if (Peer.available(ManyBenchmark.ONE_BY_ONE_FOREIGN)) {
            names.addAll(List.of(ManyBenchmark.ONE_BY_ONE_FOREIGN, ManyBenchmark.NESTED_FOREIGN));
        }
        names.addAll(peers);
        Map<String, Measured> all = interleaved(ManyBenchmark.class, names);
        double peer = fastest(all, peers);
        Measured batch = all.get(ManyBenchmark.BATCH);
        Measured single = all.get(ManyBenchmark.ONE_BY_ONE);
        report.atLeast(
                "10,000 buffers in 160 pages, as a batch",
                "the fastest peer's loop, times faster",
                batch.overC.map(x -> peer / x),
                10);
        report.atMost("10,000 buffers, one by one", "the fastest peer's loop", single.overC.map(x -> x / peer), 1.2);
        report.atMost(
                "the same, within one lock over all pages",
                "the fastest peer's loop",
                all.get(ManyBenchmark.NESTED).overC.map(x -> x / peer),
                1.2);
        Measured foreign = all.get(ManyBenchmark.ONE_BY_ONE_FOREIGN);
        if (foreign != null) {
            report.atMost(
                    "10,000 buffers, one by one, foreign binding",
                    "the fastest peer's loop",
                    foreign.overC.map(x -> x / peer),
                    1);
            report.atMost(
                    "the same, within one lock over all pages",
                    "the fastest peer's loop",
                    all.get(ManyBenchmark.NESTED_FOREIGN).overC.map(x -> x / peer),
                    1);
        }
        report.heading(
                "10,000 buffers of 64 bytes in 160 pages",
                "All locked, then all released.",
                "who",
                "time",
                "of C's loop in the same process",
                "of pagelock, one by one");
        for (String name : names) {
            Measured each = all.get(name);
            report.row(name, each.time.text(" µs"), each.overC.text(""), wins(each.overC, single.overC, name));
        }
    }

    private void threads() {
        boolean hasForeign = Peer.available(Peer.FOREIGN);
        List<String> columns = new ArrayList<>(List.of("threads", "C", "pagelock", "of C"));
        if (hasForeign) {
            columns.addAll(List.of("pagelock, foreign binding", "of C", "foreign functions in a monitor", "of that"));
        }
        report.heading(
                "Threads",
                "Each locks and closes a page of its own. Time for a pair, all threads together.",
                columns.toArray(new String[0]));
        Sample cliff = new Sample();
        double alone = 0;
        for (int threads : THREADS) {
            List<String> cells = new ArrayList<>(List.of(Integer.toString(threads)));
            Sample[] own = threads(Peer.PAGELOCK, threads);
            cells.addAll(List.of(own[0].text(" ns"), own[1].text(" ns"), own[3].text("")));
            alone = threads == THREADS[0] ? own[3].median() : alone;
            double first = alone;
            cliff = threads == THREADS[THREADS.length - 1] ? own[3].map(x -> x / first) : cliff;
            if (hasForeign) {
                Sample[] foreign = threads(Peer.FOREIGN, threads);
                cells.addAll(List.of(
                        foreign[1].text(" ns"), foreign[3].text(""), foreign[2].text(" ns"), foreign[4].text("")));
                if (threads == 8 || threads == 32) {
                    report.atMost(
                            threads + " threads, foreign binding", "foreign functions in one monitor", foreign[4], 1.9);
                }
            }
            report.row(cells.toArray(new String[0]));
        }
        report.atMost("64 threads, over C with as many", "the same of one thread", cliff, 1.25);
    }

    /** C, pagelock, the monitor; pagelock of C, and of the monitor. */
    private Sample[] threads(String name, int threads) {
        Sample[] samples = new Sample[5];
        Arrays.setAll(samples, i -> new Sample());
        for (double[] line :
                forks.main(ThreadsMain.class, name, Integer.toString(threads), Integer.toString(rounds), "200")) {
            for (int i = 0; i < line.length; i++) {
                samples[i].add(line[i]);
            }
            samples[3].add(line[1] / line[0]);
            samples[4].add(line[1] / line[2]);
        }
        return samples;
    }

    private void secrets() {
        List<String> names = List.of(SecretBenchmark.NAMES);
        Map<String, Measured> all = interleaved(SecretBenchmark.class, names);
        Measured own = all.get(SecretBenchmark.POOL);
        report.atMost("allocate, write and close a secret of 32 bytes", "", own.time, " ns", 1000);
        report.atMost(
                "the same beside 10,000 others",
                "alone",
                all.get(SecretBenchmark.BESIDE).time.map(x -> x / own.time.median()),
                1.25);
        report.heading(
                "A secret of 32 bytes",
                "Allocated, written and closed, which wipes it. C locks and unlocks a page.",
                "who",
                "time",
                "of C in the same process",
                "of pagelock-secrets");
        for (String name : names) {
            Measured each = all.get(name);
            report.row(name, each.time.text(" ns"), each.overC.text(""), wins(each.time, own.time, name));
        }
    }

    private void lockTable() {
        String[][] cases = {
            {"1,000 live handles, a page", "live", "1000", "bytes", "4096", "onFault", "false"},
            {"1,000,000 live handles, a page", "live", "1000000", "bytes", "4096", "onFault", "false"},
            {"1,000 live handles, a page on fault", "live", "1000", "bytes", "4096", "onFault", "true"},
            {"1,000 live handles, 1 TiB on fault", "live", "1000", "bytes", "" + (1L << 40), "onFault", "true"},
        };
        Sample[] times = new Sample[cases.length];
        Arrays.setAll(times, i -> new Sample());
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < cases.length; i++) {
                String[] params = Arrays.copyOfRange(cases[i], 1, cases[i].length);
                for (Forks.Iteration iteration : forks.benchmark(LockTableBenchmark.class, params)) {
                    times[i].add(iteration.score);
                }
            }
        }
        report.atMost(
                "lock table with 1,000,000 live handles", "with 1,000", times[1].map(x -> x / times[0].median()), 3);
        // Two measurements of the same thing differ by a few percent.
        report.atMost(
                "lock table, one handle over 1 TiB, on fault",
                "over a page",
                times[3].map(x -> x / times[2].median()),
                1.1);
        report.heading("The lock table alone", "Over a backend that does nothing.", "case", "lock and close");
        for (int i = 0; i < cases.length; i++) {
            report.row(cases[i][0], times[i].text(" ns"));
        }
    }

    private void heap() {
        Sample bytes = new Sample();
        for (int round = 0; round < rounds; round++) {
            forks.main(HeapMain.class, "1000000").forEach(line -> bytes.add(line[0]));
        }
        report.atMost("heap for a live handle", "handle, table entry and range", bytes, " bytes", 200);
    }

    private void large() throws IOException {
        Path file = Baseline.BUILT.resolve("file-of-1-GiB").toAbsolutePath();
        write(file);
        report.heading(
                "Large ranges",
                "Locked, and resident by the kernel's account. The times of pagelock are those of the call; close is extra."
                        + " C with threads pages in with one on each processor, as pagelock does where it pays: the most that"
                        + " this machine gives.",
                "what",
                "C, own process",
                "C with threads, own process",
                "C, same process",
                "pagelock",
                "close",
                "pagelock of C, same process");
        large("2 GiB of fresh anonymous memory", 1.6, "anonymous", 2 * GIB, null);
        large("a mapped file of 1 GiB in the page cache, as it was written", 1, "cached", GIB, file);
        Baseline.drop(file.toString());
        large("the same, as it was read in again", 1, "cached", GIB, file);
        large("the file after dropping it from the cache", 1, "dropped", GIB, file);
        Files.delete(file);
    }

    private void large(String what, double times, String kind, long bytes, Path file) {
        String[] args = file == null
                ? new String[] {kind, Long.toString(bytes), Integer.toString(large)}
                : new String[] {kind, Long.toString(bytes), Integer.toString(large), file.toString()};
        Sample[] columns = new Sample[5];
        Arrays.setAll(columns, i -> new Sample());
        Sample ratio = new Sample();
        Sample ratioToProgram = new Sample();
        for (double[] line : forks.main(LargeMain.class, args)) {
            for (int i = 0; i < columns.length; i++) {
                columns[i].add(line[i] / 1e6);
            }
            ratio.add(line[2] / line[1]);
            ratioToProgram.add(line[0] / line[2]);
        }
        report.atLeast(what, "one mlock in C, times faster", ratioToProgram, times);
        report.row(
                what,
                columns[0].text(" ms"),
                columns[4].text(" ms"),
                columns[1].text(" ms"),
                columns[2].text(" ms"),
                columns[3].text(" ms"),
                ratio.text(""));
    }

    private static void write(Path file) throws IOException {
        byte[] block = new byte[1 << 20];
        try (FileOutputStream out = new FileOutputStream(file.toFile())) {
            Random random = new Random(1);
            for (int i = 0; i < 1024; i++) {
                random.nextBytes(block);
                out.write(block);
            }
            out.getFD().sync();
        }
    }

    private void stalls() {
        report.heading(
                "What others wait meanwhile",
                "While one thread locks 2 GiB of fresh memory and unlocks them again; the times are those of the lock.",
                "who waits",
                "while C locks",
                "C's whole time",
                "while pagelock locks",
                "pagelock's whole time");
        Sample[] map = stall("another thread's mmap and munmap, longest", "map", 1e6, " ms");
        Sample[] lock = stall("a lock of another page through pagelock, p99", "lock", 1e6, " ms");
        Sample[] async = stall("lockAsync of another page returns, p99", "async", 1e3, " µs");
        report.atMost("longest mmap or munmap meanwhile", "that under one mlock", map[4], 0.05);
        report.atMost("lock of another page meanwhile, p99", "", lock[2], " ms", 25);
        report.atMost("lockAsync returns meanwhile, p99", "", async[2], " µs", 100);
    }

    /** While C locks, C's time, while pagelock locks, its time, and the ratio of the third to the first. */
    private Sample[] stall(String what, String waiter, double unit, String name) {
        Sample[] columns = new Sample[5];
        Arrays.setAll(columns, i -> new Sample());
        for (double[] line : forks.main(StallMain.class, waiter, Long.toString(2 * GIB), Integer.toString(large))) {
            columns[0].add(line[0] / unit);
            columns[1].add(line[1] / 1e6);
            columns[2].add(line[2] / unit);
            columns[3].add(line[3] / 1e6);
            columns[4].add(line[2] / line[0]);
        }
        report.row(what, columns[0].text(name), columns[1].text(" ms"), columns[2].text(name), columns[3].text(" ms"));
        return columns;
    }

    /** Makes an archive of the classes of a training run, as docs/performance.md recommends; the options that use it. */
    private List<String> archived(String name, boolean isAotCache, List<String> binding) {
        String archive = Baseline.BUILT
                .resolve(name + (isAotCache ? ".aot" : ".jsa"))
                .toAbsolutePath()
                .toString();
        // The JVM tells on standard output which classes no archive can hold.
        List<String> writing = new ArrayList<>(binding);
        writing.addAll(
                List.of((isAotCache ? "-XX:AOTCacheOutput=" : "-XX:ArchiveClassesAtExit=") + archive, "-Xlog:disable"));
        forks.mainWithoutPeers(writing, TrainingRun.class);
        List<String> reading = new ArrayList<>(binding);
        reading.addAll(List.of((isAotCache ? "-XX:AOTCache=" : "-XX:SharedArchiveFile=") + archive, "-Xlog:disable"));
        return reading;
    }

    private void cold() {
        boolean hasForeign = Peer.available(Peer.FOREIGN);
        boolean hasAotCache = Runtime.version().feature() >= 25;
        List<String> none = List.of();
        List<String> archived = archived("first-lock", hasAotCache, none);
        List<String> kinds = new ArrayList<>(List.of("jna", "bound", Peer.PAGELOCK, "jna", Peer.PAGELOCK));
        List<List<String>> options = new ArrayList<>(List.of(none, none, none, archived, archived));
        if (hasForeign) {
            kinds.addAll(List.of(Peer.FFM, Peer.FOREIGN));
            options.addAll(List.of(none, FOREIGN_BINDING));
        }
        boolean hasForeignCache = hasForeign && hasAotCache;
        if (hasForeignCache) {
            List<String> cached = archived("first-lock-foreign", true, FOREIGN_BINDING);
            kinds.addAll(List.of(Peer.FFM, Peer.FOREIGN));
            options.addAll(List.of(cached, cached));
        }
        Sample[] times = new Sample[kinds.size()];
        Arrays.setAll(times, i -> new Sample());
        Sample overJna = new Sample();
        Sample overBound = new Sample();
        Sample overArchivedJna = new Sample();
        Sample overDowncall = new Sample();
        Sample overCachedDowncall = new Sample();
        for (int i = 0; i < cold; i++) {
            double[] millis = new double[kinds.size()];
            for (int turn = 0; turn < kinds.size(); turn++) {
                int which = (i + turn) % kinds.size();
                millis[which] = forks.mainWithoutPeers(options.get(which), ColdMain.class, kinds.get(which))
                                .get(0)[0]
                        / 1e6;
                times[which].add(millis[which]);
            }
            overJna.add(millis[2] - millis[0]);
            overBound.add(millis[2] - millis[1]);
            overArchivedJna.add(millis[4] - millis[3]);
            if (hasForeign) {
                overDowncall.add(millis[6] - millis[5]);
            }
            if (hasForeignCache) {
                overCachedDowncall.add(millis[8] - millis[7]);
            }
        }
        report.atMost("first use to first lock, cold JVM", "over the bare loading of JNA", overJna, " ms", 60);
        report.atMost("the same with an archive", "over the same with an archive", overArchivedJna, " ms", 25);
        if (hasForeign) {
            report.atMost("the same, foreign binding", "over a bare downcall", overDowncall, " ms", 60);
        }
        if (hasForeignCache) {
            report.atMost("the same with an AOT cache", "over the same with the cache", overCachedDowncall, " ms", 25);
        }
        report.heading(
                "The first lock of a JVM",
                "With pagelock and JNA alone on the class path. The archive is one of the classes that an earlier run loaded,"
                        + " made with -XX:ArchiveClassesAtExit and used with -XX:SharedArchiveFile; from JDK 25 on, an AOT cache,"
                        + " made with -XX:AOTCacheOutput and used with -XX:AOTCache.",
                "what",
                "time",
                "with an archive");
        report.row("loading JNA and finding mlock", times[0].text(" ms"), times[3].text(" ms"));
        report.row("the same and binding a native method", times[1].text(" ms"), "");
        report.row("first use of pagelock to its first lock", times[2].text(" ms"), times[4].text(" ms"));
        report.row("pagelock over JNA", overJna.text(" ms"), overArchivedJna.text(" ms"));
        report.row("pagelock over JNA with a bound method", overBound.text(" ms"), "");
        if (hasForeign) {
            report.row(
                    "linking mlock and munlock as foreign functions, and a call",
                    times[5].text(" ms"),
                    hasForeignCache ? times[7].text(" ms") : "");
            report.row(
                    "first use of pagelock to its first lock, foreign binding",
                    times[6].text(" ms"),
                    hasForeignCache ? times[8].text(" ms") : "");
            report.row(
                    "the same over the foreign functions",
                    overDowncall.text(" ms"),
                    hasForeignCache ? overCachedDowncall.text(" ms") : "");
        }
    }

    private void neighbours() {
        report.heading(
                "Neighbours",
                "The 10,000 buffers are locked and every second one is released. Each of the 160 pages has buffers in use"
                        + " then, and must stay locked.",
                "who",
                "pages still locked",
                "correct");
        for (String name : Peer.NAMES) {
            if (Peer.available(name) && (name.equals(Peer.PAGELOCK) || Peer.locksAnyPage(name))) {
                List<double[]> lines = forks.main(NeighboursMain.class, name);
                String locked = lines.isEmpty() ? "did not run" : Integer.toString((int) lines.get(0)[0]);
                report.row(name, locked, locked.equals("" + ManyBenchmark.PAGES) ? "yes" : "**no**");
            }
        }
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).trim().replaceFirst("(\\S+ \\S+ \\S+).*", "$1");
    }

    private String machine(boolean quick, String loadBefore, long minutes) throws IOException {
        String cpu = line("/proc/cpuinfo", "model name", ":");
        String memory = line("/proc/meminfo", "MemTotal", ":").replace(" kB", "");
        Runtime runtime = Runtime.getRuntime();
        return "\nTaken " + LocalDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.MINUTES)
                + " UTC by `benchmarks/run"
                + (quick ? " --quick" : "") + "` in " + minutes + " minutes: " + cpu + ", "
                + runtime.availableProcessors() + " processors, " + Long.parseLong(memory) / (1 << 20) + " GiB; Linux "
                + System.getProperty("os.version") + " " + System.getProperty("os.arch") + ", huge pages "
                + huge() + "; " + System.getProperty("java.vm.name") + " " + Runtime.version() + "; load average "
                + loadBefore + " before and " + load() + " after.\n\n"
                + (noise.isEmpty()
                        ? ""
                        : "Noise: C measured twice, before and after an iteration, differs from itself by a factor of "
                                + noise.text("") + "; a difference below " + Sample.number(noise.noise())
                                + " % means nothing.\n");
    }

    private static String huge() throws IOException {
        Path file = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
        String all = Files.exists(file) ? Files.readString(file, StandardCharsets.US_ASCII) : "[none]";
        return all.substring(all.indexOf('[') + 1, all.indexOf(']'));
    }

    private static String line(String file, String key, String after) throws IOException {
        for (String line : Files.readAllLines(Path.of(file))) {
            if (line.startsWith(key)) {
                return line.substring(line.indexOf(after) + 1).trim();
            }
        }
        return "unknown";
    }
}
