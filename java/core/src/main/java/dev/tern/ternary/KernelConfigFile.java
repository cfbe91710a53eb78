package dev.tern.ternary;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.LutFormat;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A kernel_config.ini of bitnet.cpp's generators or of {@code tern kernels} on the disk: which tiles matrices are cut
 * into.
 */
public final class KernelConfigFile {
    /** Generators write some hundred bytes. */
    private static final long MAX_BYTES = 1 << 20;

    private KernelConfigFile() {}

    /**
     * Reads a configuration.
     *
     * @param format what the kernels are for, where that is known: the numbers do not always tell
     * @throws InputException when it cannot be read, is no such configuration, or holds a tile that is not legal
     */
    public static KernelConfig read(Path ini, Optional<LutFormat> format) {
        try {
            if (Files.size(ini) > MAX_BYTES) {
                throw InputException.at(ini)
                        .expected("a kernel_config.ini")
                        .found(Files.size(ini) + " bytes")
                        .exception();
            }
            return KernelConfig.parse(Files.readString(ini), ini.toString(), format);
        } catch (CharacterCodingException e) {
            throw InputException.at(ini).expected("a kernel_config.ini").found("bytes that are no UTF-8").exception(e);
        } catch (IOException e) {
            throw InputException.at(ini).problem("cannot be read", e).exception(e);
        } catch (KernelPlanException e) {
            throw fault(ini.toString(), String.valueOf(e.getMessage()), e);
        }
    }

    /** The message names the place in the file first, and then what is wrong there. */
    private static InputException fault(String ini, String message, KernelPlanException cause) {
        int end = message.startsWith(ini) ? message.indexOf(": ", ini.length()) : -1;
        return end < 0
                ? InputException.at(ini).problem(message).exception(cause)
                : InputException.at(message.substring(0, end)).problem(message.substring(end + 2)).exception(cause);
    }

    /**
     * The tiles that a GGUF file stores, and for matrices without any those of a configuration.
     *
     * @param ini null for none
     * @throws InputException when one of the two cannot be read, they contradict each other, or the file has no matrix
     *     that is packed in tiles
     */
    public static LutTiles tiles(GgufFile file, @Nullable Path ini) {
        LutTiles stored = LutTiles.ofGguf(file);
        return ini == null ? stored : stored.withDefaults(read(ini, format(file, ini)).plan(), ini.toString());
    }

    /** The one format of the file's tensors; empty when it has both. */
    private static Optional<LutFormat> format(GgufFile file, Path ini) {
        List<LutFormat> formats = file.tensors().stream()
                .flatMap(tensor -> LutCodec.format(tensor.type()).stream())
                .distinct()
                .toList();
        if (formats.isEmpty()) {
            throw InputException.at(file.path())
                    .problem("holds no TL1 or TL2 tensor, so there is nothing that " + ini + " could be for")
                    .cure("Leave the kernel config away.")
                    .exception();
        }
        return formats.size() == 1 ? Optional.of(formats.getFirst()) : Optional.empty();
    }
}
