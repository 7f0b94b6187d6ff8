// SPDX-License-Identifier: Apache-2.0
/**
 * Shows the author of a backend when it is done. {@link io.pagelock.backend.testkit.BackendContract} holds one test per
 * numbered rule; extend it and give it a {@link io.pagelock.backend.testkit.Harness}. To run it on a machine that is not the
 * backend's, put the backend's binding on a {@link io.pagelock.backend.testkit.FakeKernel}, a process and its page locks
 * in plain Java whose {@link io.pagelock.backend.testkit.KernelRules} per system are data.
 */
@NullMarked
package io.pagelock.backend.testkit;

import org.jspecify.annotations.NullMarked;
