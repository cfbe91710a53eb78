package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher in a repository of its own, with JDKs and a Maven that only say what they were asked. The folder's name
 * has a space in it, and one called src, as a user's may.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    @TempDir
    Path temporary;

    private Path repository;
    private Path tools;
    private Path jdks;
    private final Map<String, String> environment = new HashMap<>();

    private record Result(int status, String out, String err) {}

    @BeforeEach
    void repository() throws Exception {
        repository = Files.createDirectories(temporary.resolve("my src/the tern"));
        copy("tern");
        source("pom.xml");
        source("java/core/src/main/java/A.java");
        source("java/core/src/main/java/B.java");
        tools = Files.createDirectories(temporary.resolve("tools"));
        for (String tool : List.of(
                "bash", "sh", "find", "head", "date", "mkdir", "ln", "mv", "rm", "cp", "sed", "grep", "readlink", "flock",
                "cat", "sleep", "dirname", "env")) {
            for (String folder : List.of("/usr/bin", "/bin", "/usr/local/bin")) {
                Path program = Path.of(folder, tool);
                if (Files.exists(program) && !Files.exists(tools.resolve(tool))) {
                    program(tools.resolve(tool), "exec " + program + " \"$@\"");
                }
            }
        }
        jdks = Files.createDirectories(temporary.resolve("jdks"));
        program(tools.resolve("cmake"), "");
        program(tools.resolve("cc"), "");
        maven("");
        environment.put("TERN_JDK_FOLDERS", jdks.toString());
    }

    @Test
    void findsTheJdkThatIsNewEnoughAlthoughJavaHomeAndThePathHoldOlderOnes() throws Exception {
        Path older = jdk("seventeen", "17.0.15");
        Files.createSymbolicLink(tools.resolve("java"), jdk("path", "21.0.1").resolve("bin/java"));
        jdk("ten", "10");
        jdk("twentyfive", "25.0.3");
        environment.put("JAVA_HOME", older.toString());

        Result result = tern("run", "-p", "two  words", "*");

        assertThat(result.err()).contains("building Tern");
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("<twentyfive>").contains("<-p>\n<two  words>\n<*>\n");
        assertThat(result.out()).contains("<--enable-native-access=dev.tern.kernels>");
    }

    @Test
    void prefersJavaHome() throws Exception {
        jdk("aaa", "25");
        environment.put("JAVA_HOME", jdk("zzz", "27-ea").toString());
        assertThat(tern().out()).contains("<zzz>");
    }

    @Test
    void saysWhatToInstallWhenThereIsNoNewEnoughJdk() throws Exception {
        jdk("older", "24.0.2");
        Path runtime = jdk("runtime", "25.0.1");
        Files.delete(runtime.resolve("bin/javac"));

        Result result = tern("demo");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .contains("needs a JDK 25")
                .contains("Java 24 at " + jdks.resolve("older"))
                .contains("Java 25 without a compiler (not a JDK) at " + runtime)
                .contains("sudo apt install openjdk-25-jdk");
    }

    @Test
    void saysThatThereIsNoJavaAtAll() throws Exception {
        assertThat(tern("demo").err()).contains("Found no Java at all");
    }

    @Test
    void runsThroughSymbolicLinksFromAnyFolder() throws Exception {
        jdk("j", "25");
        Path links = Files.createDirectories(temporary.resolve("other place"));
        Files.createSymbolicLink(links.resolve("one"), Path.of("two"));
        Files.createSymbolicLink(links.resolve("two"), repository.resolve("tern"));

        Result result = start(links, List.of("./one", "demo"));

        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).contains("<" + repository.toRealPath().resolve("java/cli/target/tern/builds"));
    }

    @Test
    void buildsOnlyWhenSourcesAreNewer() throws Exception {
        jdk("j", "25");
        assertThat(tern().err()).contains("building Tern");
        assertThat(tern().err()).isEmpty();

        touch("java/core/src/main/java/A.java");
        assertThat(tern().err()).contains("building Tern");
        assertThat(tern().err()).isEmpty();

        touch("pom.xml");
        assertThat(tern().err()).contains("building Tern");

        Files.delete(repository.resolve("java/core/src/main/java/B.java"));
        assertThat(tern().err()).as("a source that went").contains("building Tern");

        source("java/core/src/test/java/ATest.java");
        source("java/core/target/classes/A.class");
        assertThat(tern().err()).as("tests and build outputs").isEmpty();
    }

    @Test
    void keepsTheOldBuildAndShowsTheErrorWhenTheNewOneFails() throws Exception {
        jdk("j", "25");
        tern();
        touch("pom.xml");
        maven("echo '[ERROR] A.java:[1,1] no such thing'; exit 1");

        Result failed = tern("demo");

        assertThat(failed.status()).isEqualTo(70);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err()).contains("A.java:[1,1] no such thing").contains("build.log");
        maven("");
        assertThat(tern("demo").status()).isZero();
    }

    @Test
    void refusesABuildThatDoesNotStart() throws Exception {
        Path home = jdk("j", "25");
        tern();
        touch("pom.xml");
        program(home.resolve("bin/java"), "case $* in *--version*) echo no such module; exit 1;; esac; echo started");

        Result failed = tern("demo");

        assertThat(failed.status()).isEqualTo(70);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err()).contains("no such module").contains("build.log");
    }

    @Test
    void runsWithTheCacheThatWasTrainedAndWithoutOneWhereTrainingFails() throws Exception {
        Path home = jdk("j", "25");
        String java = "for a; do case $a in -XX:AOTCacheOutput=*) echo cache >\"${a#*=}\";; esac; done; printf '<%s>\\n' \"$@\"";
        program(home.resolve("bin/java"), java);
        assertThat(tern("demo").out()).contains("<-XX:AOTCache=" + repository.toRealPath());

        touch("pom.xml");
        program(home.resolve("bin/java"), java + "; case $* in *AOTCacheOutput*|*ClassFileUpdate*) exit 1;; esac");
        Result result = tern("demo");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).contains("<demo>").doesNotContain("AOTCache");
        assertThat(result.err()).doesNotContain("fail");
    }

    @Test
    void shortCommandsDoWithoutTheSecondCompiler() throws Exception {
        Path home = jdk("j", "25");
        program(home.resolve("bin/java"), "printf '<%s>\\n' \"$@\"");
        String flag = "<-XX:TieredStopAtLevel=1>";
        for (String command : List.of("run", "chat", "--help")) {
            assertThat(tern(command).out()).contains(flag);
        }
        for (String command : List.of("convert", "serve", "bench")) {
            assertThat(tern(command).out()).contains("<" + command + ">").doesNotContain(flag);
        }
    }

    @Test
    void goesOnlineOnlyWhenSomethingIsMissing() throws Exception {
        jdk("j", "25");
        maven("case $* in *-o*) echo 'Cannot access central in offline mode'; exit 1;; esac");

        Result result = tern("demo");

        assertThat(result.status()).isZero();
        assertThat(result.err()).contains("downloading");
    }

    @Test
    void twoAtOnceBuildOnce() throws Exception {
        jdk("j", "25");
        maven("echo built >>\"" + temporary + "/count\"; sleep 1");
        List<Process> processes = List.of(process(repository, List.of("./tern")), process(repository, List.of("./tern")));
        for (Process process : processes) {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        }
        assertThat(Files.readAllLines(temporary.resolve("count"))).hasSize(1);
    }

    @Test
    void explainsAMissingMavenOrCompiler() throws Exception {
        jdk("j", "25");
        Files.delete(tools.resolve("cc"));
        Result noCompiler = tern("demo");
        assertThat(noCompiler.status()).isEqualTo(1);
        assertThat(noCompiler.err()).contains("a C compiler").contains("TERN_NATIVE=off");

        environment.put("TERN_NATIVE", "off");
        assertThat(tern("demo").status()).isZero();
        environment.remove("TERN_NATIVE");
        assertThat(tern("demo").err())
                .as("a build without native kernels does not serve who did not ask for one")
                .contains("a C compiler");

        Files.delete(tools.resolve("mvn"));
        Result noMaven = tern("demo");
        assertThat(noMaven.status()).isEqualTo(1);
        assertThat(noMaven.err()).contains("Maven").contains("sudo apt install maven");
    }

    @Test
    void givesJavaAUtf8Locale() throws Exception {
        jdk("j", "25");
        environment.put("LANG", "C");
        assertThat(tern().out()).contains("locale C.UTF-8");
        environment.put("LANG", "de_DE.UTF-8");
        assertThat(tern().out()).contains("locale de_DE.UTF-8");
    }

    /** The benchmarks have scripts of their own, which take all this from the launcher. */
    @Test
    void benchmarksAreBuiltWithTheJdkAndTheRulesOfTheLauncher() throws Exception {
        jdk("older", "21");
        jdk("j", "25");
        copy("bench/launch.sh");
        copy("bench/run");
        source("bench/src/main/java/C.java");
        maven("echo \"$@\" >>built; mkdir -p bench/target; echo jar >bench/target/benchmarks.jar");
        program(tools.resolve("uname"), "echo riscv64");
        for (String tool : List.of("touch", "tr", "getconf")) {
            program(tools.resolve(tool), "exec /usr/bin/" + tool + " \"$@\"");
        }
        Path elsewhere = Files.createDirectories(temporary.resolve("else where"));
        Path link = Files.createSymbolicLink(elsewhere.resolve("here"), repository);

        Result result = start(link, List.of("bench/run", "Call", "-p", "tier=A  B"));

        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out())
                .contains("<j>")
                .contains("<-jar>\n<" + repository.toRealPath().resolve("bench/target/benchmarks.jar") + ">")
                .contains("<Call>\n<-p>\n<tier=A  B>\n<-rf>\n<json>\n<-rff>\n<"
                        + repository.toRealPath().resolve("bench/results/unknown-"));
        assertThat(repository.resolve("built")).content().contains("-pl bench -am package");

        assertThat(start(repository, List.of("bench/run", "-l")).out()).contains("<-l>").doesNotContain("-rff");
        assertThat(Files.readAllLines(repository.resolve("built"))).hasSize(1);
        touch("bench/src/main/java/C.java");
        start(repository, List.of("bench/run", "-l"));
        assertThat(Files.readAllLines(repository.resolve("built"))).hasSize(2);
    }

    // ---- a repository that only pretends --------------------------------------------------------------------------

    /** A script of Tern's. */
    private void copy(String name) throws IOException {
        Path file = repository.resolve(name);
        Files.createDirectories(file.getParent());
        Files.copy(
                Path.of(System.getProperty("tern.root")).resolve(name), file, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private void source(String name) throws IOException {
        Path file = repository.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, name);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(3600)));
    }

    private void touch(String name) throws IOException {
        Files.setLastModifiedTime(repository.resolve(name), FileTime.from(Instant.now().plusMillis(10)));
        try {
            Thread.sleep(20); // so that the next build's stamp is newer
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** A JDK whose java prints its name, the locale and its arguments. */
    private Path jdk(String name, String version) throws IOException {
        Path home = jdks.resolve(name);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(
                home.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\nSOURCE=\"\"\n");
        program(home.resolve("bin/java"), "echo \"<" + name + "> locale ${LC_ALL:-$LANG}\"; printf '<%s>\\n' \"$@\"");
        program(home.resolve("bin/javac"), "");
        return home;
    }

    /** A Maven that runs the commands, then leaves a jar where the real one does. */
    private void maven(String commands) throws IOException {
        program(tools.resolve("mvn"), commands + "\nmkdir -p java/cli/target/tern/lib; echo jar >java/cli/target/tern/lib/a.jar");
    }

    private static void program(Path file, String commands) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + commands + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Result tern(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("./tern"));
        command.addAll(List.of(arguments));
        return start(repository, command);
    }

    private Result start(Path folder, List<String> command) throws Exception {
        Process process = process(folder, command);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Result(
                process.exitValue(),
                new String(process.getInputStream().readAllBytes()),
                new String(process.getErrorStream().readAllBytes()));
    }

    private Process process(Path folder, List<String> command) throws IOException {
        List<String> inBash = new ArrayList<>(command);
        inBash.set(0, folder.resolve(command.getFirst()).normalize().toString());
        ProcessBuilder builder = new ProcessBuilder(inBash).directory(folder.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().put("PATH", tools.toString());
        builder.environment().put("HOME", temporary.toString());
        return builder.start();
    }
}
