/**
 * Tern's library: load a model, generate text, keep sessions, measure.
 *
 * <pre>{@code
 * try (Model model = Model.load(Path.of("model.gguf"))) {
 *     model.generate("The capital of France is", GenerationOptions.builder().maxTokens(64).build())
 *             .forEach(token -> System.out.print(token.text()));
 * }
 * }</pre>
 */
@NullMarked
package dev.tern;

import org.jspecify.annotations.NullMarked;
