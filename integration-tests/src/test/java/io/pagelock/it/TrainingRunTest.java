// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.TrainingRun;
import io.pagelock.backend.testkit.ChildJvm;
import io.pagelock.backend.testkit.ChildProcess.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The training run leaves an archive from which a program's JVM takes the classes of pagelock. */
class TrainingRunTest {
    private static final boolean HAS_AOT_CACHE = Runtime.version().feature() >= 25;

    /** With jars alone: no archive is written with a directory on the class path. */
    private static ChildJvm jvm(String... options) {
        return new ChildJvm().classPath(Jars.path(Jars.ofLinuxApplication())).options(options);
    }

    private static String write(Path archive) {
        return (HAS_AOT_CACHE ? "-XX:AOTCacheOutput=" : "-XX:ArchiveClassesAtExit=") + archive;
    }

    private static String read(Path archive) {
        return (HAS_AOT_CACHE ? "-XX:AOTCache=" : "-XX:SharedArchiveFile=") + archive;
    }

    @Test
    void theNextJvmTakesTheClassesOutOfTheArchive(@TempDir Path directory) {
        Path archive = directory.resolve("program");
        Ended training = jvm(write(archive)).run(TrainingRun.class);
        assertTrue(Files.exists(archive), training.succeeded());
        String loaded =
                jvm(read(archive), "-Xlog:class+load").run(TrainingRun.class).succeeded();
        for (String each : new String[] {"internal.Engine", "internal.Call", "backend.linux.LinuxBackend"}) {
            assertTrue(loaded.matches("(?s).*io\\.pagelock\\." + each + " source: shared objects file.*"), loaded);
        }
    }

    @Test
    void whereTheKernelRefusesTheRunSucceedsAllTheSame() {
        Ended training = jvm().through(
                        "prlimit", "--memlock=0", "setpriv", "--inh-caps=-all", "--bounding-set=-ipc_lock")
                .run(TrainingRun.class);
        assertEquals(0, training.status(), training.output());
        assertEquals("", training.output());
    }
}
