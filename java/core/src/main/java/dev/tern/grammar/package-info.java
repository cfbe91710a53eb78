/**
 * Texts that follow rules: grammars in GBNF, JSON and JSON Schema, and which tokens they let come next.
 *
 * <p>A grammar becomes a pushdown automaton over the bytes of UTF-8. Its configurations are made and numbered as they
 * are met, and the tokens of a vocabulary are tried against one all at once, along a trie of their bytes.
 */
@NullMarked
package dev.tern.grammar;

import org.jspecify.annotations.NullMarked;
