// SPDX-License-Identifier: Apache-2.0
/** Configures pagelock automatically in Spring Boot 3.5 and 4. */
@NullMarked
package io.pagelock.spring.boot;

import org.jspecify.annotations.NullMarked;
