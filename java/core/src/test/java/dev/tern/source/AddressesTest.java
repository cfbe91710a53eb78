package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an address means, and what is no address. */
class AddressesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "hf://org/name | org | name | main | - | -",
        "hf://org/name/ | org | name | main | - | -",
        "hf://microsoft/bitnet-b1.58-2B-4T@04c3b9ad9361 | microsoft | bitnet-b1.58-2B-4T | 04c3b9ad9361 | - | -",
        "hf://org/name@v1.0/a/b | org | name | v1.0 | a/b | -",
        "hf://org/name@refs/pr/12/a | org | name | refs/pr/12 | a | -",
        "hf://org/name@feature%2Fx | org | name | feature/x | - | -",
        "hf://org/name/a/config.json | org | name | main | a | -",
        "hf://org/name/a/ema.safetensors | org | name | main | a | ema.safetensors",
        "hf://org/name/model.safetensors | org | name | main | - | -",
        "https://huggingface.co/org/name | org | name | main | - | -",
        "https://huggingface.co/org/name/tree/v2/a/b | org | name | v2 | a/b | -",
        "https://huggingface.co/org/name/blob/main/model.safetensors.index.json | org | name | main | - | -",
        "https://hf.co/org/name/resolve/main/x.safetensors | org | name | main | - | x.safetensors",
        "https://huggingface.co/org/name/tree/main/sub%20dir/b%2Bc | org | name | main | sub dir/b+c | -",
        "https://huggingface.co/org/name/blob/main/a/x%20y.safetensors?x=1 | org | name | main | a | x y.safetensors",
    })
    void hub(String address, String organization, String name, String revision, String folder, String file) {
        List<String> folders = folder == null ? List.of() : List.of(folder.split("/"));
        assertThat(ModelSource.parse(address))
                .isEqualTo(new HuggingFaceSource(organization, name, revision, folders, file == null ? "" : file));
    }

    @Test
    void buckets() {
        assertThat(ModelSource.parse("gs://bucket/dlm/checkpoint/"))
                .isEqualTo(new CloudStorageSource("bucket", List.of("dlm", "checkpoint"), ""));
        assertThat(ModelSource.parse("gs://bu-cket.x")).isEqualTo(new CloudStorageSource("bu-cket.x", List.of(), ""));
        assertThat(ModelSource.parse("gs://bucket/a/x.safetensors"))
                .isEqualTo(new CloudStorageSource("bucket", List.of("a"), "x.safetensors"));
        assertThat(ModelSource.parse("gs://bucket/a/b").name()).isEqualTo("b");
    }

    @Test
    void webAddresses() {
        WebSource folder = (WebSource) ModelSource.parse("https://user:pass@host.org:444/a/my%20model?key=secret#x");
        assertThat(folder.label()).isEqualTo("https://host.org:444/a/my%20model").isEqualTo(folder.toString());
        assertThat(folder.name()).isEqualTo("my model");
        assertThat(folder.uri("config.json"))
                .isEqualTo(URI.create("https://host.org:444/a/my%20model/config.json?key=secret"));
        for (String file : List.of("config.json", "model.safetensors", "model.safetensors.index.json", "")) {
            assertThat(((WebSource) ModelSource.parse("https://host.org/a/" + file)).folder()).isEqualTo("/a/");
        }
        WebSource named = (WebSource) ModelSource.parse("https://host.org/a/x.safetensors");
        assertThat(named.folder()).isEqualTo("/a/");
        assertThat(named.file()).isEqualTo("x.safetensors");
        assertThat(((WebSource) ModelSource.parse("https://host.org/a/x%20y.safetensors")).file())
                .isEqualTo("x y.safetensors");
        assertThat(((WebSource) ModelSource.parse("https://host.org")).folder()).isEqualTo("/");
        for (String odd : List.of("https://host.org/..%2F..%2Fa", "https://host.org/x%5Ca", "https://host.org/%00a")) {
            assertThat(ModelSource.parse(odd).name()).as("files are called so").isEqualTo("a");
        }
        assertThat(ModelSource.parse("http://localhost:80/a")).isInstanceOf(WebSource.class);
        assertThat(ModelSource.parse("http://127.0.0.1/a")).isInstanceOf(WebSource.class);
        assertThat(ModelSource.parse("http://[::1]/a")).isInstanceOf(WebSource.class);
    }

    @Test
    void pathsOfThisMachine() {
        for (String path : List.of("models/a", "/models/a@b", "a:b", "./hf:/x", "C:\\models")) {
            ModelSource source = ModelSource.parse(path);
            assertThat(source).isEqualTo(new LocalSource(Path.of(path)));
            assertThat(source.remote()).isFalse();
            assertThat(source.fetch(FetchOptions.defaults()).path()).isEqualTo(Path.of(path));
        }
        assertThat(ModelSource.parse("file:///models/a%20b")).isEqualTo(new LocalSource(Path.of("/models/a b")));
        assertThat(ModelSource.parse("models/a/..").name()).isEqualTo("models");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "hf://name | expected hf://ORG/NAME",
        "hf://org/ | expected hf://ORG/NAME",
        "hf://org/.. | letters, digits",
        "hf://or%67/name | letters, digits",
        "hf://org/name/../x | without '.' and '..'",
        "hf://org/name@%zz | two hexadecimal digits",
        "gs://B | the bucket 'B'",
        "gs:///x | the bucket ''",
        "gs://bucket/x/*.json | Leave the pattern away",
        "gs://bucket/a/../b | without '.' and '..'",
        "http://host.org/a | unencrypted connection to another machine",
        "http://localhost.evil.org/a | unencrypted connection to another machine",
        "s3://bucket/x | aws s3 cp",
        "ftp://host/x | a kind that Tern cannot fetch",
        "https:///x | no host",
        "https://ho st/x | cannot fetch",
        "https:/host/x | Two slashes",
        "HF:org/name | Two slashes",
        "https://h/m/..%2F..%2Fx.safetensors | without slashes",
        "https://h/m/..%5Cx.safetensors | without slashes",
        "https://h/m/C%3Ax.safetensors | files' without ':'",
        "https://h/m/%0Ax.safetensors | found '?x.safetensors'",
        "hf://org/name/..\\x.safetensors | without slashes",
        "gs://bucket/a/..\\b/c | without slashes",
        "https://huggingface.co/org/name/tree/main/..%2F..%2Fx | without slashes",
        "https://huggingface.co/org/name/tree/main/a/%2E%2E/x | without '.' and '..'",
        "hf://org/name/model.gguf | a GGUF file is not fetched",
        "gs://bucket/a/model.GGUF | Download it and give its path",
        "https://h/old.gguf?download=true | a GGUF file is not fetched",
        "https://huggingface.co/org/name/blob/main/old.gguf | a GGUF file is not fetched",
        "hf://org/name/pytorch_model.bin | safe_serialization",
        "https://h/a/consolidated.00.pth | pickle",
        "gs://bucket/a/x.pt | pickle",
    })
    void whatIsNoAddress(String address, String words) {
        assertThatThrownBy(() -> ModelSource.parse(address)).isInstanceOf(InputException.class)
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "ftp://me:secret@host/x",
        "http://me:secret@host.org/a?key=secret",
        "https://me:secret@/x?secret",
        "https://me:se/secret@host.org/x",
        "https://me:12/secret@host.org/x.gguf",
        "https://me:a?secret@host.org/x",
        "https://me:a#secret@host.org/x",
        "https://me:secret@secret@host.org/x",
        "https://me:secret word%zz@host.org/x",
        "https://me:secret^@host.org/x",
        "https://h/a.gguf?mail=a@b.org&key=secret",
        "https://h/%zz?key=secret",
        "https://h/..%2Fx.safetensors?key=secret",
        "https://huggingface.co/or+g/name?token=secret",
        "https://me:secret@huggingface.co/org/name/tree/main/x.gguf",
        "https://huggingface.co/org/name/blob/main/x.bin?token=secret#secret",
        "hf://me:secret@org/name",
        "hf://org/name?token=secret",
        "s3://key:secret@bucket/x?secret",
        "https:me:secret@host.org/x",
        "https:/me:secret@host.org/x",
    })
    void errorsTellNoSecrets(String address) {
        assertThatThrownBy(() -> ModelSource.parse(address))
                .isInstanceOf(InputException.class)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"))
                .satisfies(e -> assertThat(e.getCause()).isNull());
    }

    @Test
    void foldersOfTheCacheAreNoPathsAndNeverHidden() {
        assertThat(ModelCache.fileName("bitnet-b1.58_2B")).isEqualTo("bitnet-b1.58_2B");
        assertThat(ModelCache.fileName("..")).isEqualTo("%2E.");
        assertThat(ModelCache.fileName(".refs")).isEqualTo("%2Erefs");
        assertThat(ModelCache.fileName("refs/pr/1")).isEqualTo("refs%2Fpr%2F1");
        assertThat(ModelCache.fileName("host:80")).isEqualTo("host%3A80");
        assertThat(ModelCache.fileName("\u00e4%")).isEqualTo("%C3%A4%25");
        assertThat(ModelCache.fileName("x".repeat(300))).hasSize(117)
                .isNotEqualTo(ModelCache.fileName("x".repeat(301)));
    }
}
