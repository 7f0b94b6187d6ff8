// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Commands that describe the others, from their own definitions. */
final class DocumentCommands {
    private DocumentCommands() {}

    /** Prints what a shell needs to complete arguments. */
    @Command(
            name = "completion",
            description = {
                "Prints a script with which bash and zsh complete the arguments of this command.",
                "For example: source <(pagelock completion)"
            })
    static final class Completion implements Callable<Integer> {
        private final Console console;

        @Spec
        private CommandSpec spec;

        Completion(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            console.out().print(AutoComplete.bash("pagelock", spec.root().commandLine()));
            console.out().flush();
            return CommandLine.ExitCode.OK;
        }
    }

    /** Prints the manual page. */
    @Command(
            name = "man",
            description = {
                "Prints the manual page of this command.",
                "For example: pagelock man >pagelock.1 && man ./pagelock.1"
            })
    static final class Manual implements Callable<Integer> {
        private final Console console;

        @Spec
        private CommandSpec spec;

        Manual(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            console.out().print(new ManualPage(spec.root()));
            console.out().flush();
            return CommandLine.ExitCode.OK;
        }
    }
}
