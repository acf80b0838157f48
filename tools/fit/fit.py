#!/usr/bin/env python3
"""Fits the constants of data/engine/vllm_fitted.rec to measured records and writes the record anew.

usage: fit.py [--check] [--models DIR]... --terms BUILD/terms RECORDS.jsonl...

The structure of a formula stands in data/engine/vllm.rec; here only its constants move. The program itself evaluates the
formulas (tools/fit/terms.c): each constant is changed a little, what changes in the predictions is a row of a linear
system, and the system is solved for the least sum of absolute errors, so that a few odd logs pull little. Records that
differ only in what does not matter (length of context, repetitions) count as one. Spreads are what nine of ten
records keep within.

--check    changes nothing: prints predicted and measured for each record
--models   configs {"hf_id", "config"} for models that the catalog lacks

A record is a line of JSON: id, engine, engine_version, model, gpu, tp, pp, dp, settings in the engine's names, and
"measured" with figures in GiB. data/engine/vllm_fitted.rec as in the repository comes from the field logs of the
documentation (docs/accuracy.md) and tools/fit/records.jsonl.
"""
import argparse
import glob
import json
import os
import re
import subprocess

GIB = 2**30
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FITTED = os.path.join(ROOT, "data/engine/vllm_fitted.rec")
RULES = os.path.join(ROOT, "data/engine/vllm.rec")
SETTINGS = ("gpu_memory_utilization", "max_model_len", "max_num_seqs", "max_num_batched_tokens", "enforce_eager",
            "language_model_only", "block_size", "usage", "max_cudagraph_capture_size", "num_speculative_tokens")
NAMES = ["peak_activation_memory", "non_torch_memory", "memory_at_start", "cuda_graph_memory", "estimate",
         "cuda_graph_estimate", "requested_memory", "available_kv_cache_memory", "is_sampler_bound", "communication", "is_datacenter", "is_v1"]

# What logs call a card, in the order of the search.
GPUS = (("GH200", "gh200-96gb-hbm3"), ("H100", "h100-sxm5-80gb"), ("H200", "h200-sxm5-141gb"), ("H20 ", "h200-sxm5-141gb"),
        ("4090", "rtx-4090"), ("3090", "rtx-3090"), ("5090", "rtx-5090"), ("A100-SXM4-40", "a100-sxm4-40gb"),
        ("A100", "a100-sxm4-80gb"), ("A6000", "rtx-a6000"), ("RTX PRO 6000", "rtx-pro-6000-blackwell-server"),
        ("GB10", "gb10"), ("B200", "b200-sxm-180gb"), ("L40S", "l40s"), ("L4", "l4"), ("T4", "t4"),
        ("V100", "v100-sxm2-32gb"), ("2060", "rtx-2060-12gb"), ("48 GB", "rtx-a6000"), ("80 GB", "a100-sxm4-80gb"))


def read_models(folders):
    models = {}
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            with open(path, encoding="utf-8") as file:
                entry = json.load(file)
            if "hf_id" in entry and "config" in entry:
                models.setdefault(entry["hf_id"].lower(), entry["config"])
    return models


def gpu_of(name):
    return next((known for part, known in GPUS if part in name), name)


def job_of(record, models):
    measured = record["measured"]
    sets = {name: str(record[name]).lower() for name in SETTINGS if record.get(name) is not None}
    if measured.get("total_gpu_memory_gib"):
        sets["gpu_total"] = f"{int(measured['total_gpu_memory_gib'] * GIB)}B"
    if record.get("dtype") == "float32":
        sets["dtype"] = "float32"
    job = {"id": record["id"], "engine": "vllm", "version": record["engine_version"].split()[0],
           "model": record["model"], "gpu": gpu_of(record["gpu"]), "context": record.get("max_model_len") or 0,
           "weights": int((measured.get("weights_gib_per_gpu") or 0) * GIB), "sets": sets, "names": NAMES}
    job.update({name: record.get(name) or 1 for name in ("tp", "pp", "ep", "dp")})
    if record["model"].lower() in models:
        job["config"] = models[record["model"].lower()]
    if record.get("quantization") == "fp8" and "fp8" not in record["model"].lower():
        job["quant"] = "fp8"
    return job


def evaluate(terms, jobs, constants):
    """id -> {name: (low, mid, high) in GiB}, or a text that says what is wrong."""
    path = FITTED + ".new"
    write_record(path, constants)
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    run = subprocess.run([terms, path, RULES], input=lines, capture_output=True, text=True, check=True)
    os.remove(path)
    answers = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        answers[answer["id"]] = answer.get("error") or {
            name: [value / GIB for value in values] for name, values in answer["values"].items()}
    return answers


# ---- constants -------------------------------------------------------------------------------------------------------

def read_record():
    """name -> (value, unit, comment); units are MiB or none."""
    constants = {}
    with open(FITTED, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"  let (\w+) (-?[\d.]+)(?: \* (MiB|GiB))?(?:\s+# (.*))?", line)
            if match:
                scale = 1024 if match[3] == "GiB" else 1
                constants[match[1]] = (float(match[2]) * scale, "MiB" if match[3] else "", match[4] or "")
    return constants


HEAD = """\
# Constants of vLLM's record that logs were measured for. Written by tools/fit/fit.py; behind each the number of kinds
# of deployments that speak for it.
engine vllm_fitted
"""


def write_record(path, constants):
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for name, (value, unit, comment) in constants.items():
            text = f"{value:.{0 if value >= 20 and unit else 3}f}" + (" * MiB" if unit else "")
            file.write(f"  let {name} {text}" + (f"  # {comment}\n" if comment else "\n"))


# ---- what is compared ------------------------------------------------------------------------------------------------

def measured_terms(record, requested):
    """(name of the term, names of the record's values, GiB) of all that a record measured; requested: GiB of the budget."""
    measured = record["measured"]
    total, free = measured.get("total_gpu_memory_gib"), measured.get("free_at_start_gib")
    rows = [("activation", ["peak_activation_memory"], measured.get("activation_gib")),
            ("non_torch", ["non_torch_memory"], measured.get("non_torch_gib")),
            ("start", ["memory_at_start"], round(total - free, 2) if total and free else None),
            ("estimate", ["estimate"], measured.get("cuda_graph_estimated_gib"))]
    graphs = measured.get("cuda_graph_gib")
    # before 0.17 the figure is the change of free memory, which other allocations disturb
    version = tuple(int(part) for part in re.findall(r"\d+", record["engine_version"])[:2])
    rows.append(("graphs", ["cuda_graph_memory"], graphs if graphs and graphs > 0 and not (0, 8) <= version < (0, 17) else None))
    pool, weights = measured.get("kv_cache_gib"), measured.get("weights_gib_per_gpu")
    if pool and weights and measured.get("activation_gib") is None:
        rows.append(("rest", ["peak_activation_memory", "non_torch_memory", "cuda_graph_estimate"],
                     requested - pool - weights))
    return [row for row in rows if row[2] is not None]


def family_of(record, term):
    """Records of one family say the same about a term."""
    keys = ["model", "engine_version", "gpu", "tp", "pp", "dp", "quantization", "dtype", "max_num_seqs",
            "max_num_batched_tokens"]
    return (term,) + tuple(str(record.get(key)) for key in keys)


class Row:
    def __init__(self, record, term, names, target):
        self.record, self.term, self.names, self.target = record, term, names, target
        self.family = family_of(record, term)
        self.weight = 1.0

    def predicted(self, answers):
        return sum(answers[self.record["id"]][name][1] for name in self.names)

    def speaks_of(self, constant):
        """The rest of a budget is a sum of terms: what is not known otherwise is what ranks need to communicate."""
        return self.term != "rest" or "comm" in constant


def rows_of(records, answers):
    rows = []
    for record in records:
        answer = answers[record["id"]]
        if not isinstance(answer, str):
            rows += [Row(record, *term) for term in measured_terms(record, answer["requested_memory"][1])]
    for row in rows:
        row.weight = 1.0 / sum(other.family == row.family for other in rows)
    return rows


# ---- fitting ---------------------------------------------------------------------------------------------------------

def solve(matrix, right):
    """Gauss with pivots; the matrix is square and positive definite."""
    size = len(right)
    table = [list(row) + [value] for row, value in zip(matrix, right)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda k: abs(table[k][column]))
        table[column], table[pivot] = table[pivot], table[column]
        for k in range(size):
            if k != column:
                factor = table[k][column] / table[column][column]
                table[k] = [a - factor * b for a, b in zip(table[k], table[column])]
    return [table[k][size] / table[k][k] for k in range(size)]


def least_absolute(rows, residuals, slopes, scales):
    """Changes of the constants that make the sum of weighted absolute residuals least, by reweighted least squares.
    A constant that no row speaks for stays."""
    names = list(slopes)
    change = [0.0] * len(names)
    for _ in range(40):
        left = [[0.0] * len(names) for _ in names]
        right = [0.0] * len(names)
        for k, row in enumerate(rows):
            error = residuals[k] - sum(slopes[name][k] * change[n] for n, name in enumerate(names))
            weight = row.weight / max(abs(error), 0.005)
            for a, name in enumerate(names):
                if slopes[name][k]:
                    right[a] += weight * slopes[name][k] * residuals[k]
                    for b, other in enumerate(names):
                        left[a][b] += weight * slopes[name][k] * slopes[other][k]
        for a, name in enumerate(names):
            left[a][a] += 1e-3 / scales[name] ** 2
        change = solve(left, right)
    return dict(zip(names, change))


def moved(constants, name, by):
    value, unit, comment = constants[name]
    return {**constants, name: (value + by, unit, comment)}


LEAST_KINDS = 2  # a constant is never fitted to one kind of deployment
FEW_KINDS = 4  # a spread that fewer speak for is doubled


def is_spread(name):
    return "spread" in name


def fit(terms, records, jobs, constants):
    kinds = {}
    for _ in range(3):
        answers = evaluate(terms, jobs, constants)
        rows = rows_of(records, answers)
        residuals = [row.target - row.predicted(answers) for row in rows]
        slopes, scales = {}, {}
        for name, (value, unit, _) in constants.items():
            if is_spread(name):
                continue
            step = 16.0 if unit else 0.1
            if abs(value) < 20 and unit:
                step = 0.1
            other = evaluate(terms, jobs, moved(constants, name, step))
            slope = [(row.predicted(other) - row.predicted(answers)) / step if row.speaks_of(name) else 0.0 for row in rows]
            kinds[name] = max(kinds.get(name, 0), len({row.family for row, by in zip(rows, slope) if abs(by) > 1e-9}))
            if kinds[name] >= LEAST_KINDS:
                slopes[name], scales[name] = slope, max(abs(value), step)
        change = least_absolute(rows, residuals, slopes, scales)
        for name, number in kinds.items():
            value, unit, _ = constants[name]
            comment = f"{number} kinds" if number >= LEAST_KINDS else "assumed: too few speak for it"
            constants = {**constants, name: (max(value + change.get(name, 0.0), 0.0), unit, comment)}
    return constants


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def spreads(terms, records, jobs, constants):
    """What nine of ten kinds keep within; not less than what a log's digits and a repetition of a run leave open."""
    answers = evaluate(terms, jobs, constants)
    rows = rows_of(records, answers)

    def errors(term, keep):
        kinds = {}  # one of each kind: the worst
        for row in rows:
            answer = answers[row.record["id"]]
            if row.term == term and keep(answer):
                error = (abs(row.target - row.predicted(answers)), row.predicted(answers), answer["communication"][1])
                kinds[row.family] = max(error, kinds.get(row.family, error))
        return list(kinds.values())

    sampler = errors("activation", lambda answer: answer["is_sampler_bound"][1] > 0)
    forward = errors("activation", lambda answer: answer["is_sampler_bound"][1] == 0)
    small = errors("rest", lambda answer: answer["communication"][1] > 0 and answer["is_datacenter"][1] == 0)
    single = errors("non_torch", lambda answer: answer["communication"][1] == 0)
    several = errors("non_torch", lambda answer: answer["communication"][1] > 0)
    graphs = errors("graphs", lambda answer: answer["is_v1"][1] > 0)
    estimates = errors("estimate", lambda answer: True)
    found = {
        "fitted_spread_sampler": (max(0.015, quantile([e / p for e, p, _ in sampler], 0.9)), len(sampler)),
        "fitted_spread_forward": (max(0.1, quantile([e / p for e, p, _ in forward], 0.9)), len(forward)),
        "fitted_spread_non_torch": (1024 * max(0.1, quantile([e for e, _, _ in single], 0.9)), len(single)),
        "fitted_spread_communication": (
            max(0.08, quantile([e / c for e, _, c in several], 0.9)), len(several)),
        "fitted_spread_communication_small": (max(0.5, quantile([e / c for e, _, c in small], 0.9)), len(small)),
        "fitted_graph_spread": (max(0.2, quantile([e / p for e, p, _ in graphs], 0.9)), len(graphs)),
        "fitted_estimate_spread": (max(0.2, quantile([e / p for e, p, _ in estimates], 0.9)), len(estimates)),
    }
    for name, (value, count) in found.items():
        value *= 2 if count < FEW_KINDS else 1
        constants = {**constants, name: (value, constants[name][1], f"{count} kinds")}
    return constants


# ---- report ----------------------------------------------------------------------------------------------------------

def report(records, answers):
    inside = large = 0
    errors, widths = [], []
    for record in records:
        answer = answers[record["id"]]
        if isinstance(answer, str):
            print(f"{record['id']}: {answer}")
            continue
        texts = [f"{term} {sum(answer[name][1] for name in names):.2f}/{target:.2f}"
                 for term, names, target in measured_terms(record, answer["requested_memory"][1])]
        pool = record["measured"].get("kv_cache_gib")
        if pool and record["measured"].get("weights_gib_per_gpu"):
            low, mid, high = answer["available_kv_cache_memory"]
            texts.append(f"pool {mid:.2f}/{pool:.2f}" + ("" if low <= pool <= high else " outside"))
            large += 1
            inside += low <= pool <= high
            errors.append(abs(mid - pool) / pool)
            widths.append((high - low) / pool)
        print(f"{record['id']}: {', '.join(texts)}")
    if large:
        print(f"pools with logged weights: {large}, median error {100 * quantile(errors, 0.5):.2f} %, "
              f"90th percentile {100 * quantile(errors, 0.9):.2f} %, inside their range {100 * inside / large:.0f} %, "
              f"median width {100 * quantile(widths, 0.5):.1f} %")


def main():
    parser = argparse.ArgumentParser(description="fits data/engine/vllm_fitted.rec to measured records")
    parser.add_argument("records", nargs="+")
    parser.add_argument("--terms", required=True)
    parser.add_argument("--models", action="append", default=[])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    records = [json.loads(line) for path in options.records for line in open(path, encoding="utf-8")]
    records = [record for record in records
               if record["engine"] == "vllm" and re.match(r"\d+\.\d+", record.get("engine_version") or "")]
    models = read_models(options.models)
    jobs = [job_of(record, models) for record in records]
    constants = read_record()
    if not options.check:
        constants = spreads(options.terms, records, jobs, fit(options.terms, records, jobs, constants))
        write_record(FITTED, constants)
    report(records, evaluate(options.terms, jobs, constants))


main()
