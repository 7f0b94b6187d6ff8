// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import io.pagelock.Tristate;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Function;

/**
 * Holds some bytes in a {@link SecretPool}. They are zeros at first and are wiped by {@link #close}; a secret that is
 * garbage-collected without a close is wiped and counted as lost.
 *
 * <p>After the secret or its pool is closed, every use throws an {@link IllegalStateException}. That is why the pool
 * hands out no buffer over its memory: the buffer could not be revoked.
 *
 * <p>A secret cannot be serialized, and {@link #toString} does not show it. All methods may be called by any thread at
 * any time; each read and write happens entirely before or after a close.
 */
public final class Secret implements AutoCloseable {
    final Slot slot;
    /** Also keeps the pool reachable. */
    private final SecretPool pool;

    Secret(SecretPool pool, Slab slab, int index, int size) {
        this.pool = pool;
        slot = new Slot(this, Reaper.QUEUE, slab, index, size);
    }

    /**
     * Returns the size.
     *
     * @return bytes, 1 or more
     */
    public int size() {
        return slot.size;
    }

    /**
     * Reports whether the secret is open.
     *
     * @return true until it or its pool is closed
     */
    public boolean isOpen() {
        return slot.isOpen();
    }

    /**
     * Returns the byte at an index.
     *
     * @param index from 0 to {@code size() - 1}
     * @return the byte
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if there is no such byte
     */
    public byte get(int index) {
        return slot.get(this, index);
    }

    /**
     * Replaces the byte at an index.
     *
     * @param index from 0 to {@code size() - 1}
     * @param value the new byte
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if there is no such byte
     */
    public void put(int index, byte value) {
        slot.put(this, index, value);
    }

    /**
     * Copies bytes into the secret, from its beginning.
     *
     * @param source the bytes, as many as the secret has or fewer; wipe the array afterwards
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if there are more bytes than the secret has; nothing is copied
     */
    public void write(byte[] source) {
        slot.write(this, 0, source, 0, source.length);
    }

    /**
     * Copies a part of an array into the secret.
     *
     * @param index where in the secret
     * @param source the array
     * @param from where in the array
     * @param count how many bytes
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if a part does not exist; nothing is copied
     */
    public void write(int index, byte[] source, int from, int count) {
        checkPart(source, from, count);
        slot.write(this, index, source, from, count);
    }

    /**
     * Copies the remaining bytes of a buffer into the secret.
     *
     * @param index where in the secret
     * @param source the buffer; its position is moved to its limit
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if the secret has too few bytes; nothing is copied
     */
    public void write(int index, ByteBuffer source) {
        slot.write(this, index, source);
    }

    /**
     * Copies bytes out of the secret, from its beginning, as many as the array holds.
     *
     * @param target the array; wipe it after use
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if the array is longer than the secret; nothing is copied
     */
    public void read(byte[] target) {
        slot.read(this, 0, target, 0, target.length);
    }

    /**
     * Copies bytes out of the secret.
     *
     * @param index where in the secret
     * @param target the array; wipe it after use
     * @param from where in the array
     * @param count how many bytes
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if a part does not exist; nothing is copied
     */
    public void read(int index, byte[] target, int from, int count) {
        checkPart(target, from, count);
        slot.read(this, index, target, from, count);
    }

    /**
     * Copies bytes out of the secret into a buffer.
     *
     * @param index where in the secret
     * @param target the buffer; its position is moved by the number of bytes
     * @param count how many bytes
     * @throws IllegalStateException if the secret is closed
     * @throws IndexOutOfBoundsException if the secret has too few bytes; nothing is copied
     * @throws java.nio.BufferOverflowException if the buffer has too little room; nothing is copied
     */
    public void read(int index, ByteBuffer target, int count) {
        slot.read(this, index, target, count);
    }

    private static void checkPart(byte[] array, int from, int count) {
        if (from < 0 || count < 0 || from > array.length - count) {
            throw new IndexOutOfBoundsException(
                    count + " bytes at " + from + " are not within an array of " + array.length);
        }
    }

    /**
     * Calls a function with a copy of the bytes on the Java heap, for interfaces that take an array, and wipes the copy
     * afterwards, also if the function throws. The collector may have moved the array in the meantime and left another
     * copy behind, which is overwritten some time later: prefer {@link #read(int, ByteBuffer, int)} if a direct buffer
     * is sufficient.
     *
     * @param <R> the type of the result
     * @param action the function; must not keep the array
     * @return what the function returned
     * @throws IllegalStateException if the secret is closed
     */
    public <R> R withBytes(Function<? super byte[], ? extends R> action) {
        Objects.requireNonNull(action, "action");
        byte[] copy = new byte[slot.size];
        try {
            slot.read(this, 0, copy, 0, copy.length);
            return action.apply(copy);
        } finally {
            Arrays.fill(copy, (byte) 0);
        }
    }

    /**
     * Compares the bytes with an array, in a time that depends only on the lengths, not on the contents.
     *
     * @param other the array
     * @return true if the lengths and all bytes are the same
     * @throws IllegalStateException if the secret is closed
     */
    public boolean contentEquals(byte[] other) {
        return slot.contentEquals(this, other);
    }

    /**
     * Compares the bytes with those of another secret, in a time that depends only on the sizes, not on the contents.
     *
     * @param other the other secret
     * @return true if the sizes and all bytes are the same
     * @throws IllegalStateException if one of the secrets is closed
     */
    public boolean contentEquals(Secret other) {
        int difference = slot.size ^ other.slot.size;
        int count = Math.min(slot.size, other.slot.size);
        // Byte by byte, so that no two monitors are held at once.
        for (int i = 0; i < count; i++) {
            difference |= get(i) ^ other.get(i);
        }
        return difference == 0;
    }

    /**
     * Reports whether a protection is kept for this secret.
     *
     * @param protection which one
     * @return yes or no; unknown once the secret is closed
     */
    public Tristate kept(Protection protection) {
        Objects.requireNonNull(protection, "protection");
        return isOpen() ? pool.kept(slot.slab, protection) : Tristate.UNKNOWN;
    }

    /** Wipes the bytes and gives the memory back to the pool. Closing again does nothing. */
    @Override
    public void close() {
        slot.slab.owner.close(slot, this);
    }

    /** Says only whether the secret is open. */
    @Override
    public String toString() {
        return isOpen() ? "Secret (open)" : "Secret (closed)";
    }
}
