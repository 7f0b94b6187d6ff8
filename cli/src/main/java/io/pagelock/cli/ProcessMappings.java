// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.ByteSize;
import io.pagelock.backend.linux.proc.KernelText;
import io.pagelock.backend.linux.proc.Mapping;
import io.pagelock.backend.linux.proc.MappingReader;
import io.pagelock.backend.linux.proc.Status;
import io.pagelock.spi.Names;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * The locked mappings of any process, from {@code /proc/PID/smaps}. Source: proc_pid_smaps(5) Linux: flag {@code lo} since
 * 3.8, before that the field {@code Locked}; {@code lf}, lock on fault, where the kernel shows it. The process chose its name
 * and those of its files, so they are bytes here.
 *
 * <p>The only class here that uses the Linux backend: the commands are set up, and doctor reports, without any backend.
 */
final class ProcessMappings {
    private final Status status;
    private final List<Mapping> locked = new ArrayList<>();
    private boolean complete = true;

    private ProcessMappings(InputStream smaps, Status status) throws IOException {
        this.status = status;
        try (MappingReader reader = new MappingReader(smaps, true, 0)) {
            for (Mapping each = reader.next(); each != null; each = reader.next()) {
                complete &=
                        each.isKnown() && (each.hasFlags() || each.lockedBytes().isPresent());
                if (each.hasFlags() ? each.has("lo") : each.lockedBytes().orElse(0) > 0) {
                    locked.add(each);
                }
            }
        }
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
            return new ProcessMappings(
                    Files.newInputStream(directory.resolve("smaps")), status(directory.resolve("status")));
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

    private static Status status(Path path) throws IOException {
        List<String> lines = new ArrayList<>();
        try (KernelText text = new KernelText(Files.newInputStream(path))) {
            while (text.next()) {
                if (!text.bad()) {
                    lines.add(text.rest());
                }
            }
        }
        return new Status(lines);
    }

    /** The name of the process. */
    byte[] command() {
        return KernelText.bytes(status.name());
    }

    List<Mapping> locked() {
        return Collections.unmodifiableList(locked);
    }

    /** Whether every line could be read; otherwise there may be more than {@link #locked}. */
    boolean isComplete() {
        return complete;
    }

    /** What the kernel counts as locked for the process; empty for a kernel thread. */
    OptionalLong lockedBytes() {
        return status.lockedBytes();
    }

    long mappedBytes() {
        return locked.stream().mapToLong(Mapping::length).sum();
    }

    /** The locked mappings as a person reads them. */
    List<String> lines(Charset charset) {
        return locked.stream().map(each -> line(each, charset)).collect(Collectors.toList());
    }

    private static String line(Mapping mapping, Charset charset) {
        String name = mapping.name.isEmpty() ? "[anonymous]" : Names.text(KernelText.bytes(mapping.name), charset);
        return range(mapping) + " " + mapping.permissions() + "  " + ByteSize.format(mapping.length()) + ", "
                + (mapping.residentBytes().isPresent()
                        ? ByteSize.format(mapping.residentBytes().getAsLong())
                        : "unknown")
                + " resident" + (mapping.has("lf") ? ", on first touch" : "") + "  " + name;
    }

    private static String range(Mapping mapping) {
        return String.format(Locale.ROOT, "%08x-%08x", mapping.start, mapping.end);
    }

    static Json toJson(Mapping mapping) {
        return new Json()
                .put("range", range(mapping))
                .put("permissions", mapping.permissions())
                .put("bytes", mapping.length())
                .put("residentBytes", mapping.residentBytes())
                .put("onFault", mapping.has("lf"))
                .put("path", mapping.name.isEmpty() ? null : mapping.shownName());
    }
}
