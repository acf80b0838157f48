#!/usr/bin/env python3
"""Writes tests/measured/llamacpp/*.jsonl: records of llama.cpp in the formats of the larger collection, without what no reader looks at.

usage: tools/measured_llamacpp.py ROWS.jsonl FIELDLOGS.jsonl tests/measured/llamacpp
       tools/measured_llamacpp.py --graphs ROWS.jsonl MODELS tests/measured/llamacpp

Of the rows one is kept for each model and each combination of settings other than context and batch, all real loads, the models that they are
about, and no setting that is the default. With --graphs the rows are of many models, which MODELS describes in NAME.json (the metadata and all tensors):
of those measured without memory six are kept for each model and version, so that each value of each setting occurs; of real loads all.
docs/measured.md describes the formats.
"""
import collections
import json
import os
import re
import sys

# As a program has them that calls the library; flash_attn is always said.
DEFAULTS = {"n_gpu_layers": -1, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "kv_unified": 0, "type_k": "f16", "type_v": "f16",
            "n_outputs_max": 0, "swa_full": 0, "offload_kqv": 1, "op_offload": 1, "embeddings": 0, "n_cpu_moe": 0, "split_mode": "layer",
            "tensor_split": None}
LOG_KEYS = ["id", "engine", "engine_version", "model", "arch", "file_type", "file_size_gib", "n_ctx", "n_batch", "n_ubatch", "n_seq_max",
            "flash_attn", "mla_attn", "attn_max_batch", "type_k", "type_v", "n_gpu_layers", "gpus", "split_mode", "kv_check"]
FIGURES = ["model_mib", "kv_mib", "rs_mib", "output_mib", "compute_mib", "process_mib", "device_delta_mib"]


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def kind(row):
    """What a row is about beside context and batch."""
    settings = {key: value for key, value in row["settings"].items() if key not in ("n_ctx_requested", "n_ubatch")}
    return json.dumps([row["model"], row["llama_cpp"], settings], sort_keys=True)


def short_row(row):
    kept = {key: row[key] for key in ("record", "llama_cpp", "source", "mode", "model", "bytes", "output_buffer_MiB_logged", "log") if key in row}
    kept["settings"] = {key: value for key, value in row["settings"].items() if key not in DEFAULTS or DEFAULTS[key] != value}
    if "log" in kept:
        kept["log"] = [line for line in kept["log"] if "output buffer" in line]
    return kept


def rows(path):
    seen = set()
    for row in lines(path):
        if row["record"] == "model":
            yield {key: value for key, value in row.items() if key != "note"}
        elif row["mode"] != "no_alloc" or kind(row) not in seen:
            seen.add(kind(row))
            yield short_row(row)


# ---- rows of many models ----

ROWS_KEPT = 6


def features(row):
    return [(row["llama_cpp"], key, json.dumps(value)) for key, value in row["settings"].items()]


def select(rows, seen):
    """The plainest row, then those whose values have been seen least."""
    left = sorted(rows, key=lambda row: len(short_row(row)["settings"]))
    chosen = []
    while left and len(chosen) < ROWS_KEPT:
        row = left[0] if not chosen else max(left, key=lambda row: sum(1 / (1 + seen[one]) for one in features(row)))
        left.remove(row)
        chosen.append(row)
        seen.update(features(row))
    return chosen


def ranges(layers):
    """[0, 1, 2, 5] -> "0-2,5"."""
    parts = []
    for layer in layers:
        if parts and parts[-1][1] == layer - 1:
            parts[-1][1] = layer
        else:
            parts.append([layer, layer])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def tensor_rows(tensors):
    """Tensors of the same shape and type in several layers become one row."""
    layers = {}
    for name, shape, dtype in tensors:
        parts = re.fullmatch(r"((?:enc\.|dec\.)?blk\.)(\d+)(\..*)", name)
        key = (parts[1] + "{i}" + parts[3] if parts else name, tuple(shape), dtype)
        layers.setdefault(key, []).extend([int(parts[2])] if parts else [])
    return [[name, ranges(found), list(shape), dtype] for (name, shape, dtype), found in layers.items()]


def described(name, path):
    with open(path, encoding="utf-8") as file:
        model = json.load(file)
    metadata = {key: value["value"] if isinstance(value, dict) else value for key, value in model["metadata"].items() if key != "general.name"}
    return {"record": "model", "model": name, "metadata": metadata, "tensors": tensor_rows(model["tensors"])}


def graphs(path, models):
    groups = {}
    for row in lines(path):
        if row["record"] == "measurement":
            groups.setdefault((row["model"], row["llama_cpp"], row["mode"] == "no_alloc"), []).append(row)
    seen = collections.Counter()
    for name in dict.fromkeys(model for model, _, _ in groups):
        yield described(name, os.path.join(models, name + ".json"))
        for (model, _, is_measured_only), rows in groups.items():
            if model == name:
                yield from map(short_row, select(rows, seen) if is_measured_only else rows)


# ---- field logs ----


def field_logs(path):
    for record in lines(path):
        kept = {key: record[key] for key in LOG_KEYS if record.get(key) is not None}
        kept["hparams"] = {"n_layer": record["hparams"]["n_layer"]}
        kept["measured"] = {key: record["measured"].get(key) for key in FIGURES if key == "model_mib" or record["measured"].get(key)}
        kept["notes"] = record["notes"]
        kept["source"] = re.sub(r" \(index file id \d+\)", "", record["source"])
        yield kept


def write(path, records):
    with open(path, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, separators=(", ", ": ")) + "\n")


def main():
    if len(sys.argv) == 5 and sys.argv[1] == "--graphs":
        write(os.path.join(sys.argv[4], "graphs.jsonl"), graphs(*sys.argv[2:4]))
        return
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    row_path, log_path, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "rows.jsonl"), rows(row_path))
    write(os.path.join(folder, "fieldlogs.jsonl"), field_logs(log_path))


main()
