package dev.tern.template;

import dev.tern.io.InputException;
import dev.tern.template.Token.Kind;
import java.util.List;

/** The parsers' place in the tokens. */
final class Tokens {
    /** Deeper nesting is no template, but would end Java's stack. */
    private static final int MAX_DEPTH = 150;

    private final Source source;
    private final List<Token> tokens;
    private int next;
    private int depth;

    Tokens(Source source) {
        this.source = source;
        this.tokens = Lexer.tokens(source);
    }

    Token peek() {
        return tokens.get(next);
    }

    Token peekSecond() {
        return tokens.get(Math.min(next + 1, tokens.size() - 1));
    }

    Token take() {
        Token token = tokens.get(next);
        if (next < tokens.size() - 1) {
            next++;
        }
        return token;
    }

    boolean takeOperator(String operator) {
        return takeIf(peek().isOperator(operator));
    }

    boolean takeName(String name) {
        return takeIf(peek().isName(name));
    }

    private boolean takeIf(boolean matches) {
        if (matches) {
            take();
        }
        return matches;
    }

    void expectOperator(String operator) {
        if (!takeOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    Token expect(Kind kind, String what) {
        if (peek().kind() != kind) {
            throw unexpected(what);
        }
        return take();
    }

    InputException unexpected(String expected) {
        return source.error(peek().at()).expected(expected).found(peek().described()).exception();
    }

    InputException error(int at, String problem) {
        return source.error(at).problem(problem).exception();
    }

    /** Where the parser is, for {@link #namedSince}. */
    int position() {
        return next;
    }

    /** Whether the name stands between there and here. */
    boolean namedSince(int position, String name) {
        return tokens.subList(position, next).stream().anyMatch(token -> token.isName(name));
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw source.error(peek().at()).problem("nested more than " + MAX_DEPTH + " levels deep").exception();
        }
    }

    void leave() {
        depth--;
    }
}
