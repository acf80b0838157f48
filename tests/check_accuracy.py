"""Scores the project's measured records and fails where a term has become worse than the figures kept beside them.

usage: check_accuracy.py PROGRAM MEASURED [DATA] [--update]

MEASURED is tests/measured: *.jsonl and expected.json. Where DATA has the field logs that the records were written from, these must score
the same. --update writes expected.json anew: look at the diff before you commit it.
"""
import glob
import json
import os
import subprocess
import sys

HIGHER_IS_WORSE = ("median_abs_pct", "p90_abs_pct", "max_abs_pct", "family_median_abs_pct")
LOWER_IS_WORSE = ("n", "exact", "within_range_pct")
WORSE_VERDICTS = ("false_fits", "false_refusals", "unsure")
TOLERANCE = 0.005  # percent points: what a change in the last digit of the arithmetic may do


def score(program, paths):
    done = subprocess.run([program, "score", "--json", *paths], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    if done.returncode:
        sys.exit(f"score: {answer.get('where')}: {answer.get('message')}")
    return answer


def figures(answer):
    """What is kept: per term, per kind of pool and per kind of device the statistics, and the verdicts."""
    kept = {"scored": answer["scored"], "verdicts": answer["verdicts"], "terms": {}}
    for name, term in answer["terms"].items():
        kinds = {key: value for key, value in term.items() if isinstance(value, dict)}
        kept["terms"][name] = {key: value for key, value in term.items() if key not in kinds}
        for key, kind in kinds.items():
            kept["terms"][f"{name}.{key}"] = kind
    return kept


def worse_numbers(name, now, kept):
    for keys, sign in ((HIGHER_IS_WORSE, 1), (LOWER_IS_WORSE, -1)):
        for key in keys:
            if kept.get(key) is not None and (now.get(key) is None or sign * (now[key] - kept[key]) > TOLERANCE):
                yield f"{name}: {key} is {now.get(key)}, was {kept[key]}"


def compare(now, kept):
    """Everything that has become worse."""
    if now["scored"] < kept["scored"]:
        yield f"{now['scored']} records are scored, were {kept['scored']}"
    for name, term in kept["terms"].items():
        yield from worse_numbers(name, now["terms"].get(name, {}), term)
    for key in WORSE_VERDICTS:
        if now["verdicts"][key] > kept["verdicts"][key]:
            yield f"verdicts: {key} is {now['verdicts'][key]}, was {kept['verdicts'][key]}"


def differences(ours, theirs, path):
    """The leaves in which two answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(key), theirs.get(key), f"{path}.{key}")
    elif ours != theirs:
        yield f"{path}: the field logs give {theirs}, tests/measured {ours}"


def compare_sources(program, own, data):
    """The records and the field logs that they were written from."""
    path = os.path.join(data, "fieldlogs-datacenter.jsonl")
    if not os.path.exists(path):
        print("skipped: no ../shared: whether the field logs score the same")
        return
    theirs = score(program, [path])
    for key in ("records", "scored", "terms", "verdicts", "families", "versions"):
        yield from differences(own[key], theirs[key], key)


def main():
    arguments = [one for one in sys.argv[1:] if one != "--update"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    program, folder = arguments[:2]
    own = score(program, sorted(glob.glob(os.path.join(folder, "*.jsonl"))))
    now, path = figures(own), os.path.join(folder, "expected.json")
    if "--update" in sys.argv:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(now, file, indent=1)
            file.write("\n")
        return
    with open(path, encoding="utf-8") as file:
        faults = list(compare(now, json.load(file)))
    if len(arguments) > 2:
        faults += compare_sources(program, own, arguments[2])
    for fault in faults:
        print("worse:", fault)
    print(f"{own['scored']} of {own['records']} records scored, {len(faults)} figures worse than kept")
    sys.exit(1 if faults else 0)


main()
