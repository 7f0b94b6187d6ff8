// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Availability;
import io.pagelock.PageLocker;

/** Where the commands get the library from; tests put something else here. */
interface Lockers {
    Lockers SYSTEM = new Lockers() {
        @Override
        public PageLocker locker() {
            JnaSetup.prepare(System.getProperties(), System.getenv());
            try {
                return PageLocker.system();
            } finally {
                JnaSetup.clean();
            }
        }

        @Override
        public Availability availability() {
            JnaSetup.prepare(System.getProperties(), System.getenv());
            try {
                return PageLocker.availability();
            } finally {
                JnaSetup.clean();
            }
        }
    };

    PageLocker locker();

    Availability availability();
}
