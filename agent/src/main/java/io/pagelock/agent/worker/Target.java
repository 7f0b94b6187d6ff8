// SPDX-License-Identifier: Apache-2.0
package io.pagelock.agent.worker;

import io.pagelock.AddressSpaceScope;
import io.pagelock.LockOption;
import io.pagelock.MemoryRange;
import java.util.List;
import java.util.Set;

/** The copy of pagelock that counts in this process, as far as the agent uses it. */
interface Target {
    AutoCloseable lockAddressSpace(AddressSpaceScope scope, Set<LockOption> options) throws Refusal;

    AutoCloseable lock(List<MemoryRange> ranges, Set<LockOption> options) throws Refusal;

    /** Describes the copy, for the report. */
    String name();
}
