package dev.tern.convert;

import dev.tern.codegen.PlannedKernel;
import dev.tern.convert.Inspection.Finding;
import dev.tern.convert.Inspection.Severity;
import dev.tern.convert.Inspection.TensorFacts;
import dev.tern.convert.Inspection.TernaryOverview;
import dev.tern.convert.Inspection.TokenizerFacts;
import dev.tern.convert.Inspection.TypeTotal;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCounts;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Collects what both kinds of inspection report. */
final class InspectionBuilder {
    private final List<TensorFacts> tensors = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private List<PlannedKernel> tiles = List.of();
    private @Nullable ModelHyperparameters model;
    private @Nullable TokenizerFacts tokenizer;

    void model(ModelHyperparameters value) {
        model = value;
    }

    void tiles(List<PlannedKernel> value) {
        tiles = value;
    }

    void tokenizer(Vocabulary v) {
        tokenizer = new TokenizerFacts(
                v.size(),
                v.merges().size(),
                v.preTokenizer().toString(),
                v.addBos(),
                v.token(SpecialToken.BOS).orElse(null),
                v.token(SpecialToken.EOS).orElse(null),
                v.endIds().stream().map(id -> v.tokens().get(id)).toList(),
                v.chatTemplate().isPresent());
        v.notes().forEach(note -> find(Severity.NOTE, "Tokenizer: " + note, ""));
        if (v.chatTemplate().isEmpty()) {
            find(Severity.NOTE, "There is no chat template: the model can only continue text.", "");
        }
    }

    void tensor(TensorFacts facts) {
        tensors.add(facts);
    }

    void find(Severity severity, String text, String cure) {
        findings.add(new Finding(severity, text.endsWith(".") ? text : text + ".", cure));
    }

    Inspection build(Inspection.Kind kind, Path path, long bytes, String format, String architecture) {
        List<TernarySuspicion.Sample> samples = new ArrayList<>();
        SequencedMap<String, TypeTotal> types = new LinkedHashMap<>();
        for (TensorFacts tensor : tensors) {
            types.merge(
                    tensor.type(),
                    new TypeTotal(1, tensor.bytes()),
                    (a, b) -> new TypeTotal(a.tensors() + b.tensors(), a.bytes() + b.bytes()));
            if (tensor.counts() != null && tensor.scale() != null) {
                samples.add(new TernarySuspicion.Sample(tensor.name(), tensor.counts(), tensor.scale()));
            }
        }
        findings.addAll(TernarySuspicion.of(samples));
        findings.sort(Comparator.comparing(Finding::severity));
        return new Inspection(
                kind,
                path,
                bytes,
                format,
                architecture,
                model,
                types,
                tiles,
                overview(samples),
                tokenizer,
                tensors,
                findings);
    }

    private static @Nullable TernaryOverview overview(List<TernarySuspicion.Sample> samples) {
        if (samples.isEmpty()) {
            return null;
        }
        TernaryCounts counts = new TernaryCounts(0, 0, 0);
        float least = Float.POSITIVE_INFINITY;
        float largest = Float.NEGATIVE_INFINITY;
        for (TernarySuspicion.Sample sample : samples) {
            counts = counts.plus(sample.counts());
            least = Math.min(least, sample.scale());
            largest = Math.max(largest, sample.scale());
        }
        return new TernaryOverview(samples.size(), counts, least, largest);
    }
}
