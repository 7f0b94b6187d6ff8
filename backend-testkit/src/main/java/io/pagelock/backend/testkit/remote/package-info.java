// SPDX-License-Identifier: Apache-2.0
/**
 * Runs a backend against the kernel of a machine that needs no JVM: {@code remote-agent}, a program in portable C, makes the
 * calls there, and a library with the names of the system's C functions passes them on from here. The binding, the layouts of
 * structures and errno are used as they are. What such a library consists of is the resource {@code remote.h} of this package.
 */
@NullMarked
package io.pagelock.backend.testkit.remote;

import org.jspecify.annotations.NullMarked;
