package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.server.TestServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PageEndpointTest {
    /** By the end of a file's name, what leads from it to another. */
    private static final Map<String, Pattern> LINKS = Map.of(
            "html", Pattern.compile("(?:href|src)=\"([^\"]+)\""),
            "js", Pattern.compile("(?:from|import)\\s*\\(?\\s*[\"'](\\.[^\"']+)[\"']"),
            "css", Pattern.compile("(?:url\\(|@import\\s+)[\"']?([^\"')]+)"),
            "svg", Pattern.compile("(?:href|src)=\"([^\"]+)\""));

    @Test
    void allThatThePageLoadsIsServed() throws IOException {
        TreeSet<String> found = new TreeSet<>();
        ArrayDeque<URI> left = new ArrayDeque<>();
        left.add(URI.create("/index.html"));
        try (TestServer server = TestServer.ready()) {
            while (!left.isEmpty()) {
                URI file = left.remove();
                if (!found.add(file.getPath())) {
                    continue;
                }
                HttpResponse<String> response = server.get(file.getPath());
                assertThat(response.statusCode()).as(file.getPath()).isEqualTo(200);
                String end = file.getPath().substring(file.getPath().lastIndexOf('.') + 1);
                LINKS.get(end).matcher(response.body()).results().map(PageEndpointTest::link).forEach(link -> {
                    assertThat(link).as("nothing is loaded from elsewhere").doesNotMatch("(https?:)?//.*");
                    if (!link.startsWith("#") && !link.startsWith("data:")) {
                        left.add(file.resolve(link));
                    }
                });
            }
        }
        assertThat(found).contains("/style.css", "/icon.svg", "/app.js").hasSize(PageEndpoint.all().size() - 1);
    }

    private static String link(MatchResult match) {
        return match.group(1);
    }
}
