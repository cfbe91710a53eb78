package dev.tern.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaModifier.FINAL;
import static com.tngtech.archunit.core.domain.JavaModifier.STATIC;
import static com.tngtech.archunit.core.domain.JavaModifier.SYNTHETIC;
import static com.tngtech.archunit.lang.conditions.ArchConditions.beFinal;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Dependencies point one way: cli → server and measure → core → kernels and codegen; only dev.tern.kernels knows the bindings. */
class ArchitectureTest {
    private static final DescribedPredicate<JavaClass> KERNELS = resideInAPackage("dev.tern.kernels..");
    private static final DescribedPredicate<JavaClass> CODEGEN = resideInAPackage("dev.tern.codegen..");
    private static final DescribedPredicate<JavaClass> CLI = resideInAPackage("dev.tern.cli..");
    private static final DescribedPredicate<JavaClass> SERVER = resideInAPackage("dev.tern.server..");
    private static final DescribedPredicate<JavaClass> MEASURE = resideInAPackage("dev.tern.measure..");
    private static final DescribedPredicate<JavaClass> CORE = resideInAPackage("dev.tern..")
            .and(not(KERNELS))
            .and(not(CODEGEN))
            .and(not(SERVER))
            .and(not(MEASURE))
            .and(not(CLI))
            .as("core");

    private static JavaClasses production;

    @BeforeAll
    static void readClassFiles() {
        Path root = Path.of(System.getProperty("tern.root"));
        production = new ClassFileImporter()
                .importPaths(List.of(
                        root.resolve("codegen/target/classes"),
                        root.resolve("java/kernels/target/classes"),
                        root.resolve("java/core/target/classes"),
                        root.resolve("java/server/target/classes"),
                        root.resolve("java/measure/target/classes"),
                        root.resolve("java/cli/target/classes")));
        for (DescribedPredicate<JavaClass> layer : List.of(KERNELS, CODEGEN, SERVER, MEASURE, CLI, CORE)) {
            assertThat(production.that(layer)).as("%s must be seen by these rules", layer).isNotEmpty();
        }
    }

    @Test
    void nothingDependsOnTheCommandLine() {
        noClasses().that(not(CLI)).should().dependOnClassesThat(CLI).check(production);
    }

    @Test
    void onlyTheCommandLineKnowsTheServer() {
        noClasses().that(not(SERVER.or(CLI))).should().dependOnClassesThat(SERVER).check(production);
    }

    @Test
    void onlyTheCommandLineMeasures() {
        noClasses().that(not(MEASURE.or(CLI))).should().dependOnClassesThat(MEASURE).check(production);
        noClasses().that(MEASURE).should().dependOnClassesThat(SERVER).check(production);
    }

    @Test
    void kernelsAndCodegenKnowNothingOfModelsOnDisk() {
        noClasses().that(KERNELS).should().dependOnClassesThat(CORE.or(CODEGEN)).check(production);
        noClasses().that(CODEGEN).should().dependOnClassesThat(CORE.or(KERNELS)).check(production);
    }

    @Test
    void onlyTheKernelsTouchTheBindings() {
        noClasses()
                .that(not(resideInAnyPackage("dev.tern.kernels", "dev.tern.kernels.ffi")))
                .should()
                .dependOnClassesThat(resideInAPackage("dev.tern.kernels.ffi"))
                .check(production);
    }

    @Test
    void onlyTheKernelsCallNativeCode() {
        noClasses()
                .that(not(KERNELS))
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.SymbolLookup")
                .check(production);
    }

    @Test
    void coreNeedsJacksonAndNothingElse() {
        classes()
                .that(CORE)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "dev.tern..", "java..", "javax.crypto..", "javax.net.ssl..", "tools.jackson..",
                        "com.fasterxml.jackson.annotation..", "org.jspecify.annotations.."))
                .check(production);
        classes()
                .that(KERNELS.or(CODEGEN))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("dev.tern..", "java..", "org.jspecify.annotations.."))
                .check(production);
    }

    /** So that no other command pays for it. */
    @Test
    void onlyTheInputOfAChatKnowsTheLineEditor() {
        noClasses()
                .that(not(resideInAPackage("dev.tern.cli")
                        .and(DescribedPredicate.describe(
                                "input of a chat", c -> c.getName().matches(".*\\.(EditedChatInput|ChatCompleter)(\\$.*)?")))))
                .should()
                .dependOnClassesThat(resideInAPackage("org.jline.."))
                .check(production);
    }

    @Test
    void packagesOfTheLibraryFormNoCycle() {
        slices().matching("dev.tern.(*)..").should().beFreeOfCycles().check(production);
    }

    /** The server's own as well, whose top knows all of the others and is known to none. */
    @Test
    void packagesOfTheServerFormNoCycle() {
        slices().matching("dev.tern.server.(**)").should().beFreeOfCycles().check(production);
        noClasses()
                .that(SERVER.and(not(resideInAPackage("dev.tern.server"))))
                .should()
                .dependOnClassesThat(resideInAPackage("dev.tern.server"))
                .check(production);
    }

    @Test
    void theServersSurfacesKnowNothingOfEachOther() {
        List<String> surfaces = List.of("anthropic", "embedding", "llama", "openai", "page");
        for (String one : surfaces) {
            noClasses()
                    .that(resideInAPackage("dev.tern.server." + one))
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(surfaces.stream()
                            .filter(other -> !other.equals(one))
                            .map(other -> "dev.tern.server." + other)
                            .toArray(String[]::new)))
                    .check(production);
        }
    }

    @Test
    void noStaticStateCanChange() {
        fields().that()
                .haveModifier(STATIC)
                .and()
                .doNotHaveModifier(SYNTHETIC)
                .and()
                .areDeclaredInClassesThat(resideInAPackage("dev.tern..").and(not(resideInAPackage("dev.tern.kernels.ffi"))))
                .should(beFinal())
                .check(production);
        assertThat(production).anyMatch(c -> c.getFields().stream().anyMatch(f -> f.getModifiers().contains(FINAL)));
    }

    @Test
    void onlyTheCommandLineEndsTheProcess() {
        noClasses()
                .that(not(CLI))
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .check(production);
    }
}
