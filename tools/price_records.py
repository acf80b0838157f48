#!/usr/bin/env python3
"""Writes data/price/cloud.rec: what clouds ask for an hour of a GPU.

usage: price_records.py PRICES.jsonl data/gpu data/price/cloud.rec

Each line of the table is an object: gpu, gpu_count, provider, kind (on-demand, marketplace, spot), region, date or commit, source, note, and
usd_per_gpu_hour, or usd_per_gpu_hour_low and _high. A price without a source, or with neither a date nor a commit, is refused; so is one whose
GPU is not in the catalog.
"""
import glob
import json
import os
import re
import sys

KINDS = ("on-demand", "marketplace", "spot")
COPY_NOTE = "catalogue schema v8; the stored copy carries a commit but no date"  # of each line of that source: the commit says it
HEAD = """\
# What clouds ask for an hour of a GPU. Written by tools/price_records.py.
#
#     price ID                    of one GPU of data/gpu; as many records as there are offers
#       usd_per_gpu_hour N        US dollars for an hour of one GPU; "N to M" where the source gives a range
#       kind KIND                 on-demand, marketplace (what a private host asks on a market place) or spot (may be taken away)
#       gpus N                    in the machine that was offered
#       provider NAME
#       region NAME
#       date YYYY-MM[-DD]         when it was asked, or
#       commit HASH               of the source, where the source has no date
#       source TEXT
#
# Which of them counts as the GPU's price: src/catalog/price.h.
"""


def fold(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def gpu_ids(folder):
    """Every name of a GPU of the catalog -> its id; the first record of a name is the one that is meant."""
    names = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.rec"))):
        current = None
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                words = line.split()
                if line.startswith("gpu "):
                    current = words[1]
                    names.setdefault(fold(current), current)
                elif line.startswith("  ") and current and words and words[0] in ("name", "reported_as", "alias"):
                    for name in words[1:] if words[0] == "alias" else [" ".join(words[1:])]:
                        names.setdefault(fold(name), current)
                elif words and not line.startswith((" ", "#")):
                    current = None
    return names


def amount(row):
    if "usd_per_gpu_hour" in row:
        return f"{row['usd_per_gpu_hour']:g}"
    return f"{row['usd_per_gpu_hour_low']:g} to {row['usd_per_gpu_hour_high']:g}"


def record(row, ids):
    if fold(row["gpu"]) not in ids:
        sys.exit(f"{row['gpu']}: no such GPU")
    if row["kind"] not in KINDS or not row.get("source") or not (row.get("date") or row.get("commit")):
        sys.exit(f"{row['gpu']}, {row['provider']}: an offer has one of the kinds {', '.join(KINDS)}, a source, and a date or a commit")
    lines = [f"price {ids[fold(row['gpu'])]}", f"usd_per_gpu_hour {amount(row)}", f"kind {row['kind']}", f"gpus {row['gpu_count']}",
             f"provider {row['provider']}"]
    lines += [f"{key} {row[key]}" for key in ("region", "date") if row.get(key)]
    if not row.get("date"):
        lines.append(f"commit {row['commit'][:12]}")
    lines.append(f"source {row['source']}")
    if row.get("note") not in (None, COPY_NOTE):
        lines.append(f"note {row['note']}")
    return "\n  ".join(lines) + "\n"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    table, gpus, path = sys.argv[1:]
    with open(table, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    ids = gpu_ids(gpus)
    records = sorted(record(row, ids) for row in rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD + "\n" + "\n".join(records))
    print(f"{len(rows)} prices of {len({one.split()[1] for one in records})} GPUs")


main()
