// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import io.pagelock.spi.Names;
import io.pagelock.spi.RangeSet;
import io.pagelock.spi.Unsigned;
import java.util.OptionalLong;

/** One line of {@code /proc/PID/maps}, proc_pid_maps(5), or one entry of {@code smaps}, proc_pid_smaps(5). Immutable. */
public final class Mapping {
    /** Mappings lie at multiples of this, whatever the page size. */
    static final long GRAIN = 4096;

    private static final String[] PERMISSIONS = {"r", "w", "x", "psS"};

    /** Where it begins. */
    public final long start;
    /** Where it ends, exclusive. */
    public final long end;
    /** Where in the file it begins. */
    public final long offset;
    /** Major number of the device in the upper half, minor in the lower. */
    public final long device;
    /** Number of the file, unsigned. */
    public final long inode;
    /** The file, or a name in brackets; a character for each byte. Shown only through {@link #shownName}. */
    public final String name;

    private final String permissions;
    private final String escapedName;
    private final SmapsFields fields;

    Mapping(
            long start,
            long end,
            String permissions,
            long offset,
            long device,
            long inode,
            String escapedName,
            SmapsFields fields) {
        this.start = start;
        this.end = end;
        this.permissions = permissions;
        this.offset = offset;
        this.device = device;
        this.inode = inode;
        // Written for a line feed, and for nothing else: seq_path() in the kernel's fs/proc/task_mmu.c. A name may hold
        // it already.
        this.name = escapedName.indexOf('\\') < 0 ? escapedName : escapedName.replace("\\012", "\n");
        this.escapedName = escapedName;
        this.fields = fields;
    }

    /** What lies in a part of the address space is unknown, since a line could not be read. */
    static Mapping unknown(long start, long end) {
        return new Mapping(start, end, "", 0, 0, 0, "", SmapsFields.NONE);
    }

    /** Reads the rest of a line of maps, behind the addresses; null if it has another form. */
    static Mapping parse(long start, long end, KernelText line) {
        line.skip(' ');
        String permissions = permissions(line.until(' '));
        line.skip(' ');
        long offset = line.hex();
        line.skip(' ');
        long major = line.hex();
        line.skip(':');
        long minor = line.hex();
        line.skip(' ');
        long inode = line.decimal();
        String name = "";
        if (line.peek() >= 0) {
            line.skip(' ');
            line.skipBlanks();
            name = line.rest();
        }
        return line.bad() || permissions.isEmpty()
                ? null
                : new Mapping(start, end, permissions, offset, major << 32 | minor, inode, name, SmapsFields.NONE);
    }

    /** Returns an empty text for what is none; shared and private are {@code S} and {@code s} or {@code p} without an MMU. */
    private static String permissions(String text) {
        boolean formed = text.length() == 4;
        for (int i = 0; formed && i < 4; i++) {
            formed = i < 3 && text.charAt(i) == '-' || PERMISSIONS[i].indexOf(text.charAt(i)) >= 0;
        }
        return formed ? text : "";
    }

    Mapping with(SmapsFields more) {
        return new Mapping(start, end, permissions, offset, device, inode, escapedName, more);
    }

    /**
     * Returns the part of this mapping within a range.
     *
     * @param from where the range begins
     * @param to where it ends, exclusive
     * @return the part
     */
    public Mapping clip(long from, long to) {
        long first = Unsigned.max(from, start);
        long last = Unsigned.min(to, end);
        return first == start && last == end
                ? this
                : new Mapping(first, last, permissions, offset + (first - start), device, inode, escapedName, fields);
    }

    /**
     * Reports whether a part of this mapping lies within a range.
     *
     * @param from where the range begins
     * @param to where it ends, exclusive
     * @return whether it overlaps the range
     */
    public boolean overlaps(long from, long to) {
        return Unsigned.less(from, end) && Unsigned.less(start, to);
    }

    /**
     * Returns the addresses of mappings. Of page 0, address 0 is left out, which no range holds.
     *
     * @param mappings the mappings
     * @return the set of their addresses
     */
    public static RangeSet rangeSet(Iterable<Mapping> mappings) {
        RangeSet.Builder all = RangeSet.builder();
        for (Mapping each : mappings) {
            all.add(Unsigned.max(each.start, 1), each.end);
        }
        return all.build();
    }

    /**
     * Reports whether the line could be read. If not, something may be mapped somewhere between the two addresses, or nothing.
     *
     * @return whether it is a mapping
     */
    public boolean isKnown() {
        return !permissions.isEmpty();
    }

    /**
     * Returns the rights as the kernel writes them, such as {@code r-xp}.
     *
     * @return four letters
     */
    public String permissions() {
        return permissions;
    }

    /**
     * Reports whether VmFlags has two letters: proc_pid_smaps(5), since Linux 3.8.
     *
     * @param flag the letters
     * @return whether it has; no if there are no flags
     */
    public boolean has(String flag) {
        return fields.flags != null && fields.flags.contains(" " + flag + " ");
    }

    /**
     * Reports whether there are VmFlags.
     *
     * @return whether {@link #has} tells anything
     */
    public boolean hasFlags() {
        return fields.flags != null;
    }

    /**
     * Returns what of it is in memory, by smaps.
     *
     * @return bytes; empty if unknown
     */
    public OptionalLong residentBytes() {
        return fields.resident;
    }

    /**
     * Returns what of it is locked, by the field {@code Locked} of smaps. For kernels without VmFlags.
     *
     * @return bytes; empty if unknown
     */
    public OptionalLong lockedBytes() {
        return fields.locked;
    }

    /**
     * Reports whether a file on a block device is behind it; those of tmpfs and of a few other file systems have major number 0.
     *
     * @return whether it is
     */
    public boolean onDisk() {
        return device >>> 32 != 0;
    }

    /**
     * Reports whether it can be read, written or executed at all.
     *
     * @return whether it can
     */
    public boolean accessible() {
        return !permissions.startsWith("---");
    }

    /**
     * Reports whether writing to it makes a copy of its own of each page.
     *
     * @return whether it is private and writable
     */
    public boolean copiesWhenWritten() {
        return permissions.startsWith("w", 1) && permissions.endsWith("p");
    }

    /**
     * Returns its length.
     *
     * @return bytes
     */
    public long length() {
        return end - start;
    }

    /**
     * Reports whether it is plain private memory, with no file behind it and nothing special of the kernel's either. The name
     * of a file begins with a slash or with its kind, never with a bracket.
     *
     * @return whether it is
     */
    public boolean anonymous() {
        return isKnown()
                && inode == 0
                && device == 0
                && (name.isEmpty() || name.equals("[heap]") || name.equals("[stack]") || name.startsWith("[anon:"));
    }

    /**
     * Reports whether it is the page that each process has at a fixed address for old binaries. The kernel lists it, but system
     * calls do not know it, and it is not counted among the mappings.
     *
     * @return whether it is
     */
    public boolean gate() {
        return name.equals("[vsyscall]") || name.equals("[vectors]");
    }

    /**
     * Reports whether it is memory of memfd_secret(2), which has no path below the root.
     *
     * @return whether it is
     */
    public boolean secret() {
        return name.equals("/secretmem (deleted)") && !onDisk();
    }

    /**
     * Returns the names that may be meant, since the kernel writes a line feed as {@code \012} and leaves a backslash alone.
     *
     * @return one name or two, a character for each byte
     */
    public String[] possibleNames() {
        return name.equals(escapedName) ? new String[] {name} : new String[] {name, escapedName};
    }

    /**
     * Returns the name for people: {@link Names#text}.
     *
     * @return text without control characters
     */
    public String shownName() {
        return Names.text(KernelText.bytes(name));
    }

    @Override
    public String toString() {
        return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(end)
                + (name.isEmpty() ? "" : " " + shownName());
    }
}
