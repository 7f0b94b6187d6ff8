// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.nio.ByteBuffer;

/**
 * The memory of one secret, for its lifetime. A phantom reference, since a weak one would be enqueued while a finalizer could
 * still bring the secret back. Its monitor guards the bytes: whoever reads or writes finds the slot open, or does not get there.
 */
final class Slot extends PhantomReference<Secret> {
    /** Up to here, absolute access is quicker than a buffer of one's own. */
    private static final int FEW = 64;

    final Slab slab;
    final int index;
    final int size;
    private final int start;
    private boolean open = true;

    Slot(Secret secret, ReferenceQueue<Object> queue, Slab slab, int index, int size) {
        super(secret, queue);
        this.slab = slab;
        this.index = index;
        this.size = size;
        start = slab.pages.offset() + index * slab.slotSize();
    }

    synchronized boolean isOpen() {
        return open;
    }

    /**
     * Wipes the memory.
     *
     * @return whether this call did it
     */
    synchronized boolean close() {
        if (!open) {
            return false;
        }
        open = false;
        slab.pages.wipe(start, size);
        clear();
        return true;
    }

    private void check(int at, int count) {
        if (!open) {
            throw new IllegalStateException("the secret is closed");
        }
        if (at < 0 || count < 0 || at > size - count) {
            throw new IndexOutOfBoundsException(
                    count + " bytes at " + at + " are not within the " + size + " of the secret");
        }
    }

    synchronized byte get(int at) {
        check(at, 1);
        return slab.pages.block().get(start + at);
    }

    synchronized void put(int at, byte value) {
        check(at, 1);
        slab.pages.block().put(start + at, value);
    }

    synchronized void write(int at, byte[] source, int from, int count) {
        check(at, count);
        if (count > FEW) {
            view(at, count).put(source, from, count);
            return;
        }
        ByteBuffer block = slab.pages.block();
        for (int i = 0; i < count; i++) {
            block.put(start + at + i, source[from + i]);
        }
    }

    synchronized void read(int at, byte[] target, int from, int count) {
        check(at, count);
        if (count > FEW) {
            view(at, count).get(target, from, count);
            return;
        }
        ByteBuffer block = slab.pages.block();
        for (int i = 0; i < count; i++) {
            target[from + i] = block.get(start + at + i);
        }
    }

    synchronized void write(int at, ByteBuffer source) {
        check(at, source.remaining());
        view(at, source.remaining()).put(source);
    }

    synchronized void read(int at, ByteBuffer target, int count) {
        check(at, count);
        target.put(view(at, count));
    }

    private ByteBuffer view(int at, int count) {
        ByteBuffer view = slab.pages.block().duplicate();
        view.limit(start + at + count);
        view.position(start + at);
        return view;
    }

    /** Compares in a time that depends on the sizes only. */
    synchronized boolean contentEquals(byte[] other) {
        check(0, 0);
        ByteBuffer block = slab.pages.block();
        int difference = size ^ other.length;
        for (int i = 0; i < Math.min(size, other.length); i++) {
            difference |= block.get(start + i) ^ other[i];
        }
        return difference == 0;
    }

    /** The same for another slot. Both are checked and compared byte by byte, so that no two monitors are held at once. */
    boolean contentEquals(Slot other) {
        int difference = size ^ other.size;
        int count = Math.min(size, other.size);
        for (int i = 0; i < Math.max(1, count); i++) {
            difference |= i < count ? get(i) ^ other.get(i) : 0;
        }
        return difference == 0;
    }
}
