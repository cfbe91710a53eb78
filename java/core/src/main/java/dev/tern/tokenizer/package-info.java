/** Text to token ids and back: BPE and Unigram, equal id for id to Hugging Face's {@code tokenizers}. */
@NullMarked
package dev.tern.tokenizer;

import org.jspecify.annotations.NullMarked;
