package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose connections go through the proxy that the environment names. */
class EnvironmentProxyTest {

    private static List<Proxy> select(Map<String, String> environment, String address) {
        FetchOptions options = FetchOptions.builder().environment(environment).build();
        return new EnvironmentProxy(options).select(URI.create(address));
    }

    @ParameterizedTest
    @CsvSource({
        "https://huggingface.co/x, true",
        "https://example.org/x, false",
        "https://a.example.org/x, false",
        "https://notexample.org/x, true",
        "https://b.internal/x, false",
        "https://localhost:8000/x, false",
        "http://169.254.169.254/computeMetadata, false",
    })
    void thoseToOtherMachinesUnlessExempt(String address, boolean through) {
        Map<String, String> environment =
                Map.of("HTTPS_PROXY", "http://127.0.0.1:3128", "no_proxy", "example.org, *.internal");
        Proxy expected =
                through ? new Proxy(Proxy.Type.HTTP, new InetSocketAddress("127.0.0.1", 3128)) : Proxy.NO_PROXY;
        assertThat(select(environment, address)).containsExactly(expected);
    }

    @Test
    void withoutASchemeAndWithoutSense() {
        assertThat(select(Map.of("https_proxy", "127.0.0.1:81"), "https://huggingface.co/x"))
                .containsExactly(new Proxy(Proxy.Type.HTTP, new InetSocketAddress("127.0.0.1", 81)));
        assertThat(select(Map.of("HTTPS_PROXY", "::::"), "https://huggingface.co/x"))
                .containsExactly(Proxy.NO_PROXY);
        assertThat(select(Map.of("HTTPS_PROXY", "http://127.0.0.1:81", "NO_PROXY", "*"), "https://huggingface.co/x"))
                .containsExactly(Proxy.NO_PROXY);
    }
}
