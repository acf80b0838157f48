"""The pipelines of well known tokenizers, with vocabularies trained here.

Each function of PIPELINES takes texts and a size and returns {suffix: bytes}: the files of a tokenizer with that
family's normaliser, pre-tokenizer, model options, added tokens and post-processor, and a vocabulary made from the
texts by the trainer of the reference library.  Where a family has two formats, both hold the same vocabulary.
"""
import base64
import io
import json

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
WORDS = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+%s"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*%s")
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = WORDS % (END, END) + r"|\p{N}{1,3}" + TAIL
TEKKEN = WORDS % ("", "") + r"|\p{N}" + TAIL
KIMI = (r"[\p{Han}]+|" + (WORDS % (END, END)).replace(r"\p{M}]", r"\p{M}&&[^\p{Han}]]")
        + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
            "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

split, byte_level, sequence = pre_tokenizers.Split, pre_tokenizers.ByteLevel, pre_tokenizers.Sequence


def special(content, **flags):
    return AddedToken(content, special=True, normalized=flags.pop("normalized", False), **flags)


def plain(content, **flags):
    return AddedToken(content, special=False, normalized=flags.pop("normalized", False), **flags)


def saved(tokenizer, change=None):
    data = json.loads(tokenizer.to_str())
    if change:
        change(data)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def template(single, *names):
    return lambda tokenizer: processors.TemplateProcessing(single=single, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names])


def bytes_bpe(texts, size, before, normalizer=None, added=(), after=None, change=None, **options):
    """BPE over the bytes, like GPT-2."""
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = before
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens(list(added))
    if after:
        tokenizer.post_processor = after(tokenizer)
    return {".json": saved(tokenizer, change)}


def regex_bytes(*patterns, behaviour="isolated", invert=False):
    return sequence([split(Regex(pattern), behaviour, invert) for pattern in patterns]
                    + [byte_level(add_prefix_space=False, use_regex=False)])


def chat(*names):
    return [special(name) for name in names]


def gpt2(texts, size):
    return bytes_bpe(texts, size, byte_level(add_prefix_space=False), added=chat("<|endoftext|>"), after=lambda _: processors.ByteLevel(trim_offsets=False))


def roberta(texts, size):
    added = chat("<s>", "<pad>", "</s>", "<unk>") + [special("<mask>", lstrip=True)]
    return bytes_bpe(texts, size, byte_level(add_prefix_space=True), added=added,
                     after=lambda t: processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>"))))


def phi2(texts, size):
    added = chat("<|endoftext|>") + [plain(" " * n, normalized=True) for n in range(31, 1, -1)] + [plain("\t" * n, normalized=True) for n in range(9, 1, -1)]
    return bytes_bpe(texts, size, byte_level(add_prefix_space=False), added=added)


def whole_words(data):
    """Tokens that no merge makes: with ignore_merges they are found all the same."""
    data["model"]["ignore_merges"] = True
    vocabulary = data["model"]["vocab"]
    shift = {}
    words = [word for word in ("ĠUnreachable", "Whole", "ä¸ĬæµķĬ", "12", "ĠĠĠĠĠĠĠ") if word not in vocabulary]
    first = max(vocabulary.values()) + 1
    for token in data["added_tokens"]:
        shift[token["id"]] = token["id"] + len(words)
        token["id"] += len(words)
    vocabulary.update({word: first + i for i, word in enumerate(words)})
    for processor in (data["post_processor"] or {}).get("processors", []):
        for token in processor.get("special_tokens", {}).values():
            token["ids"] = [shift[i] for i in token["ids"]]


def llama3(texts, size):
    def after(tokenizer):
        return processors.Sequence([processors.ByteLevel(trim_offsets=False), template("<|begin_of_text|> $A", "<|begin_of_text|>")(tokenizer)])
    added = chat("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|reserved_special_token_0|>")
    return bytes_bpe(texts, size, regex_bytes(CL100K), added=added, after=after, change=whole_words)


def phi4(texts, size):
    added = [special(name, lstrip=True, rstrip=True) for name in ("<|im_start|>", "<|im_sep|>", "<|im_end|>", "<|endoftext|>")]
    return bytes_bpe(texts, size, regex_bytes(CL100K), added=added)


QWEN_CHAT = chat("<|endoftext|>", "<|im_start|>", "<|im_end|>") + [plain("<tool_call>"), plain("</tool_call>"), plain("<think>"), plain("</think>")]


def qwen2(texts, size):
    return bytes_bpe(texts, size, regex_bytes(QWEN2), normalizers.NFC(), QWEN_CHAT, lambda _: processors.ByteLevel(trim_offsets=False))


def qwen35(texts, size):
    return bytes_bpe(texts, size, regex_bytes(QWEN35), normalizers.NFC(), QWEN_CHAT)


def deepseek(texts, size):
    added = chat("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>") + [plain("<｜User｜>", normalized=True), plain("<｜Assistant｜>", normalized=True),
                                                             special("<|EOT|>", normalized=True), plain("<｜fim▁hole｜>", normalized=True)]
    return bytes_bpe(texts, size, regex_bytes(*DEEPSEEK), normalizers.Sequence([]), added, lambda _: processors.ByteLevel(trim_offsets=False))


def gpt4o(texts, size):
    return bytes_bpe(texts, size, regex_bytes(O200K, behaviour="removed", invert=True), added=chat("<|endoftext|>", "<|endofprompt|>"))


def tekken_hf(texts, size):
    return bytes_bpe(texts, size, regex_bytes(TEKKEN), added=chat("<unk>", "<s>", "</s>", "[INST]", "[/INST]"), after=template("<s> $A", "<s>"))


def falcon(texts, size):
    before = sequence([pre_tokenizers.Punctuation("contiguous"), byte_level(add_prefix_space=False), pre_tokenizers.Digits(False),
                       split(Regex("[0-9][0-9][0-9]"), "isolated")])
    return bytes_bpe(texts, size, before, added=chat(">>TITLE<<", ">>QUESTION<<", "<|endoftext|>"))


def bloom(texts, size):
    return bytes_bpe(texts, size, regex_bytes(BLOOM), added=chat("<unk>", "<s>", "</s>", "<pad>"))


def starcoder(texts, size):
    before = sequence([pre_tokenizers.Digits(True), byte_level(add_prefix_space=False)])
    return bytes_bpe(texts, size, before, added=chat("<|endoftext|>", "<fim_prefix>", "<filename>"))


def command_r(texts, size):
    before = sequence([pre_tokenizers.Digits(True), byte_level(add_prefix_space=False)])
    added = chat("<BOS_TOKEN>", "<EOS_TOKEN>") + [plain("<|START_OF_TURN_TOKEN|>"), plain("<|END_OF_TURN_TOKEN|>")]
    return bytes_bpe(texts, size, before, normalizers.NFC(), added,
                     template("<BOS_TOKEN> $A <|END_OF_TURN_TOKEN|> <EOS_TOKEN>", "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>"))


def claude(texts, size):
    return bytes_bpe(texts, size, byte_level(add_prefix_space=False), normalizers.NFKC(), chat("<EOT>", "<META>"))


def clip(texts, size):
    """BPE with an end-of-word mark over bytes, lowercased."""
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = sequence([split(Regex(CLIP), "removed", True), byte_level(add_prefix_space=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    marks = [special("<|startoftext|>", normalized=True), special("<|endoftext|>")]
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, special_tokens=marks, end_of_word_suffix="</w>", show_progress=False)
    # Every letter is also wanted as the end of a word.
    tokenizer.train_from_iterator(list(texts) + [" ".join(chr(c) for c in range(0x21, 0x180))] * 3, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>")),
                                                            ("<|startoftext|>", tokenizer.token_to_id("<|startoftext|>")), add_prefix_space=False)
    return {".json": saved(tokenizer)}


# SentencePiece, and the tokenizer.json of the same vocabulary.

COVERAGE = 0.98  # low, so that some letters are unknown or become bytes
SMALL_RULES = None  # the path of normalisation rules, in the place of the 240 KB of NFKC

def train_pieces(texts, size, **options):
    out = io.BytesIO()
    if SMALL_RULES and options["normalization_rule_name"] != "identity":
        del options["normalization_rule_name"]
        options["normalization_rule_tsv"] = SMALL_RULES
    lines = [line for text in texts for line in text.split("\n") if 0 < len(line.encode()) < 4000 and "\0" not in line]
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=out, vocab_size=size, minloglevel=2,
                                             hard_vocab_limit=False, num_threads=1, max_sentence_length=8000, **options)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(out.getvalue())
    model.trainer_spec.ClearField("input")
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    return model


def merges_of(vocabulary):
    """The pairs of a SentencePiece BPE vocabulary [(piece, score)] in the order in which they are merged."""
    place = {piece: index for index, (piece, _) in enumerate(vocabulary)}
    pairs = []
    for piece, score in vocabulary:
        local = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in place and piece[i:] in place]
        pairs += sorted(local, key=lambda pair: (place[pair[0]], place[pair[1]]))
    return [pair[:2] for pair in sorted(pairs, key=lambda pair: pair[2], reverse=True)]


FALLBACK = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]


def fallback_bpe(model, normalizer=None, before=None, added=(), after=None, change=None):
    """The tokenizer.json of a SentencePiece BPE model with byte fallback."""
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces]
    tokenizer = Tokenizer(models.BPE({piece: i for i, (piece, _) in enumerate(vocabulary)}, merges_of(vocabulary), unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=True))
    if normalizer:
        tokenizer.normalizer = normalizer
    if before:
        tokenizer.pre_tokenizer = before
    tokenizer.decoder = decoders.Sequence(FALLBACK)
    tokenizer.add_tokens([special(piece.piece) for piece in model.pieces if piece.type in (2, 3)] + list(added))
    if after:
        tokenizer.post_processor = after(tokenizer)
    return saved(tokenizer, change)


def llama_pieces(texts, size, **options):
    return train_pieces(texts, size, model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
                        split_digits=True, allow_whitespace_only_pieces=True, character_coverage=COVERAGE, **options)


PREPEND = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
BOS = template("<s> $A", "<s>")


def llama2(texts, size):
    model = llama_pieces(texts, size)
    return {".model": model.SerializeToString(), ".json": fallback_bpe(model, PREPEND, after=BOS)}


def llama2_metaspace(texts, size):
    """As newer conversions write it."""
    before = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    return {".json": fallback_bpe(llama_pieces(texts, size), before=before, after=BOS)}


def phi3(texts, size):
    added = [special("<|endoftext|>")] + [special(name, rstrip=True) for name in ("<|assistant|>", "<|system|>", "<|end|>", "<|user|>")]
    return {".json": fallback_bpe(llama_pieces(texts, size), PREPEND, added=added)}


def prepend_added(texts, size):
    """Added tokens that are looked for in the normalised text, with a normaliser that puts a mark in front."""
    added = [plain("Norm", normalized=True), special("<n>", normalized=True), plain("x y", normalized=True), plain("word", single_word=True),
             special("<x>", normalized=True, lstrip=True), special("<y>", normalized=True, rstrip=True)]
    return {".json": fallback_bpe(llama_pieces(texts, size), PREPEND, added=added)}


def mistral_v3(texts, size):
    """Control and user-defined pieces in the .model."""
    model = llama_pieces(texts, size, control_symbols=["[INST]", "[/INST]", "[TOOL_CALLS]"], user_defined_symbols=["[REF]", "[REFERENCE_DOC_1]"])
    return {".model": model.SerializeToString()}


def gemma(texts, size):
    blanks = ["\n" * n for n in range(2, 6)] + ["▁" * n for n in range(2, 6)] + ["\t", "\t\t", "<h1>", "</h1>", "<start_of_turn>", "<end_of_turn>"]
    model = llama_pieces(texts, size, add_dummy_prefix=False, user_defined_symbols=blanks, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                         pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>")
    added = [plain(name) for name in blanks]
    return {".model": model.SerializeToString(),
            ".json": fallback_bpe(model, normalizers.Replace(" ", "▁"), split(" ", "merged_with_previous"), added, template("<bos> $A", "<bos>"))}


def precompiled(model):
    data = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()}
    return data


def unigram(vocabulary, unk, before, added, after, normalizer, byte_fallback=False):
    """normalizer: as JSON, since a Precompiled one is."""
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk, byte_fallback))
    tokenizer.pre_tokenizer = before
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_tokens(list(added))
    if after:
        tokenizer.post_processor = after(tokenizer)
    return saved(tokenizer, lambda data: data.update(normalizer=normalizer))


def t5(texts, size):
    model = train_pieces(texts, size, model_type="unigram", normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>",
                         character_coverage=COVERAGE)
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces] + [(f"<extra_id_{i}>", 0.0) for i in range(9, -1, -1)]
    added = [special(name) for name in ["<pad>", "</s>", "<unk>"] + [f"<extra_id_{i}>" for i in range(9, -1, -1)]]
    json_file = unigram(vocabulary, 2, pre_tokenizers.Metaspace("▁", "always"), added, template("$A </s>", "</s>"), precompiled(model))
    return {".model": model.SerializeToString(), ".json": json_file}


def fairseq(model, tail):
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(piece.piece, piece.score) for piece in model.pieces[3:]]
    return vocabulary + [(name, 0.0) for name in tail]


def xlmr(texts, size):
    model = train_pieces(texts, size, model_type="unigram", normalization_rule_name="nmt_nfkc", character_coverage=COVERAGE)
    before = sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always")])
    added = chat("<s>", "<pad>", "</s>", "<unk>") + [special("<mask>", lstrip=True)]
    return {".model": model.SerializeToString(),
            ".json": unigram(fairseq(model, ["<mask>"]), 3, before, added, template("<s> $A </s>", "<s>", "</s>"), precompiled(model))}


def mbart(texts, size):
    model = train_pieces(texts, size, model_type="unigram", normalization_rule_name="nmt_nfkc", character_coverage=COVERAGE)
    codes = ["ar_AR", "de_DE", "en_XX", "zh_CN"]
    squeeze = {"type": "Sequence", "normalizers": [precompiled(model), {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
    added = chat("<s>", "<pad>", "</s>", "<unk>", *codes) + [special("<mask>", lstrip=True)]
    return {".json": unigram(fairseq(model, codes + ["<mask>"]), 3, pre_tokenizers.Metaspace("▁", "always"), added,
                             template("$A </s> en_XX", "</s>", "en_XX"), squeeze)}


def albert(texts, size):
    model = train_pieces([text.lower() for text in texts], size, model_type="unigram", normalization_rule_name="nmt_nfkc", character_coverage=COVERAGE,
                         unk_id=1, bos_id=2, eos_id=3, pad_id=0, pad_piece="<pad>", bos_piece="[CLS]", eos_piece="[SEP]")
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces]
    normalizer = {"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"String": "``"}, "content": '"'}, {"type": "Replace", "pattern": {"String": "''"}, "content": '"'},
        {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, precompiled(model),
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
    before = sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always")])
    added = chat("<pad>", "<unk>", "[CLS]", "[SEP]") + [special("[MASK]", lstrip=True)]
    return {".json": unigram(vocabulary + [("[MASK]", 0.0)], 1, before, added, template("[CLS] $A [SEP]", "[CLS]", "[SEP]"), normalizer)}


def unigram_fallback(texts, size):
    """Unigram with byte fallback, white space at the end of a piece, digits split: the rarer options of a .model."""
    model = train_pieces(texts, size, model_type="unigram", normalization_rule_name="nfkc", byte_fallback=True, treat_whitespace_as_suffix=True,
                         split_digits=True, user_defined_symbols=["<sep>", "<cls>"], character_coverage=COVERAGE)
    return {".model": model.SerializeToString()}


def unigram_bytes(texts, size):
    """The tokenizer.json of a unigram model with byte fallback."""
    model = train_pieces(texts, size, model_type="unigram", normalization_rule_name="nmt_nfkc", byte_fallback=True, character_coverage=COVERAGE)
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces]
    return {".json": unigram(vocabulary, 0, pre_tokenizers.Metaspace("▁", "first"), chat("<unk>", "<s>", "</s>"), None, precompiled(model), True)}


def pieces_casefold(texts, size):
    """BPE without byte fallback, the case-folding normaliser."""
    return {".model": train_pieces(texts, size, model_type="bpe", normalization_rule_name="nmt_nfkc_cf", character_coverage=COVERAGE).SerializeToString()}


def pieces_char(texts, size):
    return {".model": train_pieces(texts, size, model_type="char", normalization_rule_name="nmt_nfkc", character_coverage=COVERAGE).SerializeToString()}


def pieces_word(texts, size):
    return {".model": train_pieces(texts, size, model_type="word", normalization_rule_name="nmt_nfkc", use_all_vocab=True).SerializeToString()}


def wordpiece(texts, size, lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=chat(*names), show_progress=False))
    tokenizer.post_processor = template("[CLS] $A [SEP]", "[CLS]", "[SEP]")(tokenizer)
    return {".json": saved(tokenizer)}


def bert_uncased(texts, size):
    return wordpiece(texts, size, True)


def bert_cased(texts, size):
    """DistilBERT and BERT multilingual cased."""
    return wordpiece(texts, size, False)


# Ranks for tiktoken.

VISIBLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
HIDDEN = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE} | {chr(256 + i): byte for i, byte in enumerate(HIDDEN)}


def to_bytes(token):
    return bytes(BYTES[letter] for letter in token)


def ranks(texts, size, pattern):
    data = json.loads(bytes_bpe(texts, size, regex_bytes(pattern))[".json"])
    vocabulary = sorted(data["model"]["vocab"].items(), key=lambda entry: entry[1])
    return {".tiktoken": b"".join(base64.b64encode(to_bytes(token)) + b" %d\n" % rank for token, rank in vocabulary)}


def cl100k(texts, size):
    return ranks(texts, size, CL100K)


def o200k(texts, size):
    return ranks(texts, size, O200K)


def kimi(texts, size):
    return ranks(texts, size, KIMI.replace("&&[^\\p{Han}]", ""))


# The behaviours of Split and Punctuation, and rarer normalisers, one pipeline each.

def odd(before, normalizer=None, **options):
    def make(texts, size):
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", **options))
        if normalizer:
            tokenizer.normalizer = normalizer
        if before:
            tokenizer.pre_tokenizer = before
        tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=chat("[UNK]"), show_progress=False,
                                                                 max_token_length=12))
        tokenizer.add_tokens([AddedToken("whole", single_word=True, normalized=True), AddedToken("Strip", lstrip=True, rstrip=True, normalized=True),
                              special("<x>", lstrip=True), special("<y>", rstrip=True), plain("Ünï", normalized=True), plain("raw É"),
                              plain("<|a|>"), plain("<|a|><|b|>"), plain("a  b", normalized=True)])
        return {".json": saved(tokenizer)}
    return make


BEHAVIOURS = ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous")
PIPELINES = {name: globals()[name] for name in (
    "gpt2 roberta phi2 llama3 phi4 qwen2 qwen35 deepseek gpt4o tekken_hf falcon bloom starcoder command_r claude clip llama2 llama2_metaspace phi3 prepend_added "
    "mistral_v3 gemma t5 xlmr mbart albert unigram_fallback unigram_bytes pieces_casefold pieces_char pieces_word bert_uncased bert_cased cl100k o200k kimi").split()}
for one in BEHAVIOURS:
    PIPELINES["split_" + one] = odd(split(Regex(r"\d+|[aeiou]"), one))
    PIPELINES["split_inverted_" + one] = odd(split(Regex(r"\p{L}+"), one, invert=True), fuse_unk=True)
    PIPELINES["punctuation_" + one] = odd(pre_tokenizers.Punctuation(one), normalizers.NFD())
PIPELINES.update({
    "whitespace": odd(pre_tokenizers.Whitespace(), normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])),
    "strip": odd(sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(False)]),
                 normalizers.Sequence([normalizers.Nmt(), normalizers.Strip(), normalizers.NFKD(), normalizers.StripAccents()])),
    "delimiter": odd(pre_tokenizers.CharDelimiterSplit(","), normalizers.Replace(Regex(r"[0-9]{2,}"), "#")),
    "metaspace_never": odd(pre_tokenizers.Metaspace("_", prepend_scheme="never", split=True)),
    "metaspace_first": odd(pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=True)),
    "continuing": odd(pre_tokenizers.BertPreTokenizer(), continuing_subword_prefix="##"),
})
PUBLISHED = {"cl100k": "cl100k_base", "o200k": "o200k_base", "kimi": "kimi"}
