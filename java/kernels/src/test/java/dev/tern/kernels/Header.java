package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code tern_kernels.h} says, read by a parser that knows just its style: the tests' own view of the header,
 * beside jextract's and the C compiler's.
 */
record Header(
        Path path,
        SequencedMap<String, Signature> kernels,
        SequencedMap<String, Signature> lutKernels,
        SequencedMap<String, Signature> functions,
        SequencedMap<String, Integer> constants,
        List<String> structs) {

    /** Types as C spells them, without parameters' names. */
    record Signature(String result, List<String> parameters) {}

    private static final Pattern KERNEL = Pattern.compile("X\\((\\w+), (\\w+), \\(([^()]*)\\)\\)");
    private static final Pattern FUNCTION = Pattern.compile("TERN_API ([\\w *]+?)(\\w+)\\(([^()]*)\\);");
    private static final Pattern CONSTANT = Pattern.compile("(?:#define )?\\b(TERN_[A-Z0-9_]+)(?: = | )(\\d+)\\b");
    private static final Pattern STRUCT = Pattern.compile("typedef struct (\\w+) \\{");

    static Header read() throws IOException {
        Path path = Path.of(System.getProperty("tern.root"), "c-kernels", "include", "tern_kernels.h");
        String text = Files.readString(path)
                .replaceAll("(?s)/\\*.*?\\*/", "")
                .replaceAll("\\\\\\n", " ")
                .replaceAll("[ \\t\\n]+", " ");
        int lut = text.indexOf("#define TERN_LUT_KERNEL_TABLE(X)");
        assertThat(lut).as("the table of look-up-table kernels in %s", path).isPositive();
        SequencedMap<String, Signature> kernels = kernels(text.substring(0, lut));
        SequencedMap<String, Signature> lutKernels = kernels(text.substring(lut));
        SequencedMap<String, Signature> functions = new LinkedHashMap<>();
        for (Matcher m = FUNCTION.matcher(text); m.find(); ) {
            functions.put(m.group(2), new Signature(m.group(1).strip(), parameters(m.group(3))));
        }
        SequencedMap<String, Integer> constants = new LinkedHashMap<>();
        for (Matcher m = CONSTANT.matcher(text); m.find(); ) {
            constants.put(m.group(1), Integer.valueOf(m.group(2)));
        }
        List<String> structs = new ArrayList<>();
        for (Matcher m = STRUCT.matcher(text); m.find(); ) {
            structs.add(m.group(1));
        }
        assertThat(kernels).as("kernels in %s", path).hasSizeGreaterThan(10);
        assertThat(lutKernels).as("look-up-table kernels in %s", path).hasSizeGreaterThan(2);
        assertThat(functions).as("functions in %s", path).hasSizeGreaterThan(5);
        assertThat(structs).as("structs in %s", path).hasSizeGreaterThan(5);
        return new Header(path, kernels, lutKernels, functions, constants, structs);
    }

    private static SequencedMap<String, Signature> kernels(String table) {
        SequencedMap<String, Signature> kernels = new LinkedHashMap<>();
        for (Matcher m = KERNEL.matcher(table); m.find(); ) {
            kernels.put(m.group(1), new Signature(m.group(2), parameters(m.group(3))));
        }
        return kernels;
    }

    private static List<String> parameters(String list) {
        List<String> types = new ArrayList<>();
        for (String parameter : list.split(",")) {
            if (!parameter.strip().equals("void")) {
                types.add(parameter.strip().replaceAll("\\w+$", "").strip());
            }
        }
        return types;
    }
}
