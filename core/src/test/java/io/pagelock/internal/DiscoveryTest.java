// SPDX-License-Identifier: Apache-2.0
package io.pagelock.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.pagelock.AddressSpaceScope;
import io.pagelock.Availability;
import io.pagelock.BackendInfo;
import io.pagelock.Capability;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import io.pagelock.spi.AddressSpaceLocking;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import io.pagelock.spi.Host;
import java.security.Security;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceConfigurationError;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class DiscoveryTest {
    private static final Host LINUX = new Host("Linux", "6.1", "amd64", 64);

    private final Properties properties = new Properties();
    private final OwnerMark mark =
            new OwnerMark("test" + System.identityHashCode(this), "agent" + System.identityHashCode(this));

    private static BackendProvider provider(String name, String refusal) {
        BackendProvider provider = mock(BackendProvider.class);
        when(provider.name()).thenReturn(name);
        when(provider.refusal(LINUX)).thenReturn(Optional.ofNullable(refusal));
        Backend backend = mock(Backend.class);
        when(backend.info()).thenReturn(new BackendInfo(name, "Test 1", "amd64", List.of()));
        when(backend.pageSize()).thenReturn(4096L);
        when(backend.addressBits()).thenReturn(64);
        when(provider.open(LINUX)).thenReturn(backend);
        return provider;
    }

    private Discovery find(BackendProvider... providers) {
        return Discovery.find(Arrays.asList(providers), LINUX, properties::getProperty, mark);
    }

    private static String refusal(Discovery discovery) {
        assertFalse(discovery.report().isAvailable());
        PageLockException refusal = assertThrows(PageLockException.class, discovery::locker);
        assertEquals(Reason.NOT_SUPPORTED, refusal.reason());
        return refusal.getMessage();
    }

    @Test
    void theOneThatAcceptsIsChosenAndTheOthersSayWhyNot() {
        Discovery found = find(provider("linux", null), provider("freebsd", "os.name is Linux, not FreeBSD"));
        assertEquals("linux", found.locker().backendInfo().name());
        assertSame(found.locker(), found.locker());
        Availability report = found.report();
        assertTrue(report.isAvailable());
        assertEquals(Optional.of("linux"), report.backend());
        assertTrue(report.report().contains("freebsd: os.name is Linux, not FreeBSD"), report.report());
    }

    /** It would wait for itself. */
    @Test
    void aProviderThatAsksForTheLockerIsAnsweredAtOnce() {
        BackendProvider asks = provider("asks", null);
        when(asks.refusal(LINUX)).thenAnswer(call -> {
            assertThrows(PageLockException.class, PageLocker::system);
            return PageLocker.availability().problem();
        });
        Discovery found = find(asks, provider("linux", null));
        assertEquals("linux", found.locker().backendInfo().name());
        assertTrue(
                found.report().report().contains("asks: the provider of a backend called PageLocker"),
                found.report().report());
    }

    @Test
    void noneOnThePathNamesTheArtifactAndTheHost() {
        String message = refusal(find());
        assertTrue(message.contains("no backend is on the class or module path"), message);
        assertTrue(message.contains("pagelock-backend-"), message);
        assertTrue(message.contains("Linux 6.1, amd64, 64-bit"), message);
    }

    @Test
    void B2_noneForThisSystemListsWhatWasConsidered() {
        String message = refusal(find(provider("freebsd", "not FreeBSD"), provider("irix", "not IRIX")));
        assertTrue(message.contains("no backend for this system (Linux 6.1"), message);
        assertTrue(message.contains("freebsd: not FreeBSD"), message);
        assertTrue(message.contains("irix: not IRIX"), message);
    }

    @Test
    void B2_severalAskForTheProperty() {
        String message = refusal(find(provider("linux", null), provider("mine", null)));
        assertTrue(message.contains("several backends accept this system"), message);
        assertTrue(message.contains("-Dio.pagelock.backend=NAME"), message);
        assertTrue(message.contains("linux: accepts") && message.contains("mine: accepts"), message);
    }

    @Test
    void thePropertyChoosesAmongSeveral() {
        properties.setProperty(PageLocker.BACKEND_PROPERTY, "mine");
        Discovery found = find(provider("linux", null), provider("mine", null));
        assertEquals("mine", found.locker().backendInfo().name());
        assertTrue(found.report().report().contains("linux: not the one named by"));
    }

    @Test
    void thePropertyForcesNoBackendOnAnotherSystem() {
        properties.setProperty(PageLocker.BACKEND_PROPERTY, "freebsd");
        BackendProvider freebsd = provider("freebsd", "os.name is Linux, not FreeBSD");
        String message = refusal(find(provider("linux", null), freebsd));
        assertTrue(message.contains("'freebsd', named by -Dio.pagelock.backend, cannot be used"), message);
        assertTrue(message.contains("os.name is Linux, not FreeBSD"), message);
        verify(freebsd, never()).open(LINUX);
    }

    @Test
    void aMisspeltNameListsTheOnesThereAre() {
        properties.setProperty(PageLocker.BACKEND_PROPERTY, "linxu");
        String message = refusal(find(provider("linux", null)));
        assertTrue(message.contains("'linxu'") && message.contains("linux: not the one named"), message);
    }

    @Test
    void B2_aBrokenProviderIsReportedAndPassedOver() {
        BackendProvider good = provider("linux", null);
        Iterator<Supplier<BackendProvider>> suppliers = List.<Supplier<BackendProvider>>of(
                        () -> {
                            throw new ServiceConfigurationError("Provider com.example.Broken not found");
                        },
                        () -> good)
                .iterator();
        Iterable<BackendProvider> providers = () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                return suppliers.hasNext();
            }

            @Override
            public BackendProvider next() {
                return suppliers.next().get();
            }
        };
        Discovery found = Discovery.find(providers, LINUX, properties::getProperty, mark);
        assertEquals("linux", found.locker().backendInfo().name());
        assertTrue(found.report().report().contains("com.example.Broken not found"));
    }

    @Test
    void aServicesFileThatIsBrokenForGoodEndsTheSearch() {
        Iterable<BackendProvider> providers = () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                throw new ServiceConfigurationError("Illegal syntax");
            }

            @Override
            public BackendProvider next() {
                throw new AssertionError();
            }
        };
        assertTrue(refusal(Discovery.find(providers, LINUX, properties::getProperty, mark))
                .contains("Illegal syntax"));
    }

    @Test
    void aBackendThatCannotBeOpenedKeepsCauseAndRemedy() {
        BackendProvider broken = provider("linux", null);
        UnsatisfiedLinkError cause = new UnsatisfiedLinkError("noexec");
        when(broken.open(LINUX))
                .thenThrow(PageLockException.because(Reason.NOT_SUPPORTED)
                        .detail("JNA cannot load its native library")
                        .remedies("Set jna.tmpdir")
                        .cause(cause)
                        .build());
        Discovery found = find(broken);
        String message = refusal(found);
        assertTrue(
                message.contains("JNA cannot load its native library") && message.contains("Set jna.tmpdir"), message);
        assertSame(
                cause,
                assertThrows(PageLockException.class, found::locker).getCause().getCause());
    }

    @Test
    void wantOfThreadsWhileOpeningIsNotBlamedOnTheJars() {
        BackendProvider starved = provider("linux", null);
        when(starved.open(LINUX)).thenThrow(new OutOfMemoryError("unable to create native thread"));
        String message = refusal(find(starved));
        assertTrue(message.contains("more threads (ulimit -u") && !message.contains("jars"), message);
    }

    @Test
    void aLinkageErrorWhileOpeningIsReported() {
        BackendProvider broken = provider("linux", null);
        when(broken.open(LINUX)).thenThrow(new NoClassDefFoundError("com/sun/jna/Native"));
        assertTrue(refusal(find(broken)).contains("com/sun/jna/Native"));
        assertEquals(
                Optional.empty(),
                new OwnerMark("test" + System.identityHashCode(this), "agent" + System.identityHashCode(this)).claim());
    }

    @Test
    void aSecondCopyOfTheLibraryIsRefused() {
        assertEquals(
                Optional.empty(),
                new OwnerMark("test" + System.identityHashCode(this), "agent" + System.identityHashCode(this)).claim());
        BackendProvider linux = provider("linux", null);
        String message = refusal(find(linux));
        assertTrue(message.contains("pagelock was already loaded by another class loader ("), message);
        assertTrue(message.contains("); two copies would release each other's locks"), message);
        assertTrue(message.contains("target/classes"), message);
        assertTrue(message.contains("Load pagelock once"), message);
        verify(linux, never()).open(LINUX);
        // The refused one does not take the other's mark away.
        refusal(find(linux));
    }

    /** Copies of other versions look for this name, which nothing that renames io.pagelock can have changed. */
    @Test
    void theMarkOfTheProcessHasAFixedName() {
        assertEquals(Optional.empty(), OwnerMark.PROCESS.claim());
        assertTrue(Security.getProperty("page-lock-owner").contains("@"));
        OwnerMark.PROCESS.release();
        assertEquals("", Security.getProperty("page-lock-owner"));
    }

    @Test
    void aSecurityManagerThatRefusesIsNamedWithTheGrantThatHelps() {
        BackendProvider linux = provider("linux", null);
        SecurityException denial = new SecurityException("access denied (\"loadLibrary.x\")");
        when(linux.open(LINUX)).thenThrow(new ExceptionInInitializerError(denial));
        Discovery found = find(linux);
        PageLockException refusal = assertThrows(PageLockException.class, found::locker);
        assertEquals(Reason.NOT_PERMITTED, refusal.reason());
        assertTrue(refusal.detail().contains("access denied (\"loadLibrary.x\")"), refusal.detail());
        assertTrue(refusal.remedies().toString().contains("java.security.AllPermission"), refusal.remedies()::toString);
        assertEquals(found.report().remedies(), refusal.remedies());
    }

    @Test
    void everyRefusalHoldsItsRemedyApartFromItsMessage() {
        for (Discovery each : List.of(find(), find(provider("irix", "not IRIX")))) {
            PageLockException refusal = assertThrows(PageLockException.class, each::locker);
            assertFalse(refusal.remedies().isEmpty(), refusal.getMessage());
            assertTrue(refusal.getMessage().contains(". " + refusal.remedies().get(0)), refusal.getMessage());
            refusal.remedies().forEach(line -> assertFalse(refusal.detail().contains(line), refusal.detail()));
        }
    }

    /** B4: an agent only locks, so another copy may count; but that one must not unlock what the agent locked. */
    @Test
    void whatAnAgentLockedStaysLockedWhenHandlesClose() {
        assertEquals(
                Optional.empty(),
                mark.lockForAgent(() -> Optional.of(
                        new OutsideLock(AddressSpaceScope.CURRENT_AND_FUTURE, EnumSet.of(LockOption.ON_FAULT)))));
        BackendProvider provider = provider("linux", null);
        Backend backend = provider.open(LINUX);
        PageLocker locker = find(provider).locker();
        locker.lock(MemoryRange.of(4096, 4096)).close();
        verify(backend).lock(4096, 4096, Collections.emptySet());
        verify(backend, never()).unlock(anyLong(), anyLong());
    }

    /** A1: what will be mapped is locked fully for the agent, and what is mapped is not. */
    @Test
    void anAddressSpaceLockDoesNotWeakenTheFutureOfAnAgent() {
        OutsideLock agents =
                new OutsideLock(AddressSpaceScope.CURRENT_AND_FUTURE, EnumSet.of(LockOption.ON_FAULT)).futureFully();
        mark.lockForAgent(() -> Optional.of(agents));
        BackendProvider provider = provider("linux", null);
        Backend backend = provider.open(LINUX);
        AddressSpaceLocking system = mock(AddressSpaceLocking.class);
        when(backend.capabilities())
                .thenReturn(EnumSet.of(
                        Capability.LOCK_ON_FAULT,
                        Capability.LOCK_ADDRESS_SPACE,
                        Capability.LOCK_ADDRESS_SPACE_ON_FAULT));
        when(backend.ability(AddressSpaceLocking.class)).thenReturn(Optional.of(system));
        PageLocker locker = find(provider).locker();
        locker.lockAddressSpace(AddressSpaceScope.FUTURE, LockOption.ON_FAULT).close();
        verify(system).lockAll(AddressSpaceScope.FUTURE, Collections.emptySet());
        verify(system, never()).lockAll(AddressSpaceScope.FUTURE, EnumSet.of(LockOption.ON_FAULT));
        verify(system, never()).unlockAll(any());
    }

    @Test
    void anAgentThatLockedNothingLeavesNoMark() {
        mark.lockForAgent(Optional::empty);
        BackendProvider provider = provider("linux", null);
        Backend backend = provider.open(LINUX);
        find(provider).locker().lock(MemoryRange.of(4096, 4096)).close();
        verify(backend).unlock(4096, 4096);
    }

    @Test
    void anAgentLocksNothingByItselfWhereACopyCounts() {
        find(provider("linux", null)).locker();
        Optional<String> owner = mark.lockForAgent(() -> {
            throw new AssertionError("locks");
        });
        assertTrue(owner.orElse("").contains("@"), owner::toString);
    }

    @Test
    void theTextOfAnOutsideLockIsReadByOtherVersions() {
        OutsideLock lock = new OutsideLock(AddressSpaceScope.FUTURE, EnumSet.of(LockOption.ON_FAULT));
        assertEquals("FUTURE ON_FAULT", lock.toString());
        assertEquals("FUTURE ON_FAULT", OutsideLock.parse("FUTURE ON_FAULT").toString());
        assertEquals("CURRENT", OutsideLock.parse("CURRENT LATER_OPTION").toString());
        assertEquals("CURRENT_AND_FUTURE", OutsideLock.parse("LATER_SCOPE").toString());
        String mixed = "CURRENT_AND_FUTURE ON_FAULT FUTURE_FULLY";
        assertEquals(mixed, OutsideLock.parse(mixed).toString());
    }
}
