package dev.tern.source;

import dev.tern.io.InputException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The grammar of addresses. */
final class Addresses {
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+):(//)?(.*)", Pattern.DOTALL);
    private static final Pattern HUB =
            Pattern.compile("([^/@]+)/([^/@]+)(?:@(refs/(?:pr|convert)/[^/]+|[^/]+))?(?:/(.*))?");
    private static final Pattern HUB_PAGE =
            Pattern.compile("/([^/]+)/([^/]+)(?:/(?:tree|blob|resolve)/"
                    + "(refs/(?:pr|convert)/[^/]+|[^/]+)(?:/(.*))?)?/?");
    private static final Pattern HUB_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]");

    private Addresses() {}

    static ModelSource parse(String address) {
        Matcher scheme = SCHEME.matcher(address);
        if (!scheme.matches() || scheme.group(2) == null && !scheme.group(1).equalsIgnoreCase("file")) {
            return local(address);
        }
        String rest = scheme.group(3);
        return switch (scheme.group(1).toLowerCase(Locale.ROOT)) {
            case "hf" -> hub(address, rest);
            case "gs" -> bucket(address, rest);
            case "https", "http" -> web(address);
            case "file" -> file(address);
            case "s3" -> throw unknown(address, "Download it first (aws s3 cp --recursive), and give the folder.");
            default -> throw unknown(address, "Download it first, and give the folder.");
        };
    }

    private static InputException unknown(String address, String cure) {
        return InputException.at(address.replaceAll("[?#].*", "").replaceAll("//[^/@]*@", "//"))
                .problem("an address of a kind that Tern cannot fetch")
                .expected("a local folder, hf://ORG/NAME, gs://BUCKET/PREFIX or https://HOST/FOLDER/")
                .cure(cure)
                .exception();
    }

    private static ModelSource local(String path) {
        try {
            return new LocalSource(Path.of(path));
        } catch (InvalidPathException e) {
            throw InputException.at(path).problem("is no path: " + e.getReason()).exception(e);
        }
    }

    private static ModelSource file(String address) {
        try {
            return new LocalSource(Path.of(URI.create(address)));
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw InputException.at(address)
                    .problem("is no file: address of this machine")
                    .cure("Give the path itself.")
                    .exception(e);
        }
    }

    private static ModelSource hub(String address, String rest) {
        Matcher parts = HUB.matcher(rest);
        if (!parts.matches()) {
            throw InputException.at(address)
                    .expected("hf://ORG/NAME, with @REVISION and /SUBFOLDER if need be")
                    .found("another form")
                    .cure("ORG/NAME is what the model's page is called, such as hf://microsoft/bitnet-b1.58-2B-4T.")
                    .exception();
        }
        return hub(address, parts.group(1), parts.group(2), parts.group(3), parts.group(4));
    }

    private static ModelSource hub(String address, String organization, String name, String revision, String below) {
        for (String part : List.of(organization, name)) {
            if (!HUB_NAME.matcher(part).matches() || part.contains("..")) {
                throw InputException.at(address)
                        .expected("letters, digits, '.', '-' and '_' in a hub's names")
                        .found("'" + part + "'")
                        .exception();
            }
        }
        String commit = revision == null || revision.isEmpty() ? "main" : decoded(address, revision);
        Place place = place(address, below == null ? "" : below);
        return new HuggingFaceSource(organization, name, commit, place.folders(), place.file());
    }

    private static ModelSource bucket(String address, String rest) {
        int slash = rest.indexOf('/');
        String bucket = slash < 0 ? rest : rest.substring(0, slash);
        if (!BUCKET.matcher(bucket).matches()) {
            throw InputException.at(address)
                    .expected("gs://BUCKET/PREFIX, the bucket in small letters, digits, '.', '-' and '_'")
                    .found("the bucket '" + bucket + "'")
                    .exception();
        }
        String prefix = slash < 0 ? "" : rest.substring(slash + 1);
        if (prefix.contains("*")) {
            throw InputException.at(address)
                    .expected("the address of a folder")
                    .found("a pattern")
                    .cure("Leave the pattern away: Tern takes what it needs from the folder.")
                    .exception();
        }
        Place place = place(address, prefix);
        return new CloudStorageSource(bucket, place.folders(), place.file());
    }

    private static ModelSource web(String address) {
        URI uri;
        try {
            uri = URI.create(address.replace(" ", "%20"));
        } catch (IllegalArgumentException e) {
            throw unknown(address, "Check the address for characters that must be percent-encoded.");
        }
        String host = uri.getHost();
        if (host == null) {
            throw unknown(address, "Check the address: it has no host.");
        }
        if (uri.getScheme().equalsIgnoreCase("http") && !Http.isLoopback(host)) {
            throw InputException.at(Http.shown(uri))
                    .problem("an unencrypted connection to another machine is refused")
                    .expected("https://")
                    .found("http://")
                    .cure("Use the https address; plain http is for servers on this machine (localhost).")
                    .exception();
        }
        String path = uri.getRawPath() == null ? "" : uri.getRawPath();
        if (host.equalsIgnoreCase("huggingface.co") || host.equalsIgnoreCase("hf.co")) {
            Matcher page = HUB_PAGE.matcher(path);
            if (page.matches()) {
                return hub(address, page.group(1), page.group(2), page.group(3), page.group(4));
            }
        }
        int slash = path.lastIndexOf('/');
        String last = path.substring(slash + 1);
        boolean names = isWeights(last) || isOfFolder(last);
        String folder = names ? path.substring(0, slash + 1) : path.endsWith("/") ? path : path + "/";
        return new WebSource(uri, folder, isWeights(last) ? decoded(address, last) : "");
    }

    /** A folder, and the weights file in it that is named, or none. */
    private record Place(List<String> folders, String file) {}

    private static Place place(String address, String path) {
        List<String> parts = new ArrayList<>(Stream.of(path.split("/")).collect(Collectors.toList()));
        parts.removeIf(String::isEmpty);
        if (parts.contains(".") || parts.contains("..")) {
            throw InputException.at(address).expected("a path without '.' and '..'").found(path).exception();
        }
        String file = "";
        if (!parts.isEmpty() && (isWeights(parts.getLast()) || isOfFolder(parts.getLast()))) {
            String last = parts.removeLast();
            file = isWeights(last) ? last : "";
        }
        return new Place(List.copyOf(parts), file);
    }

    /** A weights file of a name that is not a model's usual one. */
    private static boolean isWeights(String name) {
        return name.endsWith(".safetensors") && !name.equals(Selection.SINGLE);
    }

    /** A file that stands for its folder. */
    private static boolean isOfFolder(String name) {
        return name.equals(Selection.CONFIG) || name.equals(Selection.SINGLE) || name.equals(Selection.INDEX);
    }

    private static String decoded(String address, String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw InputException.at(address).problem("'%' is not followed by two hexadecimal digits").exception(e);
        }
    }

    /** A part of a path as it stands in a URL: all but RFC 3986's unreserved characters percent-encoded. */
    static String encoded(String part) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0);
            encoded.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return encoded.toString();
    }
}
