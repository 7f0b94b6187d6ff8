// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples;

import io.pagelock.files.FileLockOptions;
import io.pagelock.files.FileLocker;
import io.pagelock.files.FileSelection;
import io.pagelock.files.HeldFiles;
import java.nio.file.Path;

/** Keeps an index in memory, as far as a budget goes, and hears of files that change. */
final class HotFiles {
    private HotFiles() {}

    public static void main(String[] args) {
        Path index = Path.of(args[0]);
        // README
        FileLockOptions options = FileLockOptions.bestEffort().budget(2L << 30);
        try (HeldFiles held = FileLocker.system().lock(FileSelection.of(index), options)) {
            held.files().forEach(file -> file.problem().ifPresent(System.err::println));
            serve(held);
            held.check().forEach(System.err::println); // replaced, truncated, evicted, ...
        }
        // end
    }

    private static void serve(HeldFiles held) {
        System.out.println(held.files().size() + " files, " + held.lockedBytes() + " bytes locked");
    }
}
