// SPDX-License-Identifier: Apache-2.0
/** Reads the texts of {@code /proc}: proc(5). For this backend and for the command; no API. */
package io.pagelock.backend.linux.proc;
