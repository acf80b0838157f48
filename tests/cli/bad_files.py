"""Writes a broken model file to stdout, for bad_files.test.

usage: bad_files.py config [KEY=JSON ...]    a config.json of a small Llama; KEY= leaves the key out
       bad_files.py NAME                     one of the files below
"""
import json
import struct
import sys

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "vocab_size": 32000,
    "max_position_embeddings": 4096,
    "torch_dtype": "float16",
}


def config(changes):
    """The values of the changes are put in as they stand: NaN and 1e400 are what some files hold."""
    pairs = {key: json.dumps(value) for key, value in CONFIG.items()}
    pairs.update(change.split("=", 1) for change in changes)
    return ("{" + ", ".join(f'"{key}": {value}' for key, value in pairs.items() if value) + "}").encode()


# ---- safetensors ----


def tensor(dtype="F32", shape=(2, 2), offsets=(0, 16)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def safetensors(header, data_bytes=0, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(data_bytes)


# ---- GGUF ----

U8, U32, STRING, ARRAY = 0, 4, 8, 9
F32, REMOVED = 0, 4


def string(text):
    return struct.pack("<Q", len(text)) + text.encode()


def pair(key, kind, value):
    return string(key) + struct.pack("<I", kind) + value


def info(name, dims, kind=F32, offset=0):
    return string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


ARCHITECTURE = pair("general.architecture", STRING, string("llama"))


def gguf(tensors, pairs, rest=b"", version=3):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs) + rest


FILES = {
    # JSON
    "json-deep": b"[" * 200000,
    "json-cut": b'{"hidden_size": 40',
    "json-list": b"[1, 2]",
    "json-not-utf-8": b'{"model_type": "\xff"}',
    "json-twice": config([])[:-1] + b', "hidden_size": 8192}',
    "web-page": b"<!DOCTYPE html><html></html>",
    "git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
    "index-abroad": b'{"weight_map": {"a": "../other.safetensors"}}',
    "index-of-itself": b'{"weight_map": {"a": "model.safetensors.index.json"}}',
    "index-of-a-folder": b'{"weight_map": {"a": "folder"}}',
    "index-of-numbers": b'{"weight_map": {"a": 5}}',
    "index-twice": b'{"weight_map": {"a": "x", "a": "y"}}',
    "index-without-map": b'{"metadata": {}}',
    # safetensors
    "st-good": safetensors({"a": tensor()}, 16),
    "st-short": b"\x01\x02",
    "st-no-header": safetensors(b""),
    "st-length-beyond-limit": safetensors({"a": tensor()}, 16, 2**63),
    "st-length-beyond-file": safetensors({"a": tensor()}, 16, 99_000_000),
    "st-overlap": safetensors({"a": tensor(), "b": tensor(offsets=(8, 24))}, 24),
    "st-hole": safetensors({"a": tensor(), "b": tensor(offsets=(32, 48))}, 48),
    "st-cut": safetensors({"a": tensor()}, 8),
    "st-long": safetensors({"a": tensor()}, 80),
    "st-dtype": safetensors({"a": tensor("F99")}, 16),
    "st-shape-huge": safetensors({"a": tensor(shape=(2**40, 2**40))}, 16),
    "st-shape-negative": safetensors({"a": tensor(shape=(-2, 2))}, 16),
    "st-shape-lies": safetensors({"a": tensor(shape=(2, 3))}, 16),
    "st-offsets-reversed": safetensors({"a": tensor(offsets=(16, 0))}, 16),
    "st-twice": safetensors(b'{"a": %s, "a": %s}' % ((json.dumps(tensor()).encode(),) * 2), 16),
    # GGUF
    "gguf-short": b"GGUF",
    "gguf-version-1": gguf(0, 0, version=1),
    "gguf-big-endian": b"GGUF\0\0\0\3" + bytes(20),
    "gguf-counts": gguf(2**62, 2**62),
    "gguf-count-negative": gguf(2**63, 0),
    "gguf-key-beyond-file": gguf(0, 1, struct.pack("<Q", 2**63 - 1) + bytes(100)),
    "gguf-array-huge": gguf(0, 2, ARCHITECTURE + pair("x", ARRAY, struct.pack("<IQ", U32, 2**61))),
    "gguf-array-beyond-file": gguf(0, 2, ARCHITECTURE + pair("x", ARRAY, struct.pack("<IQ", U8, 2**30))),
    "gguf-array-of-arrays": gguf(0, 2, ARCHITECTURE + pair("x", ARRAY, struct.pack("<IQ", ARRAY, 5)) + bytes(99)),
    "gguf-value-type": gguf(0, 1, pair("x", 77, bytes(8))),
    "gguf-key-twice": gguf(0, 2, ARCHITECTURE * 2),
    "gguf-no-architecture": gguf(0, 0),
    "gguf-made-up": gguf(1, 4, pair("general.architecture", STRING, string("made_up"))
                         + b"".join(pair("made_up." + key, U32, struct.pack("<I", value)) for key, value in
                                    (("block_count", 2), ("embedding_length", 8), ("attention.head_count", 2)))
                         + info("token_embd.weight", [8, 4]) + bytes(12 + 32 * 4)),
    "gguf-alignment": gguf(0, 2, ARCHITECTURE + pair("general.alignment", U32, struct.pack("<I", 0))),
    "gguf-dimensions": gguf(1, 1, ARCHITECTURE + string("a") + struct.pack("<I", 9) + bytes(99)),
    "gguf-tensor-huge": gguf(1, 1, ARCHITECTURE + info("a", [2**40, 2**40])),
    "gguf-tensor-type": gguf(1, 1, ARCHITECTURE + info("a", [32], REMOVED)),
    "gguf-tensor-twice": gguf(2, 1, ARCHITECTURE + info("a", [8]) * 2 + bytes(200)),
    "gguf-cut": gguf(1, 1, ARCHITECTURE + info("a", [3200]) + bytes(100)),
    "gguf-overlap": gguf(2, 1, ARCHITECTURE + info("a", [32]) + info("b", [32], offset=32) + bytes(400)),
}

if __name__ == "__main__":
    name = sys.argv[1]
    sys.stdout.buffer.write(config(sys.argv[2:]) if name == "config" else FILES[name])
