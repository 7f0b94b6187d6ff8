// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.linux.proc.Mount;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The memory limits of this process's control group and of the groups around it, of which the tightest counts: cgroups(7) and
 * the kernel's admin-guide, cgroup-v2 and cgroup-v1/memory. Groups outside of a container do not show from within.
 */
final class MemoryGroups {
    /** From here on a limit means none: version 1 shows the largest number of pages, in bytes. */
    private static final long UNLIMITED = 1L << 62;

    private final ProcSelf proc;

    MemoryGroups(ProcSelf proc) {
        this.proc = proc;
    }

    /**
     * Returns the groups that have a limit, or whose limit cannot be read, the one with the least room first.
     *
     * @param swapFree the free swap space of the machine, in bytes
     */
    List<MemoryUse> limited(long swapFree) {
        Optional<String> version1 = path("memory");
        boolean v1 = version1.isPresent();
        Optional<String> path = v1 ? version1 : path("");
        if (!path.isPresent()) {
            // A kernel without control groups; or without proc, where everything else is unknown as well.
            return Collections.emptyList();
        }
        Optional<Shown> mount = mount(v1, path.get());
        if (!mount.isPresent()) {
            return Collections.singletonList(MemoryUse.unknown(path.get()));
        }
        List<MemoryUse> found = new ArrayList<>();
        List<String> directories = new ArrayList<>();
        for (String group : fromTop(mount.get().below(path.get()))) {
            directories.add(mount.get().top + group);
            Optional<MemoryUse> use = v1 ? useV1(directories, group, swapFree) : useV2(directories, group, swapFree);
            if (use.isPresent()) {
                found.add(use.get());
            }
        }
        found.sort((one, other) -> Long.compare(one.room(), other.room()));
        return found;
    }

    /** "/a/b" as "", "/a", "/a/b". */
    private static List<String> fromTop(String path) {
        List<String> groups = new ArrayList<>();
        groups.add("");
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            groups.add(path.substring(0, slash));
        }
        if (path.length() > 1) {
            groups.add(path);
        }
        return groups;
    }

    /** Reads the limit first, and what is in use only if there is one: most groups have none, and a large lock waits for this. */
    private Optional<MemoryUse> useV2(List<String> directories, String group, long swapFree) {
        String directory = directories.get(directories.size() - 1);
        String file = directory + "/memory.max";
        Optional<String> max = proc.firstLine(file);
        if (!max.isPresent()) {
            Optional<String> controllers = proc.firstLine(directory + "/cgroup.controllers");
            boolean limited = !controllers.isPresent()
                    || Arrays.asList(controllers.get().split(" ")).contains("memory")
                            && proc.firstLine(directory + "/cgroup.events").isPresent();
            // The root has neither a limit nor that last file.
            return limited ? Optional.of(MemoryUse.unknown(group)) : Optional.empty();
        }
        if (max.get().equals("max")) {
            return Optional.empty();
        }
        long swap = swapFree;
        for (int i = 0; i < directories.size() && swap > 0; i++) {
            swap = Math.min(swap, swapRoomV2(directories.get(i)));
        }
        return Optional.of(use(directory, group, file, "/memory.current", "", swap));
    }

    private Optional<MemoryUse> useV1(List<String> directories, String group, long swapFree) {
        String directory = directories.get(directories.size() - 1);
        String file = directory + "/memory.limit_in_bytes";
        OptionalLong max = proc.number(file);
        if (max.isPresent() && max.getAsLong() >= UNLIMITED) {
            if (!group.isEmpty()) {
                return Optional.empty();
            }
            // A group outside of the container may have one, which shows here all the same.
            Long around = proc.fields(directory + "/memory.stat").get("hierarchical_memory_limit");
            return around != null && around < UNLIMITED
                    ? Optional.of(MemoryUse.unknown("around this one"))
                    : Optional.empty();
        }
        long swap = swapFree;
        for (int i = 0; i < directories.size() && swap > 0; i++) {
            swap = Math.min(swap, swapRoomV1(directories.get(i)));
        }
        return Optional.of(use(directory, group, file, "/memory.usage_in_bytes", "total_", swap));
    }

    private MemoryUse use(String directory, String group, String file, String usage, String prefix, long swap) {
        OptionalLong max = proc.number(file);
        OptionalLong current = proc.number(directory + usage);
        Map<String, Long> stat = proc.fields(directory + "/memory.stat");
        if (!max.isPresent() || !current.isPresent() || stat.isEmpty()) {
            return MemoryUse.unknown(group);
        }
        long files = sum(stat, prefix + "active_file", prefix + "inactive_file") - notYetUnevictable(stat, prefix);
        long anonymous = sum(stat, prefix + "active_anon", prefix + "inactive_anon");
        return MemoryUse.ofGroup(
                group,
                file,
                max.getAsLong(),
                proc.number(directory + "/memory.memsw.limit_in_bytes").orElse(Long.MAX_VALUE),
                files,
                sum(stat, prefix + "unevictable"),
                current.getAsLong() - files,
                sum(stat, "slab_reclaimable") + Math.min(anonymous, swap));
    }

    /**
     * What this process has locked of the cache and the kernel still counts as cache: it moves pages to those that stay in batches, of
     * folios of up to 2 MiB: mm/mlock.c, mlock_folio(). At most what is mapped of files.
     */
    private long notYetUnevictable(Map<String, Long> stat, String prefix) {
        long unevictable = sum(stat, prefix + "unevictable");
        // The first in version 1, the other in version 2; of version 1, the one with the prefix includes the groups
        // below.
        long mapped = sum(stat, prefix.isEmpty() ? "file_mapped" : prefix + "mapped_file");
        long locked = proc.status().lockedBytes().orElse(0);
        return Math.max(0, Math.min(locked, mapped) - unevictable);
    }

    static long sum(Map<String, Long> fields, String... names) {
        long sum = 0;
        for (String name : names) {
            sum += fields.getOrDefault(name, 0L);
        }
        return sum;
    }

    private long swapRoomV2(String directory) {
        OptionalLong max = proc.number(directory + "/memory.swap.max");
        return max.isPresent()
                ? Math.max(
                        0,
                        max.getAsLong()
                                - proc.number(directory + "/memory.swap.current")
                                        .orElse(0))
                : Long.MAX_VALUE;
    }

    /** Version 1 limits memory and swap together. */
    private long swapRoomV1(String directory) {
        OptionalLong both = proc.number(directory + "/memory.memsw.limit_in_bytes");
        if (!both.isPresent() || both.getAsLong() >= UNLIMITED) {
            return Long.MAX_VALUE;
        }
        OptionalLong memory = proc.number(directory + "/memory.limit_in_bytes");
        if (!memory.isPresent()) {
            return Long.MAX_VALUE;
        }
        OptionalLong bothNow = proc.number(directory + "/memory.memsw.usage_in_bytes");
        OptionalLong memoryNow = proc.number(directory + "/memory.usage_in_bytes");
        long swapped = bothNow.isPresent() && memoryNow.isPresent() ? bothNow.getAsLong() - memoryNow.getAsLong() : 0;
        return Math.max(0, both.getAsLong() - memory.getAsLong() - Math.max(0, swapped));
    }

    /** The group of a controller, or with an empty name that of version 2: "4:cpu,memory:/path", "0::/path". */
    private Optional<String> path(String controller) {
        for (String line : proc.ownLines("cgroup")) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && Arrays.asList(parts[1].split(",")).contains(controller)) {
                return Optional.of(parts[2]);
            }
        }
        return Optional.empty();
    }

    /** Where the hierarchy is mounted, of several places the one that shows most of the path: proc_pid_mountinfo(5). */
    private Optional<Shown> mount(boolean v1, String path) {
        Shown best = null;
        for (String line : proc.ownLines("mountinfo")) {
            // Most of perhaps hundreds of mounts are of another type.
            Mount found = line.contains(" - cgroup") ? Mount.parse(line).orElse(null) : null;
            if (found != null && found.type.equals(v1 ? "cgroup" : "cgroup2") && (!v1 || found.has("memory"))) {
                Shown mount = new Shown(found.root, found.point);
                if (best == null
                        || mount.below(path).length() > best.below(path).length()) {
                    best = mount;
                }
            }
        }
        return Optional.ofNullable(best);
    }

    /** A mount of a hierarchy, of which it may show a part. */
    private static final class Shown {
        private final String root;
        private final String top;

        Shown(String root, String top) {
            this.root = root.equals("/") ? "" : root;
            this.top = top;
        }

        /** The path of a group below the mount point; that point itself if the mount does not show the group. */
        String below(String path) {
            boolean shown = path.equals(root) || path.startsWith(root + "/");
            String below = shown ? path.substring(root.length()) : "";
            return below.equals("/") ? "" : below;
        }
    }
}
