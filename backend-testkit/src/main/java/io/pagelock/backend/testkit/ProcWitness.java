// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.spi.MemoryGuard;
import io.pagelock.spi.Unsigned;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Reads the texts of {@code /proc} about this process for tests, independently of any backend: proc(5) Linux. Lines end
 * only at a line feed, whatever the names in them contain. A missing text fails the test.
 */
public final class ProcWitness {
    private static final int CAP_IPC_LOCK = 14;

    private ProcWitness() {}

    /**
     * Returns the lines of a file.
     *
     * @param file its path
     * @return the lines, a character for each byte
     */
    public static List<String> lines(String file) {
        // Not by a channel, which an interrupt would close.
        try (InputStream in = new FileInputStream(file)) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] piece = new byte[8192];
            for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
                all.write(piece, 0, read);
            }
            String text = new String(all.toByteArray(), StandardCharsets.ISO_8859_1);
            List<String> lines = new ArrayList<>();
            int from = 0;
            for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
                lines.add(text.substring(from, end));
                from = end + 1;
            }
            return lines;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Returns a field of {@code /proc/self/status}.
     *
     * @param field the name without its colon
     * @return the value without blanks around it
     */
    public static String status(String field) {
        return status("self", field);
    }

    /**
     * Returns a field of {@code /proc/PID/status}.
     *
     * @param process the number of the process
     * @param field the name without its colon
     * @return the value without blanks around it
     */
    public static String status(String process, String field) {
        for (String line : lines("/proc/" + process + "/status")) {
            if (line.startsWith(field + ":")) {
                return line.substring(field.length() + 1).trim();
            }
        }
        throw new AssertionError("no " + field + " in /proc/" + process + "/status");
    }

    /**
     * Returns how much the kernel counts as locked.
     *
     * @return bytes
     */
    public static long lockedBytes() {
        return lockedBytes("self");
    }

    /**
     * Returns how much the kernel counts as locked by a process.
     *
     * @param process the number of the process
     * @return bytes
     */
    public static long lockedBytes(String process) {
        return Long.parseLong(status(process, "VmLck").replace(" kB", "")) * 1024;
    }

    /**
     * Returns how much this process may lock by the rules of Linux: the soft RLIMIT_MEMLOCK.
     *
     * @return bytes; {@link Long#MAX_VALUE} without a limit, or with CAP_IPC_LOCK, which lifts it
     */
    public static long roomToLock() {
        if ((Long.parseUnsignedLong(status("CapEff"), 16) >>> CAP_IPC_LOCK & 1) != 0) {
            return Long.MAX_VALUE;
        }
        for (String line : lines("/proc/self/limits")) {
            if (line.startsWith("Max locked memory")) {
                String soft =
                        line.substring("Max locked memory".length()).trim().split("\\s+")[0];
                return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
            }
        }
        throw new AssertionError("no limit of locked memory in /proc/self/limits");
    }

    /**
     * Returns a field of {@code /proc/self/smaps}.
     *
     * @param address an address in the mapping
     * @param field the name without its colon
     * @return the value without blanks around it; empty if nothing is mapped there
     */
    public static Optional<String> smaps(long address, String field) {
        boolean inside = false;
        for (String line : lines("/proc/self/smaps")) {
            char first = line.charAt(0);
            if (first <= '9' || first >= 'a') {
                inside = contains(line, address);
            } else if (inside && line.startsWith(field + ":")) {
                return Optional.of(line.substring(field.length() + 1).trim());
            }
        }
        return Optional.empty();
    }

    /**
     * Reports whether the kernel guards a page. The access is read from the mapping, the rest from its VmFlags.
     *
     * @param address an address in the page
     * @param guard what to look for
     * @return whether it does
     */
    public static boolean isGuarded(long address, MemoryGuard guard) {
        String mapping = "";
        for (String line : lines("/proc/self/maps")) {
            if (contains(line, address)) {
                mapping = line;
            }
        }
        List<String> flags = Arrays.asList(smaps(address, "VmFlags").orElse("").split(" "));
        switch (guard) {
            case NO_ACCESS:
                return mapping.contains(" ---");
            case NOT_DUMPED:
                return flags.contains("dd");
            case NOT_INHERITED:
                return flags.contains("wf") || flags.contains("dc");
            default:
                return mapping.contains("/secretmem");
        }
    }

    /**
     * Returns the VmFlags of the mapping at an address.
     *
     * @param address an address in the mapping
     * @return two letters each; none if nothing is mapped there
     */
    public static List<String> flags(long address) {
        return smaps(address, "VmFlags")
                .map(flags -> Arrays.asList(flags.split(" ")))
                .orElse(Collections.emptyList());
    }

    /**
     * Reports whether a line of maps or smaps is that of an address.
     *
     * @param line begins with two addresses
     * @param address the address
     * @return whether it lies between them
     */
    public static boolean contains(String line, long address) {
        int dash = line.indexOf('-');
        long start = Long.parseUnsignedLong(line.substring(0, dash), 16);
        long end = Long.parseUnsignedLong(line.substring(dash + 1, line.indexOf(' ')), 16);
        return !Unsigned.less(address, start) && Unsigned.less(address, end);
    }
}
