// SPDX-License-Identifier: Apache-2.0
/** The command {@code pagelock}: the library at work. Nothing here is an API; what may be used is the command line. */
package io.pagelock.cli;
