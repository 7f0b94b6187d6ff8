// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestTest {
    @Test
    void wordsChooseScopeAndPolicy() {
        Request request = Request.parse("current, future,on-fault,,required", true);
        assertEquals(Optional.of(AddressSpaceScope.CURRENT_AND_FUTURE), request.addressSpace());
        assertEquals(Set.of(LockOption.ON_FAULT), request.options);
        assertTrue(request.required);
        assertFalse(request.committed);
        assertEquals("current,future,on-fault,required", request.toString());
    }

    @Test
    void withoutAScopeTheMemoryInUseIsMeantWhereItIsKnown() {
        assertTrue(Request.parse("", true).committed);
        assertFalse(Request.parse("required", true).current);
        assertTrue(Request.parse("", false).current);
        assertFalse(Request.parse("", true).required);
    }

    @Test
    void committedGoesWithFuture() {
        Request request = Request.parse("committed,future,interval=250ms", true);
        assertEquals(Optional.of(AddressSpaceScope.FUTURE), request.addressSpace());
        assertEquals(250, request.intervalMillis);
        assertEquals(120_000, Request.parse("committed,interval=2m", true).intervalMillis);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "curent|unknown option 'curent'; allowed are current, future, committed, on-fault, required,"
                        + " best-effort and interval=TIME",
                "Current|unknown option 'Current'",
                "current,committed|current and committed exclude each other",
                "required,best-effort|required and best-effort exclude each other",
                "interval=5|interval is '5'; write a number with ms, s or m",
                "interval=0s|interval is '0s'",
                "interval=|interval is ''",
                "future,interval=5s|interval applies to committed only",
            })
    void whatMakesNoSenseIsRefusedWithWhatDoes(String text, String message) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> Request.parse(text, true));
        assertTrue(refusal.getMessage().startsWith(message), refusal.getMessage());
    }

    @Test
    void committedIsRefusedWhereItIsUnknown() {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> Request.parse("committed", false));
        assertTrue(refusal.getMessage().startsWith("committed works on Linux only"), refusal.getMessage());
    }

    @Test
    void anOptionThatIsNotTextIsShownWithoutControlCharacters() {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> Request.parse("\033[2Jx", true));
        assertFalse(refusal.getMessage().contains("\033"), refusal.getMessage());
    }
}
