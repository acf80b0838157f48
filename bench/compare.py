"""Measures whole processes against Python on the same job, in turns: a plan, and reading the headers of large model files.

usage: compare.py TONNAGE BENCH_HEADER [FOLDER]

The model files of make_headers.py are written into FOLDER, or into a temporary one. Times and peaks of resident memory are
medians of ROUNDS runs; a process inherits the peak of this script, so that less than that cannot be seen. Exit code 1 where
a limit is missed: each row has its own least factor, its most MiB and its most milliseconds.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 7
NO_LIMIT = float("inf")
NOTHING = "pass"
READ_JSON = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"


def jobs(tonnage, bench_header, folder):
    """(title, our command, Python's arguments, least factor, most resident MiB of ours, most ms of ours)"""
    def header(title, name, twin, most_mib):
        return (title, [bench_header, os.path.join(folder, name)], [READ_JSON, os.path.join(folder, twin)], 5, most_mib, NO_LIMIT)

    return [
        ("plan llama-2-70b on 2 GPUs, against `pass`", [tonnage, "plan", "llama-2-70b", "--gpu", "a100-80gbx2"],
         [NOTHING], 1, 64, NO_LIMIT),
        ("llama.cpp with a GGUF of 40 GB on 2 GPUs, against its header as JSON",
         [tonnage, "plan", os.path.join(folder, "model.gguf"), "--engine", "llamacpp", "--gpu", "rtx-a6000x2"],
         [READ_JSON, os.path.join(folder, "model.gguf.json")], 2, 64, 30),
        header("safetensors, 90,369 tensors", "model.safetensors", "model.safetensors.json", 64),
        header("index.json, 90,369 tensors", "model.safetensors.index.json", "model.safetensors.index.json", 64),
        header("GGUF, vocabulary of 262,144", "model.gguf", "model.gguf.json", 64),
    ]


def run(command):
    """Seconds and peak resident MiB of one process."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"compare: {' '.join(command[:3])} failed with exit code {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1024


def medians(runs):
    return [statistics.median(column) for column in zip(*runs)]


def compare(rows):
    """Prints a table; the number of rows that miss a limit."""
    missed = 0
    print(f"{'process against process':70}{'ms':>8}{'MiB':>7}{'Python ms':>11}{'MiB':>7}{'factor':>8}  wanted")
    for title, ours, theirs, least_factor, most_mib, most_ms in rows:
        our_runs, their_runs = [], []
        for _ in range(ROUNDS):  # in turns, so that a busy machine slows both
            our_runs.append(run(ours))
            their_runs.append(run([sys.executable, "-c"] + theirs))
        seconds, mib = medians(our_runs)
        their_seconds, their_mib = medians(their_runs)
        factor = their_seconds / seconds
        good = factor >= least_factor and mib <= most_mib and seconds * 1e3 <= most_ms
        missed += not good
        in_time = "" if most_ms == NO_LIMIT else f", {most_ms} ms"
        print(f"{title:70}{seconds * 1e3:8.1f}{mib:7.1f}{their_seconds * 1e3:11.1f}{their_mib:7.1f}{factor:8.1f}"
              f"  {least_factor} x, {most_mib} MiB{in_time}{'' if good else ': missed'}")
    return missed


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[3] if len(sys.argv) == 4 else temporary
        subprocess.run([sys.executable, os.path.join(HERE, "make_headers.py"), folder], check=True)
        sys.exit(1 if compare(jobs(sys.argv[1], sys.argv[2], folder)) else 0)


main()
