// SPDX-License-Identifier: Apache-2.0
package io.pagelock.secrets;

/**
 * Pages, divided into slots of one size while any is in use. Taking and giving back take the same time whatever the number of
 * slots. Guarded by the monitor of its {@link Slabs}, except what is final.
 */
final class Slab {
    final Slabs owner;
    /** Set once; made after everything else that needs memory. */
    Pages pages;

    private final Slot[] slots;
    /** Slots that were in use; those from {@link #fresh} on never were since the slab was last divided. */
    private final int[] free;

    private int freeCount;
    private int fresh;
    private int used;
    private int slotSize;
    /** The list of slabs of this size with free slots, or of empty ones. */
    Slab previous;

    Slab next;

    /** The list of all slabs. */
    Slab before;

    Slab after;

    Slab(Slabs owner, int mostSlots) {
        this.owner = owner;
        slots = new Slot[mostSlots];
        free = new int[mostSlots];
    }

    /** Divides an empty slab. */
    void divide(int size) {
        slotSize = size;
        freeCount = 0;
        fresh = 0;
    }

    int slotSize() {
        return slotSize;
    }

    int used() {
        return used;
    }

    boolean isFull() {
        return freeCount == 0 && fresh == pages.length() / slotSize;
    }

    Secret take(SecretPool pool, int size) {
        int index = freeCount > 0 ? free[freeCount - 1] : fresh;
        Secret secret = new Secret(pool, this, index, size);
        // Nothing below needs memory.
        if (freeCount > 0) {
            freeCount--;
        } else {
            fresh++;
        }
        slots[index] = secret.slot;
        used++;
        return secret;
    }

    void giveBack(Slot slot) {
        slots[slot.index] = null;
        free[freeCount++] = slot.index;
        used--;
    }

    /** Wipes and closes what is in use; returns how many there were. */
    int wipe() {
        int wiped = 0;
        for (Slot each : slots) {
            wiped += each != null && each.close(null) ? 1 : 0;
        }
        return wiped;
    }
}
