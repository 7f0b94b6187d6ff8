// SPDX-License-Identifier: Apache-2.0
package org.example.toy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pagelock.PageLocker;
import org.junit.jupiter.api.Test;

class ToyProviderTest {
    @Test
    void serviceLoaderFindsTheBackend() {
        assertEquals(
                "toy",
                PageLocker.availability()
                        .backend()
                        .orElse(PageLocker.availability().report()));
    }
}
