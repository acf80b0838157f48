#!/usr/bin/env python3
"""Tensor names, and bytes in all, predicted from config.json against the index files of published checkpoints:

    tests/check_indexes.py PROGRAM SHARED

Each index is put beside its config into a folder of its own, and `tonnage inspect` compares the names. Exit status 77 where the
data is absent (skipped), 1 where a name is missing or extra.
"""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

# index file -> config of the same shapes; the indexes are those of the unquantised checkpoints, but for gpt-oss
PAIRS = {
    "openai_gpt-oss-20b.index.json.gz": "models/openai__gpt-oss-20b.json",
    "openai_gpt-oss-120b.index.json.gz": "models/openai__gpt-oss-120b.json",
    "tencent__Hunyuan-7B-Instruct.index.json.gz": "models-raw/tencent__Hunyuan-7B-Instruct.json",
    "adept_fuyu-8b.index.json.gz": "models-raw/adept_fuyu-8b_config_main.json",
    "rhymes-ai__Aria.index.json.gz": "models-raw/rhymes-ai__Aria.json",
    "Qwen2.5-Omni-7B.index.json.gz": "models-raw/Qwen2.5-Omni-7B-AWQ.json",
}

# The total that this index states holds 3,850,432 bytes more than its names explain.
OTHER_TOTAL = {"Qwen2.5-Omni-7B.index.json.gz"}


def inspect(program, index_path, config_path):
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    config = config.get("config", config)
    if config.get("quantization_config", {}).get("quant_method") != "mxfp4":
        config.pop("quantization_config", None)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        with gzip.open(index_path) as packed, open(os.path.join(folder, "model.safetensors.index.json"), "wb") as file:
            shutil.copyfileobj(packed, file)
        done = subprocess.run([program, "inspect", folder, "--json"], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def main():
    program, shared = sys.argv[1:3]
    folder = os.path.join(shared, "indexes")
    if not os.path.isdir(folder):
        print("skipped: no ../shared")
        sys.exit(77)
    failures = 0
    for index, config in PAIRS.items():
        answer = inspect(program, os.path.join(folder, index), os.path.join(shared, config))
        check = answer.get("check")
        equal = bool(check and check["done"] and not check["missing"] and not check["extra"])
        other_total = any(note["code"] == "index_total_differs" for note in answer.get("notes", []))
        equal = equal and other_total == (index in OTHER_TOTAL)
        failures += not equal
        print(f"{'equal' if equal else 'DIFFERENT'}: {index}")
        if not equal:
            print("  ", answer.get("message") or {key: check[key][:3] for key in ("missing", "extra")},
                  "another total" if other_total else "")
    print(f"{len(PAIRS) - failures} passed, {failures} failed, 0 skipped")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
