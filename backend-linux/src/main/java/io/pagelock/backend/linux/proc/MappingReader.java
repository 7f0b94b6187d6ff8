// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import io.pagelock.spi.Unsigned;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/**
 * Reads {@code maps} or {@code smaps}, mapping by mapping in the order of addresses and disjoint. The kernel writes the file in
 * pieces, and a mapping that grew downwards in between is written with what was written before; of that, only the rest counts.
 *
 * <p>A line of another form says nothing, neither of the mapping that it may be about nor of any other: between its neighbours
 * the address space is {@linkplain Mapping#isKnown() unknown}. Not for several threads.
 */
public final class MappingReader implements Closeable {
    /** The end of the address space, as far as it is counted in {@link Mapping#GRAIN}. */
    private static final long TOP = -Mapping.GRAIN;

    private final KernelText text;
    private final boolean smaps;
    private final long from;
    /** Up to where everything is returned, or known to be free. */
    private long done;
    /** Whether a line since then could not be read. */
    private boolean unread;
    /** Whether the text stands at a line that begins a mapping. */
    private boolean atHeader;

    private long start;
    private long end;

    /**
     * Makes a reader.
     *
     * @param in the bytes; closed with this
     * @param smaps whether they are those of smaps, with fields below each line of maps
     * @param from mappings that end here or below are passed over
     */
    public MappingReader(InputStream in, boolean smaps, long from) {
        this.text = new KernelText(in);
        this.smaps = smaps;
        this.from = from;
    }

    /**
     * Returns the next mapping.
     *
     * @return null at the end
     * @throws IOException if reading fails
     */
    public Mapping next() throws IOException {
        while (atHeader || nextHeader()) {
            if (unread && Unsigned.less(done, start)) {
                return unknown(start);
            }
            atHeader = false;
            unread = false;
            Mapping mapping = wanted() ? Mapping.parse(start, end, text) : null;
            unread = mapping == null && wanted();
            if (mapping == null) {
                done = wanted() || Unsigned.less(end, done) ? done : end;
                continue;
            }
            mapping = mapping.clip(done, end);
            done = end;
            return smaps ? withFields(mapping) : mapping;
        }
        return unread && Unsigned.less(done, TOP) ? unknown(TOP) : null;
    }

    private boolean wanted() {
        return Unsigned.less(from, end) && Unsigned.less(done, end);
    }

    private Mapping unknown(long to) {
        Mapping unknown = Mapping.unknown(done, to);
        done = to;
        unread = false;
        return unknown;
    }

    /** Goes to the next line that begins with two addresses. */
    private boolean nextHeader() throws IOException {
        while (text.next()) {
            if (isField()) {
                // Of a mapping that is passed over or could not be read.
                continue;
            }
            if (readAddresses()) {
                return true;
            }
        }
        return false;
    }

    private boolean isField() {
        return smaps && text.peek() >= 'A' && text.peek() <= 'Z' && !text.bad();
    }

    private boolean readAddresses() {
        start = text.hex();
        text.skip('-');
        end = text.hex();
        boolean formed =
                !text.bad() && text.peek() == ' ' && Unsigned.less(start, end) && (start | end) % Mapping.GRAIN == 0;
        unread |= !formed;
        return atHeader = formed;
    }

    private Mapping withFields(Mapping mapping) throws IOException {
        SmapsFields fields = new SmapsFields();
        while (text.next()) {
            if (isField()) {
                fields.read(text);
            } else if (readAddresses()) {
                break;
            } else {
                // What follows up to the next mapping may belong to another.
                return mapping.with(fields);
            }
        }
        return mapping.with(fields);
    }

    @Override
    public void close() throws IOException {
        text.close();
    }
}
