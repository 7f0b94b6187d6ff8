// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.Availability;
import io.pagelock.PageLocker;

/** Where the commands get the library from; tests put something else here. */
interface Lockers {
    Lockers SYSTEM = new Lockers() {
        @Override
        public PageLocker locker() {
            return PageLocker.system();
        }

        @Override
        public Availability availability() {
            return PageLocker.availability();
        }
    };

    PageLocker locker();

    Availability availability();
}
