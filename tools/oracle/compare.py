#!/usr/bin/env python3
"""Compares what tonnage predicts with what the oracle (oracle.py) built.

    compare.py --program PATH --oracle DIR [--architecture NAME]... CONFIG...

CONFIG is as for oracle.py: a config.json, an object {"hf_id", "config"}, or a
list of such objects.  Its output is looked up in DIR by the name oracle.py
gave it, whatever the prefix.  Configs without an output are passed over, with
--strict they count as different.

One line per config: "equal", or the names that are missing (in the oracle
only), extra (in tonnage only) or of another shape, as patterns with a count.
Exit status 1 where anything differs.

Not compared: the quantisation (the oracle builds the logical parameters);
copies of tied tensors; layers of multi-token prediction, which the oracle
seldom has: tonnage's are named in brackets behind "equal".  Persistent buffers
of the oracle may be predicted or not, but their shapes must agree.
"""
import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from oracle import clean, expand, pattern_of, ranges, read_configs, size


def inspect(program, config):
    """The reply of `tonnage inspect --json` to a config, as an object."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config))
        done = subprocess.run([program, "inspect", str(path), "--json"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"message": f"exit status {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}"}


# A model is {name: parts}.  The experts of a layer are one name, with "{e}" for their
# number; its parts are ((shape, range of experts), ...).  Any other tensor has one part,
# and no range.

def add(model, name, shape, experts):
    model[name] = tuple(sorted(model.get(name, ()) + ((tuple(shape), experts),), key=lambda part: part[1]))


def predicted(reply):
    """(the model, and the tensors of multi-token prediction)"""
    model, further = {}, {}
    for group in reply["groups"]:
        draft = group.get("stack") == "mtp" or group["name"].startswith("mtp.")
        target = further if draft else model
        layers = group.get("layers") or [None]
        copies = group["copies"] // len(layers)
        first = group.get("first_copy", 0)
        for layer in layers:
            name = group["name"] if layer is None else group["name"].replace("{i}", str(layer))
            if ".experts.{e}." in name:
                add(target, name, group["dims"], ranges(range(first, first + copies)))
                continue
            for copy in range(first, first + copies) if "{e}" in name else [None]:
                add(target, name if copy is None else name.replace("{e}", str(copy)), group["dims"], "")
    return model, further


def built(tensors):
    """The model of an oracle's output."""
    model = {}
    for pattern, groups in tensors.items():
        for group in groups:
            experts = group.get("e", "")
            rest = {letter: span for letter, span in group.items() if letter != "e"}
            for name, shape in expand({pattern: [rest]}):
                add(model, name, shape, experts)
    return model


def copies_of(experts):
    """'0-7,9' -> 9; '' -> 1"""
    ends = [span.split("-") for span in experts.split(",")] if experts else [[0, 0]]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def parameters(model, names=None):
    return sum(size(shape) * copies_of(experts)
               for name in (model if names is None else names) for shape, experts in model[name])


def patterns(names):
    """'layers.{i}.mlp.gate.weight (61), ...' for a set of names."""
    counts = collections.Counter(pattern_of(name)[0] for name in names)
    return ", ".join(f"{pattern} ({n})" if n > 1 else pattern for pattern, n in counts.items())


def said(parts):
    return "+".join(str(list(shape)) + (f" of {experts}" if experts else "") for shape, experts in parts)


def shapes_differ(names, ours, theirs):
    """'name: ours [1, 2], oracle [2, 1] (61), ...'"""
    counts = collections.Counter((pattern_of(name)[0], said(ours[name]), said(theirs[name])) for name in names)
    return ", ".join(f"{name}: ours {a}, oracle {b} ({n})" for (name, a, b), n in counts.items())


def differences(reply, oracle):
    """(lines, one per kind of difference, and the parameters of multi-token prediction)"""
    if "groups" not in reply:
        return [reply.get("message", "no groups in the reply")], 0
    ours, further = predicted(reply)
    theirs, buffers = built(oracle["tensors"]), built(oracle["buffers"])
    known = {**theirs, **buffers}
    lines = []
    missing = [name for name in theirs if name not in ours]
    extra = [name for name in ours if name not in known and name not in oracle["tied"]]
    unlike = [name for name in ours if name in known and ours[name] != known[name]]
    if missing:
        lines.append("missing: " + patterns(missing))
    if extra:
        lines.append("extra: " + patterns(extra))
    if unlike:
        lines.append("different: " + shapes_differ(unlike, ours, known))
    total = parameters(ours, [name for name in ours if name in theirs])
    if not lines and total != oracle["total"]:
        lines.append(f"total: ours {total}, oracle {oracle['total']}")
    return lines, parameters(further)


def shapes(model):
    """How often the model has each shape, joined experts counted one by one and their joined halves apart."""
    counts = collections.Counter()
    for name, parts in model.items():
        for shape, experts in parts:
            times = copies_of(experts)
            if len(shape) == 3 and "experts" in name:
                times, shape = times * shape[0], shape[1:]
                if "gate_up" in name:
                    times, shape = 2 * times, (shape[0] // 2, shape[1])
            counts[shape] += times
    return counts


def same_shapes(reply, oracle):
    """Whether total and shapes agree, whatever the tensors are called."""
    if "groups" not in reply:
        return False
    ours, theirs, buffers = predicted(reply)[0], shapes(built(oracle["tensors"])), shapes(built(oracle["buffers"]))
    found = shapes({name: parts for name, parts in ours.items() if name not in oracle["tied"]})
    return not theirs - found and not (found - theirs) - buffers


def find_output(folder, name):
    """The oracle's outputs for a config, one for each set that has it."""
    found = sorted(folder.glob(f"*__{glob_escape(name)}.json")) or sorted(folder.glob(f"{glob_escape(name)}.json"))
    return [path for path in found if re.fullmatch(rf"(?:[a-z-]+__)?{re.escape(name)}\.json", path.name)]


def glob_escape(name):
    return re.sub(r"([*?[])", r"[\1]", name)


def choose_output(candidates, config_path):
    """Where sets share a file name: a completed config (completed.json), then the set named for the config's folder."""
    folder = Path(config_path).parent.name
    stem = Path(config_path).stem
    completed = [p for p in candidates if p.name.startswith("completed__")]
    named = [p for p in candidates if p.name.startswith((folder + "__", stem + "__"))]
    return next(iter(completed + named + candidates), None)


def main():
    parser = argparse.ArgumentParser(description="tonnage's tensors against the oracle's")
    parser.add_argument("configs", nargs="+", metavar="CONFIG")
    parser.add_argument("--program", required=True, help="the tonnage program")
    parser.add_argument("--oracle", required=True, type=Path, metavar="DIR", help="the folder of oracle.py's outputs")
    parser.add_argument("--architecture", action="append", metavar="NAME", help="only configs that name this class")
    parser.add_argument("--strict", action="store_true", help="a config without an oracle output counts as different")
    parser.add_argument("--quiet", action="store_true", help="only print what differs")
    args = parser.parse_args()

    equal = unequal = without = 0
    for path in args.configs:
        for name, _, config, published in read_configs([path], ""):
            classes = config.get("architectures") or [config.get("model_type")]
            if args.architecture and not set(classes) & set(args.architecture):
                continue
            output = choose_output(find_output(args.oracle, name), path)
            config = clean(config)
            reply = inspect(args.program, config)
            if output is None:
                without += 1
                total = reply.get("model", {}).get("parameters")
                print(f"{name} ({classes[0]}): no oracle output; "
                      + (reply.get("message", "no groups in the reply") if "groups" not in reply
                         else f"tonnage {total}, published {published}"))
                continue
            lines, further = differences(reply, json.loads(output.read_text()))
            if lines:
                unequal += 1
                print(f"{name} ({classes[0]}): DIFFERENT")
                for line in lines:
                    print("    " + line)
                continue
            equal += 1
            total = reply["model"]["parameters"]
            doubt = f", but published {published} - {total} = {published - total}" if published and published != total else ""
            if doubt or not args.quiet:
                print(f"{name} ({classes[0]}): equal{f' [multi-token prediction {further}]' if further else ''}{doubt}")
    print(f"{equal} equal, {unequal} different, {without} without an oracle output")
    return 1 if unequal or (args.strict and without) else 0


if __name__ == "__main__":
    sys.exit(main())
