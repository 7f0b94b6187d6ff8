// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import java.util.Arrays;
import java.util.Optional;

/** A line of {@code /proc/PID/mountinfo}, proc_pid_mountinfo(5). In strings each character stands for one byte. Immutable. */
public final class Mount {
    /** Behind the mount options; the fields before it, of which there may be none, have names. */
    private static final int FIRST_OPTIONAL = 6;

    /** What of the file system is mounted. */
    public final String root;
    /** Where it is mounted. */
    public final String point;
    /** The type of the file system. */
    public final String type;

    private final String options;

    private Mount(String root, String point, String type, String options) {
        this.root = root;
        this.point = point;
        this.type = type;
        this.options = options;
    }

    /**
     * Reads a line.
     *
     * @param line the line
     * @return empty if it has another form
     */
    public static Optional<Mount> parse(String line) {
        String[] fields = line.split(" ", -1);
        int dash = FIRST_OPTIONAL;
        while (dash < fields.length && !fields[dash].equals("-")) {
            dash++;
        }
        return fields.length < dash + 4 || !fields[3].startsWith("/") || !fields[4].startsWith("/")
                ? Optional.empty()
                : Optional.of(new Mount(unescape(fields[3]), unescape(fields[4]), fields[dash + 1], fields[dash + 3]));
    }

    /**
     * Reports whether the file system has an option, such as the controller of a hierarchy of control groups.
     *
     * @param option the option
     * @return whether it has
     */
    public boolean has(String option) {
        return Arrays.asList(options.split(",")).contains(option);
    }

    /** Blanks, line feeds and backslashes are written as a backslash and three octal digits. */
    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            if (each == '\\' && octal(text, i + 1) <= 3 && octal(text, i + 2) <= 7 && octal(text, i + 3) <= 7) {
                each = (char) (octal(text, i + 1) << 6 | octal(text, i + 2) << 3 | octal(text, i + 3));
                i += 3;
            }
            plain.append(each);
        }
        return plain.toString();
    }

    private static int octal(String text, int at) {
        return at < text.length() && text.charAt(at) >= '0' ? text.charAt(at) - '0' : Integer.MAX_VALUE;
    }
}
