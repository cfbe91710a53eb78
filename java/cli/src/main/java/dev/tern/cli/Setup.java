package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.GenerationStats;
import dev.tern.Model;
import dev.tern.ModelInfo;
import dev.tern.ModelOptions;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.convert.ValidationReport;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.lut.KernelFamily;
import dev.tern.template.ChatMessage;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.Outtype;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * One run of {@code tern setup}: a step after the other, each skipped when its result is there and still right. Every file
 * appears whole or not at all, so it can be interrupted anywhere and run again.
 */
final class Setup {
    private final Request request;
    private final Terminal terminal;
    private final Interruption interruption;
    private final StepLog steps;
    private final KernelFiles kernelFiles;
    private final ObjectNode result = Json.object();
    private KernelFamily family = KernelFamily.AUTO;

    /**
     * @param checkpoint a local folder, or a safetensors file in one
     * @param folder for all that is made
     * @param file the GGUF file, in that folder
     * @param kernelConfig whose tiles are to be used, or null
     * @param prompt for the first tokens
     * @param tokens how many of them at most
     * @param json whether stdout gets one JSON object instead of lines
     */
    record Request(
            Path checkpoint,
            Outtype outtype,
            GgmlType embeddingType,
            Path folder,
            Path file,
            @Nullable Path kernelConfig,
            String prompt,
            int tokens,
            boolean json) {}

    Setup(Request request, Terminal terminal, Interruption interruption) {
        this.request = request;
        this.terminal = terminal;
        this.interruption = interruption;
        this.steps = new StepLog(terminal, request.json());
        this.kernelFiles = new KernelFiles(request.folder());
    }

    void run() {
        Inspected inspected = inspect();
        interruption.check();
        try (SetupFolder folder = SetupFolder.take(request.folder(), request.file())) {
            if (!inspected.plan().tiles().kernels().isEmpty()) {
                KernelPlan plan = new KernelPlan(inspected.plan().tiles().kernels());
                kernels(plan);
                build(plan);
            }
            convert(inspected);
            tell();
        }
        if (request.json()) {
            finish();
        } else {
            summarize();
        }
    }

    /**
     * @param converter ready to run
     * @param wanted all that the file depends on
     */
    private record Inspected(Converter converter, ConversionPlan plan, SetupRecord.Request wanted) {}

    private Inspected inspect() {
        long start = System.nanoTime();
        List<MatrixShape> shapes;
        List<SetupRecord.Input> inputs;
        String config;
        String model;
        try (Checkpoint open = Checkpoint.open(request.checkpoint());
                Progress progress = new Progress(terminal, interruption)) {
            shapes = open.tensors().stream()
                    .filter(CheckpointTensor::ternary)
                    .map(tensor -> new MatrixShape(tensor.rows(), tensor.cols()))
                    .distinct()
                    .toList();
            inputs = SetupRecord.inputs(open);
            config = SetupRecord.sha256(open.folder().resolve("config.json"), progress);
            model = describe(open);
        }
        Converter converter = Converter.from(request.checkpoint())
                .outtype(request.outtype())
                .tensorHashes(false)
                .embeddingType(request.embeddingType())
                .validate(true);
        Optional<LutFormat> format = request.outtype().lutFormat();
        String tiles = format.map(wanted -> "; " + tiles(converter, wanted, shapes)).orElse("");
        ConversionPlan plan = converter.plan();
        steps.add("inspect", StepLog.Status.DONE, System.nanoTime() - start, model + tiles);
        return new Inspected(
                converter,
                plan,
                new SetupRecord.Request(
                        inputs,
                        config,
                        request.outtype().label(),
                        request.embeddingType().name().toLowerCase(Locale.ROOT),
                        plan.tiles().kernels()));
    }

    private static String describe(Checkpoint checkpoint) {
        long weights = checkpoint.tensors().stream()
                .mapToLong(tensor -> (long) tensor.rows() * tensor.cols())
                .sum();
        return String.format(
                Locale.ROOT,
                "%s, %s weights, %d layers, width %d: %s",
                checkpoint.hyperparameters().architecture(),
                Sizes.count(weights),
                checkpoint.hyperparameters().layers(),
                checkpoint.hyperparameters().hiddenSize(),
                ConversionText.word(checkpoint.format()));
    }

    /** Settles which tiles the converter uses; says whose they are. */
    private String tiles(Converter converter, LutFormat format, List<MatrixShape> shapes) {
        if (request.kernelConfig() != null) {
            converter.kernelConfig(KernelConfigFile.read(request.kernelConfig(), Optional.of(format)));
            return "tiles of " + request.kernelConfig();
        }
        List<PlannedKernel> recorded;
        try {
            recorded = SetupRecord.read(record()).request().tiles();
        } catch (InputException e) {
            recorded = List.of();
        }
        Optional<KernelConfig> own = kernelFiles.config(format, shapes, recorded);
        own.ifPresent(converter::kernelConfig);
        return own.isPresent() ? "tiles of " + kernelFiles.ini() : "tiles planned for its " + shapes.size() + " shapes";
    }

    private Path record() {
        return request.folder().resolve(SetupRecord.FILE_NAME);
    }

    private void kernels(KernelPlan plan) {
        interruption.check();
        long start = System.nanoTime();
        KernelFiles.Written written = kernelFiles.write(plan);
        String tiles = plan.kernels().stream()
                .map(kernel -> kernel.shape() + " " + kernel.tile())
                .collect(Collectors.joining(", "));
        String text = String.format(
                Locale.ROOT,
                "%s: %s (MxK BM/BK/bm), plan %s",
                written.anything() ? written.text() : "header and ini are right",
                tiles,
                plan.hash().substring(0, 16));
        steps.add(
                "kernels",
                written.anything() ? StepLog.Status.DONE : StepLog.Status.SKIPPED,
                System.nanoTime() - start,
                text);
        ConversionText.putTiles(result, plan.kernels());
        result.put("plan", plan.hash());
        result.put("header", kernelFiles.header().toString());
        result.put("kernel_config", kernelFiles.ini().toString());
    }

    private void build(KernelPlan plan) {
        interruption.check();
        long start = System.nanoTime();
        LutFormat format = plan.kernels().getFirst().format();
        if (PlannedLibrary.nativeHere() && !PlannedLibrary.fastHere(format)) {
            steps.add(
                    "build",
                    StepLog.Status.SKIPPED,
                    System.nanoTime() - start,
                    "not needed: this machine has no vector code to look " + format.label() + " up in tables, so loading"
                            + " repacks the weights, with the same results");
            return;
        }
        PlannedLibrary library = PlannedLibrary.provide(plan, interruption);
        if (library.status() == StepLog.Status.FAILED) {
            family = KernelFamily.MAD; // loading would try to build once more
        }
        steps.add("build", library.status(), System.nanoTime() - start, library.text());
        library.kernels().ifPresent(kernels -> result.put("library", kernels.library().toString()));
    }

    private void convert(Inspected inspected) {
        interruption.check();
        long start = System.nanoTime();
        SetupFile file = new SetupFile(request.checkpoint(), request.file(), record(), inspected.plan(), inspected.wanted());
        SetupFile.Verdict verdict;
        try (Progress progress = new Progress(terminal, interruption)) {
            verdict = file.examine(progress);
        }
        SetupRecord record;
        if (verdict.kept().isPresent()) {
            record = verdict.kept().get();
            ValidationReport validation = verdict.validation();
            long validating = validation == null ? 0 : (long) (validation.seconds() * 1e9);
            steps.add(
                    "convert",
                    StepLog.Status.SKIPPED,
                    System.nanoTime() - start - validating,
                    request.file() + " " + verdict.reason());
            if (validation == null) {
                steps.add("validate", StepLog.Status.SKIPPED, 0, "validated when it was made, unchanged since");
            } else {
                record.write(record(), request.checkpoint());
                steps.add("validate", StepLog.Status.DONE, validating, SetupFile.words(validation));
            }
        } else {
            record = converted(inspected, verdict.reason());
            record.write(record(), request.checkpoint());
        }
        result.put("file", request.file().toString());
        result.put("file_bytes", record.bytes());
        result.put("sha256", record.sha256());
        result.put("validated", record.validated());
    }

    private SetupRecord converted(Inspected inspected, String reason) {
        ConversionReport report;
        try (Progress progress = new Progress(terminal, interruption)) {
            report = inspected.converter()
                    .overwrite(Files.exists(request.file()))
                    .progress((phase, tensor, done, total) ->
                            progress.at(phase.name().toLowerCase(Locale.ROOT), done, total, "MiB", 1 << 20))
                    .to(request.file());
        }
        report.notes().forEach(terminal::note);
        String text = String.format(
                Locale.ROOT,
                "%s, %s%s",
                request.file(),
                Sizes.binary(report.plan().fileBytes()),
                reason.isEmpty() ? "" : ", made again: " + reason);
        steps.add("convert", StepLog.Status.DONE, (long) (report.seconds() * 1e9), text);
        ValidationReport validation = Objects.requireNonNull(report.validation());
        steps.add("validate", StepLog.Status.DONE, (long) (validation.seconds() * 1e9), SetupFile.words(validation));
        return new SetupRecord(
                inspected.wanted(),
                String.valueOf(request.file().getFileName()),
                report.plan().fileBytes(),
                report.sha256(),
                true);
    }

    private void tell() {
        interruption.check();
        long start = System.nanoTime();
        ModelOptions options =
                ModelOptions.builder().requireNative(terminal.requireNative()).family(family).build();
        try (Model model = Model.load(request.file(), options)) {
            model.info().notes().forEach(terminal::note);
            boolean chat = model.chatTemplate().isPresent();
            int[] prompt = chat
                    ? model.chatPrompt(List.of(new ChatMessage("user", request.prompt())))
                    : PromptOptions.encode(model.tokenizer(), request.prompt());
            Generation generation = model.generate(
                    prompt,
                    GenerationOptions.builder().temperature(0).maxTokens(request.tokens()).build());
            if (request.json()) {
                generation.forEach(token -> interruption.check());
            } else {
                terminal.print("%n> %s%n%n", request.prompt());
                Flow.stream(generation, terminal, interruption);
                terminal.out().println();
            }
            steps.add("run", StepLog.Status.DONE, System.nanoTime() - start, words(generation.stats(), model.info()));
            put(generation, model.info());
        }
    }

    private static String words(GenerationStats stats, ModelInfo info) {
        return String.format(
                Locale.ROOT,
                "%d tokens, %.0f a second, after a prompt of %d at %.0f a second; %s",
                stats.generatedTokens(),
                stats.decodeTokensPerSecond(),
                stats.promptTokens(),
                stats.prefillTokensPerSecond(),
                kernels(info));
    }

    /** Which kernels a model runs on. The hash that libtern has in its name once it is unpacked tells a person nothing. */
    static String kernels(ModelInfo info) {
        return "kernels " + info.tier().label()
                + info.lut().map(lut -> ", looking up with " + lut.replaceFirst("-[0-9a-f]{64}", "")).orElse("");
    }

    private void put(Generation generation, ModelInfo info) {
        GenerationStats stats = generation.stats();
        result.put("prompt", request.prompt());
        result.set("prompt_ids", Json.array(generation.promptIds()));
        result.set("ids", Json.array(generation.ids()));
        result.put("text", generation.text());
        result.put("stop_reason", RunCommand.word(generation.stopReason()));
        result.putObject("timings")
                .put("load_ms", info.loadSeconds() * 1e3)
                .put("prompt_n", stats.promptTokens())
                .put("prompt_per_second", stats.prefillTokensPerSecond())
                .put("predicted_n", stats.generatedTokens())
                .put("predicted_per_second", stats.decodeTokensPerSecond());
        result.put("threads", info.threads());
        result.put("kernels", info.tier().label());
        result.put("lut", info.lut().orElse(null));
    }

    private void finish() {
        ObjectNode document = Json.object();
        document.put("checkpoint", request.checkpoint().toString());
        document.put("folder", request.folder().toString());
        document.put("outtype", request.outtype().label());
        document.put("embedding_type", request.embeddingType().name().toLowerCase(Locale.ROOT));
        document.setAll(result);
        document.set("steps", steps.json());
        terminal.out().print(Json.document(document));
    }

    private void summarize() {
        terminal.print("%nGo on with: tern chat -m %s%n", request.file());
    }
}
