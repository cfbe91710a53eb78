package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code tern serve} in a process of its own, at a free port, once it is ready. */
final class ServeProcess implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("tern: serving .* at (http://127\\.0\\.0\\.1:\\d+): .*");

    private final Process process;
    private final URI uri;
    private final List<String> log = new CopyOnWriteArrayList<>();

    private ServeProcess(Process process, URI uri, BufferedReader err) {
        this.process = process;
        this.uri = uri;
        Thread.ofVirtual().start(() -> read(err));
    }

    static ServeProcess start(Object... arguments) throws IOException {
        return startWith("", arguments);
    }

    /** @param javaOptions of its JVM */
    static ServeProcess startWith(String javaOptions, Object... arguments) throws IOException {
        List<Object> all = new ArrayList<>(List.of("serve", "--port", "0"));
        all.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(TernProcess.command(all.toArray()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("JDK_JAVA_OPTIONS", javaOptions);
        Process process = builder.start();
        BufferedReader err = process.errorReader(StandardCharsets.UTF_8);
        List<String> lines = new ArrayList<>();
        for (String line = err.readLine(); line != null; line = err.readLine()) {
            lines.add(line);
            Matcher matcher = READY.matcher(line);
            if (matcher.matches()) {
                return new ServeProcess(process, URI.create(matcher.group(1)), err);
            }
        }
        throw new AssertionError("never ready: " + lines);
    }

    private void read(BufferedReader err) {
        try {
            for (String line = err.readLine(); line != null; line = err.readLine()) {
                log.add(line);
            }
        } catch (IOException e) {
            return; // it is over
        }
    }

    URI uri() {
        return uri;
    }

    /** What it has written since it was ready: a line for each request. */
    List<String> log() {
        return log;
    }

    /**
     * What it holds of the system, on Linux, once nobody wants anything of it any more. It must have been started with
     * {@code --metrics}.
     */
    Optional<ProcessVitals> atRest() throws IOException, InterruptedException {
        try (ServeClient client = new ServeClient(this)) {
            String metrics = "";
            for (int i = 0; i < 500 && !idle(metrics); i++) {
                Thread.sleep(10);
                metrics = client.get("/metrics").body();
            }
            assertThat(idle(metrics)).as(metrics).isTrue();
        }
        Optional<ProcessVitals> vitals = ProcessVitals.of(process.pid());
        for (int i = 0; i < 40 && vitals.isPresent(); i++) { // the last connections are closing
            Thread.sleep(10);
            Optional<ProcessVitals> next = ProcessVitals.of(process.pid());
            vitals = next.get().descriptors() < vitals.get().descriptors() ? next : vitals;
        }
        return vitals;
    }

    private static boolean idle(String metrics) {
        return metrics.contains("llamacpp:requests_processing 0\n")
                && metrics.contains("llamacpp:requests_deferred 0\n");
    }

    /** Ends it as {@code kill -9} does. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
