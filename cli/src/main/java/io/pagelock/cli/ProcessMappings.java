// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The locked mappings of any process, from {@code /proc/PID/smaps}. Source: proc_pid_smaps(5) Linux: flag {@code lo} since
 * 3.8, before that the field {@code Locked}; {@code lf}, lock on fault, where the kernel shows it.
 */
final class ProcessMappings {
    /** One mapping that is locked. */
    static final class Mapping {
        private final String range;
        private final String permissions;
        private final byte[] name;
        private long bytes;
        private long residentBytes;
        private long lockedBytes;
        private String flags;

        private Mapping(Matcher header) {
            range = header.group(1);
            permissions = header.group(2);
            name = unescape(header.group(3));
        }

        // The kernel writes a line feed in a name as \012 and nothing else in this way.
        private static byte[] unescape(String field) {
            return field.replace("\\012", "\n").getBytes(StandardCharsets.ISO_8859_1);
        }

        private boolean isLocked() {
            return flags == null ? lockedBytes > 0 : hasFlag("lo");
        }

        private boolean hasFlag(String flag) {
            return flags != null && Arrays.asList(flags.split(" ")).contains(flag);
        }

        private void field(String key, String value) {
            if (key.equals("Size")) {
                bytes = kibibytes(value);
            } else if (key.equals("Rss")) {
                residentBytes = kibibytes(value);
            } else if (key.equals("Locked")) {
                lockedBytes = kibibytes(value);
            } else if (key.equals("VmFlags")) {
                flags = value;
            }
        }

        String range() {
            return range;
        }

        String permissions() {
            return permissions;
        }

        /** The file behind it, a name in brackets such as {@code [heap]}, or nothing. */
        byte[] name() {
            return name;
        }

        long bytes() {
            return bytes;
        }

        long residentBytes() {
            return residentBytes;
        }

        boolean isOnFault() {
            return hasFlag("lf");
        }
    }

    private static final Pattern HEADER =
            Pattern.compile("([0-9a-f]+-[0-9a-f]+) (\\S+) \\S+ \\S+ \\d+ *(.*)", Pattern.DOTALL);
    private static final Pattern FIELD = Pattern.compile("(\\w+): *(.*)");

    private final String command;
    private final List<Mapping> locked;
    private final OptionalLong lockedBytes;

    private ProcessMappings(String command, List<Mapping> locked, OptionalLong lockedBytes) {
        this.command = command;
        this.locked = locked;
        this.lockedBytes = lockedBytes;
    }

    /**
     * Reads a process.
     *
     * @param proc where the process file system is mounted
     * @throws Failure if there is no such process or system, or this user may not look
     */
    static ProcessMappings of(Path proc, long pid) {
        if (!Files.exists(proc.resolve("self/smaps"))) {
            throw new Failure(
                    "NOT_SUPPORTED",
                    "--pid: reads /proc/PID/smaps, which " + System.getProperty("os.name") + " does not have here",
                    "Run it on Linux, with /proc mounted.",
                    null);
        }
        Path directory = proc.resolve(Long.toString(pid));
        Failure none = new Failure("NO_SUCH_PROCESS", "no process " + pid);
        if (!Files.isDirectory(directory)) {
            throw none;
        }
        try {
            List<Mapping> locked = locked(directory.resolve("smaps"));
            String status = text(directory.resolve("status"));
            return new ProcessMappings(field(status, "Name"), locked, lockedBytes(status));
        } catch (NoSuchFileException e) {
            throw none;
        } catch (AccessDeniedException e) {
            throw notPermitted(pid, e);
        } catch (IOException e) {
            if (!Files.isDirectory(directory)) {
                throw none;
            }
            // Reading is refused with EACCES as late as the first read, which Java reports as plain text.
            throw notPermitted(pid, e);
        }
    }

    private static Failure notPermitted(long pid, IOException e) {
        return new Failure(
                "ACCESS_DENIED",
                "process " + pid + ": not permitted to read /proc/" + pid + "/smaps (" + e.getMessage() + ")",
                "Run this as the user of the process or as root.",
                e);
    }

    private static List<Mapping> locked(Path smaps) throws IOException {
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(Files.newInputStream(smaps), StandardCharsets.ISO_8859_1))) {
            return locked(reader);
        }
    }

    static List<Mapping> locked(BufferedReader reader) throws IOException {
        List<Mapping> locked = new ArrayList<>();
        Mapping current = null;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            Matcher header = HEADER.matcher(line);
            if (header.matches()) {
                keep(current, locked);
                current = new Mapping(header);
                continue;
            }
            Matcher field = FIELD.matcher(line);
            if (current != null && field.matches()) {
                current.field(field.group(1), field.group(2).trim());
            }
        }
        keep(current, locked);
        return locked;
    }

    private static void keep(Mapping mapping, List<Mapping> locked) {
        if (mapping != null && mapping.isLocked()) {
            locked.add(mapping);
        }
    }

    private static long kibibytes(String value) {
        return Long.parseLong(value.substring(0, value.indexOf(' '))) * 1024;
    }

    private static String text(Path path) throws IOException {
        return new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
    }

    private static String field(String status, String key) {
        Matcher line =
                Pattern.compile("^" + key + ":\\s*(.*)$", Pattern.MULTILINE).matcher(status);
        return line.find() ? line.group(1) : "";
    }

    private static OptionalLong lockedBytes(String status) {
        String value = field(status, "VmLck");
        return value.isEmpty() ? OptionalLong.empty() : OptionalLong.of(kibibytes(value));
    }

    /** The name of the process. */
    String command() {
        return command;
    }

    List<Mapping> locked() {
        return Collections.unmodifiableList(locked);
    }

    /** What the kernel counts as locked for the process; empty for a kernel thread. */
    OptionalLong lockedBytes() {
        return lockedBytes;
    }

    long mappedBytes() {
        return locked.stream().mapToLong(Mapping::bytes).sum();
    }
}
