// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.Tristate;
import io.pagelock.backend.linux.proc.KernelText;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.MappingReader;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.spi.Unsigned;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What {@code /proc} tells about this process: proc(5). What cannot be read is empty or unknown, never guessed. */
final class ProcSelf {
    /** CAP_IPC_LOCK and CAP_FOWNER, capabilities(7), {@code linux/capability.h}. */
    private static final int CAP_SYS_RESOURCE = 24;

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
        return new Status(ownLines("status"));
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

    /** Whether root of where this process runs can have CAP_SYS_RESOURCE in force, with which hard limits are raised: setrlimit(2). */
    Tristate rootMayRaiseLimits(Status status) {
        return canHave(status, CAP_SYS_RESOURCE);
    }

    /** Whether CAP_IPC_LOCK as a capability of the program's file would be in force. */
    Tristate mayGainRightByFile(Status status) {
        return status.gainsNothingByFiles() ? Tristate.NO : canHave(status, CAP_IPC_LOCK);
    }

    private Tristate canHave(Status status, int capability) {
        OptionalLong bits = status.boundingSet();
        return bits.isPresent() && (bits.getAsLong() >>> capability & 1) == 0 ? Tristate.NO : inInitialUserNamespace();
    }

    private Tristate inForce(Status status, int capability) {
        OptionalLong bits = status.effectiveCapabilities();
        if (!bits.isPresent()) {
            return Tristate.UNKNOWN;
        }
        return (bits.getAsLong() >>> capability & 1) == 0 ? Tristate.NO : inInitialUserNamespace();
    }

    /**
     * The mappings that overlap a range, in the order of addresses and disjoint. Where lines could not be read, a
     * {@linkplain Mapping#isKnown() mapping that is none} stands for what may be there.
     *
     * @return empty if they cannot be read
     */
    Optional<List<Mapping>> mappings(long from, long to) {
        return read("maps", from, to);
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
        return read("smaps", from, to);
    }

    private Optional<List<Mapping>> read(String file, long from, long to) {
        List<Mapping> found = new ArrayList<>();
        try (MappingReader reader = new MappingReader(openMappings(file), file.equals("smaps"), from)) {
            for (Mapping each = reader.next(); each != null; each = reader.next()) {
                if (!Unsigned.less(each.start, to)) {
                    break;
                }
                if (!each.gate()) {
                    found.add(each);
                }
            }
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
        return Optional.of(found);
    }

    /** The file behind a mapping, if its name still means that file. */
    Optional<ProcFiles.FileFacts> file(Mapping mapping) {
        return fileName(mapping).flatMap(files::file);
    }

    /** Whether this user may write the file behind a mapping; no if that cannot be looked at. */
    boolean mayWrite(Mapping mapping) {
        return fileName(mapping).filter(files::isWritable).isPresent();
    }

    /** Whether a page of the file behind a mapping may be missing because its file system has no room for one. */
    boolean isOutOfSpace(Mapping mapping, long pageSize) {
        return fileName(mapping)
                        .map(files::roomInMemory)
                        .orElse(OptionalLong.empty())
                        .orElse(pageSize)
                < pageSize;
    }

    private Optional<String> fileName(Mapping mapping) {
        if (mapping.name.startsWith("/")) {
            for (String name : mapping.possibleNames()) {
                Optional<ProcFiles.FileFacts> file = files.file(name);
                if (file.isPresent() && isSame(mapping, file.get())) {
                    return Optional.of(name);
                }
            }
        }
        return Optional.empty();
    }

    /** Devices without a number of their own differ between maps and stat, as those of a subvolume do: fs/btrfs/inode.c. */
    private static boolean isSame(Mapping mapping, ProcFiles.FileFacts file) {
        return mapping.inode == file.inode
                && (mapping.device == file.device || !mapping.onDisk() && file.device >>> 32 == 0);
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
        return text.isPresent() ? KernelText.number(KernelText.strip(text.get())) : OptionalLong.empty();
    }

    /** The first line of a file; empty if it cannot be read. */
    Optional<String> firstLine(String name) {
        List<String> lines = lines(name);
        return lines.isEmpty() ? Optional.empty() : Optional.of(lines.get(0));
    }

    /** The lines of a file, a character for each byte; none if it cannot be read. What has no line end is cut off. */
    List<String> lines(String name) {
        List<String> all = new ArrayList<>();
        try (KernelText text = new KernelText(files.open(name))) {
            while (text.next()) {
                if (!text.bad()) {
                    all.add(text.rest());
                }
            }
        } catch (IOException | RuntimeException e) {
            return Collections.emptyList();
        }
        return all;
    }

    /** The numbers in lines of a name, perhaps a colon, and a number, perhaps in kB. A name that is there twice is unknown. */
    Map<String, Long> fields(String file) {
        Map<String, Long> fields = new HashMap<>();
        Set<String> twice = new HashSet<>();
        for (String line : lines(file)) {
            int end = 0;
            while (end < line.length() && ": \t".indexOf(line.charAt(end)) < 0) {
                end++;
            }
            String name = line.substring(0, end);
            String value = KernelText.strip(line.startsWith(":", end) ? line.substring(end + 1) : line.substring(end));
            OptionalLong number = value.endsWith(" kB") ? KernelText.kibibytes(value) : KernelText.number(value);
            if (number.isPresent() && fields.put(name, number.getAsLong()) != null) {
                twice.add(name);
            }
        }
        fields.keySet().removeAll(twice);
        return fields;
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
     * A file that lists mappings. That of {@code /proc/self} is empty or cannot be opened once the thread that leads the
     * process has ended, as that of a launcher may: {@code exit_mm()} in the kernel's kernel/exit.c. It is asked first all the
     * same, since user-mode emulators put their own text in its place only. An empty one tells nothing: no process is without
     * mappings.
     */
    private InputStream openMappings(String file) throws IOException {
        InputStream in = openUnlessEmpty("/proc/self/" + file);
        if (in == null) {
            in = openUnlessEmpty("/proc/thread-self/" + file);
        }
        if (in == null) {
            throw new IOException(file + " is empty or cannot be read");
        }
        return in;
    }

    /** Returns null for a file that is empty or cannot be read. */
    private InputStream openUnlessEmpty(String name) {
        PushbackInputStream in = null;
        boolean any = false;
        try {
            in = new PushbackInputStream(files.open(name));
            int first = in.read();
            any = first >= 0;
            if (any) {
                in.unread(first);
            }
        } catch (IOException e) {
            any = false;
        } finally {
            if (!any) {
                close(in);
            }
        }
        return any ? in : null;
    }

    private static void close(InputStream in) {
        try {
            if (in != null) {
                in.close();
            }
        } catch (IOException e) {
            // Only read from.
            return;
        }
    }
}
