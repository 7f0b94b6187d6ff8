// SPDX-License-Identifier: Apache-2.0
/** Linux with glibc or musl: mlock, mlock2, mlockall and msync, explained with what {@code /proc} tells. */
@NullMarked
package io.pagelock.backend.linux;

import org.jspecify.annotations.NullMarked;
