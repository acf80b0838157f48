#!/usr/bin/env python3
"""How far tonnage and the oracle (oracle.py) agree, over many configs.

    agreement.py --program PATH --oracle DIR [--format text|md] CONFIG...

Configs of one content are counted once for each file.  Each falls into one of

  equal     every name, every shape and the total are the same
  shapes    total and shapes are the same; names differ, as the reference
            renames tensors when it saves (README.md, "Reading the results")
  differs   listed, with a reason from reasons.txt
  alone     the reference does not know the class: listed, with tonnage's total
  unknown   tonnage has no record: listed, with what is missing

--format md writes docs/oracle.md.  The exit status is 1 where a difference has no reason.
"""
import argparse
import collections
import fnmatch
import json
import sys
from pathlib import Path

from compare import choose_output, differences, find_output, inspect, same_shapes
from oracle import clean, read_configs

KINDS = ("equal", "shapes", "differs", "alone", "unknown")


def judge(program, folder, path, name, config):
    """(kind, what is to be said, parameters of multi-token prediction, whether the config had to be completed)"""
    config = clean(config)
    reply = inspect(program, config)
    output = choose_output(find_output(folder, name), path)
    if "groups" not in reply:
        return "unknown", reply.get("message", "no groups in the reply"), 0, False
    if output is None:
        return "alone", f"{reply['model']['parameters']:,} parameters", 0, False
    oracle = json.loads(output.read_text())
    lines, further = differences(reply, oracle)
    kind = "equal" if not lines else "shapes" if same_shapes(reply, oracle) else "differs"
    return kind, "; ".join(lines), further, output.name.startswith("completed__")


def read_reasons():
    """[(pattern of a file's name or of a class, reason)]; the first that fits counts."""
    lines = (Path(__file__).parent / "reasons.txt").read_text().splitlines()
    return [tuple(part.strip() for part in line.split("|", 1)) for line in lines if line and not line.startswith("#")]


def reason_of(reasons, name, architecture):
    return next((text for pattern, text in reasons
                 if fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(architecture, pattern)), None)


def as_text(rows, reasons):
    for kind in KINDS[1:]:
        for row in rows:
            if row["kind"] == kind:
                reason = reason_of(reasons, row["name"], row["architecture"])
                print(f"{kind}: {row['name']} ({row['architecture']}): {reason or row['text'][:400]}")
    counts = collections.Counter(row["kind"] for row in rows)
    print(", ".join(f"{counts[kind]} {kind}" for kind in KINDS))


def merged(rows, reasons, kind):
    """{(architecture, what is said): [names]} of one kind."""
    found = {}
    for row in rows:
        if row["kind"] == kind:
            text = reason_of(reasons, row["name"], row["architecture"])
            text = text or (row["text"] if kind == "alone" else f"`{row['text'][:300]}`")
            found.setdefault((row["architecture"], text), []).append(row["name"])
    return found


def list_of(rows, reasons, kind):
    for (architecture, text), names in sorted(merged(rows, reasons, kind).items()):
        print(f"- {architecture} ({', '.join(sorted(names))}): {text}")


def as_markdown(rows, reasons):
    counts = collections.Counter(row["kind"] for row in rows)
    compared = counts["equal"] + counts["shapes"] + counts["differs"]
    agree = counts["equal"] + counts["shapes"]
    drafts = sum(1 for row in rows if row["further"])
    completed = sum(1 for row in rows if row["completed"])
    print(f"""# Agreement with an independent implementation

Written by `tools/oracle/agreement.py --format md`; not edited by hand. tools/oracle/README.md says how the reference
(`transformers`, on the meta device) is asked which tensors a model has.

{len(rows)} configs: {compared} can be built by the reference; total and every shape agree for {agree} of them
({100 * agree / compared:.1f} %), and for {counts['equal']} every name too. {counts['alone']} are of classes that it does not know,
{counts['unknown']} of architectures without a record. Tensors of multi-token prediction, which the reference seldom has, are no
difference: {drafts} configs have them. Of the configs that agree {completed} are compared with what the reference builds from a completed
config (tools/oracle/completed.json): most of them lack keys that the reference needs and tonnage does not.

- **equal**: names, shapes and total. **shapes**: shapes and total; the reference saves under other names than the published files
  have. **differs**, **alone** (the reference does not know the class), **unknown** (no record) are listed below.

| architecture | equal | shapes | differs | alone | unknown |
|---|---:|---:|---:|---:|---:|""")
    table = collections.defaultdict(collections.Counter)
    for row in rows:
        table[row["architecture"]][row["kind"]] += 1
    for architecture in sorted(table, key=str.lower):
        print(f"| {architecture} | " + " | ".join(str(table[architecture][kind] or "") for kind in KINDS) + " |")
    print("\n## Configs that differ\n")
    list_of(rows, reasons, "differs")
    print("\n## Names that differ\n")
    list_of(rows, reasons, "shapes")
    print("\n## Classes that the reference does not know\n\nTonnage's own figures, with nothing to compare them with here.\n")
    list_of(rows, reasons, "alone")
    print("\n## Architectures without a record\n")
    list_of(rows, reasons, "unknown")


def main():
    parser = argparse.ArgumentParser(description="how far tonnage and the oracle agree")
    parser.add_argument("configs", nargs="+", metavar="CONFIG")
    parser.add_argument("--program", required=True, help="the tonnage program")
    parser.add_argument("--oracle", required=True, type=Path, metavar="DIR", help="the folder of oracle.py's outputs")
    parser.add_argument("--format", choices=("text", "md"), default="text")
    args = parser.parse_args()
    reasons, rows = read_reasons(), []
    for path in args.configs:
        for name, _, config, _ in read_configs([path], ""):
            architecture = str((config.get("architectures") or [config.get("model_type")])[0])
            judged = judge(args.program, args.oracle, path, name, config)
            rows.append({"name": name, "architecture": architecture,
                         **dict(zip(("kind", "text", "further", "completed"), judged))})
    (as_markdown if args.format == "md" else as_text)(rows, reasons)
    return 1 if any(row["kind"] in ("differs", "unknown") and not reason_of(reasons, row["name"], row["architecture"])
                    for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
