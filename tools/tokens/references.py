"""The reference of each tokenizer: of(path) gives functions of a text that return its ids."""
import base64
import json
import os
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pipelines  # noqa: E402

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def numbered(names, first):
    return {name: first + i for i, name in enumerate(names)}


def llama3_special():
    names = ("<|begin_of_text|> <|end_of_text|> <|reserved_special_token_0|> <|reserved_special_token_1|> <|finetune_right_pad_id|> <|step_id|> "
             "<|start_header_id|> <|end_header_id|> <|eom_id|> <|eot_id|> <|python_tag|> <|image|>").split()
    return numbered(names + [f"<|reserved_special_token_{2 + i}|>" for i in range(256 - len(names))], 128000)


def llama4_special():
    def reserved(kind, first, count):
        return [f"<|{kind}_reserved_special_token_{first + i}|>" for i in range(count)]

    def names(words):
        return [f"<|{word}|>" for word in words.split()]

    said = (names("begin_of_text end_of_text fim_prefix fim_middle fim_suffix header_start header_end eom eot step")
            + reserved("text_post_train", 0, 6) + names("python_start python_end finetune_right_pad") + reserved("text_post_train", 8, 61)
            + names("image_start image_end") + reserved("vision", 0, 2) + names("tile_x_separator tile_y_separator") + reserved("vision", 2, 4)
            + names("image") + reserved("vision", 6, 1) + names("patch") + reserved("vision", 7, 1041)
            + reserved("reasoning", 0, 8) + names("reasoning_thinking_start reasoning_thinking_end"))
    return numbered(said + [f"<|reserved_special_token_{i}|>" for i in range(2048 - len(said))], 200000)


# The published pattern and special tokens of an encoding; "" is what a file of ranks alone says.
ENCODINGS = {
    "gpt2": (GPT2, {"<|endoftext|>": 50256}),
    "r50k_base": (GPT2, {"<|endoftext|>": 50256}),
    "p50k_base": (GPT2, {"<|endoftext|>": 50256}),
    "cl100k_base": (pipelines.CL100K, {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260,
                                       "<|endofprompt|>": 100276}),
    "o200k_base": (pipelines.O200K, {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
    "qwen": (pipelines.QWEN2, numbered(["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [f"<|extra_{i}|>" for i in range(205)], 151643)),
    "llama3": (pipelines.CL100K, llama3_special()),
    "llama4": (pipelines.O200K, llama4_special()),
    "whisper": (GPT2, {"<|endoftext|>": 50257}),
    "kimi": (pipelines.KIMI, {}),
    "deepseek": ("|".join(pipelines.DEEPSEEK), {}),
}


def published(name):
    """What tiktoken itself says, where it has the encoding: so a slip of the pen here is found."""
    try:
        from tiktoken_ext import openai_public
    except ImportError:
        return
    import tiktoken.load
    make = getattr(openai_public, name, None)
    if make is None:
        return
    load, bpe = openai_public.load_tiktoken_bpe, openai_public.data_gym_to_mergeable_bpe_ranks
    openai_public.load_tiktoken_bpe = openai_public.data_gym_to_mergeable_bpe_ranks = lambda *_, **__: {}
    try:
        said = make()
    finally:
        openai_public.load_tiktoken_bpe, openai_public.data_gym_to_mergeable_bpe_ranks = load, bpe
    pattern, special = ENCODINGS[name]
    assert special == said["special_tokens"], (name, special, said["special_tokens"])
    ENCODINGS[name] = (said["pat_str"], special)


def read_ranks(path):
    pairs = (line.split() for line in Path(path).read_bytes().splitlines() if line.strip())
    return {base64.b64decode(pair[0]) if len(pair) == 2 else b"": int(pair[-1]) for pair in pairs}


def encoding_of(path):
    """The name of the encoding of a rank file: of the table of fetch.py, of the pipelines trained here, or cl100k_base."""
    stem = Path(path).name.split(".")[0].removeprefix("trained-")
    for row in json.loads(Path(__file__).with_name("tokenizers.json").read_text()):
        if row["name"] == stem and "encoding" in row:
            return row["encoding"]
    return pipelines.PUBLISHED.get(stem, "cl100k_base")


def of_tiktoken(path, encoding=None):
    import tiktoken
    name = encoding or encoding_of(path)
    published(name)
    pattern, special = ENCODINGS[name]
    ranks = read_ranks(path)
    taken = set(ranks.values())
    encoder = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks,
                                special_tokens={token: i for token, i in special.items() if i not in taken})
    return {"plain": encoder.encode_ordinary, "special": lambda text: encoder.encode(text, allowed_special="all")}


def of_tekken(path):
    """Tekken: the first ranks of the file, ids after the special ones."""
    import tiktoken
    data = json.loads(Path(path).read_text())
    config = data["config"]
    first = config["default_num_special_tokens"]
    ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in data["vocab"][:config["default_vocab_size"] - first]}
    encoder = tiktoken.Encoding("tekken", pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={})
    return {"plain": lambda text: [first + i for i in encoder.encode_ordinary(text)]}


def of_json(path):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return {"plain": lambda text: tokenizer.encode(text, add_special_tokens=False).ids, "special": lambda text: tokenizer.encode(text).ids}


def of_model(path):
    from sentencepiece import SentencePieceProcessor
    processor = SentencePieceProcessor(model_file=str(path))
    return {"plain": processor.encode}


def source(path):
    """The file to ask: a vocabulary in a GGUF must give what the file gives that it was written from."""
    path = Path(path)
    if path.suffix != ".gguf":
        return path
    import derive
    return path.parent / derive.GGUFS[path.stem][2]


def of(path, encoding=None):
    path = source(path)
    if path.name.endswith(".tekken.json"):
        return of_tekken(path)
    return {".json": of_json, ".model": of_model, ".tiktoken": lambda file: of_tiktoken(file, encoding)}[path.suffix](path)


def versions():
    from importlib.metadata import version
    return {name: version(name) for name in ("tokenizers", "sentencepiece", "tiktoken")}
