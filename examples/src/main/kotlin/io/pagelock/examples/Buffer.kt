// SPDX-License-Identifier: Apache-2.0
package io.pagelock.examples

import io.pagelock.PageLockException
import io.pagelock.PageLocker

fun main() {
    // README
    val locker = PageLocker.system()
    val buffer = locker.allocatePages(64 * 1024)
    try {
        locker.lock(buffer).use { lock -> println("${buffer.capacity()} bytes locked: ${lock.isValid}") }
    } catch (e: PageLockException) {
        System.err.println(e.message)
    }
    val privilege: Any? = locker.limits().toMap().getValue("privilege") // does not compile without the ?
    // end
    check(privilege != Unit)
}
