#!/usr/bin/env python3
"""The catalog of models: tests/check_models.py PROGRAM [SHARED], in the folder that $SOURCE_DIR names or the current one.

Every model plans, no two share a name, and each published total is the computed one or differs for a known cause. With SHARED
also: the published configs there give their published totals, as files and by the names of the catalog.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

LEAST_MODELS = 150

# Configs in SHARED that say too little to give their published totals, and what they lack.
INCOMPLETE = {
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4": "the quantisation stands in another file",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4": "the quantisation stands in another file",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8": "the quantisation stands in another file",
    "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4": "the quantisation stands in another file",
}


class Checks:
    def __init__(self, program):
        self.program = program
        self.passed = self.failed = self.skipped = 0

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--json"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout)

    def report(self, name, faults):
        if faults:
            self.failed += 1
            print(f"[  FAILED  ] {name}")
            print("\n".join(f"  {fault}" for fault in faults))
        else:
            self.passed += 1
            print(f"[       OK ] {name}")


def fold(name):
    """What of a name counts where names are compared (src/catalog/names.c): separators only between two digits."""
    kept = re.sub(r"(?<=[0-9])[-_. :]+(?=[0-9])", "|", name.split("/")[-1])
    return re.sub(r"[-_. :]", "", kept).lower()


def read_records(root):
    """id -> (names, published total or None)"""
    records = {}
    for path in sorted(glob.glob(os.path.join(root, "data", "model", "*.rec"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for part in re.split(r"(?m)^(?=model )", text)[1:]:
            identifier = part.split()[1]
            names = re.findall(r"(?m)^  hub (\S+)", part)
            for aliases in re.findall(r"(?m)^  alias (.*)", part):
                names += aliases.split()
            total = re.search(r"(?m)^  published (\d+)", part)
            records[identifier] = ([identifier, *names], int(total[1]) if total else None)
    return records


def shared_names(records):
    owners = collections.defaultdict(set)
    for identifier, (names, _) in records.items():
        for name in names:
            owners[fold(name)].add(identifier)
    return [f"{name}: {', '.join(sorted(found))}" for name, found in owners.items() if len(found) > 1]


def total_fault(answer, published):
    """What is wrong with the total of an inspected model; None where nothing is."""
    if "model" not in answer:
        return answer["message"]
    codes = {note["code"] for note in answer["notes"]}
    parameters = answer["model"]["parameters"]
    if published is None or parameters == published or "published_total_differs" in codes:
        return None
    return f"{parameters} parameters, published are {published}"


def plan_fault(answer):
    return answer["message"] if answer["schema"] == "tonnage.error/1" else None


def check_catalog(checks, records):
    listed = {model["id"]: model for model in checks.run("models")["models"]}
    checks.report(f"at_least_{LEAST_MODELS}_models", [] if len(listed) >= LEAST_MODELS else [str(len(listed))])
    checks.report("the_program_lists_every_record", sorted(set(listed) ^ set(records)))
    checks.report("no_two_models_share_a_name", shared_names(records))
    faults = {identifier: plan_fault(checks.run("plan", identifier, "--gpu-memory", "80GiB")) for identifier in listed}
    checks.report("every_model_plans", [f"{name}: {fault}" for name, fault in faults.items() if fault])
    faults = {identifier: total_fault(checks.run("inspect", identifier), total)
              for identifier, (_, total) in records.items()}
    checks.report("published_totals_are_computed_or_explained",
                  [f"{name}: {fault}" for name, fault in faults.items() if fault])


def check_shared(checks, records, folder):
    known = {fold(name) for names, _ in records.values() for name in names}
    of_files, of_names, absent = [], [], []
    for path in sorted(glob.glob(os.path.join(folder, "models", "*.json"))):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        name, published = data["hf_id"], data.get("params_total")
        if not published or name in INCOMPLETE:
            continue
        answer = checks.run("inspect", path)
        fault = total_fault(answer, published)
        of_files += [f"{name}: {fault}"] if fault else []
        if fold(name) not in known:
            absent.append(name)
            continue
        by_name = checks.run("inspect", name)
        if "model" not in by_name or by_name["model"]["parameters"] != answer.get("model", {}).get("parameters"):
            of_names.append(f"{name}: {by_name.get('message') or by_name['model']['parameters']} by its name")
    checks.report("published_configs_give_their_totals", of_files)
    checks.report("the_catalog_says_what_the_configs_say", of_names)
    checks.report("the_catalog_has_every_config_with_a_total", absent)


def main():
    checks = Checks(sys.argv[1])
    records = read_records(os.environ.get("SOURCE_DIR", "."))
    check_catalog(checks, records)
    if len(sys.argv) > 2 and os.path.isdir(os.path.join(sys.argv[2], "models")):
        check_shared(checks, records, sys.argv[2])
    else:
        checks.skipped = 1
        print("[  SKIPPED ] published_configs (no ../shared)")
    print(f"{checks.passed} passed, {checks.failed} failed, {checks.skipped} skipped")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
