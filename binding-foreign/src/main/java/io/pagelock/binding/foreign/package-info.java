// SPDX-License-Identifier: Apache-2.0
/** A binding of C without JNA, by {@code java.lang.foreign}; chosen by itself where it is present and may be used. */
package io.pagelock.binding.foreign;
