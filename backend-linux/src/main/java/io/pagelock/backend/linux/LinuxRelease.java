// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The release of the kernel, uname(2). */
final class LinuxRelease {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})\\.(\\d{1,9}).*");

    private final int major;
    private final int minor;

    private LinuxRelease(int major, int minor) {
        this.major = major;
        this.minor = minor;
    }

    /** Reads a release such as {@code 6.18.44-fc-v669}; one that has no such form counts as newer than any. */
    static LinuxRelease parse(String release) {
        Matcher matcher = FORM.matcher(release);
        return matcher.matches()
                ? new LinuxRelease(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)))
                : new LinuxRelease(Integer.MAX_VALUE, 0);
    }

    boolean atLeast(int otherMajor, int otherMinor) {
        return major > otherMajor || major == otherMajor && minor >= otherMinor;
    }
}
