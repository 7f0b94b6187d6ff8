// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.PageLockException;
import io.pagelock.files.FileLockException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
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
            description = "Also look for backends in these jars, directories of jars, or directories of classes,"
                    + " separated by ':'.")
    private List<String> backendPath = new ArrayList<>();

    boolean json() {
        return json;
    }

    boolean debug() {
        return debug;
    }

    /** Runs a command. Its failure is reported on standard error and, with --json, in its document. */
    int run(Console console, String command, IntSupplier work) {
        Failure why;
        try {
            return work.getAsInt();
        } catch (PageLockException e) {
            why = Failure.of(e);
        } catch (FileLockException e) {
            why = Failure.of(e);
        } catch (Failure e) {
            why = e;
        }
        console.fail(why, debug);
        if (json) {
            console.document(why.addTo(new Json().put("command", command).put("result", "failed")));
        }
        return 1;
    }
}
