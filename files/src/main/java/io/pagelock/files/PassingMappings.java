// SPDX-License-Identifier: Apache-2.0
package io.pagelock.files;

/**
 * Counts mappings of which each is used only for a moment: however large the files are, few exist at a time. Java unmaps a
 * buffer when the garbage collector finds it, so that is asked to look from time to time.
 */
final class PassingMappings {
    /** The size of a mapping; a multiple of every page size. */
    static final long WINDOW = 256L << 20;

    private static final int MANY = 1 << 14;
    private static final long MUCH = 256 * WINDOW;
    private static final int PATIENCE_MILLIS = 5000;

    private final long most = Math.min(MANY, MappingBudget.system().available() / 2);
    private int made;
    private long bytes;

    /** Takes room for a mapping; false if the ones before must be given back first. */
    boolean take(long length) {
        boolean room = made < most && (made == 0 || bytes + length <= MUCH);
        made += room ? 1 : 0;
        bytes += room ? length : 0;
        return room;
    }

    /**
     * Gives back the mappings, none of which may be referred to any more.
     *
     * @throws FileLockException if they do not go
     */
    void giveBack() {
        if (made == 0) {
            return;
        }
        made = 0;
        bytes = 0;
        MappingBudget budget = MappingBudget.system();
        for (int waited = 0; waited < PATIENCE_MILLIS; waited += 10) {
            System.gc();
            budget = MappingBudget.system();
            if (budget.available() > most) {
                return;
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw budget.exceeded(null, "cannot map a file", most + 1);
    }
}
