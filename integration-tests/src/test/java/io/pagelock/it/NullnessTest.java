// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every package that a module exports says what may be null, by JSpecify's annotations, which nobody needs at run time. */
class NullnessTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern EXPORT = Pattern.compile("(?m)^    exports ([\\w.]+);");

    @Test
    void everyExportedPackageIsNullMarked() throws Exception {
        List<Executable> all = new ArrayList<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.sorted().toList()) {
                // The command is no library.
                if (!module.endsWith("cli")) {
                    check(module, all);
                }
            }
        }
        assertTrue(all.size() > 20, all.size() + " packages and modules");
        assertAll(all);
    }

    private static void check(Path module, List<Executable> all) throws Exception {
        for (String sources : List.of("java", "java9")) {
            Path descriptor = module.resolve("src/main").resolve(sources).resolve("module-info.java");
            if (!Files.exists(descriptor)) {
                continue;
            }
            String text = Files.readString(descriptor);
            for (Matcher each = EXPORT.matcher(text); each.find(); ) {
                Path info = module.resolve("src/main/java")
                        .resolve(each.group(1).replace('.', '/'))
                        .resolve("package-info.java");
                all.add(() -> assertTrue(Files.readString(info).contains("@NullMarked\npackage"), info::toString));
                all.add(() -> assertTrue(text.contains("requires static org.jspecify;"), descriptor::toString));
            }
        }
    }
}
