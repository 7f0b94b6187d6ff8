// SPDX-License-Identifier: Apache-2.0
package io.pagelock.it;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.pagelock.PageLocker;
import io.pagelock.spi.Backend;
import io.pagelock.spi.BackendProvider;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The directions in which packages know each other, in the jars as they ship. */
class ArchitectureTest {
    private static final int MOST_LINES = 550;

    private static final String API = "io.pagelock";
    private static final String SPI = "io.pagelock.spi";
    private static final String ENGINE = "io.pagelock.engine";
    private static final String INTERNAL = "io.pagelock.internal";

    private static final DescribedPredicate<JavaClass> ANNOTATIONS_NOT_NEEDED_AT_RUN_TIME =
            resideInAnyPackage("org.jspecify.annotations", "com.fasterxml.jackson.annotation");

    private static final JavaClasses OURS = new ClassFileImporter()
            .importUrls(Jars.ours().stream()
                    .filter(jar -> !jar.toString().contains("testkit"))
                    .map(ArchitectureTest::url)
                    .collect(Collectors.toList()));

    private static URL url(Path jar) {
        try {
            return new URL("jar:" + jar.toUri() + "!/");
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void holds(ArchRule rule) {
        rule.check(OURS);
    }

    @Test
    void apiKnowsNeitherSpiNorEngineExceptItsFactories() {
        holds(noClasses()
                .that()
                .resideInAPackage(API)
                .and()
                .areNotAssignableTo(PageLocker.class)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SPI, ENGINE, INTERNAL));
    }

    /** The exception: {@link PageLocker#system()} and its kin have to find the engine. */
    @Test
    void theFactoriesOfTheApiKnowOnlyWhatDiscoversBackends() {
        DescribedPredicate<JavaClass> discovery = DescribedPredicate.describe(
                "Discovery", other -> other.getFullName().equals(INTERNAL + ".Discovery"));
        holds(noClasses()
                .that()
                .haveFullyQualifiedName(PageLocker.class.getName())
                .should()
                .dependOnClassesThat(resideInAnyPackage(SPI, ENGINE, INTERNAL).and(not(discovery))));
    }

    @Test
    void spiKnowsOnlyTheApi() {
        holds(noClasses()
                .that()
                .resideInAPackage(SPI)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ENGINE, INTERNAL));
    }

    @Test
    void packagesFormNoCircleExceptThroughTheFactories() {
        holds(slices().assignedFrom(new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass each) {
                        return each.getPackageName().startsWith(API)
                                ? SliceIdentifier.of(each.getPackageName())
                                : SliceIdentifier.ignore();
                    }

                    @Override
                    public String getDescription() {
                        return "packages of pagelock";
                    }
                })
                .should()
                .beFreeOfCycles()
                .ignoreDependency(JavaClass.Predicates.type(PageLocker.class), resideInAPackage(INTERNAL)));
    }

    /** Whatever holds the monitor of the lock table cannot call the system. */
    @Test
    void theLockTableDoesNotSeeTheBackend() {
        holds(noClasses()
                .that()
                .haveNameMatching(INTERNAL.replace(".", "\\.") + "\\.LockTable(\\$.*)?")
                .should()
                .dependOnClassesThat(assignableTo(Backend.class)));
    }

    /** Private ones are called by those that assert it. Assertions are on in all tests. */
    @Test
    void everyMethodThatNeedsTheMonitorAssertsIt() {
        ArchCondition<JavaMethod> assertTheMonitor = new ArchCondition<>("assert that the monitor is held") {
            @Override
            public void check(JavaMethod method, ConditionEvents events) {
                boolean asserts = method.getMethodCallsFromSelf().stream()
                        .anyMatch(call -> call.getTarget().getFullName().startsWith("java.lang.Thread.holdsLock("));
                events.add(new SimpleConditionEvent(method, asserts, method.getFullName() + " does not"));
            }
        };
        holds(methods()
                .that()
                .areDeclaredInClassesThat()
                .haveNameMatching(INTERNAL.replace(".", "\\.") + "\\.(LockTable|OpenHolds|Sweep)")
                .and()
                .areNotPrivate()
                .and()
                .areNotStatic()
                .should(assertTheMonitor));
    }

    @Test
    void coreKnowsTheJdkAndNothingElseButAnnotations() {
        // A JVM passes over an annotation whose class is missing.
        DescribedPredicate<JavaClass> annotation = DescribedPredicate.describe(
                "an annotation for tools",
                other -> other.getFullName().equals("com.fasterxml.jackson.annotation.JsonValue")
                        || other.getPackageName().equals("org.jspecify.annotations"));
        holds(classes()
                .that()
                .resideInAnyPackage(API, SPI, ENGINE, INTERNAL)
                .should()
                .onlyDependOnClassesThat(
                        annotation.or(resideInAnyPackage("java..", "javax.management..", API, SPI, ENGINE, INTERNAL))));
    }

    @Test
    void aBackendShowsItsProviderAndNothingElse() {
        holds(classes()
                .that()
                .resideInAPackage("io.pagelock.backend.(*)")
                .and()
                .resideOutsideOfPackage("io.pagelock.backend.support")
                .and()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .should()
                .beAssignableTo(BackendProvider.class));
    }

    @Test
    void noFileOfCoreIsTooLongToRead() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("../core/src/main"))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                int lines = Files.readAllLines(file).size();
                assertTrue(lines < MOST_LINES, file + " has " + lines + " lines; move one of its jobs elsewhere");
            }
        }
    }
}
