// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

/** The release of the kernel, uname(2). */
final class LinuxRelease {
    private final int major;
    private final int minor;

    private LinuxRelease(int major, int minor) {
        this.major = major;
        this.minor = minor;
    }

    /** Reads a release such as {@code 6.18.44-fc-v669}; one that has no such form counts as newer than any. */
    static LinuxRelease parse(String release) {
        // By hand: the first use of regular expressions takes milliseconds, and this comes before a program's first
        // lock.
        int dot = digits(release, 0);
        boolean formed = dot > 0 && dot < release.length() && release.charAt(dot) == '.';
        int end = formed ? digits(release, dot + 1) : 0;
        return end > dot + 1
                ? new LinuxRelease(
                        Integer.parseInt(release.substring(0, dot)), Integer.parseInt(release.substring(dot + 1, end)))
                : new LinuxRelease(Integer.MAX_VALUE, 0);
    }

    /** Where the digits end that start at a place, nine at most. */
    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length() && at < from + 9 && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at;
    }

    boolean atLeast(int otherMajor, int otherMinor) {
        return major > otherMajor || major == otherMajor && minor >= otherMinor;
    }
}
