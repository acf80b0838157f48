#!/usr/bin/env python3
"""Follows the tensors of a Hugging Face transformers model through the reading of a prompt and two new tokens, at full size and without
a GPU or weights: PyTorch's fake tensors have shapes, dtypes and lifetimes, but no memory. Prints what is alive at the peaks, in bytes
as PyTorch's allocator counts requests (rounded up to 512).

    transformers_trace.py CONFIG... [--batch N] [--tokens N] [--attention sdpa|eager] [--static N] [--detail]

Needs torch and transformers, of which it reports the version. The figures behind data/engine/transformers.rec and its tests were found
with 4.57.6 and 5.23.0. Operations whose output shapes depend on values (experts one after the other, in 4.x) can not be followed."""
import argparse
import collections
import json
import os
import traceback
import weakref

import torch
import torch.nn.functional
import transformers
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Followed(TorchDispatchMode):
    """Storages on the GPU: the sum of those alive, and the list of them at the highest sum."""

    def __init__(self):
        super().__init__()
        self.alive = {}
        self.bytes = self.peak = 0
        self.at_peak = []

    def add(self, tensor, origin):
        storage = tensor.untyped_storage()
        size = -(-storage.nbytes() // 512) * 512
        if tensor.device.type != "cuda" or storage._cdata in self.alive or not size:
            return
        self.alive[storage._cdata] = (size, origin, tuple(tensor.shape), str(tensor.dtype)[6:])
        self.bytes += size
        weakref.finalize(storage, self.drop, storage._cdata)
        if self.bytes > self.peak:
            self.begin()

    def drop(self, key):
        self.bytes -= self.alive.pop(key)[0]

    def begin(self):
        self.peak, self.at_peak = self.bytes, list(self.alive.values())

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        origin = None
        for item in tree_flatten(result)[0]:
            if isinstance(item, torch.Tensor):
                origin = origin or place_of_call(str(function))
                self.add(item, origin)
        return result

    def caches(self):
        return sum(item[0] for item in self.at_peak if "cache_utils" in item[1])


def place_of_call(name):
    for frame in reversed(traceback.extract_stack(limit=40)):
        if "modeling" in frame.filename or "cache_utils" in frame.filename or "/integrations/" in frame.filename:
            return f"{os.path.basename(frame.filename)}:{frame.lineno} {name}"
    return name


def fused_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """Fake tensors would take the slow path of scaled_dot_product_attention; a GPU takes these."""
    aten = torch.ops.aten
    if attn_mask is None:
        return aten._scaled_dot_product_flash_attention(query, key, value, 0.0, is_causal, False, scale=scale)[0]
    if attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros(attn_mask.shape, dtype=query.dtype, device=query.device)
    shape = (*query.shape[:3], key.shape[2])
    return aten._scaled_dot_product_efficient_attention(
        query, key, value, attn_mask.expand(shape), False, 0.0, is_causal, scale=scale)[0]


def config_of(path):
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    values = values.get("config", values)
    left_out = ("model_type", "torch_dtype", "dtype", "transformers_version", "quantization_config", "auto_map")
    kept = {key: value for key, value in values.items() if key not in left_out}
    return transformers.AutoConfig.for_model(values["model_type"], **kept)


def build(config, attention):
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda"):
            model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    finally:
        torch.set_default_dtype(torch.float32)
    return model.eval()


def report(followed, title, base, detail):
    caches = followed.caches()
    print(f"  {title:14} {followed.peak - base:14} of which caches {caches:14} rest {followed.peak - base - caches:14}")
    sums = collections.Counter()
    for size, origin, shape, dtype in followed.at_peak:
        if origin != "weights":
            sums[(origin, shape, dtype)] += size
    for (origin, shape, dtype), size in sums.most_common(12) if detail else ():
        print(f"    {size:14} {shape} {dtype} {origin}")


def forward(model, tokens, cache):
    try:
        return model(tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
    except (TypeError, ValueError):
        return model(tokens, past_key_values=cache, use_cache=True)


def follow(path, options):
    config = config_of(path)
    text = config.get_text_config()
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        model = build(config, options.attention)
        followed = Followed()
        for tensor in (*model.parameters(), *model.buffers()):
            followed.add(tensor, "weights")
        base = followed.bytes
        print(f"{os.path.basename(path)}: parameters {sum(p.numel() * p.element_size() for p in model.parameters())}"
              f" with buffers {base}")
        with followed:
            tokens = torch.zeros(options.batch, options.tokens, dtype=torch.long, device="cuda")
            cache = (transformers.StaticCache(config=text, max_cache_len=options.static) if options.static
                     else transformers.DynamicCache(config=text))
            result = forward(model, tokens, cache)
            report(followed, "prompt", base, options.detail)
            del tokens, result
            for title in ("first token", "second token"):
                followed.begin()
                token = torch.zeros(options.batch, 1, dtype=torch.long, device="cuda")
                result = forward(model, token, cache)
                report(followed, title, base, options.detail)
                del token, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("configs", nargs="+", metavar="CONFIG")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--static", type=int, default=0, help="tokens of a static cache")
    parser.add_argument("--attention", default="sdpa")
    parser.add_argument("--detail", action="store_true")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    torch.nn.functional.scaled_dot_product_attention = fused_attention
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    for path in options.configs:
        follow(path, options)


if __name__ == "__main__":
    main()
