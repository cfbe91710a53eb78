package dev.tern.source;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of a web server.
 *
 * @param address as it was given; its user and query may be secret
 * @param folder the path of the folder, percent-encoded, with a slash at its end
 * @param file the weights file that is named, or empty
 */
record WebSource(URI address, String folder, String file) implements RemoteSource {

    @Override
    public boolean remote() {
        return true;
    }

    @Override
    public String name() {
        List<String> names = names();
        String last = names.isEmpty() ? "" : URI.create("/" + names.getLast()).getPath();
        String name = last.replaceAll("(?s).*[/\\\\]", "").replaceAll("\\p{Cntrl}", ""); // files are called so
        return name.isEmpty() ? String.valueOf(address.getHost()) : name;
    }

    @Override
    public String label() {
        return origin() + folder.substring(0, folder.length() - 1);
    }

    private String origin() {
        return address.getScheme() + "://" + address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort());
    }

    private List<String> names() {
        return Stream.of(folder.split("/")).filter(name -> !name.isEmpty()).toList();
    }

    @Override
    public List<String> cachePath(FetchOptions options) {
        List<String> path = new ArrayList<>();
        path.add(address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort()));
        path.addAll(names());
        return path;
    }

    @Override
    public RemoteFolder connect(Http http, FetchOptions options) {
        return new WebFolder(this, http, options.weights());
    }

    /** A file in the folder, with the query of the address. */
    URI uri(String name) {
        String query = address.getRawQuery() == null ? "" : "?" + address.getRawQuery();
        return URI.create(origin() + folder + Addresses.encoded(name) + query);
    }

    /** Not the address, which may hold something secret. */
    @Override
    public String toString() {
        return label();
    }
}
