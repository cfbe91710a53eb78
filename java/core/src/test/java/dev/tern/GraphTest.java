package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.FloatType;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every graph against a plain implementation in doubles, written from the published descriptions: grouped queries, heads
 * whose width is not hidden / heads, partly rotated heads, an untied head, both activations, both pairings, low-rank
 * corrections of every rank beside all projections or some.
 */
class GraphTest {
    private @TempDir Path folder;

    static Stream<ModelHyperparameters> graphs() {
        return Stream.of(
                new ModelHyperparameters(
                        "llama", "", 80, 64, 64, 96, 2, 4, 2, 24, 24, 10000, 1e-5f, FfnActivation.SILU, false, false),
                new ModelHyperparameters(
                        "llama", "", 80, 64, 96, 160, 3, 6, 6, 16, 8, 500000, 1e-6f, FfnActivation.SILU, false, true),
                new ModelHyperparameters(
                        "bitnet", "", 80, 64, 64, 96, 2, 4, 1, 16, 16, 10000, 1e-5f, FfnActivation.SILU, true, true),
                new ModelHyperparameters(
                        "bitnet-25", "", 80, 64, 64, 96, 2, 2, 2, 48, 48, 10000, 1e-5f, FfnActivation.RELU_SQUARED, true,
                        false),
                new ModelHyperparameters(
                        "bitnet-b1.58", "", 80, 64, 130, 70, 2, 6, 3, 10, 10, 500000, 1e-5f,
                        FfnActivation.RELU_SQUARED, true, true),
                new ModelHyperparameters(
                        "bitnet-b1.58", "", 80, 64, 130, 70, 2, 6, 3, 10, 10, 500000, 1e-5f, FfnActivation.RELU_SQUARED,
                        true, true, new LowRankRanks(5, 1, 3, 33, 7, 70, 2), 0),
                new ModelHyperparameters(
                        "llama", "", 80, 64, 64, 96, 2, 4, 2, 24, 24, 10000, 1e-5f, FfnActivation.SILU, false, false,
                        new LowRankRanks(0, 4, 0, 40, 0, 9, 11), 0));
    }

    @ParameterizedTest
    @MethodSource("graphs")
    void equalsAPlainImplementation(ModelHyperparameters graph) {
        TestGguf gguf = TestGguf.random(graph, Outtype.F32, 42);
        int[] ids = {7, 3, 79, 0, 12, 12, 44, 61, 5, 30, 2, 78};
        double[][] expected = new PlainModel(graph, gguf).logits(ids);
        ModelOptions options =
                ModelOptions.builder().threads(1).batchSize(5).cacheType(FloatType.F32).build();
        try (Model model = Model.load(gguf.write(folder.resolve("model.gguf")), options);
                Session session = model.session()) {
            assertThat(model.hyperparameters()).isEqualTo(graph);
            session.feed(ids, (position, logits) -> {
                double[] row = expected[position];
                double norm = Math.sqrt(Arrays.stream(row).map(v -> v * v).sum());
                for (int i = 0; i < row.length; i++) {
                    assertThat(logits.getAtIndex(ValueLayout.JAVA_FLOAT, i) - row[i])
                            .as("position %d, token %d, logits of length %f", position, i, norm)
                            .isBetween(-1e-4 * norm, 1e-4 * norm);
                }
            });
        }
    }

    /** The published graph, token by token, without a cache of anything but keys and values. */
    private record PlainModel(ModelHyperparameters g, TestGguf file) {

        double[][] logits(int[] ids) {
            double[][][] keys = new double[g.layers()][ids.length][];
            double[][][] values = new double[g.layers()][ids.length][];
            double[][] logits = new double[ids.length][];
            for (int t = 0; t < ids.length; t++) {
                double[] x = new double[g.hiddenSize()];
                for (int i = 0; i < x.length; i++) {
                    x[i] = at("token_embd.weight", (long) ids[t] * x.length + i);
                }
                for (int layer = 0; layer < g.layers(); layer++) {
                    String blk = "blk." + layer + ".";
                    double[] h = norm(x, blk + "attn_norm.weight");
                    double[] q = linear(blk + "attn_q.weight", h);
                    keys[layer][t] = linear(blk + "attn_k.weight", h);
                    values[layer][t] = linear(blk + "attn_v.weight", h);
                    rotate(q, t);
                    rotate(keys[layer][t], t);
                    double[] mixed = attend(q, keys[layer], values[layer], t);
                    if (g.subNorms()) {
                        mixed = norm(mixed, blk + "attn_sub_norm.weight");
                    }
                    add(x, linear(blk + "attn_output.weight", mixed));
                    h = norm(x, blk + "ffn_norm.weight");
                    double[] gate = linear(blk + "ffn_gate.weight", h);
                    double[] up = linear(blk + "ffn_up.weight", h);
                    for (int i = 0; i < gate.length; i++) {
                        gate[i] = g.activation() == FfnActivation.SILU
                                ? gate[i] / (1 + Math.exp(-gate[i])) * up[i]
                                : Math.pow(Math.max(gate[i], 0), 2) * up[i];
                    }
                    if (g.subNorms()) {
                        gate = norm(gate, blk + "ffn_sub_norm.weight");
                    }
                    add(x, linear(blk + "ffn_down.weight", gate));
                }
                logits[t] = product(
                        g.tiedHead() ? "token_embd.weight" : "output.weight", norm(x, "output_norm.weight"));
            }
            return logits;
        }

        private double[] attend(double[] q, double[][] keys, double[][] values, int t) {
            int d = g.headDim();
            double[] out = new double[q.length];
            for (int head = 0; head < g.heads(); head++) {
                int pair = head / (g.heads() / g.kvHeads());
                double[] weight = new double[t + 1];
                double sum = 0;
                for (int p = 0; p <= t; p++) {
                    for (int i = 0; i < d; i++) {
                        weight[p] += q[head * d + i] * keys[p][pair * d + i];
                    }
                    weight[p] = Math.exp(weight[p] / Math.sqrt(d));
                    sum += weight[p];
                }
                for (int p = 0; p <= t; p++) {
                    for (int i = 0; i < d; i++) {
                        out[head * d + i] += weight[p] / sum * values[p][pair * d + i];
                    }
                }
            }
            return out;
        }

        private void rotate(double[] heads, int position) {
            int half = g.ropeDims() / 2;
            boolean neighbours = g.architecture().equals("llama");
            for (int base = 0; base < heads.length; base += g.headDim()) {
                for (int i = 0; i < half; i++) {
                    double angle = position / Math.pow(g.ropeTheta(), 2.0 * i / g.ropeDims());
                    int a = base + (neighbours ? 2 * i : i);
                    int b = base + (neighbours ? 2 * i + 1 : i + half);
                    double first = heads[a] * Math.cos(angle) - heads[b] * Math.sin(angle);
                    heads[b] = heads[b] * Math.cos(angle) + heads[a] * Math.sin(angle);
                    heads[a] = first;
                }
            }
        }

        /** The input rounded to 255 levels by its largest magnitude, then the matrix; U · (Vᵀ · x) of the input itself. */
        private double[] linear(String name, double[] x) {
            double largest = 1e-5;
            for (double v : x) {
                largest = Math.max(largest, Math.abs(v));
            }
            double[] rounded = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                rounded[i] = Math.rint(x[i] * 127 / largest) * largest / 127;
            }
            double[] y = product(name, rounded);
            String v = name.replace(".weight", ".lrc_v");
            if (file.tensors.containsKey(v)) {
                double[] z = new double[(int) file.tensors.get(v).dims()[0]];
                for (int i = 0; i < x.length; i++) {
                    for (int j = 0; j < z.length; j++) {
                        z[j] += at(v, (long) i * z.length + j) * x[i];
                    }
                }
                add(y, product(name.replace(".weight", ".lrc_u"), z));
            }
            return y;
        }

        private double[] product(String name, double[] x) {
            double[] y = new double[(int) file.tensors.get(name).dims()[1]];
            for (int row = 0; row < y.length; row++) {
                for (int i = 0; i < x.length; i++) {
                    y[row] += at(name, (long) row * x.length + i) * x[i];
                }
            }
            return y;
        }

        private double[] norm(double[] x, String name) {
            double squares = 0;
            for (double v : x) {
                squares += v * v;
            }
            double[] y = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                y[i] = x[i] / Math.sqrt(squares / x.length + g.normEps()) * at(name, i);
            }
            return y;
        }

        private static void add(double[] x, double[] y) {
            for (int i = 0; i < x.length; i++) {
                x[i] += y[i];
            }
        }

        private double at(String name, long index) {
            return ByteBuffer.wrap(file.tensors.get(name).bytes())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getFloat((int) (4 * index));
        }
    }
}
