// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageStates;
import io.pagelock.Tristate;
import io.pagelock.files.FileEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    private final List<Long> ranges = new ArrayList<>();

    /** Of the part that was asked for, which is the whole file as it is now unless the selection says otherwise. */
    Residency(FileEntry file, long size, long pageSize, int width) {
        boolean whole = file.start() == 0 && file.bytes() == file.size();
        long start = whole ? 0 : Math.min(file.start(), size);
        this.path = file.path();
        this.bytes = whole ? size : Math.min(file.bytes(), size - start);
        this.pageSize = pageSize;
        long end = start + bytes;
        this.pages = bytes == 0 ? 0 : end / pageSize + (end % pageSize == 0 ? 0 : 1) - start / pageSize;
        this.strip = new Strip(pages, width);
    }

    /** Adds the pages after those before. */
    void add(long firstPage, PageStates states, boolean withRanges) {
        for (int from = 0, to; withRanges && from < states.pageCount(); from = to + 1) {
            for (to = from; to < states.pageCount() && states.resident(to) == Tristate.YES; to++) {
                continue;
            }
            if (to > from) {
                addRange((firstPage + from) * pageSize, (firstPage + to) * pageSize);
            }
        }
        for (int i = 0; i < states.pageCount(); i++) {
            strip.add(added + i, states.resident(i));
        }
        resident += states.countResident(Tristate.YES);
        unknown += states.countResident(Tristate.UNKNOWN);
        tailResident = states.resident(states.pageCount() - 1) == Tristate.YES;
        added += states.pageCount();
    }

    private void addRange(long from, long to) {
        int last = ranges.size() - 1;
        if (last > 0 && ranges.get(last - 1) + ranges.get(last) == from) {
            ranges.set(last, to - ranges.get(last - 1));
        } else {
            ranges.add(from);
            ranges.add(to - from);
        }
    }

    /** Where the resident parts begin and how long they are, in bytes, one after the other. */
    List<Long> ranges() {
        return ranges;
    }

    /** The bytes of the file in resident pages; the last page may be a part. */
    private long residentBytes() {
        return Math.max(0, resident * pageSize - (tailResident ? pages * pageSize - bytes : 0));
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
        String percent = tenths() / 10 + "." + tenths() % 10;
        return "     ".substring(Math.min(5, percent.length())) + percent + "%  " + resident + "/" + pages + " pages  "
                + residentBytes() + "/" + bytes + " bytes";
    }

    /** Rounded down: 1000 means all of them. */
    private long tenths() {
        return (long) Math.floor(1000.0 * resident / pages);
    }

    private double percent() {
        return tenths() / 10.0;
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
                        ? "since 5.2, Linux reports which pages of a file are in memory only to its owner and to"
                                + " users who may"
                                + " write it; run this as " + owner + " or as root"
                        : "the backend cannot determine it; pagelock doctor shows why");
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
