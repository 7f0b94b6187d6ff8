// SPDX-License-Identifier: Apache-2.0
/** Locks pages on Solaris and illumos; only the provider is for others. */
package io.pagelock.backend.solaris;
