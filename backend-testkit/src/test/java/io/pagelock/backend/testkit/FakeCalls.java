// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.testkit;

import io.pagelock.backend.testkit.FakeKernel.Flag;
import io.pagelock.backend.testkit.FakeKernel.Kind;
import io.pagelock.backend.testkit.FakeKernel.MapRefusedException;
import io.pagelock.backend.testkit.FakeKernel.Mode;
import io.pagelock.backend.testkit.KernelRules.Trait;
import java.util.Set;

/** The calls of a {@link FakeKernel}. */
final class FakeCalls implements RawCalls {
    private final FakeKernel kernel;

    FakeCalls(FakeKernel kernel) {
        this.kernel = kernel;
        if (kernel.rules().has(Trait.PRIVILEGE_IS_NEEDED)) {
            kernel.setPrivileged(true);
        }
    }

    @Override
    public long pageSize() {
        return kernel.rules().pageSize();
    }

    @Override
    public String mlock(long address, long length) {
        return kernel.mlock(address, length).name();
    }

    @Override
    public String munlock(long address, long length) {
        return kernel.munlock(address, length).name();
    }

    @Override
    public String mlockall(Set<Flag> flags) {
        return kernel.mlockall(flags).name();
    }

    @Override
    public String munlockall() {
        return kernel.munlockall().name();
    }

    @Override
    public String msync(long address, long length, boolean invalidate) {
        return kernel.msync(address, length, true, false, invalidate).name();
    }

    @Override
    public long map(long pages) {
        try {
            return kernel.map(pages, Kind.ANONYMOUS);
        } catch (MapRefusedException e) {
            throw new IllegalStateException(e.errno().name(), e);
        }
    }

    @Override
    public void unmap(long address, long pages) {
        kernel.unmap(address, pages);
    }

    @Override
    public boolean isLocked(long address) {
        return kernel.mode(address) != Mode.NONE;
    }

    /** Does nothing: the kernel goes with the test. */
    @Override
    public void close() {}

    @Override
    public void remap(long address, long pages) {
        kernel.mapAt(address, pages, Kind.ANONYMOUS);
    }

    @Override
    public long mapReserved(long pages) {
        return kernel.map(pages, Kind.RESERVED);
    }

    @Override
    public long mapShortFile(long pages, long left) {
        long file = kernel.map(pages, Kind.FILE);
        kernel.truncate(file, left);
        return file;
    }

    @Override
    public void protect(long address, long pages) {
        kernel.protect(address, pages, false);
    }

    @Override
    public void breakPage(long address) {
        kernel.breakPage(address, true);
    }

    @Override
    public void touch(long address) {
        kernel.touch(address);
    }

    @Override
    public void limit(long pages) {
        kernel.setLimit(pages < 0 ? 0 : kernel.lockedBytes() + pages * pageSize());
    }

    @Override
    public void limitSystem(long pages) {
        kernel.setSystemLimit(kernel.lockedBytes() + pages * pageSize());
    }

    @Override
    public void privilege(boolean value) {
        kernel.setPrivileged(value);
    }

    @Override
    public RawCalls fork() {
        return new FakeCalls(kernel.fork());
    }
}
