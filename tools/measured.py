#!/usr/bin/env python3
"""Writes tests/measured/*.jsonl: measured records in the project's own format, from field logs of the larger collection.

usage: tools/measured.py FIELDLOGS.jsonl tests/measured

docs/measured.md describes both formats. What a field log says in words is put into fields once, here: whether the engine started, and
the settings under the engine's own names. Figures become bytes, each with the half of its last printed digit.
"""
import decimal
import json
import os
import re
import sys

GIB = 2**30
MIB = 2**20

# field log -> the engine's own name; the table in src/logs/log_engines.c says the same
SETTINGS = {
    "vllm": {"gpu_memory_utilization": "gpu_memory_utilization", "max_num_seqs": "max_num_seqs",
             "max_num_batched_tokens": "max_num_batched_tokens", "block_size": "block_size",
             "enforce_eager": "enforce_eager", "dcp": "decode_context_parallel_size",
             "language_model_only": "language_model_only"},
    "sglang": {"mem_fraction_static": "mem_fraction_static", "max_num_seqs": "max_running_requests",
               "max_num_batched_tokens": "chunked_prefill_size", "block_size": "page_size",
               "enforce_eager": "disable_cuda_graph"},
    "tensorrt-llm": {"kv_cache_free_gpu_mem_fraction": "free_gpu_memory_fraction", "max_num_seqs": "max_batch_size",
                     "max_num_batched_tokens": "max_num_tokens", "block_size": "tokens_per_block"},
    "transformers": {},
}
DRAFT = {"vllm": "num_speculative_tokens", "sglang": "speculative_num_draft_tokens"}
LAST_WITH_V0 = "0.7.3"  # the last release of vLLM that ran its first engine by default
FIGURES = [("weights", "weights_gib_per_gpu", GIB), ("activation", "activation_gib", GIB), ("non_torch", "non_torch_gib", GIB),
           ("graphs", "cuda_graph_gib", GIB), ("kv_pool", "kv_cache_gib", GIB), ("used", "total_used_mib", MIB),
           ("peak", "torch_peak_allocated_gib", GIB)]


def figure(number, unit):
    """[bytes, half of the last printed digit]; JSON has lost zeros at the end, so that GiB have two decimals at least."""
    decimals = max(-number.as_tuple().exponent, 2 if unit == GIB else 0)
    scale = 10**decimals
    value = int((number * unit).to_integral_value(decimal.ROUND_HALF_UP))
    return [value, -(-unit // (2 * scale))]


def outcome(record, measured):
    """(started or None where nobody knows, why not)"""
    pool, needed = measured.get("kv_cache_gib"), measured.get("kv_needed_gib")
    least = measured.get("min_mem_fraction_static")
    if pool is not None and needed is not None and needed > pool:
        return False, "one request needs more than the pool has"
    if measured.get("oom_tried"):
        return False, "out of memory"
    if "FAILED" in (record["notes"] or ""):
        return False, "the record says so"
    if least is not None and least > (record.get("mem_fraction_static") or 1):
        return False, "the static share of the memory does not hold the weights"
    tokens, requests = measured.get("kv_tokens"), measured.get("max_concurrency")
    if record["engine"] == "vllm" and record["engine_version"] not in ("0.2.3", "0.2.5"):
        if requests is not None and requests < 1:
            return False, "the pool holds less than one request"
        if requests is None and tokens is not None and record["max_model_len"] and tokens < record["max_model_len"]:
            return False, "the pool holds less than one request"
    known = any(measured.get(key) is not None for key in ("kv_cache_gib", "kv_tokens", "cuda_graph_gib", "max_concurrency",
                                                          "total_used_mib", "torch_peak_allocated_gib"))
    return (True if known else None), None


def draft_tokens(notes):
    """ "MTP on (3 tokens)", "MTP3" """
    found = re.search(r"MTP\D{0,7}(\d+)", notes)
    return int(found[1]) if found else 1


def source(text):
    """Without what only the collection can look up."""
    return re.sub(r"[;, ]*\(?search index file id \d+\)?", "", text).strip() + (")" if text.count("(") and "; search" in text else "")


def convert(record):
    measured = record["measured"]
    own = {"format": "tonnage.measured/1", "id": record["id"], "engine": record["engine"]}
    own["version"] = record["engine_version"]
    if record["engine"] == "vllm" and own["version"] is None and "V0 engine" in (record["notes"] or "") \
            and "vllm-project/vllm#" not in (record["source"] or ""):  # there the number of the report tells it
        own["version"] = LAST_WITH_V0
    for ours, theirs in (("model", "model"), ("quantization", "quantization"), ("dtype", "dtype"), ("gpu", "gpu"),
                         ("gpus", "gpu_count"), ("tp", "tp"), ("pp", "pp"), ("ep", "ep"), ("dp", "dp"),
                         ("context", "max_model_len"), ("kv_dtype", "kv_cache_dtype")):
        own[ours] = record.get(theirs)
    short = re.match(r"short prompt, (\d+) new tokens", record.get("workload") or "")
    if short and own["context"] is None:
        own["context"] = int(short[1])
    names = SETTINGS[record["engine"]]
    own["settings"] = {names[key]: record[key] for key in names if record.get(key) is not None}
    if record["engine"] == "sglang" and (record.get("dp") or 1) > 1 and record["gpu_count"] == record["tp"] * record["pp"]:
        own["dp"] = 1
        own["settings"].update(enable_dp_attention=True, dp_size=record["dp"])
    if record.get("mtp"):
        own["settings"][DRAFT[record["engine"]]] = draft_tokens(record["notes"] or "")
    if record["engine"] == "vllm" and "LoRA" in (record["notes"] or ""):
        own["settings"]["enable_lora"] = True
    own["starts"], own["why"] = outcome(record, measured)
    figures = {name: figure(measured[key], unit) for name, key, unit in FIGURES if measured.get(key) is not None}
    if measured.get("kv_tokens") is not None:
        short = own["why"] == "one request needs more than the pool has"
        name = "suggested_tokens" if short else "kv_tokens"
        figures[name] = [measured["kv_tokens"], 500] if measured.get("kv_tokens_approx") else measured["kv_tokens"]
    if measured.get("max_concurrency") is not None:
        figures["max_concurrency"] = measured["max_concurrency"]
    own["measured"] = figures
    own["source"] = source(record["source"])
    ones = ("pp", "ep", "dp")
    return {key: value for key, value in own.items()
            if value not in (None, {}) and not (key in ones and value == 1)}


def number_text(value):
    return float(value) if isinstance(value, decimal.Decimal) else str(value)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    by_engine = {}
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            own = convert(json.loads(line, parse_float=decimal.Decimal))
            by_engine.setdefault(own["engine"], []).append(own)
    for engine, records in by_engine.items():
        path = os.path.join(sys.argv[2], engine + ".jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for own in records:
                file.write(json.dumps(own, default=number_text, ensure_ascii=False) + "\n")
        print(f"{path}: {len(records)} records")


main()
