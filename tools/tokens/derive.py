#!/usr/bin/env python3
"""Makes the tokenizers that no package holds as a file out of those that fetch.py laid in DIR: derive.py [--to DIR]

Conversions, with the vocabulary of the original:

    llama-2.json .model      from the JavaScript of llama-tokenizer-js
    bert-uncased.json        from the vocabulary of bert-tokenizer
    clip.json                from the merges of open_clip
    phi-2.json               GPT-2 and the white-space tokens of CodeGen
    phi-3.json               Llama 2 and the added tokens of Phi-3
    phi-4.json               cl100k and the added tokens of Phi-4
    *.gguf                   the vocabulary as llama.cpp's converter writes it
"""
import argparse
import base64
import gzip
import json
import re
from pathlib import Path

import gguf
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, decoders

import pipelines
from pipelines import BOS, CL100K, CLIP, PREPEND, chat, plain, saved, special


def llama2(folder):
    source = (folder / "llama-2-source.source.js").read_text()
    words = base64.b64decode(re.search(r'llama_vocab_base64 = "([^"]*)"', source).group(1)).decode().split("\n")
    model = sentencepiece_model_pb2.ModelProto()
    for index, word in enumerate(words):
        kind = 2 if index == 0 else 3 if index < 3 else 6 if index < 259 else 1
        model.pieces.add(piece=word, score=0.0 if index < 259 else 259.0 - index, type=kind)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.byte_fallback, trainer.vocab_size, trainer.split_digits = 2, True, len(words), True
    normalizer.name, normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces = "identity", True, False
    normalizer.escape_whitespaces = True
    (folder / "llama-2.model").write_bytes(model.SerializeToString())
    (folder / "llama-2.json").write_bytes(pipelines.fallback_bpe(model, PREPEND, after=BOS))
    added = [special("<|endoftext|>")] + [special(name, rstrip=True) for name in (
        "<|assistant|>", "<|placeholder1|>", "<|placeholder2|>", "<|placeholder3|>", "<|placeholder4|>", "<|system|>", "<|end|>",
        "<|placeholder5|>", "<|placeholder6|>", "<|user|>")]
    (folder / "phi-3.json").write_bytes(pipelines.fallback_bpe(model, PREPEND, added=added))


def bert(folder):
    words = json.loads((folder / "bert-uncased.vocab.json").read_text())
    words[1] = "[unused0]"
    vocabulary = {}
    for index, word in enumerate(words):
        if word.startswith("▁") and len(word) > 1:
            word = word[1:]
        elif not re.fullmatch(r"\[(PAD|UNK|CLS|SEP|MASK|unused\d+)\]", word):
            word = "##" + word
        vocabulary[word] = index
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_tokens(chat("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))
    tokenizer.post_processor = pipelines.template("[CLS] $A [SEP]", "[CLS]", "[SEP]")(tokenizer)
    (folder / "bert-uncased.json").write_bytes(saved(tokenizer))


def clip(folder):
    lines = gzip.open(folder / "clip.clip.txt.gz").read().decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1:49152 - 256 - 2 + 1]]
    letters = sorted(pipelines.BYTES, key=lambda letter: (letter >= "Ā", ord(letter)))
    words = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges] + ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges, unk_token="<|endoftext|>", end_of_word_suffix="</w>",
                                     continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(pipelines.Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pipelines.sequence([pipelines.split(pipelines.Regex(CLIP), "removed", True),
                                                  pipelines.byte_level(add_prefix_space=False)])
    tokenizer.add_tokens([special("<|startoftext|>", normalized=True), special("<|endoftext|>")])
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", 49407), ("<|startoftext|>", 49406), add_prefix_space=False)
    (folder / "clip.json").write_bytes(saved(tokenizer))


def phi2(folder):
    tokenizer = Tokenizer.from_file(str(folder / "gpt-2.json"))
    tokenizer.add_tokens([plain(" " * n, normalized=True) for n in range(31, 1, -1)] + [plain("\t" * n, normalized=True) for n in range(9, 1, -1)])
    (folder / "phi-2.json").write_bytes(saved(tokenizer))


def merges_of_ranks(ranks):
    """The pairs of bytes that BPE merges, in the order of the ranks."""
    pairs = []
    for token, rank in ranks.items():
        parts = [bytes([byte]) for byte in token]
        while len(parts) > 2:
            best = min((i for i in range(len(parts) - 1)), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
            if ranks.get(parts[best] + parts[best + 1], 1 << 30) >= rank:
                break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        if len(parts) == 2:
            pairs.append((rank, parts))
    return [tuple(pair) for _, pair in sorted(pairs)]


def phi4(folder):
    lines = (folder / "cl100k_base.tiktoken").read_bytes().split(b"\n")
    ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in lines if line}
    letter = {byte: text for text, byte in pipelines.BYTES.items()}

    def written(token):
        return "".join(letter[byte] for byte in token)

    merges = [(written(left), written(right)) for left, right in merges_of_ranks(ranks)]
    tokenizer = Tokenizer(models.BPE({written(token): rank for token, rank in ranks.items()}, merges))
    tokenizer.pre_tokenizer = pipelines.regex_bytes(CL100K)
    tokenizer.decoder = decoders.ByteLevel()
    names = {100257: "<|endoftext|>", 100258: "<|fim_prefix|>", 100259: "<|fim_middle|>", 100260: "<|fim_suffix|>", 100264: "<|im_start|>",
             100265: "<|im_end|>", 100266: "<|im_sep|>", 100276: "<|endofprompt|>"}
    tokenizer.add_tokens([special(names.get(i, f"<|dummy_{i}|>"), lstrip=True, rstrip=True) for i in range(100256, 100277)])
    (folder / "phi-4.json").write_bytes(saved(tokenizer))


# GGUF: kind of model, name of the split pattern, source.
GGUFS = {
    "llama-2": ("llama", "default", "llama-2.model"), "mistral-v1": ("llama", "default", "mistral-v1.model"),
    "gpt-2": ("gpt2", "gpt-2", "gpt-2.json"), "llama-3": ("gpt2", "llama-bpe", "llama-3.json"), "qwen-2.5": ("gpt2", "qwen2", "qwen-2.5.json"),
    "deepseek-v3": ("gpt2", "deepseek-v3", "deepseek-v3.json"), "gpt-4o": ("gpt2", "gpt-4o", "gpt-4o.json"),
    "mistral-nemo": ("gpt2", "tekken", "mistral-nemo.json"), "command-r": ("gpt2", "command-r", "command-r-plus.json"),
    "t5": ("t5", "default", "trained-t5.model"), "bert-uncased": ("bert", "jina-v2-en", "bert-uncased.json"),
}


def write_gguf(target, kind, split, source):
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_tokenizer_model(kind)
    writer.add_tokenizer_pre(split)
    if source.suffix == ".model":
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(source.read_bytes())
        writer.add_token_list([piece.piece.encode() for piece in model.pieces])
        writer.add_token_scores([piece.score for piece in model.pieces])
        writer.add_token_types([int(piece.type) for piece in model.pieces])
        writer.add_add_space_prefix(model.normalizer_spec.add_dummy_prefix)
        writer.add_remove_extra_whitespaces(model.normalizer_spec.remove_extra_whitespaces)
        if model.normalizer_spec.precompiled_charsmap:
            writer.add_precompiled_charsmap(model.normalizer_spec.precompiled_charsmap)
        for key, value in (("bos", model.trainer_spec.bos_id), ("eos", model.trainer_spec.eos_id), ("unk", model.trainer_spec.unk_id)):
            if value >= 0:
                getattr(writer, f"add_{key}_token_id")(value)
        writer.add_add_bos_token(kind == "llama")
    else:
        data = json.loads(source.read_text())
        words = {index: (word, gguf.TokenType.NORMAL) for word, index in data["model"]["vocab"].items()}
        for token in data["added_tokens"]:
            words[token["id"]] = (token["content"], gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED)
        for index in range(max(words)):
            words.setdefault(index, (f"[PAD{index}]", gguf.TokenType.UNUSED))
        if kind == "bert":
            words = {i: (word if t != gguf.TokenType.NORMAL or word.startswith("[unused") else word[2:] if word.startswith("##") else "▁" + word, t)
                     for i, (word, t) in words.items()}
        writer.add_token_list([words[i][0].encode() for i in range(len(words))])
        writer.add_token_types([int(words[i][1]) for i in range(len(words))])
        if kind == "gpt2":
            writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in data["model"]["merges"]])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--to", default="build/tokenizers")
    folder = Path(options.parse_args().to)
    for make in (llama2, bert, clip, phi2, phi4):
        make(folder)
    for name, (kind, split, source) in GGUFS.items():
        if (folder / source).exists():
            write_gguf(folder / f"{name}.gguf", kind, split, folder / source)


if __name__ == "__main__":
    main()
