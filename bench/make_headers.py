"""Writes model files with large headers, to measure how fast they are read. The data are holes and take no disk.

usage: make_headers.py FOLDER

    model.safetensors               90,000 tensors with the names of a large mixture of experts, all in one file
    model.safetensors.index.json    the same tensors over 163 files
    model.gguf                      40 GB, a vocabulary of 262,144 tokens with scores, types and merges
    model.safetensors.json          what Python's json has to read for the same content
    model.gguf.json
"""
import json
import os
import struct
import sys

LAYERS = 61
DENSE_LAYERS = 3
EXPERTS = 256
HIDDEN = 7168
EXPERT_HIDDEN = 2048
DENSE_HIDDEN = 18432
VOCABULARY = 129280
SHARDS = 163

GGUF_TOKENS = 262144
GGUF_LAYERS = 42  # 40 GB of F32
U32, I32, F32, STRING, ARRAY = 4, 5, 6, 8, 9
STRUCT_OF = {U32: "I", I32: "i", F32: "f"}
ALIGNMENT_BYTES = 32


def quantized(name, rows, columns):
    """An 8-bit weight and the scales of its blocks of 128 x 128."""
    yield f"{name}.weight", "F8_E4M3", [rows, columns], 1
    yield f"{name}.weight_scale_inv", "F32", [-(-rows // 128), -(-columns // 128)], 4


def feed_forward(name, hidden):
    yield from quantized(f"{name}.gate_proj", hidden, HIDDEN)
    yield from quantized(f"{name}.up_proj", hidden, HIDDEN)
    yield from quantized(f"{name}.down_proj", HIDDEN, hidden)


def tensors():
    """(name, dtype, shape, bytes of one element)"""
    yield "model.embed_tokens.weight", "BF16", [VOCABULARY, HIDDEN], 2
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        yield f"{prefix}.input_layernorm.weight", "BF16", [HIDDEN], 2
        yield f"{prefix}.post_attention_layernorm.weight", "BF16", [HIDDEN], 2
        yield f"{prefix}.self_attn.q_a_layernorm.weight", "BF16", [1536], 2
        yield f"{prefix}.self_attn.kv_a_layernorm.weight", "BF16", [512], 2
        yield from quantized(f"{prefix}.self_attn.q_a_proj", 1536, HIDDEN)
        yield from quantized(f"{prefix}.self_attn.q_b_proj", 24576, 1536)
        yield from quantized(f"{prefix}.self_attn.kv_a_proj_with_mqa", 576, HIDDEN)
        yield from quantized(f"{prefix}.self_attn.kv_b_proj", 32768, 512)
        yield from quantized(f"{prefix}.self_attn.o_proj", HIDDEN, 16384)
        if layer < DENSE_LAYERS:
            yield from feed_forward(f"{prefix}.mlp", DENSE_HIDDEN)
            continue
        yield f"{prefix}.mlp.gate.weight", "BF16", [EXPERTS, HIDDEN], 2
        yield from feed_forward(f"{prefix}.mlp.shared_experts", EXPERT_HIDDEN)
        for expert in range(EXPERTS):
            yield from feed_forward(f"{prefix}.mlp.experts.{expert}", EXPERT_HIDDEN)
    yield "model.norm.weight", "BF16", [HIDDEN], 2
    yield "lm_head.weight", "BF16", [VOCABULARY, HIDDEN], 2


def compact(document):
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def write(path, content, hole_bytes=0):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(len(content) + hole_bytes)


def write_safetensors(folder):
    header = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, dtype, shape, element_bytes in tensors():
        elements = 1
        for dim in shape:
            elements *= dim
        end = offset + elements * element_bytes
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = compact(header)
    text += b" " * (-len(text) % 8)
    write(os.path.join(folder, "model.safetensors"), struct.pack("<Q", len(text)) + text, offset)
    write(os.path.join(folder, "model.safetensors.json"), text)

    names = [name for name in header if name != "__metadata__"]
    files = {name: f"model-{k * SHARDS // len(names) + 1:05d}-of-{SHARDS:06d}.safetensors"
             for k, name in enumerate(names)}
    index = {"metadata": {"total_size": offset}, "weight_map": files}
    write(os.path.join(folder, "model.safetensors.index.json"), json.dumps(index, indent=2).encode())


def gguf_string(text):
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def gguf_value(kind, value):
    if isinstance(value, list):
        head = struct.pack("<IIQ", ARRAY, kind, len(value))
        if kind == STRING:
            return head + b"".join(map(gguf_string, value))
        return head + struct.pack(f"<{len(value)}{STRUCT_OF[kind]}", *value)
    if kind == STRING:
        return struct.pack("<I", kind) + gguf_string(value)
    return struct.pack(f"<I{STRUCT_OF[kind]}", kind, value)


def gguf_metadata():
    """key -> (type, value)"""
    letters = "etaoinshrdlu"
    tokens = [f"\u2581{letters[k % 12]}{letters[k // 12 % 12]}{k:x}" for k in range(GGUF_TOKENS)]
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, "made for measuring"),
        "llama.block_count": (U32, GGUF_LAYERS),
        "llama.context_length": (U32, 131072),
        "llama.embedding_length": (U32, 4096),
        "llama.feed_forward_length": (U32, 14336),
        "llama.attention.head_count": (U32, 32),
        "llama.attention.head_count_kv": (U32, 8),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
        "tokenizer.ggml.model": (STRING, "gpt2"),
        "tokenizer.ggml.tokens": (STRING, tokens),
        "tokenizer.ggml.scores": (F32, [-float(k) for k in range(GGUF_TOKENS)]),
        "tokenizer.ggml.token_type": (I32, [1] * GGUF_TOKENS),
        "tokenizer.ggml.merges": (STRING, [f"{token[:2]} {token[2:]}" for token in tokens[256:]]),
    }


def gguf_tensors():
    """(name, dims with the contiguous one first)"""
    yield "token_embd.weight", [4096, GGUF_TOKENS]
    for layer in range(GGUF_LAYERS):
        yield f"blk.{layer}.attn_norm.weight", [4096]
        yield f"blk.{layer}.ffn_norm.weight", [4096]
        for name, dims in {"attn_q": [4096, 4096], "attn_k": [4096, 1024], "attn_v": [4096, 1024],
                           "attn_output": [4096, 4096], "ffn_gate": [4096, 14336], "ffn_up": [4096, 14336],
                           "ffn_down": [14336, 4096]}.items():
            yield f"blk.{layer}.{name}.weight", dims
    yield "output_norm.weight", [4096]


def write_gguf(folder):
    metadata = gguf_metadata()
    described = []
    offset = 0
    for name, dims in gguf_tensors():
        elements = 1
        for dim in dims:
            elements *= dim
        described.append({"name": name, "dims": dims, "type": 0, "offset": offset})
        offset += elements * 4
    content = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(described), len(metadata)))
    for key, (kind, value) in metadata.items():
        content += gguf_string(key) + gguf_value(kind, value)
    for tensor in described:
        content += gguf_string(tensor["name"])
        content += struct.pack(f"<I{len(tensor['dims'])}QIQ", len(tensor["dims"]), *tensor["dims"], 0, tensor["offset"])
    content += bytes(-len(content) % ALIGNMENT_BYTES)
    write(os.path.join(folder, "model.gguf"), content, offset)
    twin = {"metadata": {key: value for key, (_, value) in metadata.items()}, "tensors": described}
    write(os.path.join(folder, "model.gguf.json"), compact(twin))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    os.makedirs(sys.argv[1], exist_ok=True)
    write_safetensors(sys.argv[1])
    write_gguf(sys.argv[1])


if __name__ == "__main__":
    main()
