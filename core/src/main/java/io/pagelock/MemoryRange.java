// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Describes a range of memory: a start address and a length in bytes, end excluded. Addresses are unsigned 64-bit
 * numbers in a {@code long}, so the upper half of the address space shows as negative numbers.
 *
 * <p>A range says nothing about what is mapped there. It may have an owner: the object whose collection would unmap the
 * memory, such as a buffer or a memory segment. The range keeps its owner reachable, and so does a lock on the range
 * until the pages are unlocked. Two ranges are equal if their numbers are. Immutable and safe for use by several
 * threads.
 */
public final class MemoryRange {
    private final long address;
    private final long length;
    private final @Nullable Object owner;

    private MemoryRange(long address, long length, @Nullable Object owner) {
        this.address = address;
        this.length = length;
        this.owner = owner;
    }

    /**
     * Makes a range without an owner. The caller must keep the memory mapped while the range is in use.
     *
     * @param address the address of the first byte, unsigned; not 0
     * @param length the length in bytes, from 1 to 2^63-1
     * @return the range
     * @throws IllegalArgumentException if the address is 0, the length is 0 or negative (which is also how an unsigned
     *     length of 2^63 or more shows), or the range passes the end of the address space
     */
    public static MemoryRange of(long address, long length) {
        if (address == 0) {
            throw new IllegalArgumentException("address is 0; a range needs the address of mapped memory");
        }
        if (length <= 0) {
            throw new IllegalArgumentException("length is " + length
                    + (length == 0 ? "" : " (" + Long.toUnsignedString(length) + " as an unsigned number)")
                    + "; a range has from 1 to 2^63-1 bytes");
        }
        // The end is excluded and must itself be an address: a range up to 2^64 would end at 0.
        if (Long.compareUnsigned(address + length, address) <= 0) {
            throw new IllegalArgumentException(
                    length + " bytes from 0x" + Long.toHexString(address) + " pass the end of the address space");
        }
        return new MemoryRange(address, length, null);
    }

    /**
     * Makes a range with an owner.
     *
     * @param address the address of the first byte, unsigned; not 0
     * @param length the length in bytes, from 1 to 2^63-1
     * @param owner what keeps the memory mapped as long as it is reachable, for example the memory segment that the numbers
     *     are from
     * @return the range
     * @throws IllegalArgumentException as {@link #of(long, long)}
     */
    public static MemoryRange of(long address, long length, Object owner) {
        MemoryRange range = of(address, length);
        return new MemoryRange(range.address, range.length, Objects.requireNonNull(owner, "owner"));
    }

    /**
     * Returns the address of the first byte.
     *
     * @return the address, unsigned, never 0
     */
    public long address() {
        return address;
    }

    /**
     * Returns the number of bytes.
     *
     * @return the length in bytes, 1 or more
     */
    public long length() {
        return length;
    }

    /**
     * Returns the address just past the last byte.
     *
     * @return the end, unsigned, excluded from the range, never 0
     */
    public long end() {
        return address + length;
    }

    /**
     * Returns the owner, which this range keeps reachable.
     *
     * @return the owner; empty if there is none
     */
    public Optional<Object> owner() {
        return Optional.ofNullable(owner);
    }

    /**
     * Returns the numbers of this range alone, which keep nothing reachable.
     *
     * @return an equal range without an owner
     */
    public MemoryRange withoutOwner() {
        return owner == null ? this : new MemoryRange(address, length, null);
    }

    /**
     * Rounds outward to page boundaries. The owner stays the same.
     *
     * @param pageSize the page size in bytes, a power of two
     * @return the smallest range of whole pages that contains this one
     * @throws IllegalArgumentException if the page size is not a power of two, or the last page ends where the address
     *     space does (no system maps that page)
     */
    public MemoryRange alignedTo(long pageSize) {
        if (Long.bitCount(pageSize) != 1) {
            throw new IllegalArgumentException("page size is " + pageSize + "; it must be a power of two");
        }
        long start = address & -pageSize;
        long end = (end() + pageSize - 1) & -pageSize;
        if (start == 0 || end == 0) {
            throw new IllegalArgumentException(
                    this + " touches the first or the last page of the address space, which cannot be locked");
        }
        return start == address && end - start == length ? this : new MemoryRange(start, end - start, owner);
    }

    /**
     * Reports whether the two ranges have a byte in common.
     *
     * @param other another range
     * @return true if they overlap
     */
    public boolean overlaps(MemoryRange other) {
        return Long.compareUnsigned(address, other.end()) < 0 && Long.compareUnsigned(other.address, end()) < 0;
    }

    /**
     * Reports whether the other range lies within this one.
     *
     * @param other another range
     * @return true if every byte of {@code other} is in this range
     */
    public boolean contains(MemoryRange other) {
        return Long.compareUnsigned(address, other.address) <= 0 && Long.compareUnsigned(other.end(), end()) <= 0;
    }

    /**
     * Returns this as plain values, for JSON and the like. The keys are the names of the methods; more may be added.
     *
     * @return a new map
     */
    @JsonValue
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("address", address);
        map.put("length", length);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MemoryRange
                && ((MemoryRange) other).address == address
                && ((MemoryRange) other).length == length;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(address) * 31 + Long.hashCode(length);
    }

    /** Returns the range as {@code 0xstart-0xend (n bytes)}. */
    @Override
    public String toString() {
        return "0x" + Long.toHexString(address) + "-0x" + Long.toHexString(end()) + " (" + length + " bytes)";
    }
}
