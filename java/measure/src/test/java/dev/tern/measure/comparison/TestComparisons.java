package dev.tern.measure.comparison;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineLimits.Peak;
import dev.tern.measure.MachineLimits.Read;
import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/** Comparisons as they come out, whole and with parts missing. */
public final class TestComparisons {
    private static final long HEAD_BYTES = 269_337_600; // 128,256 x 2,560 in Q6_K
    private static final long TERNARY = 2_084_044_800L;
    private static final double[] ROUNDS = {1.0, 0.983, 1.041, 0.994, 1.012};

    private TestComparisons() {}

    /** Eleven outtypes of which one failed, two numbers of threads, three rivals and one that was not there. */
    public static Comparison whole() {
        List<FormatResult> formats = List.of(
                format("tq1_0", 715_118_240L, 1.6875, 9.8, 178.2, 39.0, 85.5, 22.4, 0.52, 919_552_000L, exactScale(false)),
                format("tq2_0", 813_007_520L, 2.0625, 9.1, 177.1, 38.7, 85.1, 22.2, 0.49, 1_017_528_320L, exactScale(false)),
                format("i2_s", 796_532_960L, 2.0, 8.7, 179.4, 39.3, 85.9, 22.6, 0.47, 1_001_127_936L, exactScale(true)),
                failed("tl1", "libtern has no kernels for [6912, 2560] on this processor. "
                        + "`tern kernels --config config.json --format tl1 --build` makes them."),
                format("tl2", 716_901_184L, 1.6667, 21.4, 141.7, 41.2, 69.0, 20.1, 0.61, 921_387_008L, exactScale(true)),
                format("q2_k", 959_341_920L, 2.625, 10.2, 177.9, 38.8, 85.2, 22.3, 0.55, 1_163_886_592L, exactScale(false)),
                format("q4_0", 1_447_789_920L, 4.5, 11.9, 176.8, 38.9, 85.0, 22.3, 0.92, 1_652_359_168L, exactScale(false)),
                format("q8_0", 2_489_812_320L, 8.5, 14.3, 177.0, 38.6, 84.8, 22.1, 1.03, 2_694_410_240L, exactScale(false)),
                format("f16", 4_443_604_320L, 16, 17.7, 175.2, 38.5, 84.9, 22.0, 1.61, 4_648_239_104L, exactScale(false)),
                format("bf16", 4_443_604_320L, 16, 17.2, 175.9, 38.4, 84.7, 22.1, 1.58, 4_648_243_200L, exactScale(false)),
                format("f32", 8_611_693_920L, 32, 31.0, 174.6, 38.1, 84.1, 21.9, 2.94, 8_816_381_952L, exactScale(true)));
        List<RivalResult> rivals = List.of(
                rival("ik_llama.cpp", "3f2a9c1 (4102)", "IQ2_BN_R4", 799_260_320L, 121.3, 31.9, 68.2, 18.2),
                rival("ik_llama.cpp", "3f2a9c1 (4102)", "IQ1_BN", 700_203_680L, 86.0, 21.4, 52.0, 12.8),
                rival("bitnet.cpp", "1bit-2025-06", "I2_S", 796_532_960L, 49.2, 26.5, 25.9, 15.8),
                new RivalResult("Jlama", "", "Q4", 0, Optional.of("`jlama` is not on the PATH"), List.of()));
        return new Comparison(
                new Origin("2026-11-26T06:40:12Z", "0.1.0", "236e55e1f0", "25.0.1+8-LTS", "AMD EPYC 9B14", 2,
                        25_281_691_648L, "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-37-cloud-amd64", "avx512vnni",
                        "tern compare hf://microsoft/bitnet-b1.58-2B-4T-bf16 --embedding-type q6_k -p 512 -n 128 -t 1,2 -r 5"
                                + " --text fables.txt --rivals bench/rivals/rivals.json -o report.html"),
                model(),
                new Method(5, 512, 128, List.of(1, 2), "fables.txt", 2048,
                        "the checkpoint block by block, without a file between"),
                Optional.of(new MachineLimits(
                        List.of(new Read(1, false, 29.1), new Read(2, false, 32.4), new Read(1, true, 30.2),
                                new Read(2, true, 34.6)),
                        List.of(new Peak("avx512vnni", 1, 468.9), new Peak("avx512vnni", 2, 937.4),
                                new Peak("avx2", 1, 377.2), new Peak("avx2", 2, 748.8)))),
                formats,
                rivals,
                List.of("Other work ran on this machine meanwhile: the read bandwidth was 32.4 GB/s before and 30.1 GB/s after."));
    }

    private static ModelFacts model() {
        return new ModelFacts("hf://microsoft/bitnet-b1.58-2B-4T-bf16", "BitNetForCausalLM", "online", 30, 2560, 6912, 20, 5,
                128_256, 2_412_820_480L, TERNARY, 4_825_679_400L);
    }

    private static Quality exactScale(boolean exact) {
        return exact
                ? new Quality(17.4312, 17.4287, 3.1e-5, 0.00412, 0.9985, 2048, false)
                : new Quality(17.4329, 17.4287, 3.4e-5, 0.00437, 0.998, 2048, false);
    }

    private static FormatResult format(String outtype, long bytes, double bits, double convert, double prefill2,
            double decode2, double prefill1, double decode1, double load, long peak, Quality quality) {
        return new FormatResult(outtype, "q6_k", Optional.empty(), bytes, bits, convert, TERNARY, true,
                Optional.of(spread(load)), Optional.of(spread(load + 0.41)), speeds(prefill2, decode2, prefill1, decode1),
                HEAD_BYTES + Math.round(TERNARY * (outtype.equals("tl2") ? 1.6667 : 1.6) / 8), peak, Optional.of(quality));
    }

    private static FormatResult failed(String outtype, String why) {
        return new FormatResult(outtype, "q6_k", Optional.of(why), 796_533_184L, 2.0, 8.9, TERNARY, true, Optional.empty(),
                Optional.empty(), List.of(), 0, 0, Optional.empty());
    }

    private static RivalResult rival(String engine, String version, String type, long bytes, double prefill2,
            double decode2, double prefill1, double decode1) {
        return new RivalResult(engine, version, type, bytes, Optional.empty(), speeds(prefill2, decode2, prefill1, decode1));
    }

    private static List<Speed> speeds(double prefill2, double decode2, double prefill1, double decode1) {
        return List.of(
                new Speed(512, 0, 0, 1, spread(prefill1)),
                new Speed(0, 128, 0, 1, spread(decode1)),
                new Speed(512, 0, 0, 2, spread(prefill2)),
                new Speed(0, 128, 0, 2, spread(decode2)));
    }

    private static Spread spread(double middle) {
        return new Spread(DoubleStream.of(ROUNDS).map(factor -> middle * factor).boxed().toList());
    }

    /** Only what cannot be left out: one format that failed at once. */
    public static Comparison bare() {
        Comparison whole = whole();
        return new Comparison(
                new Origin("2026-11-26T06:40:12Z", "0.1.0", "", "25", "unknown", 1, 0, "Linux", "scalar", "tern compare x"),
                whole.model(),
                new Method(1, 8, 4, List.of(1), "", 0, ""),
                Optional.empty(),
                List.of(new FormatResult("tq1_0", "f16", Optional.of("the disk is full"), 0, 0, 0, 0, false, Optional.empty(),
                        Optional.empty(), List.of(), 0, 0, Optional.empty())),
                List.of(),
                List.of());
    }

    /** The whole one with other formats. */
    public static Comparison with(List<FormatResult> formats) {
        Comparison whole = whole();
        return new Comparison(whole.origin(), whole.model(), whole.method(), whole.limits(), formats, whole.rivals(),
                whole.notes());
    }

    /** The first so many formats of the whole one, on one number of threads, without limits, quality and rivals. */
    public static Comparison plain(int formats) {
        Comparison whole = whole();
        List<FormatResult> kept = new ArrayList<>();
        for (FormatResult f : whole.formats().subList(0, formats)) {
            kept.add(new FormatResult(f.outtype(), f.embeddingType(), f.failure(), f.fileBytes(), f.bitsPerWeight(),
                    f.convertSeconds(), f.ternaryValues(), f.lossless(), f.loadSeconds(), f.firstTokenSeconds(),
                    f.speeds().stream().filter(s -> s.threads() == 2).toList(), f.bytesPerToken(), f.peakBytes(),
                    Optional.empty()));
        }
        return new Comparison(whole.origin(), whole.model(), new Method(5, 512, 128, List.of(2), "", 0, ""),
                Optional.empty(), kept, List.of(), List.of());
    }
}
