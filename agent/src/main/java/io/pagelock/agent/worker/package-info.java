// SPDX-License-Identifier: Apache-2.0
/** The agent itself, loaded with its own copy of pagelock and JNA by a class loader that the application cannot reach. */
package io.pagelock.agent.worker;
