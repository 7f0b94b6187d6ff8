// SPDX-License-Identifier: Apache-2.0
package io.pagelock.backend.support;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks a function that some releases lack. Without it, {@link CLibrary#bind} fails where the function is missing. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface MayBeMissing {}
