// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A kernel that does what a test says: every call succeeds unless a failure was ordered for its name, and is recorded. Pages
 * named as locked answer EBUSY to the question whether they are.
 */
final class ScriptedCalls implements LinuxCalls {
    static final int PAGE = 4096;

    final List<String> log = new ArrayList<>();
    final TreeSet<Long> locked = new TreeSet<>();
    final TreeSet<Long> ends = new TreeSet<>();
    /** PROCMAP_QUERY's flags of a mapping, by its end. */
    final Map<Long, Long> mappingFlags = new HashMap<>();
    /** The inodes of those that are of files, by their ends. */
    final Map<Long, Long> inodes = new HashMap<>();
    /** dev_major and dev_minor, in the order of memory: of one, by its end, and of all others. */
    final Map<Long, Long> devices = new HashMap<>();

    long mappingDevice;

    private final Map<String, Integer> failures = new HashMap<>();
    private final Set<String> once = new HashSet<>();
    private final LinuxConstants constants;
    private int errno;

    long soft = 65536;
    long hard = 65536;
    boolean mlock2 = true;
    boolean lockFlags;
    byte resident = 1;
    int pageSize = PAGE;

    ScriptedCalls(LinuxConstants constants) {
        this.constants = constants;
    }

    /** From now on the function, or the very call as the log has it, fails with the errno of this name. */
    ScriptedCalls fail(String function, String name) {
        failures.put(function, constants.errno.numbers().get(name));
        return this;
    }

    /** The next call of the function fails with the errno of this name. */
    ScriptedCalls failOnce(String function, String name) {
        once.add(function);
        return fail(function, name);
    }

    ScriptedCalls failWithNumber(String function, int number) {
        failures.put(function, number);
        return this;
    }

    void lockedFrom(long address, int pages) {
        for (int i = 0; i < pages; i++) {
            locked.add(address + (long) i * pageSize);
        }
    }

    private int result(String function, String arguments) {
        String call = function + "(" + arguments + ")";
        log.add(call);
        Integer failure = failures.getOrDefault(call, failures.get(function));
        // What an earlier call left is still there after a success.
        if (failure != null) {
            errno = failure;
            if (once.remove(function)) {
                failures.remove(function);
            }
            return -1;
        }
        return 0;
    }

    private static String range(long address, long length) {
        return Long.toHexString(address) + ", " + Long.toHexString(length);
    }

    @Override
    public int errno() {
        log.add("errno");
        return errno;
    }

    @Override
    public boolean has(String function) {
        return mlock2 || !function.equals("mlock2");
    }

    @Override
    public int mlock(long addr, long len) {
        int result = result("mlock", range(addr, len));
        if (result == 0 && lockFlags) {
            lockedFrom(addr, (int) (len / pageSize));
        }
        return result;
    }

    @Override
    public int mlock2(long addr, long len, int flags) {
        int result = result("mlock2", range(addr, len) + ", " + flags);
        if (result == 0 && lockFlags) {
            lockedFrom(addr, (int) (len / pageSize));
        }
        return result;
    }

    @Override
    public int munlock(long addr, long len) {
        int result = result("munlock", range(addr, len));
        if (result == 0) {
            locked.subSet(addr, addr + len).clear();
        }
        return result;
    }

    @Override
    public int mlockall(int flags) {
        return result("mlockall", "" + flags);
    }

    @Override
    public int munlockall() {
        return result("munlockall", "");
    }

    @Override
    public int msync(long addr, long len, int flags) {
        int result = result("msync", range(addr, len) + ", " + flags);
        if (result == 0
                && (flags & constants.msInvalidate) != 0
                && !locked.subSet(addr, addr + len).isEmpty()) {
            errno = constants.errno.numbers().get("EBUSY");
            return -1;
        }
        return result;
    }

    @Override
    public int mincore(long addr, long length, byte[] vec) {
        java.util.Arrays.fill(vec, resident);
        return result("mincore", range(addr, length));
    }

    @Override
    public int madvise(long addr, long length, int advice) {
        return result("madvise", range(addr, length) + ", " + advice);
    }

    /** Descriptors are only given out where a test says where mappings end. */
    @Override
    public int open(byte[] pathname, int flags) {
        log.add("open");
        return ends.isEmpty() ? -1 : 7;
    }

    @Override
    public int ioctl(int fd, long request, long[] argument) {
        Long end = ends.higher(argument[2]);
        int result = result("ioctl", fd + ", " + Long.toHexString(request) + ", " + Long.toHexString(argument[2]));
        if (result == 0 && end == null) {
            errno = constants.errno.numbers().get("ENOENT");
            return -1;
        }
        if (result == 0) {
            argument[4] = end;
            argument[5] = mappingFlags.getOrDefault(end, 0L);
            argument[8] = inodes.getOrDefault(end, 0L);
            argument[9] = devices.getOrDefault(end, mappingDevice);
        }
        return result;
    }

    @Override
    public int close(int fd) {
        return result("close", "" + fd);
    }

    @Override
    public int getrlimit(int resource, long[] rlim) {
        rlim[0] = soft;
        rlim[1] = hard;
        return result("getrlimit", "" + resource);
    }

    @Override
    public int getpagesize() {
        return pageSize;
    }
}
