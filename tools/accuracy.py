#!/usr/bin/env python3
"""Writes docs/accuracy.md: predicted against published and measured figures.

    tools/accuracy.py --program build/tonnage [--shared DIR] > docs/accuracy.md

Start-up memory of engines: `tonnage score` on tests/measured, with the causes of missed weights and pools that
tests/measured/causes.json keeps by term and record. Buffers of llama.cpp: the same on tests/measured/llamacpp.

Parameters: two sets are compared. The catalog: every model record with a `published` total, predicted from its hyper-parameters alone. The
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


ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEASURED = os.path.join(ROOT, "tests", "measured")
WORST = 3  # records shown per term


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
    print(f"\n### {title}\n")
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


# ---- start-up memory -------------------------------------------------------------------------------------------------


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def write_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" if name in ("term", "record", "cause", "architecture", "engine", "why") else "---:" for name in head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def term_row(name, term):
    return [name, term["n"], term["exact"], number(term["median_abs_pct"]), number(term["p90_abs_pct"]), number(term["max_abs_pct"]),
            number(term["bias_pct"]), number(term["within_range_pct"], 0), number(term["median_range_pct"]),
            number(term["family_median_abs_pct"])]


def write_terms(score):
    rows = []
    for name, term in score["terms"].items():
        if term["n"]:
            rows.append(term_row(name, term))
        for pool in ("large_pools", "small_pools"):
            if term.get(pool, {}).get("n"):
                rows.append(term_row(f"{name}, {pool.replace('_', ' ')} (median {number(term[pool]['median_abs_gib'])} GiB)", term[pool]))
        for key, words in (("gpu", "on GPUs"), ("host", "of the host")):
            if term.get(key, {}).get("n"):
                rows.append(term_row(f"{name}, {words}", term[key]))
    write_table(["term", "records", "exact", "median %", "nine of ten %", "worst %", "bias %", "in range %", "range is %",
                 "median by architecture %"], rows)


def write_groups(groups, name):
    rows = []
    for group, terms in groups.items():
        cells = [group]
        for term in ("weights", "activation", "kv_pool"):
            cells += [terms[term]["n"], number(terms[term]["median_abs_pct"])] if term in terms else ["", ""]
        given = terms.get("kv_tokens_given_pool")
        rows.append(cells + ([given["n"], given["exact"]] if given else ["", ""]))
    write_table([name, "weights", "median %", "activation", "median %", "pool", "median %", "tokens given pool", "exact"], rows)


def with_term(score, term):
    return [one for one in score["details"] if term in one["terms"]]


def write_worst(score):
    rows = []
    for term in score["terms"]:
        missed = [one for one in with_term(score, term) if not one["terms"][term]["exact"]]
        missed.sort(key=lambda one: -abs(one["terms"][term]["error_pct"]))
        for one in missed[:WORST]:
            value = one["terms"][term]
            rows.append([term, one["id"], f"{value['measured']:,.0f}", f"{value['predicted']:,.0f}", f"{value['error_pct']:+.2f}"])
    write_table(["term", "record", "measured", "predicted", "error %"], rows)


def missed(score, term, share, least_bytes):
    """Records of which a term differs by more than a share of the measured value and more than some bytes, the largest error first."""
    found = []
    for one in with_term(score, term):
        value = one["terms"][term]
        far = abs(value["predicted"] - value["measured"]) - value["rounding"]
        if far > value["measured"] * share and far > least_bytes:
            found.append(one)
    return sorted(found, key=lambda one: -abs(one["terms"][term]["error_pct"]))


def write_missed(score, term, share, least_bytes, words):
    with open(os.path.join(MEASURED, "causes.json"), encoding="utf-8") as file:
        causes = json.load(file)[term]
    count, far = len(with_term(score, term)), missed(score, term, share, least_bytes)
    print(f"{count - len(far)} of {count} lie within {words}.\n")
    if far:
        write_table(["record", "measured GiB", "predicted GiB", "error %", "cause"],
                    [[one["id"], number(value["measured"] / 2**30, 3), number(value["predicted"] / 2**30, 3),
                      f"{value['error_pct']:+.2f}", causes.get(one["id"], "not known")]
                     for one in far for value in [one["terms"][term]]])


def write_listed(score):
    if score["unresolved"]:
        print("\n### Not scored\n")
        write_table(["record", "why"], [[one["id"], one["why"]] for one in score["unresolved"]])
    if score["left_out"]:
        print("\n### Figures left out\n")
        write_table(["record", "term", "why"], [[one["id"], one["term"], one["why"]] for one in score["left_out"]])


def write_engines(program):
    score = run(program, "score", "--details", *sorted(glob.glob(os.path.join(MEASURED, "*.jsonl"))))
    verdicts = score["verdicts"]
    print("\n## Start-up memory of engines\n")
    print(f"{score['scored']} of {score['records']} measured records (tests/measured) are planned and compared; "
          "[measured.md](measured.md) says how,")
    print("and what the terms and columns are. `tonnage score tests/measured/*.jsonl` prints the same, `make accuracy` fails where a term "
          "becomes worse.\n")
    write_terms(score)
    print(f"\nOf {verdicts['n']} starts {verdicts['failed']} failed: {verdicts['false_fits']} of these are called fitting, "
          f"{verdicts['false_refusals']} of the others are called not fitting,")
    print(f"and {verdicts['unsure']} in all are called unsure.")
    print("\n### By engine and version\n")
    write_groups(score["versions"], "engine")
    print("\n### By architecture\n")
    write_groups(score["families"], "architecture")
    print("\n### Worst cases\n\nBytes, or tokens.\n")
    write_worst(score)
    print("\n### Weights\n")
    write_missed(score, "weights", 0.001, 4 * 2**20, "0.1 % or 4 MiB")
    print("\n### KV pools\n")
    write_missed(score, "kv_pool", 0.05, 2**28, "5 % or 256 MiB")
    write_listed(score)


# ---- llama.cpp -------------------------------------------------------------------------------------------------------


def device_samples(score):
    """(term, record, device, sample) of all devices."""
    for one in score["details"]:
        for device in one["devices"]:
            for term, value in device["terms"].items():
                yield term, one["id"], device["device"], value


def write_worst_buffers(score):
    rows = []
    for term in score["terms"]:
        missed = [one for one in device_samples(score) if one[0] == term and not one[3]["exact"]]
        missed.sort(key=lambda one: -abs(one[3]["error_pct"]))
        for _, record, device, value in missed[:WORST]:
            rows.append([term, f"{os.path.basename(record)} {device}", f"{value['measured']:,.0f}", f"{value['predicted']:,.0f}",
                         f"{value['error_pct']:+.2f}"])
    if rows:
        print("\nWorst cases, bytes:\n")
        write_table(["term", "record", "measured", "predicted", "error %"], rows)


def write_reasons(title, reasons):
    """Reasons by how many records have them."""
    rows = [[reasons.count(one), *one] for one in sorted(set(reasons))]
    if rows:
        print(f"\n{title}:\n")
        write_table(["records", *(["term"] if len(rows[0]) > 2 else []), "why"], sorted(rows, key=lambda row: -row[0]))


def write_buffers(program, name, title):
    score = run(program, "score", "--details", os.path.join(MEASURED, "llamacpp", name))
    verdicts = score["verdicts"]
    print(f"\n### {title}\n\n{score['scored']} of {score['records']} records (tests/measured/llamacpp/{name}) are planned and compared.\n")
    write_terms(score)
    print(f"\nOf {verdicts['n']} starts {verdicts['false_refusals']} are called not fitting; {verdicts['unsure']} are called unsure. All of "
          "them fitted.")
    write_worst_buffers(score)
    write_reasons("Not scored", [(one["why"],) for one in score["unresolved"]])
    write_reasons("Figures left out", [(one["term"], one["why"]) for one in score["left_out"]])


def write_llamacpp(program):
    print("\n## Buffers of llama.cpp\n")
    print("Each device has a sample of each term; [measured.md](measured.md) says what the terms are, and why figures are left out.")
    write_buffers(program, "rows.jsonl", "Models made for it, by llama.cpp itself: every setting")
    write_buffers(program, "graphs.jsonl", "Models made for it, by llama.cpp itself: every architecture")
    write_buffers(program, "fieldlogs.jsonl", "Field logs")


# ---- all together ----------------------------------------------------------------------------------------------------


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
    print("Written by `tools/accuracy.py`; the test suite runs the same comparisons.")
    write_engines(options.program)
    write_llamacpp(options.program)
    print("\n## Parameters\n")
    print("Counted from the hyper-parameters alone, without any header: tied tensors once, scales of quantised weights not.")
    for title, rows in sets:
        write_set(title, rows)


if __name__ == "__main__":
    main()
