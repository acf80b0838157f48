"""Every key of a field log that speaks of a setting reaches its engine under a name that this engine knows.

usage: check_settings.py PROGRAM
"""
import json
import os
import subprocess
import sys
import tempfile

COMMON = {"model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "NVIDIA H100 80GB", "gpu_count": 1, "tp": 1, "pp": 1, "ep": 1,
          "dtype": "bfloat16", "max_model_len": 8192, "max_num_seqs": 64, "max_num_batched_tokens": 8192, "block_size": 32,
          "enforce_eager": True, "measured": {"kv_cache_gib": 40.25, "kv_tokens": 400000}, "source": "made for this test"}
DRAFT = {"model": "zai-org/GLM-5-FP8", "gpu": "NVIDIA H200 141GB", "gpu_count": 8, "tp": 8, "mtp": True}
RECORDS = {
    "vllm": [{"gpu_memory_utilization": 0.9, "kv_cache_dtype": "fp8", "dcp": 1, "language_model_only": True},
             {"gpu_count": 2, "dp": 2, "kv_cache_dtype": "bfloat16"}, {**DRAFT, "block_size": 64}],
    "sglang": [{"mem_fraction_static": 0.9, "kv_cache_dtype": "fp8_e4m3", "block_size": 1},
               {**DRAFT, "dp": 8, "block_size": 64}],
    "trtllm": [{"kv_cache_free_gpu_mem_fraction": 0.9, "kv_cache_dtype": "fp8"}, DRAFT],
    "transformers": [{"kv_cache_dtype": "auto"}],
    "tgi": [{"gpu_memory_utilization": 0.9, "kv_cache_dtype": "auto"}, {"kv_cache_dtype": "fp8_e4m3fn"}],
}


# Logs of these have a format of their own: tests/unit/test_llamacpp_records.c.
OTHERS = {"generic", "llamacpp", "ollama"}


def engines(program):
    done = subprocess.run([program, "engines", "--json"], capture_output=True, text=True, check=True)
    return {engine["name"] for engine in json.loads(done.stdout)["engines"]}


def main():
    program = sys.argv[1]
    known = engines(program)
    faults = [f"no record of {name}" for name in sorted(known - set(RECORDS) - OTHERS)]
    records = [{**COMMON, **own, "engine": engine, "id": f"{engine} {number}"}
               for engine in RECORDS if engine in known for number, own in enumerate(RECORDS[engine])]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "records.jsonl")
        with open(path, "w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(record) + "\n" for record in records)
        done = subprocess.run([program, "score", path, "--json"], capture_output=True, text=True, check=True)
    faults += [f"{one['id']}: {one['why']}" for one in json.loads(done.stdout)["unresolved"]]
    for fault in faults:
        print(fault)
    print(f"{len(records)} records of {len(known)} engines")
    sys.exit(1 if faults or not records else 0)


main()
