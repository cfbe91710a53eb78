package dev.tern.model;

import java.util.List;

/**
 * The tokens of the pass at hand: spans of one sequence or several, one behind the other in the pass's memory. What
 * reads weights takes them as one batch; what reads caches goes by span. Reused from pass to pass; the members of a
 * team read it.
 */
final class PassTokens {
    private List<TokenSpan> spans = List.of();
    private final SpanView all = new SpanView();
    private final SpanView wanted = new SpanView();
    private final OutputRows output = new OutputRows();

    /**
     * The spans of a pass; everything has been checked.
     *
     * @param width floats that are wanted of a token
     */
    void set(List<TokenSpan> of, int width) {
        clear();
        spans = of;
        output.clear(width);
        for (int s = 0; s < of.size(); s++) {
            TokenSpan span = of.get(s);
            int row = all.tokens();
            all.add(row, span.position(), span.count());
            wanted.add(row + span.firstLogits(), span.position() + span.firstLogits(), span.wanted());
            output.add(span.logits(), span.wanted());
        }
    }

    /** Forgets them: a pass is over. */
    void clear() {
        spans = List.of();
        all.clear();
        wanted.clear();
        output.clear(0);
    }

    TokenSpan span(int s) {
        return spans.get(s);
    }

    /** All tokens. */
    SpanView all() {
        return all;
    }

    /** Those whose logits, or states, are wanted. */
    SpanView wanted() {
        return wanted;
    }

    /** Where the logits of {@link #wanted} belong, or their states. */
    OutputRows output() {
        return output;
    }

    /** Id of the token in a row of the pass's memory. */
    int id(int row) {
        int s = all.spanOf(row);
        TokenSpan span = spans.get(s);
        return span.ids()[span.first() + row - all.row(s)];
    }
}
