// SPDX-License-Identifier: Apache-2.0
/** Locks pages on OpenBSD; only the provider is for others. */
package io.pagelock.backend.openbsd;
