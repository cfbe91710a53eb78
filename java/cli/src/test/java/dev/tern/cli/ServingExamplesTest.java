package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/serving.md, run as they are printed but for the server's port. */
class ServingExamplesTest {
    private static final Path PAGE = Path.of(System.getProperty("tern.root"), "docs/serving.md");
    private static final String PRINTED = "http://127.0.0.1:30000";

    private static ServeProcess server;

    @TempDir
    Path folder;

    @BeforeAll
    static void serve(@TempDir Path temporary) throws IOException {
        Path model = temporary.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
        server = ServeProcess.start("-m", model);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** The only example in a language that has a word in it, with the server's address for the printed one. */
    private static String example(String language, String word) throws IOException {
        String page = Files.readString(PAGE);
        Matcher block = Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL).matcher(page);
        List<String> found =
                block.results().map(match -> match.group(1)).filter(text -> text.contains(word)).toList();
        assertThat(found).as("examples in %s with %s", language, word).hasSize(1);
        return found.getFirst().replace(PRINTED, server.uri().toString());
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private String run(String... command) throws Exception {
        return ClientFolder.runIn(folder, folder, Map.of(), command);
    }

    /** The server has answered a request for this path, and nothing else; its log comes after its answer. */
    private static void answered(String path, int before) throws InterruptedException {
        for (int i = 0; i < 1000 && requests() == before; i++) {
            Thread.sleep(10);
        }
        List<String> lines = requestLines();
        assertThat(lines.subList(before, lines.size())).singleElement().asString().contains(" route=" + path + " ", " status=200 ");
    }

    private static int requests() {
        return requestLines().size();
    }

    /** Without what the server says of itself when it starts, which may come late. */
    private static List<String> requestLines() {
        return server.log().stream().filter(line -> line.contains(" route=")).toList();
    }

    @Test
    void curl() throws Exception {
        int before = requests();
        String printed = run("bash", "-c", example("sh", "n_predict\": 10"));
        assertThat(printed).contains("\"content\":", "\"tokens_predicted\":10");
        answered("/completion", before);
    }

    @Test
    void java() throws Exception {
        int before = requests();
        Path source = write("Ask.java", example("java", "java.net.http"));
        assertThat(run(ClientFolder.jdk("java"), source.toString())).contains("\"tokens_predicted\":10");
        answered("/completion", before);
    }

    @Test
    void langChain4j() throws Exception {
        int before = requests();
        Path source = write("Ask.java", example("java", "langchain4j"));
        String printed = run(ClientFolder.jdk("java"), "-cp", classPath(), source.toString());
        assertThat(printed).isNotBlank();
        answered("/v1/chat/completions", before);
    }

    /** What this test runs with, without Tern. */
    private static String classPath() {
        return Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
                .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
                .filter(path -> path.endsWith(".jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void springAi() throws Exception {
        String jars = ClientFolder.require("spring").resolve("*").toString();
        int before = requests();
        Path source = write("Application.java", example("java", "SpringBootApplication"));
        Path classes = Files.createDirectory(folder.resolve("classes"));
        Files.writeString(classes.resolve("application.properties"), example("properties", "spring.ai.openai"));
        run(ClientFolder.jdk("javac"), "-d", classes.toString(), "-cp", jars, source.toString());
        String path = classes + File.pathSeparator + jars;
        String printed = run(ClientFolder.jdk("java"), "-XX:TieredStopAtLevel=1", "-cp", path, "demo.Application");
        assertThat(printed).contains("Started Application").doesNotContain("ERROR");
        answered("/v1/chat/completions", before);
    }

    @Test
    void python() throws Exception {
        Path python = ClientFolder.require("python");
        int before = requests();
        assertThat(run(python.toString(), write("ask.py", example("python", "openai")).toString())).isNotBlank();
        answered("/v1/chat/completions", before);
    }

    @Test
    void javaScript() throws Exception {
        Path modules = ClientFolder.require("javascript").getParent();
        int before = requests();
        Files.createSymbolicLink(folder.resolve("node_modules"), modules);
        Path script = write("ask.mjs", example("js", "openai"));
        assertThat(run("node", script.toString()).strip()).isIn("red", "green", "blue");
        answered("/v1/chat/completions", before);
    }
}
