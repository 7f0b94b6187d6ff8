// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit.remote;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.pagelock.backend.testkit.ProcessMemory;
import io.pagelock.backend.testkit.standin.StandIn;
import io.pagelock.spi.Host;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Holds a session with a {@link RemoteAgent}: a process there, its memory, and what its kernel says of it. All that it locked ends
 * with it. One at a time in each library; safe for several threads.
 */
public final class RemoteMachine implements ProcessMemory, AutoCloseable {
    private static final int NONE = -1;
    /** How long a child may take for a call, unless it was {@link #start started}. */
    private static final long ANSWER_MILLIS = 60_000;

    private static final int NOBODY = 65534;
    private static final int RESULT = 9;
    private static final int OUT = 21;
    private static final int ERROR_TEXT = 256;
    /** What bindings have besides C functions. */
    private static final List<String> OWN = Arrays.asList("errno", "has");

    private final Path file;
    private final NativeLibrary library;
    private final Host host;
    private final long pageSize;
    private final boolean isBigEndian;
    private boolean isSuperuser;
    private final boolean isStandIn;
    private final long processId;
    private final Set<String> functions;
    /** Whose child this is, and its number there; null for the session itself. */
    private final RemoteMachine parent;

    private final int child;

    private RemoteMachine(RemoteMachine parent, int child) {
        file = parent.file;
        library = parent.library;
        host = parent.host;
        isBigEndian = parent.isBigEndian;
        pageSize = parent.pageSize;
        isSuperuser = parent.isSuperuser;
        isStandIn = parent.isStandIn;
        functions = parent.functions;
        this.parent = parent;
        this.child = child;
        processId = call("getpid");
    }

    private RemoteMachine(Path file, NativeLibrary library, String[] facts) {
        parent = null;
        child = NONE;
        this.file = file;
        this.library = library;
        host = new Host(facts[1], facts[2], facts[3], Integer.parseInt(facts[4]));
        isBigEndian = facts[5].equals("big");
        pageSize = Long.parseLong(facts[6]);
        processId = Long.parseLong(facts[7]);
        isSuperuser = facts[8].equals("0");
        isStandIn = facts[9].equals("stand-in");
        functions = new HashSet<>(Arrays.asList(facts[10].split(",")));
    }

    /**
     * Opens a session.
     *
     * @param file the library of the system, compiled by {@link StandIn#compile} from a C file that includes {@code remote.h}
     * @param agent the agent
     * @return the session
     * @throws AssertionError if the agent cannot be reached, refuses, or is of another width than this JVM
     */
    public static RemoteMachine open(Path file, RemoteAgent agent) {
        NativeLibrary library = NativeLibrary.getInstance(file.toString());
        byte[] text = new byte[4096];
        int result = library.getFunction("remote_open")
                .invokeInt(new Object[] {agent.host(), agent.port(), agent.key(), text, text.length});
        String answer = Native.toString(text, StandardCharsets.ISO_8859_1.name());
        if (result != 0) {
            throw new AssertionError(answer);
        }
        RemoteMachine machine = new RemoteMachine(file, library, answer.split("\t"));
        if (machine.host.bits() != Host.current().bits()) {
            machine.close();
            throw new AssertionError("the agent at " + agent + " is compiled for " + machine.host.bits()
                    + " bits and this JVM has " + Host.current().bits()
                    + ": structures would differ. Compile it for the other data model, or use the other JVM");
        }
        return machine;
    }

    /**
     * Returns where the library is that passes calls on, for {@code CLibrary.open}.
     *
     * @return an absolute path
     */
    public Path file() {
        return file;
    }

    /**
     * Returns the system that the agent runs on, as uname(2) there names it.
     *
     * @return the name, release, processor and width of pointers
     */
    public Host host() {
        return host;
    }

    @Override
    public long pageSize() {
        return pageSize;
    }

    /**
     * Reports in which order the agent's processor has the bytes of a number.
     *
     * @return whether the highest comes first
     */
    public boolean isBigEndian() {
        return isBigEndian;
    }

    /**
     * Reports whether the agent runs as user 0.
     *
     * @return whether it does
     */
    public boolean isSuperuser() {
        return isSuperuser;
    }

    /**
     * Reports whether the agent's kernel is a stand-in of the system.
     *
     * @return whether it is
     */
    public boolean isStandIn() {
        return isStandIn;
    }

    /**
     * Returns the number of the session's process there.
     *
     * @return its pid
     */
    public long processId() {
        return processId;
    }

    /**
     * Returns which functions of a binding the library lacks. They would be those of the C library here, and act on this JVM.
     *
     * @param calls an interface of C functions
     * @return their names
     */
    public Set<String> missing(Class<?> calls) {
        Set<String> missing = new TreeSet<>();
        for (Method each : calls.getMethods()) {
            boolean ofC = Modifier.isAbstract(each.getModifiers()) && !OWN.contains(each.getName());
            if (ofC && library.getFunction("remote_defines").invokeInt(new Object[] {each.getName()}) == 0) {
                missing.add(each.getName());
            }
        }
        return missing;
    }

    /**
     * Reports whether the agent has a function.
     *
     * @param function the C name, or the agent's own
     * @return whether it can be called
     */
    public boolean has(String function) {
        return functions.contains(function);
    }

    /**
     * Calls a function.
     *
     * @param function its name in the agent's table
     * @param arguments numbers and addresses; a {@code byte[]} that goes there; or an {@link Out}
     * @return its result
     * @throws AssertionError if the session has ended
     */
    public long call(String function, Object... arguments) {
        if (parent != null) {
            start(function, arguments);
            return result(ANSWER_MILLIS, arguments).getAsLong();
        }
        long[] words = new long[Math.max(1, arguments.length)];
        int inAt = NONE;
        int outAt = NONE;
        byte[] in = new byte[0];
        byte[] out = new byte[0];
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i] instanceof byte[]) {
                inAt = i;
                in = (byte[]) arguments[i];
            } else if (arguments[i] instanceof Out) {
                outAt = i;
                out = ((Out) arguments[i]).bytes;
            } else {
                words[i] = ((Number) arguments[i]).longValue();
            }
        }
        Function invoke = library.getFunction("remote_invoke");
        long result = invoke.invokeLong(
                new Object[] {function, arguments.length, words, inAt, in, in.length, outAt, out, out.length});
        int errno = Native.getLastError();
        String failure = failure();
        if (!failure.isEmpty()) {
            throw new AssertionError("no " + function + " on " + host + ": " + failure);
        }
        Native.setLastError(errno);
        return result;
    }

    /**
     * Forks a process there with this one's memory and without its locks. It makes one call at a time, and may block in it
     * while this one goes on.
     *
     * @return the child, to be closed, which ends it whatever it does; it ends with the session, too
     */
    public RemoteMachine fork() {
        return new RemoteMachine(this, (int) must("agent_fork"));
    }

    /**
     * Starts a call in a {@linkplain #fork child}, which may block in it.
     *
     * @param function its name in the agent's table
     * @param arguments as {@link #call} takes them
     */
    public void start(String function, Object... arguments) {
        int size = 16 + function.length();
        for (Object each : arguments) {
            size += 9 + (each instanceof byte[] ? ((byte[]) each).length : 0);
        }
        ByteBuffer frame = ByteBuffer.allocate(size);
        frame.putInt(0).putInt(child);
        frame.put((byte) function.length()).put(function.getBytes(StandardCharsets.US_ASCII));
        frame.put((byte) arguments.length);
        for (Object each : arguments) {
            if (each instanceof byte[]) {
                frame.put((byte) 'm')
                        .put((byte) 1)
                        .putInt(((byte[]) each).length)
                        .put((byte[]) each);
            } else if (each instanceof Out) {
                frame.put((byte) 'm').put((byte) 2).putInt(((Out) each).bytes.length);
            } else {
                frame.put((byte) 'i').putLong(((Number) each).longValue());
            }
        }
        frame.putInt(0, frame.position() - Integer.BYTES);
        parent.must("agent_ask", child, Arrays.copyOf(frame.array(), frame.position()));
    }

    /**
     * Waits for the result of a call that was started.
     *
     * @param millis how long at most
     * @param arguments those of the call; an {@link Out} is filled
     * @return the result, whose errno is this thread's; empty if the child is still in the call
     * @throws AssertionError if the child has ended
     */
    public OptionalLong result(long millis, Object... arguments) {
        int size = ERROR_TEXT;
        for (Object each : arguments) {
            size += each instanceof Out ? ((Out) each).bytes.length : 0;
        }
        Out answer = new Out(size);
        long length = parent.call("agent_answer", child, answer, millis);
        if (length == 0) {
            return OptionalLong.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(answer.bytes);
        if (length < OUT || bytes.get(RESULT - 1) != 0) {
            throw new AssertionError("child " + processId + " on " + host + " has ended: "
                    + (length < RESULT
                            ? ""
                            : new String(answer.bytes, RESULT, (int) length - RESULT, StandardCharsets.ISO_8859_1)));
        }
        int at = OUT;
        for (Object each : arguments) {
            if (each instanceof Out) {
                System.arraycopy(answer.bytes, at, ((Out) each).bytes, 0, ((Out) each).bytes.length);
                at += ((Out) each).bytes.length;
            }
        }
        Native.setLastError(bytes.getInt(RESULT + Long.BYTES));
        return OptionalLong.of(bytes.getLong(RESULT));
    }

    /**
     * Makes the process an ordinary user, for good, whom a limit binds. Needs an agent of the superuser.
     *
     * @param limit soft and hard RLIMIT_MEMLOCK in bytes, where there is one
     * @return this
     */
    public RemoteMachine becomeOrdinaryUser(long limit) {
        if (has("getrlimit")) {
            setLimit(limit, limit);
        }
        must("setgid", NOBODY);
        must("setuid", NOBODY);
        isSuperuser = false;
        return this;
    }

    /**
     * Takes the superuser's rights from the process, or gives them back: seteuid(2).
     *
     * @param value whether it is to be without them
     * @return whether the system did that
     */
    boolean withoutRights(boolean value) {
        return call("seteuid", value ? NOBODY : 0) == 0;
    }

    /**
     * Tries whether the process may lock.
     *
     * @return nothing if a page could be locked, otherwise the name of errno
     */
    String refusal() {
        long at = map(1);
        String refusal = call("mlock", at, pageSize) == 0 ? "" : errnoName();
        unmap(at, 1);
        return refusal;
    }

    /** Stands for memory that a call fills. */
    public static final class Out {
        private final byte[] bytes;

        /**
         * Makes some.
         *
         * @param length its size in bytes
         */
        public Out(int length) {
            bytes = new byte[length];
        }

        /**
         * Returns what came back.
         *
         * @return the memory itself
         */
        public byte[] bytes() {
            return bytes;
        }
    }

    /**
     * Returns a C string for {@link #call}.
     *
     * @param text the characters, one byte each
     * @return the bytes, ended by a zero
     */
    public static byte[] text(String text) {
        return (text + "\0").getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * Returns the name of the errno that the last call of this thread left.
     *
     * @return such as {@code ENOMEM}, by the system's own header; {@code errno 99} if the agent does not know it
     */
    public String errnoName() {
        int errno = Native.getLastError();
        Out name = new Out(32);
        return call("agent_errno", errno, name) == 0
                ? Native.toString(name.bytes(), StandardCharsets.ISO_8859_1.name())
                : "errno " + errno;
    }

    private long must(String function, Object... arguments) {
        long result = call(function, arguments);
        if (result == -1) {
            throw new IllegalStateException(errnoName());
        }
        return result;
    }

    @Override
    public long map(long pages) {
        return must("agent_map", pages);
    }

    @Override
    public long mapNoReserve(long pages) {
        return must("agent_map_noreserve", pages);
    }

    @Override
    public long mapFile(long pages) {
        return must("agent_map_file", pages);
    }

    @Override
    public void truncate(long address, long pages) {
        must("agent_truncate", address, pages);
    }

    @Override
    public void unmap(long address, long pages) {
        must("agent_unmap", address, pages);
    }

    @Override
    public void remap(long address, long pages) {
        must("agent_remap", address, pages);
    }

    @Override
    public void protect(long address, long pages) {
        must("agent_protect", address, pages);
    }

    /**
     * Takes access from every second page, so that each page is a mapping, until the kernel has no more.
     *
     * @param address the address
     * @param pages how many pages
     * @return how many pages it took
     */
    public long split(long address, long pages) {
        return must("agent_split", address, pages);
    }

    @Override
    public void touch(long address) {
        must("agent_write", address, new byte[] {1});
    }

    @Override
    public boolean isLocked(long address) {
        return must("agent_locked", address) == 1;
    }

    @Override
    public boolean isResident(long address) {
        return must("agent_resident", address) == 1;
    }

    /**
     * Asks the kernel there whether the lock on a page waits for the first touch.
     *
     * @param address an address in it
     * @return whether it does
     */
    public boolean isOnFault(long address) {
        return must("agent_on_fault", address) == 1;
    }

    /** Returns on FreeBSD what the whole system has locked. */
    @Override
    public long lockedBytes() {
        return must("agent_locked_bytes");
    }

    /**
     * Reports what of this the kernel there answers, as tried on a page.
     *
     * @return 1 for locked, 2 for on fault, 4 for resident, 8 for locked bytes, added up
     */
    int witness() {
        return (int) must("agent_witness");
    }

    /**
     * Reads RLIMIT_MEMLOCK.
     *
     * @return soft and hard in bytes, -1 for unlimited; nothing if there is no such limit
     */
    public long[] limit() {
        Out out = new Out(16);
        if (call("agent_limit", out) != 0) {
            return new long[0];
        }
        ByteBuffer limits = ByteBuffer.wrap(out.bytes());
        return new long[] {limits.getLong(), limits.getLong()};
    }

    /**
     * Sets RLIMIT_MEMLOCK.
     *
     * @param soft bytes; -1 for unlimited
     * @param hard bytes; -1 for unlimited
     */
    public void setLimit(long soft, long hard) {
        ByteBuffer limits = ByteBuffer.allocate(16);
        limits.putLong(soft).putLong(hard);
        must("agent_set_limit", limits.array());
    }

    /**
     * Measures how long a call takes there and back.
     *
     * @return microseconds, the median of 101 calls
     */
    public double latencyMicros() {
        long[] nanos = new long[101];
        for (int i = 0; i < nanos.length; i++) {
            long start = System.nanoTime();
            call("getpid");
            nanos[i] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        return nanos[nanos.length / 2] / 1000.0;
    }

    /**
     * Returns why the session ended by itself.
     *
     * @return the reason; empty if it did not
     */
    public String failure() {
        byte[] text = new byte[256];
        library.getFunction("remote_failure").invokeVoid(new Object[] {text, text.length});
        return Native.toString(text, StandardCharsets.ISO_8859_1.name());
    }

    /** Ends the session, or the child. */
    @Override
    public void close() {
        if (parent != null) {
            parent.call("agent_end_child", child);
            return;
        }
        library.getFunction("remote_close").invokeVoid(new Object[0]);
    }

    /** Ends the session, and fails if it had ended by itself. */
    void end() {
        String failure = failure();
        close();
        if (!failure.isEmpty()) {
            throw new AssertionError("the agent on " + this + " ended the session: " + failure);
        }
    }

    /** Returns the system, its release and its processor. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "%s %s %s, %d bits", host.osName(), host.osVersion(), host.arch(), host.bits());
    }
}
