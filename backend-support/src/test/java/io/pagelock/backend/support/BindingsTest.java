// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.PageLockException;
import io.pagelock.Reason;
import io.pagelock.spi.Host;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Which binding is chosen; the one of JNA is the real one. */
@EnabledOnOs({OS.LINUX, OS.MAC, OS.FREEBSD, OS.OPENBSD, OS.SOLARIS, OS.AIX})
class BindingsTest {
    private static final Host HOST = Host.current();

    private record Other(String name, PageLockException refused) implements Binding {
        @Override
        public Optional<PageLockException> refusal(Host host) {
            return Optional.ofNullable(refused);
        }

        @Override
        public BoundLibrary open(Host host, String library, Map<String, String> symbols) {
            throw new AssertionError();
        }
    }

    private static final Other USABLE = new Other("foreign", null);
    private static final Other REFUSED = new Other(
            "foreign",
            PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail("not allowed to")
                    .build());

    /** A service loader over providers, some of which cannot be loaded. */
    private static Iterable<Binding> loading(List<Supplier<Binding>> all) {
        Iterator<Supplier<Binding>> each = all.iterator();
        return () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                return each.hasNext();
            }

            @Override
            public Binding next() {
                return each.next().get();
            }
        };
    }

    private static Binding fail(Error error) {
        throw error;
    }

    private static PageLockException refusal(List<Binding> found, String wanted) {
        PageLockException thrown = assertThrows(PageLockException.class, () -> Bindings.choose(found, wanted, HOST));
        assertEquals(Reason.NOT_SUPPORTED, thrown.reason());
        return thrown;
    }

    @Test
    void withoutAnotherItIsJna() {
        Bindings bindings = Bindings.choose(List.of(), null, HOST);
        assertEquals("jna", bindings.chosen.name());
        assertEquals(List.of(), bindings.notes);
        assertEquals("jna", Bindings.choose(List.of(), "jna", HOST).chosen.name());
    }

    @Test
    void oneThatIsFoundAndUsableComesFirst() {
        assertSame(USABLE, Bindings.choose(List.of(USABLE), null, HOST).chosen);
        assertSame(USABLE, Bindings.choose(List.of(USABLE), "foreign", HOST).chosen);
    }

    @Test
    void thePropertyKeepsItFromBeingChosen() {
        Bindings bindings = Bindings.choose(
                loading(List.of(() -> fail(new AssertionError("must not be looked for")))), "jna", HOST);
        assertEquals("jna", bindings.chosen.name());
    }

    @Test
    void oneThatMayNotBeUsedIsReplacedByJnaWithANote() {
        Bindings bindings = Bindings.choose(List.of(REFUSED), null, HOST);
        assertEquals("jna", bindings.chosen.name());
        assertEquals(List.of("the binding foreign is not used: not allowed to"), bindings.notes);
    }

    @Test
    void oneThatIsAskedForIsNotReplaced() {
        assertSame(REFUSED.refused, refusal(List.of(REFUSED), "foreign"));
    }

    @Test
    void anUnknownNameIsNamedWithThoseThatAreThere() {
        PageLockException thrown = refusal(List.of(USABLE), "jni");
        assertTrue(thrown.detail().contains("'jni'; bindings found here: foreign, jna"), thrown.detail());
        thrown = refusal(List.of(), "foreign");
        assertTrue(thrown.detail().contains("'foreign'; bindings found here: jna"), thrown.detail());
        assertTrue(thrown.remedies().toString().contains("pagelock-binding-foreign"), thrown.remedies()::toString);
        assertTrue(refusal(List.of(), "").detail().contains("''"));
    }

    @Test
    void classesOfALaterJvmArePassedOver() {
        Bindings bindings = Bindings.choose(
                loading(List.of(() -> fail(new UnsupportedClassVersionError("66")), () -> USABLE)), null, HOST);
        assertSame(USABLE, bindings.chosen);
        assertEquals(List.of(), bindings.notes);
    }

    @Test
    void aBrokenOneIsNoted() {
        Bindings bindings = Bindings.choose(
                loading(List.of(
                        () -> fail(new ServiceConfigurationError("broken")),
                        () -> fail(new NoClassDefFoundError("gone")))),
                null,
                HOST);
        assertInstanceOf(JnaBinding.class, bindings.chosen);
        assertTrue(bindings.notes.toString().matches(".*broken.*gone.*"), bindings.notes.toString());
    }
}
