// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.files.FileSelection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Which files a command is about. */
final class FileArguments {
    @Parameters(paramLabel = "FILE|DIR", arity = "0..*", description = "The files. Each counts once.")
    private List<String> raw = new ArrayList<>();

    boolean isEmpty() {
        return raw.isEmpty();
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** As if one were required by the parser. */
    FileSelection required() {
        if (isEmpty()) {
            throw new ParameterException(spec.commandLine(), "Missing required parameter: 'FILE|DIR'");
        }
        return selection();
    }

    FileSelection selection() {
        List<Path> paths = new ArrayList<>();
        for (String each : raw) {
            if (each.isEmpty()) {
                // Java would take it for the working directory.
                throw new ParameterException(spec.commandLine(), "an empty name is no file");
            }
            paths.add(FileNames.path(RawArguments.bytes(each)));
        }
        return FileSelection.of(paths);
    }
}
