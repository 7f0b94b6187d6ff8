// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux;

import io.pagelock.backend.support.CLibrary;
import io.pagelock.backend.testkit.Harness;
import io.pagelock.backend.testkit.Harness.Ability;
import io.pagelock.backend.testkit.remote.RemoteHarness;
import io.pagelock.backend.testkit.remote.RemoteMachine;
import io.pagelock.backend.testkit.remote.RemoteMachine.Out;
import io.pagelock.spi.Host;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/** The Linux of a remote-agent, and the backend over it: its calls and its files are the agent's. */
final class RemoteLinux {
    private RemoteLinux() {}

    static LinuxBackend backend(RemoteMachine machine) {
        CLibrary library = CLibrary.open(Host.current(), machine.file().toString());
        Host host = machine.host();
        return new LinuxBackend(
                LinuxCalls.bind(library),
                LinuxConstants.forArch(host.arch()).orElseThrow(),
                new Files(machine),
                library,
                host,
                "java");
    }

    static ProcSelf proc(RemoteMachine machine) {
        return new ProcSelf(new Files(machine));
    }

    static Harness harness(RemoteMachine machine) {
        return new RemoteHarness(machine, backend(machine), new LinuxProvider())
                .liftedBy(machine.isSuperuser())
                .forbiddenByLimit()
                .with(Ability.TELL_ABSENT, Ability.PROTECT, Ability.SHORTEN_LOCKED);
    }

    /** Files as the agent's process sees them. */
    private static final class Files implements ProcFiles {
        private static final int SEEK_CUR = 1;
        private static final int W_OK = 2;

        private final RemoteMachine machine;
        private final boolean isOtherOrder;

        private Files(RemoteMachine machine) {
            this.machine = machine;
            isOtherOrder = machine.isBigEndian() != (ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN);
        }

        @Override
        public InputStream open(String name) throws IOException {
            long fd = machine.call("open", RemoteMachine.text(name), 0);
            if (fd < 0) {
                throw new FileNotFoundException(name + ": " + machine.errnoName());
            }
            return new InputStream() {
                @Override
                public int read() throws IOException {
                    byte[] one = new byte[1];
                    return read(one, 0, 1) < 1 ? -1 : one[0] & 0xff;
                }

                @Override
                public int read(byte[] to, int offset, int length) throws IOException {
                    Out out = new Out(Math.min(length, 1 << 16));
                    long got = machine.call("read", fd, out, out.bytes().length);
                    if (got < 0) {
                        throw new IOException(name + ": " + machine.errnoName());
                    }
                    // The only file of numbers, of 8 bytes each; nothing of it is read in other pieces.
                    if (isOtherOrder && name.endsWith("/pagemap")) {
                        for (ByteBuffer each = ByteBuffer.wrap(out.bytes()); each.position() + 8 <= got; ) {
                            each.putLong(Long.reverseBytes(each.getLong(each.position())));
                        }
                    }
                    System.arraycopy(out.bytes(), 0, to, offset, (int) got);
                    return got == 0 && length > 0 ? -1 : (int) got;
                }

                @Override
                public long skip(long bytes) throws IOException {
                    if (machine.call("lseek", fd, bytes, SEEK_CUR) < 0) {
                        throw new IOException(name + ": " + machine.errnoName());
                    }
                    return bytes;
                }

                @Override
                public void close() {
                    machine.call("close", fd);
                }
            };
        }

        @Override
        public String readLink(String name) throws IOException {
            Out out = new Out(4096);
            long got = machine.call("readlink", RemoteMachine.text(name), out, out.bytes().length);
            if (got < 0) {
                throw new IOException(name + ": " + machine.errnoName());
            }
            return new String(Arrays.copyOf(out.bytes(), (int) got), StandardCharsets.ISO_8859_1);
        }

        @Override
        public Optional<FileFacts> file(String name) {
            Out out = new Out(32);
            if (machine.call("agent_lstat", RemoteMachine.text(name), out) != 0) {
                return Optional.empty();
            }
            ByteBuffer facts = ByteBuffer.wrap(out.bytes());
            long device = facts.getLong();
            long major = device >>> 8 & 0xfff | device >>> 32 & 0xfffff000L;
            long minor = device & 0xff | device >>> 12 & 0xffffff00L;
            return Optional.of(new FileFacts(major << 32 | minor, facts.getLong(), facts.getLong(), facts.getLong()));
        }

        @Override
        public boolean isWritable(String name) {
            return machine.call("access", RemoteMachine.text(name), W_OK) == 0;
        }

        @Override
        public OptionalLong roomInMemory(String name) {
            // The agent has no statfs.
            return OptionalLong.empty();
        }
    }
}
