#!/usr/bin/env python3
"""How well calibrated ranges hold: each measurement is left out in turn, and compared with the range that the others make.

usage: calibration.py TONNAGE RECORDS.jsonl...

Counts engine versions on one GPU that have at least four measurements of a term. Prints the table of docs/calibrate.md. Works in a
database of its own.
"""
import json
import os
import subprocess
import sys
import tempfile

LEAST = 4


def calibrate(program, *words):
    done = subprocess.run([program, "calibrate", *words, "--json"], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def group_of(record):
    return record["engine"], record["version"], record["gpu"]


def compare(program, files):
    """{term: [(holds fitted, holds calibrated, width in parts of the fitted one)]}"""
    calibrate(program, *files)
    kept = calibrate(program, "--list")
    many = {(group_of(group), term) for group in kept["groups"] for term, of in group["terms"].items() if of["runs"] >= LEAST}
    results = {}
    for run in kept["runs"]:
        terms = [term for term in run["places"] if (group_of(run), term) in many]
        if not terms:
            continue
        calibrate(program, "--forget", run["id"])
        others = next(group for group in calibrate(program, "--list")["groups"] if group_of(group) == group_of(run))
        for term in terms:
            place, made = run["places"][term], others["terms"][term]
            results.setdefault(term, []).append(
                (abs(place) <= 1, made["low"] <= place <= made["high"], (made["high"] - made["low"]) / 2))
        calibrate(program, *files)
    return results


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        results = compare(sys.argv[1], sys.argv[2:])
    print("| term | records | fitted ranges hold | calibrated ones hold | their width |\n|---|---:|---:|---:|---:|")
    for term, rows in results.items():
        fitted, calibrated, width = (100 * sum(column) / len(rows) for column in zip(*rows))
        print(f"| {term} | {len(rows)} | {fitted:.0f} % | {calibrated:.0f} % | {width:.0f} % |")


if __name__ == "__main__":
    main()
