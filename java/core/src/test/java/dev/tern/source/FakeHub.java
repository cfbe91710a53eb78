package dev.tern.source;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;

/** A Hugging Face hub with one model, {@code org/model}, whose large files lie on another host. */
final class FakeHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    final Map<String, byte[]> files = new LinkedHashMap<>();
    final Map<String, String> commits = new ConcurrentHashMap<>(Map.of("main", COMMIT));
    final List<Duration> pauses = new CopyOnWriteArrayList<>();
    final RoughServer api;
    final RoughServer storage;
    volatile String requiredToken = "";
    volatile RoughServer.Reply refusal;
    volatile boolean knowsRanges = true;
    private final Map<String, Queue<UnaryOperator<RoughServer.Reply>>> faults = new ConcurrentHashMap<>();

    FakeHub() throws IOException {
        storage = new RoughServer(request -> {
            String name = request.path().substring(1);
            byte[] bytes = files.get(name);
            return wrong(name, knowsRanges ? RoughServer.Reply.range(request, bytes) : RoughServer.Reply.ok(bytes));
        });
        api = new RoughServer(this::answer);
        files.put("config.json", "{\"model_type\": \"bitnet\"}".getBytes(StandardCharsets.UTF_8));
        files.put("tokenizer.json", "{\"model\": {}}".getBytes(StandardCharsets.UTF_8));
        files.put("model.safetensors", safetensors(5000, 1));
    }

    /** What the next answers for a file are made to, one after the other; then they are right again. */
    @SafeVarargs
    final void fault(String name, UnaryOperator<RoughServer.Reply>... wrong) {
        faults.computeIfAbsent(name, key -> new ConcurrentLinkedQueue<>()).addAll(List.of(wrong));
    }

    private RoughServer.Reply wrong(String name, RoughServer.Reply right) {
        Queue<UnaryOperator<RoughServer.Reply>> queue = faults.getOrDefault(name, new ConcurrentLinkedQueue<>());
        UnaryOperator<RoughServer.Reply> next = queue.poll();
        return next == null ? right : next.apply(right);
    }

    private RoughServer.Reply answer(RoughServer.Request request) {
        if (refusal != null) {
            return refusal;
        }
        if (!requiredToken.isEmpty() && !request.header("Authorization").equals("Bearer " + requiredToken)) {
            return RoughServer.Reply.of(401, "").with("X-Error-Code", "GatedRepo");
        }
        String list = "/api/models/org/model/revision/";
        if (request.path().startsWith(list)) {
            String commit = commits.get(request.path().substring(list.length()));
            return commit == null
                    ? RoughServer.Reply.of(404, "").with("X-Error-Code", "RevisionNotFound")
                    : wrong("api", RoughServer.Reply.of(200, listing(commit)));
        }
        for (String commit : commits.values()) {
            String resolve = "/org/model/resolve/" + commit + "/";
            if (request.path().startsWith(resolve) && files.containsKey(request.path().substring(resolve.length()))) {
                String name = request.path().substring(resolve.length());
                return large(name)
                        ? RoughServer.Reply.redirect(storage.url() + "/" + name + "?signature=secret")
                        : wrong(name, RoughServer.Reply.range(request, files.get(name)));
            }
        }
        return RoughServer.Reply.of(404, "").with("X-Error-Code", "RepoNotFound");
    }

    private String listing(String commit) {
        StringBuilder json = new StringBuilder("{\"sha\": \"" + commit + "\", \"siblings\": [");
        String separator = "";
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            byte[] bytes = file.getValue();
            json.append(separator).append("{\"rfilename\": \"").append(file.getKey()).append("\", \"size\": ");
            if (large(file.getKey())) {
                json.append(bytes.length).append(", \"blobId\": \"").append("0".repeat(40))
                        .append("\", \"lfs\": {\"sha256\": \"")
                        .append(hex("SHA-256", bytes)).append("\", \"size\": ").append(bytes.length).append("}}");
            } else {
                byte[] prefix = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
                byte[] blob = ByteBuffer.allocate(prefix.length + bytes.length).put(prefix).put(bytes).array();
                json.append(bytes.length).append(", \"blobId\": \"").append(hex("SHA-1", blob)).append("\"}");
            }
            separator = ", ";
        }
        return json.append("]}").toString();
    }

    static boolean large(String name) {
        return name.endsWith(".safetensors") || name.endsWith(".bin");
    }

    static String hex(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** A safetensors file with one tensor of so many bytes. */
    static byte[] safetensors(int bytes, int seed) {
        String header = "{\"t" + seed + "\":{\"dtype\":\"U8\",\"shape\":[" + bytes + "],\"data_offsets\":[0," + bytes
                + "]}}";
        header += " ".repeat((8 - header.length() % 8) % 8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length() + bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < bytes; i++) {
            file.put((byte) (seed * 31 + i * 7 + i / 251));
        }
        return file.array();
    }

    /** Options with which waits take no time and large files come in segments of a kilobyte. */
    FetchOptions.Builder options(Path cache) {
        return FetchOptions.builder()
                .environment(Map.of("TERN_CACHE", cache.toString(), "HF_ENDPOINT", api.url(), "HOME", cache.toString()))
                .patience(patience(pauses));
    }

    static Patience patience(List<Duration> pauses) {
        return new Patience(
                4,
                Duration.ofMillis(500),
                Duration.ofSeconds(30),
                Duration.ofMinutes(5),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofMillis(400),
                1000,
                pauses::add);
    }

    /** Where the cache has all revisions of the model. */
    Path family(Path cache) {
        String host = api.url().replace("http://", "").replace(":", "%3A");
        return cache.resolve("models").resolve(host).resolve("org/model");
    }

    FetchedModel fetch(Path cache) {
        return ModelSource.parse("hf://org/model").fetch(options(cache).build());
    }

    @Override
    public void close() throws IOException {
        api.close();
        storage.close();
    }
}
