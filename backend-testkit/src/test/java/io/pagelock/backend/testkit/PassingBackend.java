// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

/** Forwards to a right backend, for subclasses that spoil one call. */
class PassingBackend extends ForwardingBackend {
    final FakeBackend good;
    final FakeKernel kernel;
    final long page;

    PassingBackend(FakeBackend good) {
        super(good);
        this.good = good;
        kernel = good.kernel();
        page = good.pageSize();
    }
}
