// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.files.FileEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Which pages of one file are in memory, summed up. */
final class Residency {
    private final Path path;
    private final long bytes;
    private final long pageSize;
    private final long pages;
    private final Strip strip;
    private long added;
    private long resident;
    private long unknown;
    private boolean tailResident;

    Residency(FileEntry file, long size, long pageSize, int width) {
        this.path = file.path();
        this.bytes = size;
        this.pageSize = pageSize;
        this.pages = bytes / pageSize + (bytes % pageSize == 0 ? 0 : 1);
        this.strip = new Strip(pages, width);
    }

    /** Adds the pages after those before. */
    void add(PageStates states) {
        for (int i = 0; i < states.pageCount(); i++) {
            strip.add(added + i, states.resident(i));
        }
        resident += states.countResident(Tristate.YES);
        unknown += states.countResident(Tristate.UNKNOWN);
        tailResident = states.resident(states.pageCount() - 1) == Tristate.YES;
        added += states.pageCount();
    }

    /** The bytes of the file in resident pages; the last page may be a part. */
    private long residentBytes() {
        return resident * pageSize - (tailResident ? pages * pageSize - bytes : 0);
    }

    String line(String name, int width, boolean blocks) {
        if (pages == 0) {
            return name + ": empty, no pages";
        }
        StringBuilder line = new StringBuilder("|").append(strip.draw(blocks)).append('|');
        while (line.length() < width + 2) {
            line.append(' ');
        }
        return line.append(' ').append(counts()).append("  ").append(name).toString();
    }

    private String counts() {
        if (unknown > 0) {
            return "unknown  " + resident + "/" + pages + " pages, " + unknown + " of them unknown";
        }
        return String.format(
                Locale.ROOT, "%5.1f%%  %d/%d pages  %d/%d bytes", percent(), resident, pages, residentBytes(), bytes);
    }

    private double percent() {
        // Rounded down: 100 means all of them.
        return Math.floor(1000.0 * resident / pages) / 10;
    }

    /** Why something is unknown, and what to do about it; empty if nothing is. */
    Optional<String> whyUnknown() {
        if (unknown == 0) {
            return Optional.empty();
        }
        String owner = "the owner";
        try {
            owner = "the owner (" + Files.getOwner(path).getName() + ")";
        } catch (IOException | UnsupportedOperationException e) {
            // Nothing to add.
        }
        return Optional.of(
                isLinux() && !Files.isWritable(path)
                        ? "since 5.2, Linux reports which pages of a file are in memory only to its owner and to users who may"
                                + " write it; run this as " + owner + " or as root"
                        : "the backend cannot find out; pagelock doctor shows what it lacks");
    }

    private static boolean isLinux() {
        return "Linux".equals(System.getProperty("os.name"));
    }

    Json toJson() {
        Json json = new Json()
                .putPath(path)
                .put("bytes", bytes)
                .put("pages", pages)
                .put("residentPages", resident)
                .put("unknownPages", unknown);
        if (unknown > 0) {
            return json.putNull("residentBytes").putNull("residentPercent").put("unknownReason", whyUnknown());
        }
        json.put("residentBytes", residentBytes());
        return pages == 0 ? json.putNull("residentPercent") : json.put("residentPercent", percent());
    }
}
