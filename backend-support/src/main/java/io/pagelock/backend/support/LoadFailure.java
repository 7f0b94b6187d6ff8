// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import com.sun.jna.Native;
import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Says why JNA's native library did not load and what a stranger can do about it. JNA tells its causes apart only by the words
 * of the message, and so do the dynamic linkers; the words below were seen with JNA 5.19.1 on glibc.
 */
final class LoadFailure {
    private static final String UNPACK =
            "Unpack libjnidispatch.so from com/sun/jna/<system>-<processor>/ of the jna jar"
                    + " into a directory of your choice and name that with -Djna.boot.library.path=DIRECTORY";

    /** Put together when it runs, since shading tools rename packages in texts, too. */
    private static final String JNA = String.join(".", "com", "sun", "jna");

    private LoadFailure() {}

    static PageLockException explain(Throwable thrown, Host host) {
        Throwable first = thrown;
        StringBuilder words = new StringBuilder();
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            words.append(each).append('\n');
            first = each;
        }
        return PageLockException.because(Reason.NOT_SUPPORTED)
                .detail("the native library of JNA cannot be loaded on " + host + ": " + line(first))
                .remedies(remedies(words.toString(), host))
                .cause(thrown)
                .build();
    }

    private static String line(Throwable thrown) {
        String message = String.valueOf(thrown.getMessage()).trim().replaceAll("\\s*\\R\\s*", "; ");
        // Some messages are only the name of a class or a method.
        boolean bare = thrown instanceof ClassNotFoundException
                || thrown instanceof LinkageError && !(thrown instanceof UnsatisfiedLinkError);
        return bare || thrown.getMessage() == null ? thrown.getClass().getSimpleName() + ": " + message : message;
    }

    /** The package that JNA's classes are in; where it is not the original one, its native library cannot find them. */
    private static String packageOfJna() {
        try {
            // The name of a class needs no initializer to have run.
            return Native.class.getPackage().getName();
        } catch (LinkageError e) {
            return JNA;
        }
    }

    private static String[] remedies(String words, Host host) {
        return packageOfJna().equals(JNA) ? remediesOfWords(words, host) : lines(remedyOfRelocation(packageOfJna()));
    }

    static String remedyOfRelocation(String found) {
        return "Keep the shading tool from relocating " + JNA + " (here it is " + found
                + "): the native library of JNA looks for its classes by their original names. Relocate pagelock alone,"
                + " or nothing";
    }

    private static String[] remediesOfWords(String words, Host host) {
        if (has(words, "IllegalCallerException", "native access")) {
            return lines(
                    "Start java with --enable-native-access=ALL-UNNAMED, or =com.sun.jna if JNA is on the module path");
        }
        if (has(words, "incompatible JNA native library")) {
            return lines(
                    "Another version of JNA's native library was found first: remove -Djna.boot.library.path and"
                            + " -Djna.nosys=false",
                    "Let -Djna.boot.library.path name the native library of the jna jar in use");
        }
        if (has(words, "Could not initialize class com.sun.jna")) {
            return lines("JNA failed to start earlier in this process; look for its first error");
        }
        if (has(words, "NoClassDefFoundError", "ClassNotFoundException", "NoSuchMethodError", "NoSuchFieldError")) {
            return lines("Put one jna jar, net.java.dev.jna:jna-jpms 5.19 or later, on the class path or module path");
        }
        if (has(
                words,
                "wrong ELF class",
                "Possible cause: can't load",
                "cannot open shared object file: No such file")) {
            return lines(
                    "The native library found is for another processor than " + host.arch() + " or for another C"
                            + " library:"
                            + " remove -Djna.prefix and -Djna.boot.library.path",
                    "On Alpine Linux, apk add gcompat or java-jna-native");
        }
        if (has(words, "failed to map segment", "Operation not permitted", "Permission denied")) {
            return lines(
                    "The directory where JNA unpacks libjnidispatch does not allow code to run (mounted noexec?): name"
                            + " another one with -Djna.tmpdir=DIRECTORY",
                    UNPACK);
        }
        if (has(words, "temporary directory", "No space left", "Read-only file system")) {
            return lines(
                    "JNA cannot write its native library to its temporary directory: name another one with"
                            + " -Djna.tmpdir=DIRECTORY",
                    UNPACK);
        }
        boolean isMissing = has(words, "not found in resource path", "Could not find JNA native support");
        if (isMissing && !hasPartsFor(host)) {
            return lines(
                    "The jna jar has no native library for " + host.osName() + ": install JNA from the packages of that"
                            + " system, put its jar on the class path in place of the other, and name the directory of"
                            + " its libjnidispatch with -Djna.boot.library.path=DIRECTORY",
                    "Build JNA's native library on that system from the source of the version of the jar");
        }
        if (isMissing) {
            return lines(
                    "The jna jar in use has no native library for " + host.arch()
                            + " (a shaded or minimized jar?): use the" + " original jar net.java.dev.jna:jna-jpms",
                    "Remove -Djna.nounpack=true and -Djna.prefix, which keep JNA from using the library in its jar",
                    UNPACK);
        }
        if (has(words, "Unable to locate JNA native support")) {
            return lines("Remove -Djna.noclasspath=true, which keeps JNA from using the library in its jar", UNPACK);
        }
        return lines("Run java with -Djna.debug_load.jna=true to see where JNA looks", UNPACK);
    }

    /** The systems that some directory of the jar of JNA 5.19.1 is for, whatever the processor. */
    private static boolean hasPartsFor(Host host) {
        String name = host.osName().toLowerCase(Locale.ROOT);
        return Stream.of(
                        "aix",
                        "darwin",
                        "dragonfly",
                        "freebsd",
                        "linux",
                        "mac",
                        "openbsd",
                        "solaris",
                        "sunos",
                        "windows")
                .anyMatch(name::startsWith);
    }

    private static String[] lines(String... each) {
        return each;
    }

    private static boolean has(String words, String... any) {
        for (String each : any) {
            if (words.contains(each)) {
                return true;
            }
        }
        return false;
    }
}
