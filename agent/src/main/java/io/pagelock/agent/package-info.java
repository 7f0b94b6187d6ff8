// SPDX-License-Identifier: Apache-2.0
/** Starts the agent. Contains the only class of it that the application's class loaders see, which uses only the JDK. */
package io.pagelock.agent;
