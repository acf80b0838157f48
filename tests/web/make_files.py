#!/usr/bin/env python3
"""Writes the files that the tests of the page drop on it. Data are holes: 70 GB take no disk.

usage: make_files.py FOLDER
"""
import json
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "cli"), os.path.join(ROOT, "bench")]

import bad_files  # noqa: E402
import make_headers as headers  # noqa: E402

LAYERS = 2
HIDDEN = 256
FEED_FORWARD = 512
VOCABULARY = 1024
HUGE_BYTES = 70 * 10**9

CONFIG = {"hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD, "num_attention_heads": 4, "num_hidden_layers": LAYERS,
          "vocab_size": VOCABULARY}


def tensors():
    """(name, shape) of a small Llama, as transformers names and writes them."""
    yield "model.embed_tokens.weight", [VOCABULARY, HIDDEN]
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        for name in ("q", "k", "v", "o"):
            yield f"{prefix}.self_attn.{name}_proj.weight", [HIDDEN, HIDDEN]
        for name, shape in (("gate", [FEED_FORWARD, HIDDEN]), ("up", [FEED_FORWARD, HIDDEN]), ("down", [HIDDEN, FEED_FORWARD])):
            yield f"{prefix}.mlp.{name}_proj.weight", shape
        for name in ("input", "post_attention"):
            yield f"{prefix}.{name}_layernorm.weight", [HIDDEN]
    yield "model.norm.weight", [HIDDEN]
    yield "lm_head.weight", [VOCABULARY, HIDDEN]


def elements(shape):
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def safetensors(members):
    """(content, bytes of the data behind it)"""
    header, offset = {}, 0
    for name, shape in members:
        end = offset + 2 * elements(shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = headers.compact(header)
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, offset


def gguf(layers, part=None, parts=1, width=HIDDEN):
    """(content, bytes of the data behind it) of a Llama in F16, or of one part of it."""
    metadata = {
        "general.architecture": (headers.STRING, "llama"), "llama.block_count": (headers.U32, layers),
        "llama.context_length": (headers.U32, 8192), "llama.embedding_length": (headers.U32, width),
        "llama.feed_forward_length": (headers.U32, 2 * width), "llama.attention.head_count": (headers.U32, 4),
        "llama.vocab_size": (headers.U32, VOCABULARY),
    }
    names = [("token_embd.weight", [width, VOCABULARY]), ("output_norm.weight", [width]), ("output.weight", [width, VOCABULARY])]
    for layer in range(layers):
        names += [(f"blk.{layer}.{name}.weight", shape) for name, shape in (
            ("attn_q", [width, width]), ("attn_k", [width, width]), ("attn_v", [width, width]), ("attn_output", [width, width]),
            ("ffn_gate", [width, 2 * width]), ("ffn_up", [width, 2 * width]), ("ffn_down", [2 * width, width]),
            ("attn_norm", [width]), ("ffn_norm", [width]))]
    if part is not None:
        total = len(names)
        names = names[part * total // parts:(part + 1) * total // parts]
        metadata["split.no"] = (SPLIT, part)
        metadata["split.count"] = (SPLIT, parts)
        metadata["split.tensors.count"] = (headers.I32, total)
    return pack_gguf(metadata, names)


SPLIT = 2  # uint16, which the headers for measuring have no need of
HALF = 1  # F16


def pack_gguf(metadata, names):
    def value(kind, content):
        return struct.pack("<IH", SPLIT, content) if kind == SPLIT else headers.gguf_value(kind, content)

    text = struct.pack("<4sIQQ", b"GGUF", 3, len(names), len(metadata))
    text += b"".join(bad_files.string(key) + value(*pair) for key, pair in metadata.items())
    offset = 0
    for name, dims in names:
        text += bad_files.info(name, dims, HALF, offset)
        offset += -(-2 * elements(dims) // 32) * 32
    return text + bytes(-len(text) % 32), offset


def write(folder, name, content, hole_bytes=0):
    headers.write(os.path.join(folder, name), content, hole_bytes)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    config = bad_files.config([f"{key}={value}" for key, value in CONFIG.items()])
    write(folder, "config.json", config)
    whole = list(tensors())
    write(folder, "model.safetensors", *safetensors(whole))
    half = len(whole) // 2
    shards = {"model-00001-of-00002.safetensors": whole[:half], "model-00002-of-00002.safetensors": whole[half:]}
    for name, members in shards.items():
        write(folder, name, *safetensors(members))
    index = {"metadata": {}, "weight_map": {tensor: name for name, members in shards.items() for tensor, _ in members}}
    write(folder, "model.safetensors.index.json", json.dumps(index).encode())
    write(folder, "small.gguf", *gguf(LAYERS))
    for part in range(2):
        write(folder, f"split-{part + 1:05d}-of-00002.gguf", *gguf(LAYERS, part, 2))
    # 65 GiB of float16: wide enough for two layers
    write(folder, "huge.gguf", *gguf(20, width=14336))
    write(folder, "huge.bin", b"", HUGE_BYTES)
    write(folder, "huge.log", b"INFO 01-01 00:00:00 engine\n" * 9, HUGE_BYTES)
    write(folder, "empty.json", b"")
    write(folder, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(60))
    write(folder, "broken.json", bad_files.FILES["json-cut"])
    write(folder, "list.json", bad_files.FILES["json-list"])
    write(folder, "cut.gguf", bad_files.FILES["gguf-cut"])
    write(folder, "short.safetensors", bad_files.FILES["st-length-beyond-file"])


if __name__ == "__main__":
    main(sys.argv[1])
