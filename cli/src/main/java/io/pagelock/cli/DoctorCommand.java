// SPDX-License-Identifier: Apache-2.0
package io.pagelock.cli;

import io.pagelock.spi.Host;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says whether memory can be locked here, how much, and what to change. */
@Command(
        name = "doctor",
        description = {
            "Says what this system, JVM and user can lock, locks and unlocks one page to prove it, and says what to change.",
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
        diagnosis.failure().ifPresent(why -> console.fail(why, common.debug()));
        return diagnosis.failure().isPresent() ? 1 : 0;
    }
}
