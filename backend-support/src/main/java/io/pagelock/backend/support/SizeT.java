// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a {@code long[]} that is an array of {@code size_t} in C, or a function whose {@code long} result is a
 * {@code size_t} or a pointer. In C it is as wide as a pointer of this JVM.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.PARAMETER})
public @interface SizeT {}
