#!/usr/bin/env python3
"""Writes docs/accuracy.md: predicted against published figures.

    tools/accuracy.py --program build/tonnage [--shared DIR] > docs/accuracy.md

Two sets are compared. The catalog: every model record with a `published` total, predicted from its hyper-parameters alone. The
configs of DIR/models/*.json (if given): every published config with a total. A difference counts as explained only if the program
names its cause from the exact amount (note published_total_differs). With --test nothing is written but a summary, and the exit
status is 1 if a difference has no cause.
"""
import argparse
import glob
import json
import os
import subprocess
import sys


def run(program, *arguments):
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def compare(name, answer):
    """One row: name, ours, theirs or None where there is no published total, cause."""
    if answer["schema"] != "tonnage.inspect/1":
        return {"name": name, "error": answer["message"]}
    row = {"name": name, "ours": answer["model"]["parameters"], "architecture": answer["model"]["architecture"]}
    for note in answer["notes"]:
        if note["code"] in ("published_total_differs", "published_total_unexplained"):
            total, rest = note["message"].removeprefix("the published total is ").split(", ", 1)
            row["theirs"] = int(total)
            row["cause"] = rest.split(": ", 1)[1] if note["code"] == "published_total_differs" else None
    return row


def catalog_rows(program):
    for model in run(program, "models")["models"]:
        if model["published"]:
            yield compare(model["id"], run(program, "inspect", model["id"]))


def shared_rows(program, folder):
    for path in sorted(glob.glob(os.path.join(folder, "models", "*.json"))):
        with open(path, encoding="utf-8") as file:
            wrapper = json.load(file)
        if wrapper.get("params_total"):
            yield compare(wrapper["hf_id"], run(program, "inspect", path))


def summary(rows):
    exact = [row for row in rows if "ours" in row and "theirs" not in row]
    explained = [row for row in rows if row.get("cause")]
    failed = [row for row in rows if "error" in row or ("theirs" in row and not row["cause"])]
    return exact, explained, failed


def write_set(title, rows):
    exact, explained, failed = summary(rows)
    print(f"\n## {title}\n")
    print(f"{len(rows)} published totals: {len(exact)} are met to the last parameter, {len(explained)} differ by a known cause, "
          f"{len(failed)} differ without one.\n")
    if explained or failed:
        print("| model | predicted | published | difference | cause |")
        print("|---|---:|---:|---:|---|")
    for row in failed + explained:
        if "error" in row:
            print(f"| {row['name']} | | | | {row['error']} |")
        else:
            print(f"| {row['name']} | {row['ours']:,} | {row['theirs']:,} | {row['theirs'] - row['ours']:+,} | "
                  f"{row['cause'] or 'not known'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--shared")
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    sets = [("Models of the catalog", list(catalog_rows(options.program)))]
    if options.shared and os.path.isdir(os.path.join(options.shared, "models")):
        sets.append(("Published config.json files", list(shared_rows(options.program, options.shared))))
    if options.test:
        failures = 0
        for title, rows in sets:
            exact, explained, failed = summary(rows)
            failures += len(failed)
            print(f"{title}: {len(exact)} of {len(rows)} exact, {len(explained)} explained, {len(failed)} not")
            for row in failed:
                print("  ", row)
        if len(sets) == 1:
            print("Published config.json files: skipped: no ../shared")
        sys.exit(1 if failures else 0)
    print("# Accuracy\n")
    print("Written by `tools/accuracy.py`; the test suite runs the same comparison. Parameters are counted from the")
    print("hyper-parameters alone, without any header: tied tensors once, scales of quantised weights not.")
    for title, rows in sets:
        write_set(title, rows)


if __name__ == "__main__":
    main()
