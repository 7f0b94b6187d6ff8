// SPDX-License-Identifier: Apache-2.0
/**
 * Separates {@link io.pagelock.backend.support.CLibrary} from what calls C for it: JNA, which is built in, or a binding
 * that {@link java.util.ServiceLoader} finds. For authors of bindings; backends see only {@code CLibrary}.
 */
@NullMarked
package io.pagelock.backend.support.binding;

import org.jspecify.annotations.NullMarked;
