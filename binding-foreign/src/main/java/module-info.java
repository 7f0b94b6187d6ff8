// SPDX-License-Identifier: Apache-2.0
/** Calls C by the foreign-function API. */
module io.pagelock.binding.foreign {
    requires io.pagelock.backend.support;

    provides io.pagelock.backend.support.Binding with
            io.pagelock.binding.foreign.ForeignBinding;
}
