"""Every model that the measured records name is in the catalog, but for names that fit several models.

usage: check_names.py PROGRAM MEASURED [DATA]

MEASURED is tests/measured; DATA has the field logs of engines of data centres and of llama.cpp.
"""
import glob
import json
import os
import re
import subprocess
import sys

# Names in logs that say a size or a family, and not which model it was.
VAGUE = {"GLM-5.x with DSA", "LLaMA v2", "Llama 3.x 70B", "Llama 70B class", "Models", "Qwen3-30B-A3B class", "Qwen3-VL MoE",
         "Qwen3.5-9B class", "Qwen3.x-27B"}
SEPARATORS = "-_. :"


def fold(name):
    """As the catalog compares: without case and separators, but for one between two digits."""
    folded, separated = "", False
    for one in name:
        if one in SEPARATORS:
            separated = True
            continue
        if separated and folded and folded[-1].isdigit() and one.isdigit():
            folded += "-"
        folded += one.lower()
        separated = False
    return folded


def keys(name):
    """With its organisation where it has one, and without."""
    return {fold(name), fold(name.split("/", 1)[-1])} if "/" in name else {fold(name)}


def catalog(program):
    done = subprocess.run([program, "models", "--json"], capture_output=True, text=True, check=True)
    known = set()
    for model in json.loads(done.stdout)["models"]:
        for name in [model["id"], model["hf_id"] or "", *model["aliases"]]:
            known |= keys(name)
    return known


def names(paths):
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                yield re.sub(r" \(.*\)$", "", json.loads(line)["model"])


def main():
    program, measured = sys.argv[1:3]
    paths = glob.glob(os.path.join(measured, "*.jsonl"))
    logs = [os.path.join(folder, f"fieldlogs-{kind}.jsonl") for folder in sys.argv[3:] for kind in ("datacenter", "llamacpp")]
    present = [path for path in logs if os.path.exists(path)]
    if not present:
        print("skipped: no ../shared: the names of the field logs")
    known = catalog(program)
    wanted = set(names(paths + present))
    missing = sorted(name for name in wanted - VAGUE if not keys(name) & known)
    for name in missing:
        print("not in the catalog:", name)
    print(f"{len(wanted) - len(missing)} of {len(wanted)} names known, {len(wanted & VAGUE)} of them vague")
    sys.exit(1 if missing else 0)


main()
