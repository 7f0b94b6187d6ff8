// SPDX-License-Identifier: Apache-2.0
package io.pagelock.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess;
import io.pagelock.files.FileLockOptions;
import io.pagelock.files.FileLocker;
import io.pagelock.files.FileSelection;
import io.pagelock.files.HeldFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Searches in an index whose files are locked, in a control group that other files fill several times over. The kernel's smaps and its
 * count of the searching thread's major faults are the witnesses.
 */
@EnabledIfSystemProperty(named = "pagelock.thorough", matches = "true")
class LuceneTest {
    private static final int MIB = 1 << 20;
    private static final int DOCUMENTS = 24_000;
    private static final long GROUP = 216L * MIB;
    private static final long OTHERS = 320L * MIB;
    private static final int ROUNDS = 5;
    private static final int MOST_ROUNDS = 10;
    /** A page of the JVM's own files, which nobody locks, may fault, too. */
    private static final int OF_THE_JVM = 2;

    /** The main class of the child JVM. */
    static final class Search {
        private Search() {}

        public static void main(String[] args) throws Exception {
            Path index = Path.of(args[0]);
            boolean isLocked = args[2].equals("locked");
            try (MMapDirectory directory = new MMapDirectory(index);
                    DirectoryReader reader = DirectoryReader.open(directory);
                    HeldFiles held = isLocked
                            ? FileLocker.system().lock(FileSelection.of(index), FileLockOptions.required())
                            : null) {
                touch(directory);
                // What the JVM itself needs from its files it needs now.
                search(reader, 2000);
                missingKiB(index);
                long missing = 0;
                long searches = 0;
                long before = majorFaults();
                long faults = 0;
                // Without a lock, until the kernel has taken something of it.
                for (int round = 0; round < (isLocked ? 1 : MOST_ROUNDS) && faults <= OF_THE_JVM; round++) {
                    AtomicLong read = new AtomicLong();
                    Thread others = new Thread(() -> read(Path.of(args[1]), ROUNDS * GROUP, read));
                    others.setDaemon(true);
                    others.start();
                    while (read.get() < ROUNDS * GROUP) {
                        searches += isLocked ? search(reader, 500) : 0;
                        missing = Math.max(missing, isLocked ? missingKiB(index) : 0);
                        Thread.sleep(1);
                    }
                    searches += search(reader, 20_000);
                    faults = majorFaults() - before;
                }
                System.out.println("searches " + searches + " faults " + faults + " missing " + missing + " locked "
                        + (held == null ? 0 : held.lockedBytes()));
            }
        }

        private static void touch(MMapDirectory directory) throws IOException {
            byte[] part = new byte[1 << 16];
            for (String name : directory.listAll()) {
                try (IndexInput in = directory.openInput(name, IOContext.DEFAULT)) {
                    for (long left = in.length(); left > 0; left -= part.length) {
                        in.readBytes(part, 0, (int) Math.min(left, part.length));
                    }
                }
            }
        }

        private static int search(DirectoryReader reader, int times) throws IOException {
            IndexSearcher searcher = new IndexSearcher(reader);
            Random random = new Random();
            StoredFields stored = reader.storedFields();
            for (int i = 0; i < times; i++) {
                String id = Integer.toString(random.nextInt(DOCUMENTS));
                for (ScoreDoc each : searcher.search(new TermQuery(new Term("id", id)), 1).scoreDocs) {
                    if (!stored.document(each.doc).get("id").equals(id)) {
                        throw new IllegalStateException("another document than " + id);
                    }
                }
            }
            return times;
        }

        private static void read(Path file, long bytes, AtomicLong sum) {
            byte[] part = new byte[1 << 16];
            try {
                while (sum.get() < bytes) {
                    try (InputStream in = Files.newInputStream(file)) {
                        for (int n = in.read(part); n > 0 && sum.get() < bytes; n = in.read(part)) {
                            sum.addAndGet(n);
                        }
                    }
                }
            } catch (IOException e) {
                sum.set(Long.MAX_VALUE);
            }
        }

        /** What the locked mappings of the index lack in memory. */
        private static long missingKiB(Path index) throws IOException {
            long missing = 0;
            long size = 0;
            long resident = 0;
            boolean ours = false;
            for (String line : Files.readAllLines(Path.of("/proc/self/smaps"), StandardCharsets.ISO_8859_1)) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    ours = line.contains(index.toString());
                } else if (ours && line.startsWith("Size:")) {
                    size = Long.parseLong(line.replaceAll("\\D", ""));
                } else if (ours && line.startsWith("Rss:")) {
                    resident = Long.parseLong(line.replaceAll("\\D", ""));
                } else if (ours && line.startsWith("VmFlags:") && line.contains(" lo")) {
                    missing += size - resident;
                }
            }
            return missing;
        }

        private static long majorFaults() throws IOException {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[9]);
        }
    }

    private static void index(Path directory) throws IOException {
        byte[] body = new byte[5000];
        Random random = new Random(1);
        try (MMapDirectory files = new MMapDirectory(directory);
                IndexWriter writer = new IndexWriter(files, new IndexWriterConfig().setUseCompoundFile(false))) {
            for (int i = 0; i < DOCUMENTS; i++) {
                random.nextBytes(body);
                Document document = new Document();
                document.add(new StringField("id", Integer.toString(i), Field.Store.YES));
                document.add(new StoredField("body", body));
                writer.addDocument(document);
            }
            writer.forceMerge(1);
        }
    }

    /** Drops a file from the page cache: its pages are charged to the group that reads them first. */
    private static void drop(Path file) {
        ChildProcess.of("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0")
                .run()
                .succeeded();
    }

    private static long[] search(Path index, Path others, String how) throws IOException {
        drop(others);
        try (var files = Files.list(index)) {
            files.forEach(LuceneTest::drop);
        }
        try (Group group = Group.withMemory(GROUP)) {
            String output = new ChildJvm()
                    .through(group.command())
                    .options("-Xmx64m")
                    .run(Search.class, index.toString(), others.toString(), how)
                    .succeeded();
            Matcher line = Pattern.compile("searches (\\d+) faults (\\d+) missing (\\d+) locked (\\d+)\n")
                    .matcher(output);
            assertTrue(line.find(), output);
            long[] numbers = new long[4];
            for (int i = 0; i < 4; i++) {
                numbers[i] = Long.parseLong(line.group(i + 1));
            }
            System.out.println(how + ": " + line.group().trim());
            return numbers;
        }
    }

    @Test
    void noPageOfALockedIndexLeavesMemoryWhileOthersFillTheGroup(@TempDir Path directory) throws IOException {
        Path index = directory.resolve("index");
        index(index);
        byte[] block = new byte[MIB];
        Path others = directory.resolve("others");
        try (var out = Files.newOutputStream(others)) {
            for (long i = 0; i < OTHERS; i += MIB) {
                out.write(block);
            }
        }
        long bytes = 0;
        try (var files = Files.list(index)) {
            for (Path each : (Iterable<Path>) files::iterator) {
                bytes += Files.size(each);
            }
        }
        long[] locked = search(index, others, "locked");
        assertTrue(locked[3] >= bytes, locked[3] + " of " + bytes + " bytes");
        assertEquals(0, locked[2], "KiB of locked files that were not in memory at some time");
        assertTrue(locked[1] <= OF_THE_JVM, locked[1] + " major faults of the searching thread");
        long[] plain = search(index, others, "plain");
        assertTrue(plain[1] > OF_THE_JVM, "the group was never under pressure");
    }
}
