"""Measures how fast large headers are read, against Python's json on the same content, process against process.

usage: compare_headers.py BENCH_HEADER [FOLDER]

The inputs of make_headers.py are written into FOLDER, or into a temporary one. Exit code 1 where a header is read less than
LEAST_FACTOR times as fast as by Python, or takes more than MOST_RESIDENT_MIB of memory.
"""
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST_FACTOR = 5
MOST_RESIDENT_MIB = 64
ROUNDS = 7
READ_JSON = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"

# (what bench_header reads, what Python reads)
INPUTS = [
    ("model.safetensors", "model.safetensors.json"),
    ("model.safetensors.index.json", "model.safetensors.index.json"),
    ("model.gguf", "model.gguf.json"),
]


def run(command):
    """Seconds and resident MiB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"compare_headers: {command[0]} failed with exit code {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def compare(program, folder):
    """Prints a table; the number of rows that miss a limit."""
    missed = 0
    print(f"{'header':32}{'MB':>7}{'ms':>8}{'MiB':>7}{'Python ms':>11}{'factor':>8}")
    for name, twin in INPUTS:
        path = os.path.join(folder, name)
        twin_path = os.path.join(folder, twin)
        ours = []
        theirs = []
        for _ in range(ROUNDS):  # in turns, so that a busy machine slows both
            ours.append(run([program, path]))
            theirs.append(run([sys.executable, "-c", READ_JSON, twin_path]))
        seconds = min(ours)[0]
        resident_mib = max(resident for _, resident in ours)
        factor = min(theirs)[0] / seconds
        missed += factor < LEAST_FACTOR or resident_mib > MOST_RESIDENT_MIB
        print(f"{name:32}{os.path.getsize(twin_path) / 1e6:7.1f}{seconds * 1e3:8.1f}{resident_mib:7.1f}"
              f"{min(theirs)[0] * 1e3:11.1f}{factor:8.1f}")
    return missed


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[2] if len(sys.argv) == 3 else temporary
        subprocess.run([sys.executable, os.path.join(HERE, "make_headers.py"), folder], check=True)
        sys.exit(1 if compare(sys.argv[1], folder) else 0)


main()
