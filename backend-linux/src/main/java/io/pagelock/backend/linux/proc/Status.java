// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The fields of {@code /proc/PID/status}, proc_pid_status(5). Of {@code /proc/self} and {@code /proc/thread-self} the memory is
 * the process's, the user and the capabilities are the thread's. What a field does not say in the form of the kernel is unknown.
 */
public final class Status {
    private final Map<String, String> fields = new HashMap<>();

    /**
     * Reads the lines. A field that is there twice is unknown: the kernel lets no name end its line, but others who write such
     * files do.
     *
     * @param lines the lines, a character for each byte
     */
    public Status(List<String> lines) {
        for (String line : lines) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                String name = line.substring(0, colon);
                if (fields.putIfAbsent(name, line.substring(colon + 1)) != null) {
                    fields.put(name, "");
                }
            }
        }
    }

    /**
     * Reports whether there is any field.
     *
     * @return whether the file could be read
     */
    public boolean known() {
        return !fields.isEmpty();
    }

    /**
     * Returns the name of the process, which it chose itself. The kernel escapes a line feed and a backslash in it:
     * proc_task_name() in fs/proc/array.c.
     *
     * @return the name, a character for each byte; empty if unknown
     */
    public String name() {
        String escaped = fields.getOrDefault("Name", "");
        StringBuilder name = new StringBuilder();
        for (int i = escaped.startsWith("\t") ? 1 : 0; i < escaped.length(); i++) {
            char each = escaped.charAt(i);
            char escape = each == '\\' && i + 1 < escaped.length() ? escaped.charAt(i + 1) : 0;
            if (escape == 'n' || escape == '\\') {
                each = escape == 'n' ? '\n' : '\\';
                i++;
            }
            name.append(each);
        }
        return name.toString();
    }

    /**
     * Returns the bytes under VM_LOCKED by the kernel's count.
     *
     * @return bytes; empty if unknown
     */
    public OptionalLong lockedBytes() {
        return bytes("VmLck");
    }

    /**
     * Returns the virtual size, which mlockall is charged for.
     *
     * @return bytes; empty if unknown
     */
    public OptionalLong sizeBytes() {
        return bytes("VmSize");
    }

    /**
     * Returns what of it is in memory.
     *
     * @return bytes; empty if unknown
     */
    public OptionalLong residentBytes() {
        return bytes("VmRSS");
    }

    /**
     * Returns the user for access to files.
     *
     * @return the number; empty if unknown
     */
    public OptionalLong fileUser() {
        return id("Uid", 3);
    }

    /**
     * Reports whether access(2), which goes by the real user and group, answers for those that access files.
     *
     * @return whether they are known to be the same
     */
    public boolean actsAsRealUser() {
        return id("Uid", 3).isPresent()
                && id("Uid", 3).equals(id("Uid", 0))
                && id("Gid", 3).isPresent()
                && id("Gid", 3).equals(id("Gid", 0));
    }

    /** Of the real, effective, saved and file system's one. */
    private OptionalLong id(String field, int which) {
        String[] ids = value(field).split("\t", -1);
        return ids.length == 4 ? KernelText.number(ids[which]) : OptionalLong.empty();
    }

    /**
     * Returns the effective capabilities, capabilities(7).
     *
     * @return a bit for each; empty if unknown
     */
    public OptionalLong effectiveCapabilities() {
        return capabilities("CapEff");
    }

    /**
     * Returns the capabilities that this process and what it starts can ever gain, capabilities(7).
     *
     * @return a bit for each; empty if unknown
     */
    public OptionalLong boundingSet() {
        return capabilities("CapBnd");
    }

    /**
     * Reports whether capabilities of a program's file are ignored, prctl(2), PR_SET_NO_NEW_PRIVS.
     *
     * @return whether they are known to be
     */
    public boolean gainsNothingByFiles() {
        return value("NoNewPrivs").equals("1");
    }

    private OptionalLong capabilities(String field) {
        String bits = value(field);
        boolean formed = !bits.isEmpty() && bits.length() <= 16;
        for (int i = 0; i < bits.length(); i++) {
            formed &= "0123456789abcdef".indexOf(bits.charAt(i)) >= 0;
        }
        return formed ? OptionalLong.of(Long.parseUnsignedLong(bits, 16)) : OptionalLong.empty();
    }

    private OptionalLong bytes(String field) {
        return KernelText.kibibytes(value(field));
    }

    private String value(String field) {
        return KernelText.strip(fields.getOrDefault(field, ""));
    }
}
