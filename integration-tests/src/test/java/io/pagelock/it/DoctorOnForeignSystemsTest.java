// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pagelock.backend.testkit.ChildJvm;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code doctor} of the assembled command over the stand-in for each foreign system, as its backend's own tests open it. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "a stand-in needs Linux underneath")
class DoctorOnForeignSystemsTest {
    @ParameterizedTest
    @CsvSource({
        "freebsd, FreeBsd open, FreeBSD 15.1-RELEASE-p1, ok: locked",
        "hpux, Hpux open probed, HP-UX B.11.31, accepted",
        "irix, Irix open backend, IRIX64 6.5, accepted",
        "macos, Macos open backend, Mac OS X 15.5, ok: locked",
        "solaris, Solaris open memcntl, SunOS 5.11, ok: locked"
    })
    void theProbeLocksAPageOfTheSystem(
            String backend, String opening, String system, String outcome, @TempDir Path services) throws Exception {
        Path module = OutsideMaven.ROOT.resolve("backend-" + backend);
        Path list = services.resolve("META-INF/services/io.pagelock.spi.BackendProvider");
        Files.createDirectories(list.getParent());
        Files.writeString(list, StandInProvider.class.getName());
        String classPath = String.join(
                File.pathSeparator,
                Jars.path(Jars.all()),
                Jars.testClasses().toString(),
                services.toString(),
                module.resolve("target/test-classes").toString());
        String report = new ChildJvm()
                // The sources of the stand-in are found from there.
                .in(module)
                .classPath(classPath)
                .options(
                        "-D" + StandInProvider.PROPERTY + "=io.pagelock.backend." + backend + "." + opening,
                        "-Dio.pagelock.backend=stand-in")
                .run("io.pagelock.cli.Main", "doctor")
                .succeeded();
        assertTrue(report.startsWith("system      " + system + "\n"), report);
        assertTrue(report.contains("\nprobe       " + outcome), report);
    }
}
