// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.macos;

import io.pagelock.backend.support.MemoryCalls;
import io.pagelock.backend.support.MincoreCall;
import io.pagelock.backend.support.SizeT;

/**
 * Every C function that this backend calls, and mlockall and munlockall, which it does not: they are there and fail with ENOSYS
 * (bsd/kern/kern_mman.c of xnu). madvise is not called either: macOS has no lock on first touch that would need pages read in.
 */
interface MacosCalls extends MemoryCalls, MincoreCall {
    /** {@code int getrlimit(int resource, struct rlimit *rlp)}: soft and hard, 8 bytes each. */
    int getrlimit(int resource, long[] rlp);

    /** {@code int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)}: sysctl(3). */
    int sysctlbyname(byte[] name, byte[] oldp, @SizeT long[] oldlenp, long newp, long newlen);

    /**
     * {@code kern_return_t mach_vm_region(vm_map_read_t target_task, mach_vm_address_t *address, mach_vm_size_t *size,
     * vm_region_flavor_t flavor, vm_region_info_t info, mach_msg_type_number_t *infoCnt, mach_port_t *object_name)}: osfmk/mach/mach_vm.defs.
     * Finds the region that holds the address, or the next one after it. 0 is success; there is no errno.
     */
    int mach_vm_region(int task, long[] address, long[] size, int flavor, int[] info, int[] count, int[] objectName);

    /** {@code void *dlsym(void *handle, const char *symbol)}: dlsym(3). For a variable, which a binding of functions lacks. */
    @SizeT
    long dlsym(long handle, byte[] symbol);

    /** {@code void *memcpy(void *to, const void *from, size_t length)}, to read what dlsym found. */
    @SizeT
    long memcpy(int[] to, long from, long length);
}
