// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.Tristate;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What {@code /proc} tells about this process: proc(5). What cannot be read is empty or unknown, never guessed. */
final class ProcSelf {
    /** CAP_IPC_LOCK and CAP_FOWNER, capabilities(7), {@code linux/capability.h}. */
    private static final int CAP_IPC_LOCK = 14;

    private static final int CAP_FOWNER = 3;

    /** Inode of the initial user namespace, PROC_USER_INIT_INO in the kernel's {@code linux/proc_ns.h}, 3.8 and later. */
    private static final String INITIAL_USER_NAMESPACE = "user:[4026531837]";

    private final ProcFiles files;

    ProcSelf(ProcFiles files) {
        this.files = files;
    }

    ProcFiles files() {
        return files;
    }

    /** {@code status}, read at once so that its numbers belong together. */
    Status status() {
        Map<String, String> fields = new HashMap<>();
        for (String line : ownLines("status")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        }
        return new Status(fields);
    }

    /** Whether this process lives in the user namespace in which capabilities count for the whole system. */
    Tristate inInitialUserNamespace() {
        try {
            return Tristate.of(files.readLink("/proc/self/ns/user").equals(INITIAL_USER_NAMESPACE));
        } catch (NoSuchFileException e) {
            // Kernels built without user namespaces, or before 3.8, have only the initial one, but only if proc is
            // there.
            return status().known() ? Tristate.YES : Tristate.UNKNOWN;
        } catch (IOException | RuntimeException e) {
            return Tristate.UNKNOWN;
        }
    }

    /**
     * Whether CAP_IPC_LOCK is in force. mlock asks for it in the initial user namespace, so root of any other one shows the
     * bit and gains nothing: {@code capable()} in the kernel's mm/mlock.c.
     */
    Tristate canExceedLimit(Status status) {
        return inForce(status, CAP_IPC_LOCK);
    }

    /** Whether mincore answers for files of others: CAP_FOWNER, {@code can_do_mincore()} in the kernel's mm/mincore.c. */
    Tristate ownsEveryFile(Status status) {
        return inForce(status, CAP_FOWNER);
    }

    private Tristate inForce(Status status, int capability) {
        Tristate bit = status.effective(capability);
        return bit == Tristate.YES ? inInitialUserNamespace() : bit;
    }

    /**
     * The mappings that overlap a range, in the order of addresses and disjoint. The file is read in pieces, and a mapping that
     * grew downwards in between is told with what was told before; of that, only the rest counts.
     *
     * @return empty if they cannot be read
     */
    Optional<List<Mapping>> mappings(long from, long to) {
        List<Mapping> found = new ArrayList<>();
        long told = 0;
        try (BufferedReader lines = openMappings("maps")) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Mapping mapping = Mapping.parse(line);
                if (Long.compareUnsigned(mapping.end, told) <= 0) {
                    continue;
                }
                mapping = mapping.clip(told, mapping.end);
                told = mapping.end;
                if (Long.compareUnsigned(mapping.start, to) >= 0) {
                    break;
                }
                if (Long.compareUnsigned(mapping.end, from) > 0 && !mapping.gate()) {
                    found.add(mapping);
                }
            }
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
        return Optional.of(found);
    }

    /** Every mapping. */
    Optional<List<Mapping>> mappings() {
        return mappings(0, -1);
    }

    /**
     * The mappings that overlap a range, with their VmFlags. Slow, because the kernel walks the pages of every mapping up to
     * there: proc_pid_smaps(5).
     *
     * @return empty if they cannot be read
     */
    Optional<List<Mapping>> flagged(long from, long to) {
        List<Mapping> found = new ArrayList<>();
        Mapping current = null;
        try (BufferedReader lines = openMappings("smaps")) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("VmFlags:")) {
                    if (Long.compareUnsigned(current.end, from) > 0 && !current.gate()) {
                        found.add(current.withFlags(line.substring("VmFlags:".length())));
                    }
                } else if (line.charAt(0) <= '9' || line.charAt(0) >= 'a') {
                    // Entries start with an address in lower case; their other lines with a capital.
                    current = Mapping.parse(line);
                    if (Long.compareUnsigned(current.start, to) >= 0) {
                        break;
                    }
                }
            }
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
        return Optional.of(found);
    }

    /** {@code vm.max_map_count}, above which the kernel splits no mapping. */
    OptionalLong maxMapCount() {
        return number("/proc/sys/vm/max_map_count");
    }

    /**
     * The entries of {@code pagemap} for consecutive pages; empty if it cannot be read: proc_pid_pagemap(5). Like maps, that of
     * {@code /proc/self} ends at once if the leading thread has ended.
     */
    Optional<long[]> pagemap(long firstPage, int count) {
        Optional<long[]> entries = pagemap("/proc/self/pagemap", firstPage, count);
        return entries.isPresent() ? entries : pagemap("/proc/thread-self/pagemap", firstPage, count);
    }

    private Optional<long[]> pagemap(String name, long firstPage, int count) {
        try (InputStream raw = files.open(name)) {
            long left = firstPage * 8;
            while (left > 0) {
                long skipped = raw.skip(left);
                if (skipped <= 0) {
                    return Optional.empty();
                }
                left -= skipped;
            }
            byte[] bytes = new byte[count * 8];
            new DataInputStream(raw).readFully(bytes);
            long[] entries = new long[count];
            ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asLongBuffer().get(entries);
            return Optional.of(entries);
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** The number in a file of one line; empty if it cannot be read or is not a number, as in {@code max}. */
    OptionalLong number(String name) {
        Optional<String> text = firstLine(name);
        try {
            return text.isPresent() ? OptionalLong.of(Long.parseLong(text.get().trim())) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** The first line of a file; empty if it cannot be read. */
    Optional<String> firstLine(String name) {
        try (BufferedReader lines = open(name)) {
            return Optional.ofNullable(lines.readLine());
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** The lines of a file; none if it cannot be read. */
    List<String> lines(String name) {
        List<String> all = new ArrayList<>();
        try (BufferedReader lines = open(name)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                all.add(line);
            }
        } catch (IOException | RuntimeException e) {
            return Collections.emptyList();
        }
        return all;
    }

    /**
     * The lines of a file about the calling thread: capabilities(7) and the user for access to files belong to each thread,
     * and {@code /proc/self} tells those of the thread that leads the process. {@code /proc/thread-self} is there since Linux
     * 3.17: proc_thread-self(5).
     */
    List<String> ownLines(String file) {
        List<String> lines = lines("/proc/thread-self/" + file);
        return lines.isEmpty() ? lines("/proc/self/" + file) : lines;
    }

    /**
     * The lines of a file that lists mappings. That of {@code /proc/self} is empty or cannot be opened once the thread that leads
     * the process has ended, as that of a launcher may: {@code exit_mm()} in the kernel's kernel/exit.c. It is asked first all
     * the same, since user-mode emulators put their own text in its place only. An empty one tells nothing: no process is
     * without mappings.
     */
    private BufferedReader openMappings(String file) throws IOException {
        BufferedReader lines = openUnlessEmpty("/proc/self/" + file);
        if (lines == null) {
            lines = openUnlessEmpty("/proc/thread-self/" + file);
        }
        if (lines == null) {
            throw new IOException(file + " is empty or cannot be read");
        }
        return lines;
    }

    /** Returns null for a file that is empty or cannot be read. */
    private BufferedReader openUnlessEmpty(String name) {
        BufferedReader lines = null;
        boolean any = false;
        try {
            lines = open(name);
            lines.mark(1);
            any = lines.read() >= 0;
            lines.reset();
        } catch (IOException e) {
            any = false;
        } finally {
            if (!any) {
                close(lines);
            }
        }
        return any ? lines : null;
    }

    private static void close(BufferedReader lines) {
        try {
            if (lines != null) {
                lines.close();
            }
        } catch (IOException e) {
            // Only read from.
            return;
        }
    }

    private BufferedReader open(String name) throws IOException {
        return new BufferedReader(new InputStreamReader(files.open(name), StandardCharsets.ISO_8859_1), 1 << 14);
    }

    /** The fields of {@code status}. The memory is the process's, the user and the capabilities are the thread's. */
    static final class Status {
        private final Map<String, String> fields;

        private Status(Map<String, String> fields) {
            this.fields = fields;
        }

        boolean known() {
            return !fields.isEmpty();
        }

        /** Bytes under VM_LOCKED by the kernel's count. */
        OptionalLong lockedBytes() {
            return bytes("VmLck");
        }

        /** The virtual size, which mlockall is charged for. */
        OptionalLong sizeBytes() {
            return bytes("VmSize");
        }

        /** What of it is in memory. */
        OptionalLong residentBytes() {
            return bytes("VmRSS");
        }

        /** The user for access to files. */
        OptionalLong fileUser() {
            String[] uids = fields.getOrDefault("Uid", "").split("\\s+");
            try {
                return uids.length == 4 ? OptionalLong.of(Long.parseLong(uids[3])) : OptionalLong.empty();
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }

        Tristate effective(int capability) {
            String bits = fields.get("CapEff");
            try {
                return bits == null
                        ? Tristate.UNKNOWN
                        : Tristate.of((Long.parseUnsignedLong(bits, 16) >>> capability & 1) != 0);
            } catch (NumberFormatException e) {
                return Tristate.UNKNOWN;
            }
        }

        private OptionalLong bytes(String field) {
            String text = fields.getOrDefault(field, "");
            // Always "kB", and always 1024 bytes.
            if (!text.endsWith(" kB")) {
                return OptionalLong.empty();
            }
            try {
                return OptionalLong.of(
                        Long.parseLong(text.substring(0, text.length() - 3).trim()) * 1024);
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }
    }
}
