// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Availability;
import io.pagelock.PageLockException;
import io.pagelock.PageLocker;
import io.pagelock.Reason;
import java.util.List;

/** A system that no backend is for. */
final class NoBackend {
    static final Lockers LOCKERS = new Lockers() {
        @Override
        public PageLocker locker() {
            throw PageLockException.because(Reason.NOT_SUPPORTED)
                    .detail(availability().report())
                    .build();
        }

        @Override
        public Availability availability() {
            return new Availability(
                    List.of(new Availability.Candidate("other", "os.name is Fake, not Other", false)),
                    "no backend for this test",
                    List.of("Add one"),
                    null);
        }
    };

    private NoBackend() {}
}
