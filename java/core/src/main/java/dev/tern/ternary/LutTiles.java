package dev.tern.ternary;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tiles that the TL1 and TL2 matrices of one file are packed with, without which their bytes mean nothing. A file
 * of Tern's stores them: key {@code ternary.tl2.<M>x<K>} (or {@code tl1}), an array of the UINT32 [BM, BK, bm]. A file
 * of bitnet.cpp's does not; there the kernel_config.ini that it was packed with fills in. Immutable; every tile is
 * legal for its matrix.
 */
public final class LutTiles {
    private static final Pattern KEY = Pattern.compile("ternary\\.(tl1|tl2)\\.([1-9]\\d{0,8})x([1-9]\\d{0,8})");

    private final String where;
    private final List<PlannedKernel> kernels;
    private final Map<Packed, Tile> tiles = new HashMap<>(); // a hostile file may ask for a hundred thousand

    /** What a tile is looked up by. */
    private record Packed(LutFormat format, MatrixShape shape) {}

    /** @param where the file, for errors */
    private LutTiles(String where, List<PlannedKernel> kernels) {
        this.where = where;
        this.kernels = List.copyOf(kernels);
        kernels.forEach(kernel -> tiles.putIfAbsent(new Packed(kernel.format(), kernel.shape()), kernel.tile()));
    }

    /** No tiles: what all files but those of TL1 and TL2 need. */
    public static LutTiles none() {
        return new LutTiles("no file", List.of());
    }

    /** The first tile of each format and shape in a plan. */
    public static LutTiles of(KernelPlan plan) {
        return none().and(plan.kernels());
    }

    /**
     * The tiles that a file stores; none when it stores none.
     *
     * @throws InputException when a key is no array of three positive integers, names no shape, or its tile is not
     *     legal
     */
    public static LutTiles ofGguf(GgufFile file) {
        List<PlannedKernel> kernels = new ArrayList<>();
        for (String key : file.metadata().keySet()) {
            if (key.startsWith("ternary.tl1.") || key.startsWith("ternary.tl2.")) {
                kernels.add(stored(file, key));
            }
        }
        return new LutTiles(file.path().toString(), kernels);
    }

    private static PlannedKernel stored(GgufFile file, String key) {
        Matcher name = KEY.matcher(key);
        if (!name.matches()) {
            throw InputException.at(file.path())
                    .key(key)
                    .problem("names no matrix")
                    .expected("ternary.tl2.MxK, such as ternary.tl2.2560x6912")
                    .exception();
        }
        LutFormat format = LutFormat.valueOf(name.group(1).toUpperCase(Locale.ROOT));
        MatrixShape shape = new MatrixShape(Integer.parseInt(name.group(2)), Integer.parseInt(name.group(3)));
        int[] numbers = file.int32s(key).orElseThrow();
        if (numbers.length != 3 || numbers[0] <= 0 || numbers[1] <= 0 || numbers[2] <= 0) {
            throw InputException.at(file.path())
                    .key(key)
                    .problem("is no tile")
                    .expected("three positive integers, BM, BK, bm")
                    .found(text(numbers))
                    .exception();
        }
        Tile tile = new Tile(numbers[0], numbers[1], numbers[2]);
        format.obstacle(shape, tile).ifPresent(reason -> {
            throw InputException.at(file.path())
                    .key(key)
                    .problem("a tile of " + tile + " cannot be: " + reason)
                    .cure("The file is damaged; convert the checkpoint again.")
                    .exception();
        });
        return new PlannedKernel(format, shape, tile);
    }

    private static String text(int[] numbers) {
        List<String> shown = new ArrayList<>();
        for (int i = 0; i < Math.min(4, numbers.length); i++) {
            shown.add(Integer.toUnsignedString(numbers[i]));
        }
        return numbers.length + ": " + String.join(", ", shown) + (numbers.length > 4 ? ", ..." : "");
    }

    /**
     * These tiles, and those of a user's plan for matrices that have none here.
     *
     * @param config the plan's file, for errors
     * @throws InputException when the plan has tiles for a matrix that has another one here
     */
    public LutTiles withDefaults(KernelPlan plan, String config) {
        LutTiles others = of(plan);
        for (PlannedKernel own : kernels) {
            Optional<Tile> other = others.tile(own.format(), own.shape());
            if (other.isPresent() && !other.get().equals(own.tile())) {
                throw InputException.at(where)
                        .key(key(own))
                        .problem("contradicts " + config + " on the tile of the " + own.shape() + " matrices")
                        .expected(other.get() + " (BM/BK/bm), as there")
                        .found(own.tile())
                        .cure("The file knows what it was packed with: leave the kernel config away.")
                        .exception();
            }
        }
        return and(plan.kernels());
    }

    private LutTiles and(List<PlannedKernel> more) {
        List<PlannedKernel> all = new ArrayList<>(kernels);
        Set<Packed> known = new HashSet<>(tiles.keySet());
        for (PlannedKernel kernel : more) {
            if (known.add(new Packed(kernel.format(), kernel.shape()))) {
                all.add(kernel);
            }
        }
        return new LutTiles(where, all);
    }

    /** The tile of the matrices of this shape, empty when it is not known. */
    public Optional<Tile> tile(LutFormat format, MatrixShape shape) {
        return Optional.ofNullable(tiles.get(new Packed(format, shape)));
    }

    /** All tiles, one for each format and shape. */
    public List<PlannedKernel> kernels() {
        return kernels;
    }

    /** The file that they belong to, for errors. */
    String where() {
        return where;
    }

    /** The key-value pairs that store them. */
    public SequencedMap<String, GgufValue> metadata() {
        SequencedMap<String, GgufValue> pairs = new LinkedHashMap<>();
        for (PlannedKernel kernel : kernels) {
            Tile tile = kernel.tile();
            pairs.put(key(kernel), GgufValue.uint32s(new int[] {tile.rows(), tile.cols(), tile.rowBlock()}));
        }
        return pairs;
    }

    private static String key(PlannedKernel kernel) {
        return "ternary." + kernel.format().label() + "." + kernel.shape();
    }
}
