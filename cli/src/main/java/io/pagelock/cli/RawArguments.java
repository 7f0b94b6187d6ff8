// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as the bytes they were typed as. The JVM decodes them by the locale and loses what it cannot express, so on
 * Linux they are read from the kernel instead. In the strings here each character stands for one byte (ISO 8859-1), which
 * leaves options as they are.
 */
final class RawArguments {
    private static final Path COMMAND_LINE = Paths.get("/proc/self/cmdline");

    private RawArguments() {}

    static String[] of(String[] args) {
        try {
            return of(args, Files.readAllBytes(COMMAND_LINE));
        } catch (IOException e) {
            return encode(args);
        }
    }

    static String[] of(String[] args, byte[] commandLine) {
        List<String> all = split(commandLine);
        if (all.size() < args.length) {
            return encode(args);
        }
        List<String> raw = all.subList(all.size() - args.length, all.size());
        for (int i = 0; i < args.length; i++) {
            // Some JVMs start the program again with other arguments. Where nothing can be lost, both must agree.
            if (isAscii(raw.get(i)) && !raw.get(i).equals(args[i])) {
                return encode(args);
            }
        }
        return raw.toArray(new String[0]);
    }

    static byte[] bytes(String raw) {
        return raw.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static List<String> split(byte[] commandLine) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                parts.add(new String(commandLine, start, i - start, StandardCharsets.ISO_8859_1));
                start = i + 1;
            }
        }
        return parts;
    }

    private static boolean isAscii(String raw) {
        return raw.chars().allMatch(c -> c < 0x80);
    }

    private static String[] encode(String[] args) {
        Charset charset = Console.localeCharset();
        String[] raw = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            raw[i] = new String(args[i].getBytes(charset), StandardCharsets.ISO_8859_1);
        }
        return raw;
    }
}
