// SPDX-License-Identifier: Apache-2.0
/**
 * Locks whole files in memory: maps them, locks them in steps, and watches them for changes. Start at
 * {@link io.pagelock.files.FileLocker}. No parameter may be null unless its description says so.
 */
@NullMarked
package io.pagelock.files;

import org.jspecify.annotations.NullMarked;
