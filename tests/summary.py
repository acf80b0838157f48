#!/usr/bin/env python3
"""Runs all tests of a build folder and counts the single cases in the last line: N passed, N failed, N skipped.

usage: summary.py BUILD_DIR [--suite NAME ...]      exits 1 where a case failed
"""
import json
import os
import re
import subprocess
import sys

# The lines of a cmocka program, and of our own runners, which write the same.
CASE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] ", re.MULTILINE)
SKIPPED_EXIT = 77


def count_program(run):
    """(passed, failed, skipped) of one test program."""
    words = CASE.findall(run.get("stdout", ""))
    passed, skipped = words.count("OK"), words.count("SKIPPED")
    if run["result"] == "SKIP":
        return passed, 0, max(skipped, 1)
    if run["result"] not in ("OK", "EXPECTEDFAIL"):
        # cmocka names a failed case twice, once in the list at its end; a crash names none.
        return passed, max(len(set(re.findall(r"^\[ +FAILED +\] (\S+)$", output(run), re.MULTILINE))), 1), skipped
    return (passed if words else 1), 0, skipped


def output(run):
    return run.get("stdout", "") + run.get("stderr", "")


def main():
    build, options = sys.argv[1], sys.argv[2:]
    log = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    code = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *options]).returncode
    if not os.path.exists(log):
        sys.exit("no test was run: is libcmocka-dev installed?")
    with open(log, encoding="utf-8") as lines:
        counts = [count_program(json.loads(line)) for line in lines]
    print("%d passed, %d failed, %d skipped" % tuple(map(sum, zip(*counts))), flush=True)
    sys.exit(1 if code else 0)


main()
