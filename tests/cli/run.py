"""Runs the program as a user does and compares what it prints.

usage: run.py [--update] [FILE.test ...]      all *.test files beside this script where none is named

A file holds cases, separated by blank lines. Each case is a description, a command and what it must give:

    # a model that does not fit gives exit code 1
    $ tonnage plan llama-2-70b --gpu a100-80gb
    exit 1
    out                          stdout is exactly the indented lines that follow; without them it is empty
      Llama 2 70B ...
    out has                      each of the indented lines occurs in stdout, in this order
      does not fit
    err, err has                 the same for stderr

A case that names no `exit` expects 0; a stream that is not named is not looked at, except that stderr must be empty where
the exit code is 0. The command goes through the shell, in the folder tests/cli, with the tested program first in the
path; $TMP is an empty folder of its own. --update writes the exit code and the exact streams (`out`, `err`) that the
program gives now into the files; `has` blocks stay as they are. Look at the diff before you commit it.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
STREAM = re.compile(r"(out|err)( has)?$")


class Case:
    def __init__(self, place):
        self.place = place  # file:line of the command
        self.title = ""
        self.command = ""
        self.exit_code = 0
        self.blocks = []  # [stream, has, lines]
        self.head = []  # comment and command lines, as they stand


def read_case(path, number, lines):
    """One case from its lines, the first of which is line `number` of the file."""
    case = Case(f"{os.path.basename(path)}:{number}")
    for number, line in enumerate(lines, number):
        stream = STREAM.match(line)
        if line.startswith("#") and not case.command:
            case.title = case.title or line[1:].strip()
            case.head.append(line)
        elif line.startswith("$ ") and not case.command:
            case.command, case.place = line[2:], f"{os.path.basename(path)}:{number}"
            case.head.append(line)
        elif line.startswith("exit ") and case.command:
            case.exit_code = int(line[5:])
        elif stream and case.command:
            case.blocks.append([stream[1], bool(stream[2]), []])
        elif line.startswith("  ") and case.blocks:
            case.blocks[-1][2].append("" if line == "  ." else line[2:])
        else:
            sys.exit(f"{path}:{number}: cannot read this line: {line}")
    return case


def read_file(path):
    """All cases; those without a command are comments about the file."""
    cases, block, start = [], [], 1
    with open(path, encoding="utf-8") as text:
        lines = text.read().split("\n")
    for number, line in enumerate(lines + [""], 1):
        if line.strip():
            start = start if block else number
            block.append(line)
        elif block:
            cases.append(read_case(path, start, block))
            block = []
    return cases


def run(case):
    """(exit code, {"out": text, "err": text})"""
    with tempfile.TemporaryDirectory() as folder:
        program = os.environ.get("TONNAGE", os.path.join(HERE, "../../build/tonnage"))
        path = os.path.dirname(os.path.abspath(program)) + os.pathsep + os.environ["PATH"]
        environment = dict(os.environ, PATH=path, TMP=folder, HOME=folder, LC_ALL="C.UTF-8", COLUMNS="100")
        done = subprocess.run(case.command, shell=True, cwd=HERE, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
    return done.returncode, {"out": done.stdout.decode(errors="replace"), "err": done.stderr.decode(errors="replace")}


def written(text):
    """The lines of a stream as a block holds them."""
    return text[:-1].split("\n") if text.endswith("\n") else text.split("\n") if text else []


def faults(case, exit_code, streams):
    """What differs from the expectation, in words."""
    if exit_code != case.exit_code:
        yield f"exit code {exit_code}, expected {case.exit_code}"
    for stream, has, lines in case.blocks:
        got = written(streams[stream])
        if not has:
            if got != lines:
                first = next((i for i, pair in enumerate(zip(got, lines)) if pair[0] != pair[1]), min(len(got), len(lines)))
                yield (f"std{stream} differs from line {first + 1} on:\n"
                       f"    expected: {lines[first] if first < len(lines) else '(end)'}\n"
                       f"    got:      {got[first] if first < len(got) else '(end)'}")
            continue
        rest = iter(got)
        for line in lines:
            if not any(line in one for one in rest):
                yield f"std{stream} has no line with (from there on): {line}"
                break
    if case.exit_code == 0 and streams["err"] and not any(block[0] == "err" for block in case.blocks):
        yield "stderr is not empty"


def update(case, exit_code, streams):
    """The case as text, with what the program gives now."""
    lines = list(case.head)
    if exit_code:
        lines.append(f"exit {exit_code}")
    for stream, has, expected in case.blocks:
        lines.append(stream + (" has" if has else ""))
        lines += ["  " + (line or ".") for line in (expected if has else written(streams[stream]))]
    return "\n".join(lines)


def main():
    rewrite = "--update" in sys.argv[1:]
    paths = [path for path in sys.argv[1:] if path != "--update"] or sorted(glob.glob(os.path.join(HERE, "*.test")))
    failed = 0
    for path in paths:
        texts = []
        for case in read_file(path):
            if not case.command:
                texts.append("\n".join(case.head))
                continue
            exit_code, streams = run(case)
            texts.append(update(case, exit_code, streams))
            wrong = [] if rewrite else list(faults(case, exit_code, streams))
            failed += bool(wrong)
            print(f"[  FAILED  ] {case.place}" if wrong else f"[       OK ] {case.place} {case.title}")
            if wrong:
                print(f"{case.title}\n$ {case.command}", *wrong, "stdout:", streams["out"], "stderr:", streams["err"], sep="\n")
        if rewrite:
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n\n".join(texts) + "\n")
    sys.exit(1 if failed else 0)


main()
