// SPDX-License-Identifier: Apache-2.0
/** The entry of the agent: the only class that the application's class loaders see. Uses nothing but the JDK. */
package io.pagelock.agent;
