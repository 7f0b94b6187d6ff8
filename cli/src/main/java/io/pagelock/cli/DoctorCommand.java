// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says whether memory can be locked here, how much, and what to change. */
@Command(
        name = "doctor",
        description = {
            "Reports how much memory this JVM may lock, verifies it by locking one page, and suggests how to raise the"
                    + " limits.",
            "Exit status 1 if nothing can be locked."
        },
        sortOptions = false)
final class DoctorCommand implements Callable<Integer> {
    @Mixin
    private CommonOptions common;

    private final Lockers lockers;
    private final Console console;
    private final Host host;
    private final BackendPath backends;

    /** What stands below the options in its help. */
    static String[] footer() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("System properties for PAGELOCK_OPTS='-DNAME=VALUE' (docs/monitoring.md):");
        KnownProperties.names().forEach(name -> lines.add("  " + name));
        return lines.toArray(new String[0]);
    }

    DoctorCommand(Lockers lockers, Console console, Host host, BackendPath backends) {
        this.lockers = lockers;
        this.console = console;
        this.host = host;
        this.backends = backends;
    }

    @Override
    public Integer call() {
        Diagnosis diagnosis = Diagnosis.of(host, lockers, backends);
        if (common.json()) {
            console.document(diagnosis.toJson());
        } else {
            diagnosis.lines().forEach(console::say);
        }
        // In the text, the remedies are among the lines already.
        diagnosis.failure().ifPresent(why -> console.fail(why, common.debug(), common.json()));
        return diagnosis.failure().isPresent() ? 1 : 0;
    }
}
