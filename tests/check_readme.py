"""Runs the examples of README.md and docs/*.md and compares what they print: each ```console block of the form

usage: check_readme.py [--update]


    $ tonnage plan llama-2-7b
    output, exactly

A block may hold several commands. A line "..." stands for any number of lines. Commands other than tonnage are not run,
and neither is the output below them compared. --update writes what the program prints now into the documents, but for
examples with a line "..."; look at the diff before you commit it.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.environ.get("SOURCE_DIR", ".")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)


def examples(text):
    """(line number, command, expected output, where that begins and ends in the text)"""
    for block in BLOCK.finditer(text):
        starts = [match.start() for match in COMMAND.finditer(block[1])]
        for start, end in zip(starts, starts[1:] + [len(block[1])]):
            command, _, expected = block[1][start + 2:end].partition("\n")
            while command.endswith("\\"):
                line, _, expected = expected.partition("\n")
                command = command[:-1] + line.strip()
            place = block.start(1) + end
            yield text.count("\n", 0, block.start(1) + start) + 1, command, expected, place - len(expected), place


def matches(expected, output):
    parts = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    return re.fullmatch("(?:.*\n)*".join(map(re.escape, parts)), output) is not None


def failures(document, path, update):
    """Runs the examples of one file; the number of those that print something else. With update these are written anew."""
    failed = 0
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        text = file.read()
    pieces, written = [], 0
    for line, command, expected, start, end in examples(text):
        if not command.startswith("tonnage"):
            continue
        done = subprocess.run(command, shell=True, cwd=ROOT, env=dict(os.environ, PATH=path, COLUMNS="100"), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        good = matches(expected.rstrip("\n") + "\n" if expected.strip() else "",
                       done.stdout.rstrip("\n") + "\n" if done.stdout.strip() else "")
        if not good and update and "\n...\n" not in "\n" + expected:
            pieces += [text[written:start], done.stdout]
            written = end
            print(f"[  UPDATED ] {document}:{line}")
            continue
        failed += not good
        print(f"[       OK ] {document}:{line}" if good else f"[  FAILED  ] {document}:{line}")
        if not good:
            print(f"$ {command}\nprints:\n{done.stdout}expected:\n{expected}")
    if pieces:
        with open(os.path.join(ROOT, document), "w", encoding="utf-8") as file:
            file.write("".join(pieces) + text[written:])
    return failed


def main():
    program = os.environ.get("TONNAGE", "build/tonnage")
    path = os.path.dirname(os.path.abspath(program)) + os.pathsep + os.environ["PATH"]
    documents = [name for name in ("README.md", *sorted(glob.glob("docs/*.md", root_dir=ROOT)))
                 if os.path.exists(os.path.join(ROOT, name))]
    update = sys.argv[1:] == ["--update"]
    sys.exit(1 if sum([failures(document, path, update) for document in documents]) else 0)


main()
