// SPDX-License-Identifier: Apache-2.0
/** What {@code benchmarks/run} runs: pagelock against C, against itself and against other libraries. */
package io.pagelock.benchmarks;
