package dev.tern.inspect;

import dev.tern.codegen.PlannedKernel;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.ProbeFacts;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.Inspection.TensorFacts;
import dev.tern.inspect.Inspection.TernaryOverview;
import dev.tern.inspect.Inspection.TokenizerFacts;
import dev.tern.inspect.Inspection.TypeTotal;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCounts;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Collects what both kinds of inspection report. */
final class InspectionBuilder {
    private final List<TensorFacts> tensors = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private List<PlannedKernel> tiles = List.of();
    private @Nullable ModelHyperparameters model;
    private @Nullable TokenizerFacts tokenizer;
    private @Nullable ProbeFacts probe;
    private List<String> outtypes = List.of();

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
        v.notes().forEach(note -> find(FindingKind.ASSUMPTION, Severity.NOTE, "Tokenizer: " + note, ""));
    }

    void probe(ProbeFacts facts) {
        probe = facts;
    }

    void outtypes(List<String> labels) {
        outtypes = labels;
    }

    void tensor(TensorFacts facts) {
        tensors.add(facts);
    }

    void find(FindingKind kind, Severity severity, String text, String cure) {
        boolean sentence = text.endsWith(".") || text.endsWith("?");
        findings.add(new Finding(kind, severity, sentence ? text : text + ".", cure));
    }

    /** Adds a finding, and drops those that it explains. */
    void explain(Finding finding, FindingKind... explained) {
        findings.removeIf(other -> List.of(explained).contains(other.kind()));
        findings.add(finding);
    }

    boolean found(FindingKind kind) {
        return findings.stream().anyMatch(finding -> finding.kind() == kind);
    }

    boolean broken() {
        return findings.stream().anyMatch(finding -> finding.severity() == Severity.ERROR);
    }

    /** The ternary tensors so far. */
    List<TernarySuspicion.Sample> samples() {
        return tensors.stream()
                .filter(tensor -> tensor.counts() != null && tensor.scale() != null)
                .map(tensor -> new TernarySuspicion.Sample(
                        tensor.name(), Objects.requireNonNull(tensor.counts()), Objects.requireNonNull(tensor.scale())))
                .toList();
    }

    Inspection build(Inspection.Kind kind, Path path, long bytes, String format, String architecture) {
        SequencedMap<String, TypeTotal> types = new LinkedHashMap<>();
        for (TensorFacts tensor : tensors) {
            types.merge(
                    tensor.type(),
                    new TypeTotal(1, tensor.bytes()),
                    (a, b) -> new TypeTotal(a.tensors() + b.tensors(), a.bytes() + b.bytes()));
        }
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
                overview(samples()),
                tokenizer,
                outtypes,
                probe,
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
