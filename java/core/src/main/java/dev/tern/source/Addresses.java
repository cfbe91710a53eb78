package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.PickleFile;
import dev.tern.safetensors.ShardIndex;
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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The grammar of addresses. What is said of an address that is refused shows nothing that may be secret in it. */
final class Addresses {
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+):(//)?(.*)", Pattern.DOTALL);
    private static final Pattern MISSPELT =
            Pattern.compile("(?:https?|hf|gs):(?!//)", Pattern.CASE_INSENSITIVE);
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
        if (MISSPELT.matcher(address).lookingAt()) {
            throw unknown(address, "Two slashes follow the colon; a local path that begins so is given as ./PATH.");
        }
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
        return InputException.at(shown(address))
                .problem("an address of a kind that Tern cannot fetch")
                .expected("a local folder, hf://ORG/NAME, gs://BUCKET/PREFIX or https://HOST/FOLDER/")
                .cure(cure)
                .exception();
    }

    /**
     * An address without its user and password, query and fragment, however it is spelt: a password may hold '/', '?'
     * and '@' that had to be encoded, and a query '@'. Of two ways to read it, what is secret in either is left away.
     */
    static String shown(String address) {
        Matcher scheme = SCHEME.matcher(address);
        if (!scheme.matches()) {
            return address;
        }
        String start = scheme.group(1) + ":" + (scheme.group(2) == null ? "" : "//");
        String rest = scheme.group(3);
        int query = 0;
        while (query < rest.length() && "?#".indexOf(rest.charAt(query)) < 0) {
            query++;
        }
        int user = rest.lastIndexOf('@');
        if (user > query) {
            return start + "***";
        }
        return user < 0 ? start + rest.substring(0, query) : start + "***@" + rest.substring(user + 1, query);
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
            throw InputException.at(shown(address))
                    .expected("hf://ORG/NAME, with @REVISION and /SUBFOLDER if need be")
                    .found("another form")
                    .cure("ORG/NAME is what the model's page is called, such as hf://microsoft/bitnet-b1.58-2B-4T.")
                    .exception();
        }
        String revision = parts.group(3) == null ? "main" : decoded(address, parts.group(3));
        Place place = place(address, split(parts.group(4)), !rest.endsWith("/"));
        return hub(address, parts.group(1), parts.group(2), revision, place);
    }

    /** A page of the hub, whose address is percent-encoded. */
    private static ModelSource page(String address, Matcher parts) {
        String revision = parts.group(3) == null ? "main" : decoded(address, parts.group(3));
        List<String> below = split(parts.group(4)).stream().map(part -> decoded(address, part)).toList();
        return hub(address, parts.group(1), parts.group(2), revision, place(address, below, true));
    }

    private static ModelSource hub(String address, String organization, String name, String revision, Place place) {
        for (String part : List.of(organization, name)) {
            if (!HUB_NAME.matcher(part).matches() || part.contains("..")) {
                throw InputException.at(shown(address))
                        .expected("letters, digits, '.', '-' and '_' in a hub's names")
                        .found(part.matches("(?s).*[?#].*") ? "a query" : "'" + part + "'")
                        .exception();
            }
        }
        return new HuggingFaceSource(organization, name, revision, place.folders(), place.file());
    }

    private static ModelSource bucket(String address, String rest) {
        int slash = rest.indexOf('/');
        String bucket = slash < 0 ? rest : rest.substring(0, slash);
        if (!BUCKET.matcher(bucket).matches()) {
            throw InputException.at(shown(address))
                    .expected("gs://BUCKET/PREFIX, the bucket in small letters, digits, '.', '-' and '_'")
                    .found("the bucket '" + bucket + "'")
                    .exception();
        }
        String prefix = slash < 0 ? "" : rest.substring(slash + 1);
        if (prefix.contains("*")) {
            throw InputException.at(shown(address))
                    .expected("the address of a folder")
                    .found("a pattern")
                    .cure("Leave the pattern away: Tern takes what it needs from the folder.")
                    .exception();
        }
        Place place = place(address, split(prefix), !prefix.endsWith("/"));
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
            throw InputException.at(shown(address))
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
                return page(address, page);
            }
        }
        int slash = path.lastIndexOf('/');
        String name = decoded(address, path.substring(slash + 1));
        requireFetched(address, name);
        boolean names = isWeights(name) || isOfFolder(name);
        String folder = names ? path.substring(0, slash + 1) : path.endsWith("/") ? path : path + "/";
        return new WebSource(uri, folder.isEmpty() ? "/" : folder, isWeights(name) ? requirePlain(address, name) : "");
    }

    private static List<String> split(@Nullable String path) {
        return path == null ? List.of() : Stream.of(path.split("/")).filter(part -> !part.isEmpty()).toList();
    }

    /** A folder, and the weights file in it that is named, or none. */
    private record Place(List<String> folders, String file) {}

    /**
     * Takes decoded names apart.
     *
     * @param ends whether the last may be a file's
     */
    private static Place place(String address, List<String> names, boolean ends) {
        List<String> parts = new ArrayList<>(names);
        for (String part : parts) {
            if (part.equals(".") || part.equals("..")) {
                throw InputException.at(shown(address)).expected("a path without '.' and '..'").found(part).exception();
            }
            requirePlain(address, part);
        }
        String file = "";
        if (!parts.isEmpty() && ends) {
            requireFetched(address, parts.getLast());
            if (isWeights(parts.getLast()) || isOfFolder(parts.getLast())) {
                String last = parts.removeLast();
                file = isWeights(last) ? last : "";
            }
        }
        return new Place(List.copyOf(parts), file);
    }

    /** Refuses names that would be paths on this machine. */
    private static String requirePlain(String address, String name) {
        if (name.chars().anyMatch(c -> c == '/' || c == '\\' || Character.isISOControl(c))
                || isWeights(name) && !ShardIndex.isShardName(name)) {
            throw InputException.at(shown(address))
                    .expected("names without slashes, backslashes and control characters, and files' without ':'")
                    .found("'" + name.replaceAll("\\p{Cntrl}", "?") + "'")
                    .exception();
        }
        return name;
    }

    /** Refuses files that are no part of a checkpoint that is read. */
    private static void requireFetched(String address, String name) {
        if (name.toLowerCase(Locale.ROOT).endsWith(".gguf")) {
            throw InputException.at(shown(address))
                    .problem("a GGUF file is not fetched, only checkpoints are")
                    .cure("Download it and give its path: tern inspect FILE, tern run -m FILE.")
                    .exception();
        }
        if (PickleFile.isNamed(name)) {
            throw InputException.at(shown(address))
                    .problem("PyTorch's pickle format is not read, as it can run code")
                    .expected("the address of a folder with safetensors")
                    .cure(Selection.WITHOUT_PICKLE)
                    .exception();
        }
    }

    /** A weights file of a name that is not a model's usual one. */
    private static boolean isWeights(String name) {
        return name.endsWith(".safetensors") && !name.equals(Selection.SINGLE);
    }

    /** A file that stands for its folder. */
    private static boolean isOfFolder(String name) {
        return name.equals(Selection.CONFIG) || name.equals(Selection.SINGLE) || name.equals(ShardIndex.NAME);
    }

    private static String decoded(String address, String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw InputException.at(shown(address)).problem("'%' is not followed by two hexadecimal digits")
                    .exception(e);
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
