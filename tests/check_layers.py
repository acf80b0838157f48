"""Fails on an #include that tests/layers.txt does not allow: the folders of src/ are layers.

usage: check_layers.py LAYERS.TXT   in the folder that $SOURCE_DIR names, or the current one
"""
import os
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]*)"')
PUBLIC = "tonnage/tonnage.h"


def read_layers(path):
    """folder -> the folders and headers that it may include. Refuses a name that does not stand above: so no cycles."""
    allowed = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            folder, colon, names = line.split("#")[0].partition(":")
            if not colon:
                continue
            for name in names.split():
                if name.split("/")[0] not in allowed:
                    sys.exit(f"{path}:{number}: {name} does not stand above {folder.strip()}")
            allowed[folder.strip()] = set(names.split())
    return allowed


def sources(root):
    """(folder, path) of each C file."""
    for top in ("src", "cli", "mcp", "server", "wasm"):
        for place, _, names in sorted(os.walk(os.path.join(root, top))):
            parts = os.path.relpath(place, root).split(os.sep)
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield (parts[1] if len(parts) > 1 else parts[0]), os.path.join(place, name)


def fault(folder, header, allowed):
    """What is wrong with this include; None where nothing is."""
    if header == PUBLIC:
        return None
    target = header.split("/")[0]
    if folder not in allowed:
        return f"the folder {folder} is not in layers.txt"
    if target != folder and target not in allowed:
        return f'"{header}" is not the path of a header from src/'
    if target == folder or target in allowed[folder] or header in allowed[folder]:
        return None
    return f"{folder} must not include {header}"


def main():
    root = os.environ.get("SOURCE_DIR", ".")
    allowed = read_layers(sys.argv[1])
    count = faults = 0
    for folder, path in sources(root):
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                include = INCLUDE.match(line)
                if include:
                    count += 1
                    wrong = fault(folder, include[1], allowed)
                    if wrong:
                        faults += 1
                        print(f"{os.path.relpath(path, root)}:{number}: {wrong}")
    print(f"{count} includes checked, {faults} not allowed")
    sys.exit(1 if faults or not count else 0)


main()
