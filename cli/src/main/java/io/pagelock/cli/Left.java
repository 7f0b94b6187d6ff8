// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.nio.file.Path;

/** A path that was left out, and why. */
final class Left {
    private final Path path;
    private final Failure why;

    Left(Path path, Failure why) {
        this.path = path;
        this.why = why;
    }

    Path path() {
        return path;
    }

    Failure why() {
        return why;
    }

    Json toJson() {
        return new Json().putPath(path).put("reason", why.reason()).put("message", why.getMessage());
    }
}
