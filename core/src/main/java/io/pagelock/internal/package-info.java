// SPDX-License-Identifier: Apache-2.0
/** The engine: counting, undoing, address-space state, leak detection and discovery. Not for use by others. */
package io.pagelock.internal;
