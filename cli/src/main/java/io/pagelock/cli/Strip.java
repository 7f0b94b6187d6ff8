// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Tristate;

/** Draws the pages of a file as a strip in which each cell stands for an equal share of them. */
final class Strip {
    private static final String BLOCKS = " ░▒▓█";
    private static final String ASCII = " .:+#";
    private static final char UNKNOWN = '?';

    private final long pages;
    private final long[] resident;
    private final long[] unknown;

    Strip(long pages, int width) {
        this.pages = pages;
        int cells = (int) Math.min(pages, width);
        resident = new long[cells];
        unknown = new long[cells];
    }

    void add(long page, Tristate answer) {
        if (answer == Tristate.YES) {
            resident[cell(page)]++;
        } else if (answer == Tristate.UNKNOWN) {
            unknown[cell(page)]++;
        }
    }

    private int cell(long page) {
        // As a fraction, because page times cells passes 2^63 for no file, but pages need not divide evenly.
        return (int) (page * resident.length / pages);
    }

    /** One character a cell: none, a third, two thirds, nearly all, all of its pages; only what is all of them looks full. */
    String draw(boolean blocks) {
        String levels = blocks ? BLOCKS : ASCII;
        StringBuilder text = new StringBuilder(resident.length);
        for (int i = 0; i < resident.length; i++) {
            text.append(unknown[i] > 0 ? UNKNOWN : levels.charAt(level(resident[i], size(i))));
        }
        return text.toString();
    }

    private long size(int cell) {
        return first(cell + 1) - first(cell);
    }

    private long first(int cell) {
        return (cell * pages + resident.length - 1) / resident.length;
    }

    private static int level(long resident, long size) {
        if (resident == 0) {
            return 0;
        }
        return resident == size ? 4 : 1 + (int) (resident * 3 / size);
    }
}
