// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.linux.proc;

import io.pagelock.spi.Unsigned;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * A text of the kernel, read as it is written: bytes, in lines that end at a line feed and nowhere else. Names in it are of
 * others' choosing, and a carriage return or a byte outside ASCII in one is a byte as any other. In strings made here each
 * character stands for one byte.
 *
 * <p>Lines are read from left to right. What does not have the expected form makes the line {@linkplain #bad bad}, and so is
 * a last line without its end, since numbers in it may be cut off. Not for several threads.
 */
public final class KernelText implements Closeable {
    /** The longest line: a name of 4096 bytes, each escaped by four, with what stands before. */
    private static final int LONGEST = 1 << 16;

    /** Up to so much FileInputStream reads without allocating. */
    private static final int PIECE = 8192;

    private final InputStream in;
    private byte[] buffer = new byte[2 * PIECE];
    private int filled;
    private int at;
    private int end;
    private int next;
    private boolean bad;

    /**
     * Makes a reader before the first line.
     *
     * @param in the bytes; closed with this
     */
    public KernelText(InputStream in) {
        this.in = in;
    }

    /**
     * Goes to the next line.
     *
     * @return whether there is one
     * @throws IOException if reading fails
     */
    public boolean next() throws IOException {
        bad = false;
        for (int scanned = next; ; ) {
            while (scanned < filled && buffer[scanned] != '\n') {
                scanned++;
            }
            if (scanned < filled) {
                line(scanned, scanned + 1);
                return true;
            }
            if (filled - next >= LONGEST) {
                // The rest is thrown away with it.
                next = filled;
                bad = true;
            }
            scanned -= makeRoom();
            int read = in.read(buffer, filled, Math.min(PIECE, buffer.length - filled));
            if (read < 0) {
                bad |= filled > next;
                line(filled, filled);
                return bad;
            }
            filled += read;
        }
    }

    private void line(int endOfLine, int nextLine) {
        at = next;
        end = endOfLine;
        next = nextLine;
    }

    /** Moves the line that has begun to the front; returns by how much. */
    private int makeRoom() {
        int moved = next;
        System.arraycopy(buffer, moved, buffer, 0, filled - moved);
        filled -= moved;
        next = 0;
        if (filled == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * filled);
        }
        return moved;
    }

    /**
     * Reports whether the line, as far as it was read, lacks the expected form.
     *
     * @return whether nothing that was read of it counts
     */
    public boolean bad() {
        return bad;
    }

    /**
     * Returns the next byte of the line without reading it.
     *
     * @return the byte; -1 at the end
     */
    public int peek() {
        return at < end ? buffer[at] & 0xff : -1;
    }

    /**
     * Reads one byte, which must be this.
     *
     * @param expected an ASCII character
     */
    public void skip(char expected) {
        if (peek() == expected) {
            at++;
        } else {
            bad = true;
        }
    }

    /** Reads spaces and tabs, if there are any. */
    public void skipBlanks() {
        while (peek() == ' ' || peek() == '\t') {
            at++;
        }
    }

    /**
     * Reads a number of 1 to 16 hexadecimal digits in lower case.
     *
     * @return the number, unsigned
     */
    public long hex() {
        long number = 0;
        int from = at;
        for (int digit = digit(peek()); digit >= 0; digit = digit(peek())) {
            number = number << 4 | digit;
            at++;
        }
        bad |= at == from || at - from > 16;
        return number;
    }

    private static int digit(int character) {
        return character >= '0' && character <= '9'
                ? character - '0'
                : character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
    }

    /**
     * Reads a decimal number below 2^64.
     *
     * @return the number, unsigned
     */
    public long decimal() {
        long number = 0;
        int from = at;
        while (peek() >= '0' && peek() <= '9') {
            int digit = buffer[at++] - '0';
            bad |= Unsigned.less(Long.divideUnsigned(-1 - digit, 10), number);
            number = number * 10 + digit;
        }
        bad |= at == from;
        return number;
    }

    /**
     * Reads up to a character or to the end of the line.
     *
     * @param stop an ASCII character, which is not read
     * @return the bytes
     */
    public String until(char stop) {
        int from = at;
        while (at < end && buffer[at] != stop) {
            at++;
        }
        return text(from, at);
    }

    /**
     * Reads the rest of the line.
     *
     * @return the bytes
     */
    public String rest() {
        int from = at;
        at = end;
        return text(from, end);
    }

    private String text(int from, int to) {
        return from == to ? "" : new String(buffer, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /**
     * Returns the number that a text is: decimal digits, with nothing before or behind.
     *
     * @param text for example the value of a sysctl
     * @return the number; empty if it is none, is negative or is beyond 2^63-1
     */
    public static OptionalLong number(String text) {
        long number = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9 || number > (Long.MAX_VALUE - digit) / 10) {
                return OptionalLong.empty();
            }
            number = number * 10 + digit;
        }
        return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(number);
    }

    /**
     * Returns the bytes that a text such as {@code 132 kB} stands for; the kernel knows no other unit and means 1024.
     *
     * @param text without blanks around it
     * @return the bytes; empty if it has another form or is beyond 2^63-1
     */
    public static OptionalLong kibibytes(String text) {
        OptionalLong number =
                text.endsWith(" kB") ? number(text.substring(0, text.length() - 3)) : OptionalLong.empty();
        return number.isPresent() && number.getAsLong() <= Long.MAX_VALUE / 1024
                ? OptionalLong.of(number.getAsLong() * 1024)
                : OptionalLong.empty();
    }

    /**
     * Returns a text without the spaces and tabs around it; what else {@link String#trim} takes away belongs to it.
     *
     * @param text the text
     * @return what is left
     */
    public static String strip(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && (text.charAt(from) == ' ' || text.charAt(from) == '\t')) {
            from++;
        }
        while (from < to && (text.charAt(to - 1) == ' ' || text.charAt(to - 1) == '\t')) {
            to--;
        }
        return text.substring(from, to);
    }

    /**
     * Returns the bytes of a text in which each character stands for one.
     *
     * @param raw the text
     * @return its bytes
     */
    public static byte[] bytes(String raw) {
        return raw.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
