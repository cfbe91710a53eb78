#!/usr/bin/env python3
"""Makes testdata/tokenizers/pipelines: small tokenizers, each with another way of cutting and changing text, trained on the
texts of tiny.encode.jsonl and golden/heldout_text.txt, and what Hugging Face's tokenizers and Google's sentencepiece make of
those texts. Needs tokenizers 0.23.2 and sentencepiece 0.2.2; trainers are deterministic, so a second run changes nothing."""
import gzip
import io
import json
import os
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "pipelines")
texts = [json.loads(line)["text"] for line in open(os.path.join(here, "tiny.encode.jsonl"), encoding="utf-8")]
held_out = open(os.path.join(here, "../golden/heldout_text.txt"), encoding="utf-8").read()
corpus = texts * 3 + held_out.split("\n")

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
CASED = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
CASED2 = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
GPT4O = f"{CASED}{ENDING}|{CASED2}{ENDING}|\\p{{N}}{{1,3}}|{REST}"
TEKKEN = f"{CASED}|{CASED2}|\\p{{N}}|{REST}"
V3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^""" "\r\n" r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" "\r\n"
      r"]*|\s*[" "\r\n" r"]+|\s+(?!\S)|\s+")
LATIN = ("\\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373"
         "\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F"
         "\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77"
         "\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D"
         "\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4"
         "\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139"
         "\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D"
         "\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A"
         "\uFF41-\uFF5A\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-"
         "\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+")
CJK = "[一-龥ࠀ-一가-\ud7ff]+"


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def byte_level(regex=False, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def digits(single):
    return pre_tokenizers.Digits(individual_digits=single)


NFC = normalizers.NFC()
# name: normalizer, pre-tokenizers, ignore_merges
BYTE_LEVEL = {
    "llama-bpe": (None, [split(LLAMA3), byte_level()], True),
    "gpt-2": (None, [byte_level(True)], False),
    "qwen2": (NFC, [split(QWEN2), byte_level()], False),
    "stablelm2": (None, [split(QWEN2, "removed", True), byte_level()], False),
    "smollm": (None, [digits(True), byte_level(True)], False),
    "command-r": (NFC, [digits(True), byte_level(True)], False),
    "mpt": (NFC, [byte_level(True)], False),
    "falcon": (None, [pre_tokenizers.Punctuation("contiguous"), byte_level(True), digits(False), split("[0-9][0-9][0-9]")], False),
    "deepseek-llm": (None, [split("[\r\n]"), split(LATIN), split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), split("\\s+$"), split(CJK),
                            digits(True), byte_level()], False),
    "deepseek-coder": (None, [split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"), split(CJK), digits(True), byte_level()],
                       False),
    "deepseek-v3": (None, [split("\\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(V3), byte_level()], False),
    "gpt-4o": (None, [split(GPT4O), byte_level()], False),
    "tekken": (None, [split(TEKKEN), byte_level()], True),
    "other-lookaround": (normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.StripAccents()]),
                         [split(r"(?<=[a-z])(?=[0-9])|\d{2,4}?|[^\W\d_]++|(?<!\s)\s{2}", "merged_with_next"),
                          split(" ", "merged_with_previous"), byte_level(True, True)], False),
    "other-gap": (normalizers.Replace(Regex(r"\s+$"), " "),
                  [pre_tokenizers.WhitespaceSplit(), split(r"\b[A-Z]\w*?s?\b|[\p{L}&&[^a-c]]{3}", "contiguous"),
                   byte_level(False, True)], False),
}


def specials(tokenizer, count):
    """Special and plain added tokens with each flag; a mask behind all others."""
    tokenizer.add_special_tokens(["<|endoftext|>", AddedToken("<|eot_id|>", rstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("once upon", normalized=True, lstrip=True), AddedToken("[X]", normalized=False, single_word=True)])
    tokenizer.add_special_tokens(["|<MASK>|"])


def write(name, files):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    for file, data in files.items():
        if file.endswith(".gz"):
            buffer = io.BytesIO()
            with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=9) as stream:
                stream.write(data)
            data = buffer.getvalue()
        with open(os.path.join(folder, file), "wb") as stream:
            stream.write(data)


def golden(tokenizer):
    cases = {"ids": [], "ids_special_as_text": [], "decoded": []}
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases["ids"].append(ids)
        cases["decoded"].append(tokenizer.decode(ids, skip_special_tokens=False))
    tokenizer.encode_special_tokens = True
    cases["ids_special_as_text"] = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    tokenizer.encode_special_tokens = False
    return cases


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


for name, (normalizer, steps, ignore) in BYTE_LEVEL.items():
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=1400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    specials(tokenizer, 1400)
    write(name, {"tokenizer.json.gz": tokenizer.to_str().encode("utf-8"), "golden.json.gz": dump(golden(tokenizer))})


def merges_of(pieces):
    """All pairs of pieces that make a piece, in the order of their scores: what HF's converter makes of a SentencePiece model."""
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    merges = []
    for piece, score in pieces:
        local = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids]
        merges += sorted(local, key=lambda m: (ids[m[0]], ids[m[1]]))
    merges.sort(key=lambda m: (m[2], len(m[0]), len(m[1])), reverse=True)
    return [(left, right) for left, right, _ in merges]


MARK = "▁"
# name: trainer options, then the form of tokenizer.json: legacy, first, or none
SENTENCE_PIECE = {
    "spm-bpe": (dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False), "legacy"),
    "spm-bpe-first": (dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False), "first"),
    "spm-bpe-bare": (dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False,
                          add_dummy_prefix=False), "bare"),
    "spm-bpe-nfkc": (dict(model_type="bpe", normalization_rule_name="nmt_nfkc", byte_fallback=False), "none"),
    "spm-unigram": (dict(model_type="unigram", normalization_rule_name="nmt_nfkc", byte_fallback=False), "unigram"),
    "spm-unigram-bytes": (dict(model_type="unigram", normalization_rule_name="identity", byte_fallback=True,
                               user_defined_symbols=["<sep>", "once upon"]), "none"),
}
for name, (options, form) in SENTENCE_PIECE.items():
    buffer = io.BytesIO()
    sentences = [line for text in corpus for line in text.replace("\0", "").split("\n") if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=buffer, vocab_size=1000, character_coverage=0.98, num_threads=1,
        minloglevel=2, hard_vocab_limit=False, **options)
    processor = sentencepiece.SentencePieceProcessor(model_proto=buffer.getvalue())
    files = {"tokenizer.model": buffer.getvalue()}
    cases = {"sentencepiece_ids": [processor.encode(text) for text in texts],
             "sentencepiece_decoded": [processor.decode(processor.encode(text)) for text in texts]}
    pieces = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]
    tokenizer = None
    if form in ("legacy", "first", "bare"):
        tokenizer = Tokenizer(models.BPE(
            {piece: i for i, (piece, _) in enumerate(pieces)}, merges_of(pieces), unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        replace = normalizers.Replace(" ", MARK)
        if form == "legacy":
            tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), replace])
        elif form == "first":
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(MARK, prepend_scheme="first", split=False)
        else:
            tokenizer.normalizer = replace
            tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        back = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
        tokenizer.decoder = decoders.Sequence(back if form == "bare" else back + [decoders.Strip(" ", 1, 0)])
    elif form == "unigram":
        tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
        proto = processor.serialized_model_proto()
        import sentencepiece.sentencepiece_model_pb2 as schema
        model = schema.ModelProto.FromString(proto)
        tokenizer.normalizer = normalizers.Sequence([
            normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap), normalizers.Replace(Regex(" {2,}"), " ")])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(MARK, prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace(MARK, prepend_scheme="always")
    if tokenizer is not None:
        tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
        specials(tokenizer, 1000)
        files["tokenizer.json.gz"] = tokenizer.to_str().encode("utf-8")
        cases.update(golden(tokenizer))
    files["golden.json.gz"] = dump(cases)
    write(name, files)
