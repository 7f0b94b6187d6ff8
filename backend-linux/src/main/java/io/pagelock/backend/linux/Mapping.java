// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

/** One line of {@code /proc/self/maps}, proc_pid_maps(5), or one entry of {@code smaps}. Immutable. */
final class Mapping {
    final long start;
    final long end;
    final String permissions;
    final long offset;
    /** Whether a file on a block device is behind it; those of tmpfs and of a few other file systems have major number 0. */
    final boolean onDisk;

    final long inode;
    final String name;

    /** VmFlags of smaps, two letters each between spaces; empty if read from maps. */
    final String flags;

    private Mapping(
            long start,
            long end,
            String permissions,
            long offset,
            boolean onDisk,
            long inode,
            String name,
            String flags) {
        this.start = start;
        this.end = end;
        this.permissions = permissions;
        this.offset = offset;
        this.onDisk = onDisk;
        this.inode = inode;
        this.name = name;
        this.flags = flags;
    }

    /** Reads one line of maps, which is also the first line of an entry of smaps. */
    static Mapping parse(String line) {
        int dash = line.indexOf('-');
        int space = line.indexOf(' ', dash);
        // start-end perms offset device inode name; spaces fill up before the name, which may hold some itself.
        int offset = line.indexOf(' ', space + 1) + 1;
        int device = line.indexOf(' ', offset) + 1;
        int inode = line.indexOf(' ', device) + 1;
        int name = line.indexOf(' ', inode);
        return new Mapping(
                Long.parseUnsignedLong(line.substring(0, dash), 16),
                Long.parseUnsignedLong(line.substring(dash + 1, space), 16),
                line.substring(space + 1, offset - 1),
                Long.parseUnsignedLong(line.substring(offset, device - 1), 16),
                !line.startsWith("00:", device),
                Long.parseLong(name < 0 ? line.substring(inode) : line.substring(inode, name)),
                name < 0 ? "" : line.substring(name).trim(),
                "");
    }

    /** The part of this mapping from the given start to the given end. */
    Mapping clip(long from, long to) {
        long first = Long.compareUnsigned(from, start) > 0 ? from : start;
        long last = Long.compareUnsigned(to, end) < 0 ? to : end;
        return first == start && last == end
                ? this
                : new Mapping(first, last, permissions, offset + (first - start), onDisk, inode, name, flags);
    }

    /** This mapping with the rest of a VmFlags line. */
    Mapping withFlags(String letters) {
        return new Mapping(start, end, permissions, offset, onDisk, inode, name, " " + letters.trim() + " ");
    }

    /** Whether VmFlags has the two letters: proc_pid_smaps(5). */
    boolean has(String flag) {
        return flags.contains(" " + flag + " ");
    }

    /** Whether it can be read, written or executed at all. */
    boolean accessible() {
        return !permissions.startsWith("---");
    }

    /** Whether writing to it makes a copy of its own of each page. */
    boolean copiesWhenWritten() {
        return permissions.charAt(1) == 'w' && permissions.endsWith("p");
    }

    long length() {
        return end - start;
    }

    /** Plain private memory, with no file behind it and nothing special of the kernel's either. */
    boolean anonymous() {
        return inode == 0
                && (name.isEmpty() || name.equals("[heap]") || name.equals("[stack]") || name.startsWith("[anon:"));
    }

    /**
     * The page that each process has at a fixed address for old binaries. The kernel lists it, but system calls do not know
     * it, and it is not counted among the mappings.
     */
    boolean gate() {
        return name.equals("[vsyscall]") || name.equals("[vectors]");
    }

    @Override
    public String toString() {
        return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(end) + (name.isEmpty() ? "" : " " + name);
    }
}
