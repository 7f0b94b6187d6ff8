// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that every command has. */
final class CommonOptions {
    @Option(names = "--json", description = "Write one JSON document to standard output and nothing else there.")
    private boolean json;

    @Option(names = "--debug", description = "Show the stack trace of a failure.")
    private boolean debug;

    /** Only for the parser: {@link BackendPath} has read it before. */
    @Option(
            names = BackendPath.OPTION,
            paramLabel = "PATH",
            description =
                    "Look for backends also in these jars, in directories of jars, or of classes, separated by ':'.")
    private List<String> backendPath = new ArrayList<>();

    boolean json() {
        return json;
    }

    boolean debug() {
        return debug;
    }
}
