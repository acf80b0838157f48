#!/usr/bin/env python3
"""Writes the `config` lines of data/model/*.rec from published configs: of each only the keys that its architecture, its
quantisation and the engines read.

usage: model_records.py [--data data] [--program build/tonnage] CONFIG.json ...

A CONFIG is a config.json named ORG__NAME.json, or {"hf_id": "ORG/NAME", "config": {...}, "source": "..."}. Where a record
has that name on a `hub` line, its source and its config lines are written anew, in its file; else the record is printed,
for somebody to give it a good id and to put it into a file. Of several configs with one name the first is taken. The
program has to say the same of the shortened config as of the whole one, tensor by tensor.
"""
import argparse
import functools
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

WIDTH = 120
LONG_LIST = 12  # lists of modules with more entries are put into patterns
COMMIT = re.compile(r"@[0-9a-f]{40}")
PATH = re.compile(r"\$([A-Za-z_]\w*(?:\.\w+)*)")
NOT_FOUND = object()


# ---- records ---------------------------------------------------------------------------------------------------------


class Record:
    def __init__(self, kind, name, parent):
        self.kind, self.name, self.parent, self.lines = kind, name, parent, []

    def rest(self, word):
        return [rest for first, rest in self.lines if first == word]


def without_comment(line):
    quoted = False
    for at, one in enumerate(line):
        quoted ^= one == '"'
        if one == "#" and not quoted and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def read_records(folder):
    """The records of a folder, in the order in which the program reads them."""
    records = []
    for path in sorted(glob.glob(os.path.join(folder, "*.rec"))):
        with open(path, encoding="utf-8") as file:
            text = "\n".join(without_comment(line).rstrip() for line in file)
        for line in re.sub(r"\\\n\s*", "", text).split("\n"):
            if line and not line[0].isspace():
                head, _, parent = line.partition(" : ")
                records.append(Record(*head.split(), parent.strip()))
            elif line.strip():
                word, _, rest = line.strip().partition(" ")
                records[-1].lines.append((word, rest.strip()))
    return records


def look_up(config, path):
    """The value at a dotted path; NOT_FOUND where there is none, or null."""
    for key in path.split("."):
        if not isinstance(config, dict) or config.get(key) is None:
            return NOT_FOUND
        config = config[key]
    return config


class Architectures:
    def __init__(self, folder):
        self.records = [one for one in read_records(folder) if one.kind == "arch"]
        self.by_id = {one.name: one for one in self.records}

    def matching(self, kind, name):
        for record in self.records:
            for rest in record.rest("match"):
                if rest.split()[0] == kind and name in rest.split()[1:]:
                    return record
        return None

    def find(self, config):
        for name in config.get("architectures") or []:
            if self.matching("architectures", name):
                return self.matching("architectures", name)
        return self.matching("model_type", config.get("model_type"))

    def parent(self, record, config):
        if not record.parent.startswith("$"):
            return self.by_id.get(record.parent)
        path, _, default = (part.strip() for part in record.parent[1:].partition("?"))
        name = look_up(config, path)
        name = default if name is NOT_FOUND else name
        return self.matching("model_type", name) or self.by_id.get(name)

    def statements(self, record, config):
        """The lines of a record with its ancestors; a later param replaces an earlier one."""
        lines, parent = [], self.parent(record, config)
        if parent:
            lines += self.statements(parent, config)
        if record.parent.startswith("$"):
            lines.append(("parent", record.parent))
        for word, rest in record.lines:
            if word == "use":
                lines += self.statements(self.by_id[rest], config)
            elif word not in ("match", "verified"):
                lines.append((word, rest))
        last = {rest.split()[0]: at for at, (word, rest) in enumerate(lines) if word == "param"}
        return [(word, rest) for at, (word, rest) in enumerate(lines) if word != "param" or last[rest.split()[0]] == at]


# ---- which keys --------------------------------------------------------------------------------------------------------


def paths_of(texts):
    """The config paths that expressions read, in their order."""
    found = {}
    for text in texts:
        for path in PATH.findall(text):
            found.setdefault(path, None)
    return list(found)


def leaves(value, path):
    """The values that are no objects, with their paths; nulls left out."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if "." not in key and " " not in key:
                yield from leaves(item, f"{path}.{key}")
    elif value is not None:
        yield path, value


def add_path(config, roots, path, paths, chosen):
    """Adds what the program finds under a path: in a root first, else at the top."""
    for place in [f"{root}.{path}" for root in roots] + [path]:
        value = look_up(config, place)
        if value is NOT_FOUND:
            continue
        deeper = any(other.startswith(path + ".") and look_up(config, place + other[len(path):]) is not NOT_FOUND
                     for other in paths)
        if not (isinstance(value, dict) and deeper):
            chosen.update(leaves(value, place))
        return


def engine_paths(folder):
    """The config paths that engines read. Of rotary positions only what their record takes from the object."""
    texts = [rest for record in read_records(folder) for _, rest in record.lines]
    inside = dict.fromkeys(name for text in texts for name in re.findall(r"\brope\.(\w+)", text))
    paths = []
    for path in paths_of(texts):
        if path == "model_type" or path.endswith(".weights"):  # the quantisations read what they need of that object
            continue
        paths += [f"{path}.{name}" for name in inside] if path in ("rope_scaling", "rope_parameters") else [path]
    return paths


def add_engine_paths(config, roots, place, paths, chosen):
    """What only engines read: it does not change what the program says of the model itself."""
    found = {}
    for path in paths:
        add_path(config, roots, path, paths, found)
        if place:
            add_path(config, [], f"{place}.{path}", [], found)
    for path, value in found.items():
        if value != "default":
            chosen.setdefault(path, value)


def choose(config, architectures, quants, engines):
    """path -> value: all that the architecture, the quantisations and the engines read of this config."""
    record = architectures.find(config)
    if record is None:
        raise ValueError(f"no architecture record for {config.get('architectures') or config.get('model_type')}")
    lines = architectures.statements(record, config)
    roots = [rest for word, rest in lines if word == "root"]
    chosen = {}
    for path in ("architectures", "model_type"):
        if config.get(path):
            chosen[path] = config[path]
    for path in ("dtype", "torch_dtype"):
        before = len(chosen)
        add_path(config, roots, path, [], chosen)
        if len(chosen) > before:
            break
    places = [f"{root}.quantization_config" for root in roots] + ["quantization_config"]
    place = next((one for one in places if isinstance(look_up(config, one), dict)), None)
    texts = [rest for word, rest in lines if word not in ("prefix", "root")]
    read = paths_of(texts)
    for path in read:
        add_path(config, roots, path, read, chosen)
    if place:
        of_quants = paths_of(rest for one in quants for word, rest in one.lines)
        own = [f"{place}.{path}" for path in of_quants]
        for path, inside in zip(of_quants, own):
            if look_up(config, inside) is NOT_FOUND:
                add_path(config, roots, path, of_quants, chosen)
            else:
                add_path(config, [], inside, own, chosen)
    add_engine_paths(config, roots, place, engines, chosen)
    if "architectures" in chosen and "$model_type" not in " ".join(texts) and not place:
        chosen.pop("model_type", None)
    return chosen


def nested(chosen):
    config = {}
    for path, value in chosen.items():
        *outer, last = path.split(".")
        place = config
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value
    return config


# ---- what the program says ---------------------------------------------------------------------------------------------


class Program:
    def __init__(self, path):
        self.path = path

    def inspect(self, config, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config, file)
            run = subprocess.run([self.path, "inspect", path, "--json", *options], capture_output=True, text=True)
        said = json.loads(run.stdout)
        if run.returncode:
            raise ValueError(said["message"])
        return said

    def facts(self, config):
        """All that a record has to preserve: totals, tensor groups, caches, context."""
        said = self.inspect(config)
        del said["model"]["id"]
        return {key: value for key, value in said.items() if key != "notes"}


def shorten(config, chosen, program, engines):
    """Leaves out what the quantisation of this config does not need, and puts long lists of modules into patterns."""
    wanted = program.facts(config)

    def without(path):
        return {key: value for key, value in chosen.items() if key != path}

    def is_enough(trial):
        try:
            return program.facts(nested(trial)) == wanted
        except ValueError:
            return False

    of_quantisation = [path for path in chosen if "quantization_config." in path]
    for path in of_quantisation:
        is_read = path.split("quantization_config.", 1)[1] in engines
        if not is_read and not path.endswith(("quant_method", "quant_algo")) and is_enough(without(path)):
            del chosen[path]
    for path in of_quantisation:
        value = chosen.get(path)
        if isinstance(value, list) and len(value) > LONG_LIST:
            chosen[path] = patterns(value, lambda entries: is_enough({**chosen, path: entries}))
    if not is_enough(chosen):
        raise ValueError("the shortened config does not mean the same")


NUMBER = re.compile(r"(?<=\.)\d+(?=\.|\*|$)")


def patterns(modules, is_enough):
    """The shortest list that still keeps the same modules: one pattern in place of the names that differ in a number only."""
    families = {}
    for module in modules:
        families.setdefault(NUMBER.sub("*", module), []).append(module)
    result = dict(families)
    for family, members in families.items():
        rest = [entry for other, entries in result.items() if other != family for entry in entries]
        trials = [[], [family]]
        if len(members) > 1:
            trials += [[family + ".*"], [alternatives(members)]]
        for trial in trials:
            if is_enough(rest + trial):
                result[family] = trial
                break
    return [entry for entries in result.values() for entry in entries]


def alternatives(members):
    """One regular expression for names that differ in their first number only."""
    head, tail = NUMBER.split(members[0], maxsplit=1)
    numbers = sorted({NUMBER.search(one)[0] for one in members}, key=int)
    ending = ".*" if tail.endswith("*") else ""
    return f"re:{literal(head)}({'|'.join(numbers)}){literal(tail.rstrip('*'))}{ending}"


def literal(text):
    return text.replace(".", "[.]")


# ---- as text -----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def list_text(items):
    """The shortest way to write a list (a tuple of the texts of its items) with "+" and "*"."""
    count = len(items)
    best = [""] + [None] * count  # best[n]: the last n items

    def joined(first, rest):
        return first + (" + " + rest if rest else "")

    for size in range(1, count + 1):
        start = count - size
        ways = []
        for end in range(start + 1, count + 1):
            ways.append(joined("[" + ", ".join(items[start:end]) + "]", best[count - end]))
        for period in range(1, size // 2 + 1):
            unit, times = items[start:start + period], 1
            while items[start + times * period:start + (times + 1) * period] == unit:
                times += 1
                inner = list_text(unit)
                inner = f"({inner})" if "+" in inner or "*" in inner else inner
                ways.append(joined(f"{inner} * {times}", best[count - start - times * period]))
        best[size] = min(ways, key=len)
    return best[count]


def text_of(value):
    if isinstance(value, list):
        items = tuple(text_of(item) for item in value)
        if len(items) < 4 or len(items) > 200:
            return "[" + ", ".join(items) + "]"
        return list_text(items)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {text_of(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def evaluate(text):
    """The expression language and Python write these constants alike."""
    return eval(text, {"__builtins__": {}, "true": True, "false": False, "null": None})  # pylint: disable=eval-used


def wrapped(line):
    """A statement in lines of at most WIDTH columns, broken behind commas and before "+" outside of quotes."""
    lines, indent = [], "  "
    while len(indent + line) > WIDTH:
        places = [at.end() for at in re.finditer(r", |\] (?=\+)|\) (?=\+)|\d (?=\+)", line[:WIDTH - len(indent) - 2])
                  if line[:at.end()].count('"') % 2 == 0]
        if not places:
            break
        lines.append(indent + line[:places[-1]].rstrip() + " \\")
        line, indent = line[places[-1]:], "      "
    return lines + [indent + line]


def config_lines(chosen):
    lines = []
    for path, value in chosen.items():
        text = text_of(value)
        assert evaluate(text) == value, f"{path}: {text}"
        lines += wrapped(f"config {path} {text}")
    return lines


def short_commit(found):
    return found[0][:9]


# ---- files -------------------------------------------------------------------------------------------------------------


def read_config(path):
    """(hub name, config, source)"""
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    if isinstance(data.get("config"), dict) and "hf_id" in data:
        return data["hf_id"], data["config"], data.get("source")
    name = os.path.basename(path).removesuffix(".json").replace("__", "/", 1)
    return name, data, "config.json of the publisher"


def rewrite(path, new_lines):
    """Puts the new source and config lines (hub name -> lines) in place; returns the names that were found."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = set()
    parts = re.split(r"(?m)^(?=model )", text)
    for at, part in enumerate(parts):
        hubs = re.findall(r"(?m)^  hub (\S+)", part)
        names = [hub for hub in hubs if hub in new_lines]
        if not part.startswith("model ") or not names:
            continue
        found.update(hubs)
        kept = re.sub(r"(?m)^  (?:source|config) (?:.*\\\n)*.*\n", "", part).rstrip("\n")
        parts[at] = kept + "\n" + "\n".join(new_lines[names[0]]) + "\n\n"
    text = "".join(parts).rstrip("\n") + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", default="data")
    parser.add_argument("--program", default="build/tonnage")
    parser.add_argument("configs", nargs="+", metavar="CONFIG.json")
    options = parser.parse_args()
    architectures = Architectures(os.path.join(options.data, "arch"))
    quants = [one for one in read_records(os.path.join(options.data, "quant")) if one.kind == "quant"]
    engines = engine_paths(os.path.join(options.data, "engine"))
    program, new_lines, faults = Program(options.program), {}, []
    for path in options.configs:
        name, config, source = read_config(path)
        if name in new_lines:
            continue
        try:
            chosen = choose(config, architectures, quants, engines)
            shorten(config, chosen, program, engines)
            new_lines[name] = [f"  source {COMMIT.sub(short_commit, source)}"] + config_lines(chosen)
        except ValueError as error:
            faults.append(f"{path}: {error}")
    found = set()
    for path in sorted(glob.glob(os.path.join(options.data, "model", "*.rec"))):
        found |= rewrite(path, new_lines)
    for name in sorted(set(new_lines) - found):
        identifier = name.split("/")[-1].lower()
        print("\n".join([f"model {identifier}", f"  hub {name}", *new_lines[name]]) + "\n")
    sys.exit("\n".join(faults) if faults else 0)


if __name__ == "__main__":
    main()
