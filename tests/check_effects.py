"""Every setting of an engine has an effect: a refusal, a term of the ledger, an input of ours or the engine's C code depends on it. A line of
the log alone is none: what a user sets and nothing heeds would be a silent guess.

usage: check_effects.py   in the folder that $SOURCE_DIR names, or the current one
"""
import glob
import os
import re
import sys

QUOTED = re.compile(r'"[^"]*"')
NAME = re.compile(r"(?<![$.\w])[A-Za-z_]\w*")


def statements(path):
    """The lines of a record file, continued ones joined, without comments."""
    with open(path, encoding="utf-8") as lines:
        text = "".join(line for line in lines if not line.lstrip().startswith("#"))
    return [line.split() for line in text.replace("\\\n", " ").split("\n") if line.strip()]


def read_engines(root):
    """name -> (parent or None, statements)"""
    engines = {}
    for path in sorted(glob.glob(os.path.join(root, "data", "engine", "*.rec"))):
        current = []
        for words in statements(path):
            if words[0] == "engine":
                current = []
                engines[words[1]] = (words[3] if words[2:3] == [":"] else None, current)
            elif words[0] in ("weights", "storage"):
                current = []
            else:
                current.append(words)
    return engines


def lines_of(engines, name):
    """The statements of an engine and of its ancestors."""
    parent, lines = engines[name]
    return (lines_of(engines, parent) if parent else []) + lines


def names_of(words):
    """The names that an expression reads: what stands before the ':' of a help or a text, without strings and keys of the config."""
    return set(NAME.findall(QUOTED.sub("", " ".join(words)).split(":")[0]))


def effects(lines, code):
    """The settings, and what each name is computed from, with the names whose value counts by itself under None."""
    settings, reads = [], {None: set(re.findall(r'"(\w+)"', code))}
    for kind, *rest in lines:
        if kind == "setting":
            settings.append(rest[0])
        if kind in ("setting", "let", "since"):
            name, formula = {"setting": (0, 2), "let": (0, 1), "since": (1, 2)}[kind]
            reads.setdefault(rest[name], set()).update(names_of(rest[formula:]))
        elif kind == "same":
            reads[None].add(rest[0])
        elif kind == "entry":  # behind category and basis
            reads[None].update(names_of(rest[2:]))
        elif kind == "refuse":
            reads[None].update(names_of(rest))
    return settings, reads


def reached(reads):
    found, open_names = set(), [None]
    while open_names:
        new = reads.get(open_names.pop(), set()) - found
        found |= new
        open_names.extend(new)
    return found


def oldest(engines, name):
    """The ancestor that has no parent."""
    parent = engines[name][0]
    return oldest(engines, parent) if parent else name


def code_of(root, engine, engines, records):
    """The C code that may ask the engine's record for a value: its own files, those of its relatives, and those of no other engine."""
    others = tuple(name for name in engines if oldest(records, name) != oldest(records, engine))
    code = []
    for path in sorted(glob.glob(os.path.join(root, "src", "engine", "**", "*.c"), recursive=True)):
        if not os.path.basename(path).startswith(others):
            with open(path, encoding="utf-8") as text:
                code.append(text.read())
    return "".join(code)


def main():
    root = os.environ.get("SOURCE_DIR", ".")
    records = read_engines(root)
    parents = {parent for parent, _ in records.values()}
    engines = [name for name in records if name not in parents]
    count, faults = 0, []
    for engine in engines:
        settings, reads = effects(lines_of(records, engine), code_of(root, engine, engines, records))
        found = reached(reads)
        count += len(settings)
        faults += [f"{engine}: nothing depends on the setting {name}" for name in settings if name not in found]
    for fault in faults:
        print(fault)
    print(f"{count} settings of {len(engines)} engines")
    sys.exit(1 if faults or not count else 0)


main()
