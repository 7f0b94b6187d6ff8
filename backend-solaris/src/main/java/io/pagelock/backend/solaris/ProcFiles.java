// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.solaris;

import io.pagelock.spi.Privileged;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.PrivilegedExceptionAction;
import java.util.Optional;

/** The files below /proc/self; an interface, so that tests can write them. */
interface ProcFiles {
    ProcFiles SYSTEM = new ProcFiles() {
        private final Path self = Paths.get("/proc/self");

        @Override
        public Optional<byte[]> read(String name) {
            try {
                return Optional.of(Privileged.read(new PrivilegedExceptionAction<byte[]>() {
                    @Override
                    public byte[] run() throws IOException {
                        return Files.readAllBytes(self.resolve(name));
                    }
                }));
            } catch (IOException | RuntimeException e) {
                return Optional.empty();
            }
        }

        @Override
        public long objectSize(String name) {
            Path object = self.resolve("object").resolve(name);
            try {
                return Privileged.read(new PrivilegedExceptionAction<Long>() {
                    @Override
                    public Long run() throws IOException {
                        return Files.isRegularFile(object) ? Files.size(object) : -1L;
                    }
                });
            } catch (IOException | RuntimeException e) {
                return -1;
            }
        }
    };

    /** The whole file, or nothing if it cannot be read. */
    Optional<byte[]> read(String name);

    /** The size of a regular file that is mapped under this name; -1 if it is none or cannot be looked at. */
    long objectSize(String name);
}
