package dev.tern.server.api;

import dev.tern.server.http.Headers;
import dev.tern.server.http.RequestHead;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What browsers may do on behalf of pages. A page of another site must not use a server that asks for no key: neither
 * by a name of its own that leads here (DNS rebinding, which the Host header tells), nor by requests that need no
 * permission (which the Origin header tells). An address in the Host header is no such name.
 */
public final class Origins {
    private static final Pattern ADDRESS = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+]");

    private final List<String> allowed;
    private final boolean guarded;
    private final Set<String> names;

    /**
     * @param allowed origins whose pages may call, {@code *} for all
     * @param guarded whether requests must call the server by an address or a name that it knows
     * @param names by which it may be called, beside localhost
     */
    public Origins(List<String> allowed, boolean guarded, List<String> names) {
        this.allowed = allowed;
        this.guarded = guarded;
        this.names = Stream.concat(Stream.of("localhost"), names.stream())
                .map(name -> name.toLowerCase(Locale.ROOT))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Says no, with the reason, to a request that a page of another site makes or that means another server. */
    Optional<ApiException> refuse(RequestHead head) {
        String called = head.headers().first("Host").orElse("");
        if (guarded && head.http11() && !isOurs(name(called))) {
            return Optional.of(ApiException.forbidden("the Host header has a name that this server does not know: call"
                    + " it by its address or localhost, or start it with --allowed-host NAME"));
        }
        Optional<String> origin = head.headers().first("Origin");
        boolean foreign = origin.isPresent()
                && !origin.get().equals("http://" + called)
                && !origin.get().equals("https://" + called)
                && allowedOrigin(head) == null;
        return foreign
                ? Optional.of(ApiException.forbidden(
                        "pages of another origin may not call this server: start it with --cors ORIGIN to allow them"))
                : Optional.empty();
    }

    /** Lets the page read the answer, where it may. */
    void describe(RequestHead head, Headers headers) {
        if (allowed.isEmpty()) {
            return;
        }
        headers.add("Vary", "Origin");
        String origin = allowedOrigin(head);
        if (origin != null) {
            headers.add("Access-Control-Allow-Origin", origin);
            headers.add("Access-Control-Expose-Headers", "x-request-id, Retry-After");
        }
    }

    /** Answers what a browser asks before a request, where it is allowed. */
    void preflight(RequestHead head, Headers headers, String methods) {
        if (allowedOrigin(head) == null || head.headers().first("Access-Control-Request-Method").isEmpty()) {
            return;
        }
        headers.add("Access-Control-Allow-Methods", methods);
        head.headers()
                .first("Access-Control-Request-Headers")
                .filter(names -> names.chars().allMatch(c -> c >= ' ' && c < 0x7f))
                .ifPresent(names -> headers.add("Access-Control-Allow-Headers", names));
        headers.add("Access-Control-Max-Age", "600");
    }

    /** What to send back as the allowed origin; null when there is no origin, or it is not allowed. */
    private @Nullable String allowedOrigin(RequestHead head) {
        String origin = head.headers().first("Origin").orElse(null);
        if (origin == null) {
            return null;
        }
        if (allowed.contains("*")) {
            return "*";
        }
        return allowed.contains(origin) ? origin : null;
    }

    private boolean isOurs(String name) {
        return names.contains(name) || name.endsWith(".localhost") || ADDRESS.matcher(name).matches();
    }

    /** A Host header without its port. */
    private static String name(String called) {
        int colon = called.lastIndexOf(':');
        boolean port = colon > called.lastIndexOf(']');
        return (port ? called.substring(0, colon) : called).toLowerCase(Locale.ROOT);
    }
}
