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
    /** Who uses the memory at present: were the secret collected in the middle of its last use, that would be refused. */
    private Secret user;

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
     * @param by the secret, which would be counted as lost if it was collected before this; null if it was
     * @return whether this call did it
     */
    synchronized boolean close(Secret by) {
        try {
            user = by;
            if (!open) {
                return false;
            }
            open = false;
            slab.pages.wipe(start, size);
            clear();
            return true;
        } finally {
            end();
        }
    }

    /** Begins a use; {@link #end} must follow, also when this throws. */
    private void begin(Secret by, int at, int count) {
        user = by;
        if (!open) {
            throw new IllegalStateException("the secret is closed");
        }
        if (at < 0 || count < 0 || at > size - count) {
            throw new IndexOutOfBoundsException(
                    count + " bytes at " + at + " are not within the " + size + " of the secret");
        }
    }

    private void end() {
        user = null;
    }

    synchronized byte get(Secret by, int at) {
        try {
            begin(by, at, 1);
            return slab.pages.block().get(start + at);
        } finally {
            end();
        }
    }

    synchronized void put(Secret by, int at, byte value) {
        try {
            begin(by, at, 1);
            slab.pages.block().put(start + at, value);
        } finally {
            end();
        }
    }

    synchronized void write(Secret by, int at, byte[] source, int from, int count) {
        try {
            begin(by, at, count);
            if (count > FEW) {
                view(at, count).put(source, from, count);
                return;
            }
            ByteBuffer block = slab.pages.block();
            for (int i = 0; i < count; i++) {
                block.put(start + at + i, source[from + i]);
            }
        } finally {
            end();
        }
    }

    synchronized void read(Secret by, int at, byte[] target, int from, int count) {
        try {
            begin(by, at, count);
            if (count > FEW) {
                view(at, count).get(target, from, count);
                return;
            }
            ByteBuffer block = slab.pages.block();
            for (int i = 0; i < count; i++) {
                target[from + i] = block.get(start + at + i);
            }
        } finally {
            end();
        }
    }

    synchronized void write(Secret by, int at, ByteBuffer source) {
        try {
            begin(by, at, source.remaining());
            view(at, source.remaining()).put(source);
        } finally {
            end();
        }
    }

    synchronized void read(Secret by, int at, ByteBuffer target, int count) {
        try {
            begin(by, at, count);
            target.put(view(at, count));
        } finally {
            end();
        }
    }

    private ByteBuffer view(int at, int count) {
        ByteBuffer view = slab.pages.block().duplicate();
        view.limit(start + at + count);
        view.position(start + at);
        return view;
    }

    /** Compares in a time that depends on the sizes only. */
    synchronized boolean contentEquals(Secret by, byte[] other) {
        try {
            begin(by, 0, 0);
            ByteBuffer block = slab.pages.block();
            int difference = size ^ other.length;
            for (int i = 0; i < Math.min(size, other.length); i++) {
                difference |= block.get(start + i) ^ other[i];
            }
            return difference == 0;
        } finally {
            end();
        }
    }
}
