// SPDX-License-Identifier: Apache-2.0
package io.pagelock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class PageLockExceptionTest {
    private static PageLockException with(String... remedies) {
        return PageLockException.because(Reason.OVER_LIMIT)
                .action("lock")
                .detail("asked for 8192 bytes")
                .range(MemoryRange.of(0x10000, 8192))
                .call("mlock", 12, "ENOMEM")
                .system("Linux 6.1")
                .remedies(remedies)
                .build();
    }

    @Test
    void theMessageShowsTheFirstRemedyHowManyMoreThereAreAndThePage() {
        String failure = "cannot lock 8192 bytes (8 KiB) at 0x10000: " + Reason.OVER_LIMIT
                + ": asked for 8192 bytes [mlock: errno 12 ENOMEM on Linux 6.1]";
        String page = ". See https://pagelock.io/docs/errors.html#over-limit";
        assertEquals(failure + page, with().getMessage());
        assertEquals(
                failure + ". Raise the limit" + page, with("Raise the limit").getMessage());
        assertEquals(failure, with("Raise the limit").summary());
        assertEquals(
                failure + ". Raise the limit (2 more in remedies())" + page,
                with("Raise the limit", "Grant the right", "Lock less").getMessage());
    }

    @Test
    void remediesAreUnmodifiableAndKeepTheirOrder() {
        PageLockException refused = with("Raise the limit", "Lock less");
        assertEquals(List.of("Raise the limit", "Lock less"), refused.remedies());
        assertThrows(
                UnsupportedOperationException.class, () -> refused.remedies().set(0, ""));
        assertEquals(refused.remedies(), refused.toBuilder().build().remedies());
        assertThrows(NullPointerException.class, () -> with("Raise the limit", null));
    }

    @Test
    void aSerializedCopySaysTheSame() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PageLockException refused = with("Raise the limit", "Lock less");
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(refused);
        }
        PageLockException copy =
                (PageLockException) new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertEquals(refused.getMessage(), copy.getMessage());
        assertEquals(refused.remedies(), copy.remedies());
        assertEquals(refused.range(), copy.range());
        assertEquals(refused.errnoName(), copy.errnoName());
    }
}
