package dev.tern.cli;

import dev.tern.DraftOptions;
import dev.tern.GenerationOptions;
import dev.tern.sampling.SamplerStage;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SamplingOptionsBuilder;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What {@code /set} changes and a saved chat keeps, under the names of the command line's options. */
enum ChatSetting {
    MAX_TOKENS(List.of("max-tokens", "n"), GenerationOptions::maxTokens, (o, text) -> o.toBuilder()
            .maxTokens(integer(text))
            .build()),
    SEED(List.of("seed"), o -> o.seed().orElse(0), (o, text) -> o.toBuilder().seed(whole(text)).build()),
    DRAFT(List.of("draft"), o -> o.draft().mode().name().toLowerCase(Locale.ROOT), ChatSetting::drafting),
    TEMPERATURE("temp", o -> o.temperature().value(), (b, text) -> b.temperature(number(text))),
    TOP_K("top-k", o -> o.truncation().topK(), (b, text) -> b.topK(integer(text))),
    TOP_P("top-p", o -> o.truncation().topP(), (b, text) -> b.topP(number(text))),
    MIN_P("min-p", o -> o.truncation().minP(), (b, text) -> b.minP(number(text))),
    REPEAT_PENALTY("repeat-penalty", o -> o.penalties().repeat(), (b, text) -> b.repeatPenalty(number(text))),
    REPEAT_LAST_N("repeat-last-n", o -> o.penalties().lastN(), (b, text) -> b.repeatLastN(integer(text))),
    PRESENCE_PENALTY("presence-penalty", o -> o.penalties().presence(), (b, text) -> b.presencePenalty(number(text))),
    FREQUENCY_PENALTY("frequency-penalty", o -> o.penalties().frequency(), (b, text) -> b.frequencyPenalty(number(text))),
    DRY_MULTIPLIER("dry-multiplier", o -> o.dry().multiplier(), (b, text) -> b.dryMultiplier(number(text))),
    DRY_BASE("dry-base", o -> o.dry().base(), (b, text) -> b.dryBase(number(text))),
    DRY_ALLOWED_LENGTH("dry-allowed-length", o -> o.dry().allowedLength(), (b, text) -> b.dryAllowedLength(integer(text))),
    DRY_PENALTY_LAST_N("dry-penalty-last-n", o -> o.dry().lastN(), (b, text) -> b.dryPenaltyLastN(integer(text))),
    TOP_N_SIGMA("top-nsigma", o -> o.truncation().topNSigma(), (b, text) -> b.topNSigma(number(text))),
    TYPICAL_P("typical", o -> o.truncation().typicalP(), (b, text) -> b.typicalP(number(text))),
    XTC_PROBABILITY("xtc-probability", o -> o.xtc().probability(), (b, text) -> b.xtcProbability(number(text))),
    XTC_THRESHOLD("xtc-threshold", o -> o.xtc().threshold(), (b, text) -> b.xtcThreshold(number(text))),
    MIN_KEEP("min-keep", o -> o.truncation().minKeep(), (b, text) -> b.minKeep(integer(text))),
    DYNATEMP_RANGE("dynatemp-range", o -> o.temperature().range(), (b, text) -> b.dynatempRange(number(text))),
    DYNATEMP_EXP("dynatemp-exp", o -> o.temperature().exponent(), (b, text) -> b.dynatempExponent(number(text))),
    MIROSTAT("mirostat", o -> o.mirostat().version(), (b, text) -> b.mirostat(integer(text))),
    MIROSTAT_ENT("mirostat-ent", o -> o.mirostat().tau(), (b, text) -> b.mirostatTau(number(text))),
    MIROSTAT_LR("mirostat-lr", o -> o.mirostat().eta(), (b, text) -> b.mirostatEta(number(text))),
    SAMPLERS("samplers", ChatSetting::stages, (b, text) -> b.samplers(Arrays.stream(text.split("[;,]"))
            .filter(name -> !name.isBlank())
            .map(name -> SamplerStage.of(name.strip()))
            .toList()));

    private final List<String> names;
    private final Function<GenerationOptions, Object> value;
    private final BiFunction<GenerationOptions, String, GenerationOptions> change;

    ChatSetting(
            List<String> names,
            Function<GenerationOptions, Object> value,
            BiFunction<GenerationOptions, String, GenerationOptions> change) {
        this.names = names;
        this.value = value;
        this.change = change;
    }

    /** One of the sampling options'. */
    ChatSetting(String name, Function<SamplingOptions, Object> value, BiConsumer<SamplingOptionsBuilder, String> change) {
        this(List.of(name), options -> value.apply(options.sampling()), (options, text) -> {
            SamplingOptionsBuilder sampling = options.sampling().toBuilder();
            change.accept(sampling, text);
            return options.toBuilder().sampling(sampling.build()).build();
        });
    }

    /** The name that is shown and saved. */
    String label() {
        return names.getFirst();
    }

    /** The setting of that name; {@code temp}, {@code --temp} and {@code temperature} are the same. */
    static Optional<ChatSetting> of(String name) {
        String plain = name.replaceFirst("^-{1,2}", "").replace('_', '-').toLowerCase(Locale.ROOT);
        String label = switch (plain) {
            case "temperature" -> "temp";
            case "top-n-sigma" -> "top-nsigma";
            case "typical-p" -> "typical";
            default -> plain;
        };
        return Arrays.stream(values()).filter(setting -> setting.names.contains(label)).findFirst();
    }

    /** What it is now, as {@link #set} reads it. */
    String get(GenerationOptions options) {
        return String.valueOf(value.apply(options));
    }

    /**
     * The options with this one changed.
     *
     * @throws IllegalArgumentException when the text is no value of this setting; the message says what is
     */
    GenerationOptions set(GenerationOptions options, String text) {
        return change.apply(options, text);
    }

    private static GenerationOptions drafting(GenerationOptions options, String text) {
        DraftOptions.Mode mode = Arrays.stream(DraftOptions.Mode.values())
                .filter(each -> each.name().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("expected auto, on or off, found " + text));
        DraftOptions draft = options.draft();
        return options.toBuilder()
                .draft(new DraftOptions(mode, draft.maxTokens(), draft.minNgram()))
                .build();
    }

    private static String stages(SamplingOptions options) {
        return options.samplers().stream().map(SamplerStage::label).collect(Collectors.joining(";"));
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected a number, found " + text);
        }
    }

    private static int integer(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected a whole number, found " + text);
        }
    }

    private static long whole(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected a whole number, found " + text);
        }
    }
}
