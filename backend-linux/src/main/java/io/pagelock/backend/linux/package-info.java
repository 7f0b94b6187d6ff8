// SPDX-License-Identifier: Apache-2.0
/** Linux with glibc or musl: mlock, mlock2, mlockall and msync, explained with what {@code /proc} tells. */
package io.pagelock.backend.linux;
