// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Where JNA unpacks its native library for this process. Without a home, JNA would do it below the working directory, where
 * other users may write; it gets a new directory that is this user's alone.
 */
final class JnaSetup {
    private static final String DIRECTORY = "jna.tmpdir";
    private static final String LIBRARIES = "jna.platform.library.path";
    // Held, because a logger that nobody refers to forgets its level.
    private static final Logger LOGGER = Logger.getLogger("com.sun.jna");

    private static Path made;

    private JnaSetup() {}

    /** Keeps JNA from printing stack traces beside the failure that the command reports. */
    static void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    /** To be called before JNA is loaded. */
    static synchronized void prepare(Properties properties, Map<String, String> environment) {
        // Otherwise JNA runs ldconfig, for libraries that nobody here asks for.
        properties.putIfAbsent(LIBRARIES, "");
        String cache = environment.getOrDefault("XDG_CACHE_HOME", "").trim();
        File base = new File(cache.isEmpty() ? properties.getProperty("user.home", "") : cache);
        if (properties.getProperty(DIRECTORY) != null || base.isAbsolute() && base.isDirectory() && base.canWrite()) {
            return;
        }
        try {
            made = Files.createTempDirectory("pagelock-");
            properties.setProperty(DIRECTORY, made.toString());
        } catch (IOException e) {
            Failure why = Failure.of(properties.getProperty("java.io.tmpdir"), e);
            throw new Failure(
                    why.reason(),
                    "cannot make a directory for JNA's native library in java.io.tmpdir: " + why.getMessage(),
                    "Name a directory that this user may write to with -Djna.tmpdir=DIRECTORY",
                    e);
        }
    }

    /** Removes the directory again; to be called once JNA is loaded, which then no longer needs the file. */
    static synchronized void clean() {
        File[] files = made == null ? null : made.toFile().listFiles();
        if (files != null) {
            for (File each : files) {
                each.delete();
            }
            made.toFile().delete();
        }
    }
}
