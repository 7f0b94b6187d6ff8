// SPDX-License-Identifier: Apache-2.0
/** Does the work of the agent. It is loaded, with its own copy of pagelock and JNA, by a class loader that the application cannot reach. */
package io.pagelock.agent.worker;
