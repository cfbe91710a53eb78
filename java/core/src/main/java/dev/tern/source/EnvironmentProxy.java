package dev.tern.source;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The proxy that {@code HTTPS_PROXY} (or {@code https_proxy}, {@code ALL_PROXY}) names, as other programs of the field
 * take it; not for hosts in {@code NO_PROXY}, nor for this machine. Without these variables Java's own choice.
 */
final class EnvironmentProxy extends ProxySelector {
    private final Optional<InetSocketAddress> proxy;
    private final List<String> without;

    EnvironmentProxy(FetchOptions options) {
        proxy = options.variable("HTTPS_PROXY")
                .or(() -> options.variable("https_proxy"))
                .or(() -> options.variable("ALL_PROXY"))
                .or(() -> options.variable("all_proxy"))
                .flatMap(EnvironmentProxy::address);
        String list = options.variable("NO_PROXY").or(() -> options.variable("no_proxy")).orElse("");
        without = List.of(list.toLowerCase(Locale.ROOT).split("[,\\s]+"));
    }

    private static Optional<InetSocketAddress> address(String text) {
        try {
            URI uri = URI.create(text.contains("://") ? text : "http://" + text);
            return uri.getHost() == null
                    ? Optional.empty()
                    : Optional.of(new InetSocketAddress(uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<Proxy> select(URI uri) {
        String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
        boolean near = !"https".equalsIgnoreCase(uri.getScheme()); // this machine, or its metadata server
        if (near || Http.isLoopback(host) || exempt(host)) {
            return List.of(Proxy.NO_PROXY);
        }
        if (proxy.isPresent()) {
            return List.of(new Proxy(Proxy.Type.HTTP, proxy.get()));
        }
        ProxySelector java = ProxySelector.getDefault();
        return java == null ? List.of(Proxy.NO_PROXY) : java.select(uri);
    }

    private boolean exempt(String host) {
        return without.stream()
                .filter(name -> !name.isEmpty())
                .map(name -> name.startsWith("*.") ? name.substring(1) : name)
                .anyMatch(name -> name.equals("*") || ("." + host).endsWith(name.startsWith(".") ? name : "." + name));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException e) {
        // The request's own failure says so.
    }
}
