// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** A {@code /proc} of texts. At first that of a user without rights in the initial namespace, with two mappings. */
final class ProcTexts implements ProcFiles {
    static final String DENIED = "denied";

    final Map<String, byte[]> files = new HashMap<>();
    final Map<String, String> links = new HashMap<>();
    final Map<String, FileFacts> facts = new HashMap<>();
    final Set<String> writable = new HashSet<>();
    final Map<String, Long> rooms = new HashMap<>();
    final List<String> opened = new ArrayList<>();

    ProcTexts() {
        status(0, "0000000000000000");
        links.put("/proc/self/ns/user", "user:[4026531837]");
        put("/proc/sys/vm/max_map_count", "65530\n");
        maps("00010000-00020000 rw-p 00000000 00:00 0 ", "00020000-00030000 ---p 00000000 00:00 0 ");
    }

    ProcTexts put(String name, String text) {
        files.put(name, text.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    ProcTexts without(String name) {
        files.remove(name);
        return this;
    }

    ProcTexts deny(String name) {
        return put(name, DENIED);
    }

    ProcTexts status(long lockedKib, String capEff) {
        return put(
                "/proc/self/status",
                "Name:\tjava\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nVmPeak:\t 9000000 kB\nVmSize:\t 8000000 kB\nVmLck:\t "
                        + lockedKib + " kB\nVmRSS:\t   10000 kB\nCapEff:\t" + capEff + "\n");
    }

    ProcTexts maps(String... lines) {
        return put("/proc/self/maps", String.join("\n", lines) + "\n");
    }

    @Override
    public InputStream open(String name) throws IOException {
        opened.add(name);
        byte[] text = files.get(name);
        if (text == null) {
            throw new NoSuchFileException(name);
        }
        if (new String(text, StandardCharsets.ISO_8859_1).equals(DENIED)) {
            throw new AccessDeniedException(name);
        }
        return new ByteArrayInputStream(text);
    }

    @Override
    public String readLink(String name) throws IOException {
        String link = links.get(name);
        if (link == null) {
            throw new NoSuchFileException(name);
        }
        if (link.equals(DENIED)) {
            throw new AccessDeniedException(name);
        }
        return link;
    }

    /** A file that can be looked at, on the device fe:00. */
    ProcTexts file(String name, long inode, long owner, long size) {
        facts.put(name, new FileFacts(0xfeL << 32, inode, owner, size));
        return this;
    }

    @Override
    public Optional<FileFacts> file(String name) {
        return Optional.ofNullable(facts.get(name));
    }

    @Override
    public boolean isWritable(String name) {
        return writable.contains(name);
    }

    @Override
    public OptionalLong roomInMemory(String name) {
        return rooms.containsKey(name) ? OptionalLong.of(rooms.get(name)) : OptionalLong.empty();
    }
}
