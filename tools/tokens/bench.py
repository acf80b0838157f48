#!/usr/bin/env python3
"""Times this program beside the reference libraries, single thread, and prints a Markdown table. Times are those of the processor, so
that other work on the machine counts as little as may be.

    bench.py --text FILE --tokenizers DIR [--command 'COMMAND'] [--best 3] [--size BYTES] [--report FILE.md] [NAME]...

NAME is a file of DIR; the default are byte-level BPEs of 100k to 200k entries.  The references encode the text in
pieces of about 1 MB that end at a line feed; the time is that of the encoding alone.  The command counts the file
{input} with {tokenizer} ({encoding} for rank files), its time is that of the whole process less that of an empty
file, which is given as loading.  Loading: a fresh process each time, its time and its largest resident memory.
Best of so many runs.  `--worst` instead times texts that are hard, at 1, 2 and 4 MB.
"""
import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import references

NAMES = ["llama-3.json", "qwen-2.5.json", "gpt-4o.json", "deepseek-v3.json", "cl100k_base.tiktoken", "o200k_base.tiktoken", "llama-2.json",
         "llama-2.model", "bert-uncased.json"]


def pieces(text, size=1 << 20):
    at = 0
    while at < len(text):
        end = text.find("\n", at + size)
        end = len(text) if end < 0 else end + 1
        yield text[at:end]
        at = end


def resident():
    """Megabytes this process holds now."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def in_this_process(path, text_file, size):
    """Run by measure_reference in a process of its own; prints JSON."""
    if path.suffix == ".json":
        import tokenizers
        before, started = resident(), time.process_time()
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
        load, memory = time.process_time() - started, resident() - before
        encode = getattr(tokenizer, "encode_fast", tokenizer.encode)

        def count(text):
            return len(encode(text, add_special_tokens=False))
    else:
        before, started = resident(), time.process_time()
        function = references.of(path)["plain"]
        load, memory = time.process_time() - started, resident() - before

        def count(text):
            return len(function(text))
    result = {"load": load, "resident": memory}
    if text_file:
        parts = list(pieces(Path(text_file).read_bytes()[:size].decode("utf-8", "ignore")))
        count(parts[0][:100000])
        started = time.process_time()
        result["ids"] = sum(count(part) for part in parts)
        result["seconds"] = time.process_time() - started
    print(json.dumps(result))


def measure_reference(path, text, size):
    words = [sys.executable, __file__, "--one", str(path), "--text", text or "", "--size", str(size)]
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True, env=environment, timeout=1800).stdout)


def measure_command(command, path, text):
    """(seconds, largest resident MB) of the program on a file."""
    encoding = references.encoding_of(path) if path.suffix == ".tiktoken" else ""
    words = [word.format(tokenizer=path, input=text, encoding=encoding) for word in shlex.split(command)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"bench.py: {' '.join(words)}: {error.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def best(count, measure):
    """The smallest of each figure over some runs."""
    runs = [measure() for _ in range(count)]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def bench(path, options):
    size = min(options.size, os.path.getsize(options.text))
    row = {"name": path.name}
    reference = best(options.best, lambda: measure_reference(path, options.text, size))
    row.update(reference=size / 1e6 / reference["seconds"], reference_load=reference["load"], reference_resident=reference["resident"])
    if options.command:
        def whole():
            empty, memory = measure_command(options.command, path, os.devnull)
            with tempfile.NamedTemporaryFile(suffix=".txt") as file:
                subprocess.run(["head", "-c", str(size), options.text], stdout=file, check=True)
                seconds, large = measure_command(options.command, path, file.name)
            return {"load": empty, "resident": memory, "seconds": seconds - empty, "large": large}
        own = best(options.best, whole)
        row.update(own=size / 1e6 / own["seconds"], own_load=own["load"], own_resident=own["resident"], own_large=own["large"])
    return row


def table(rows, size):
    lines = [f"Single thread, processor time, {size / 1e6:.0f} MB of mixed text; " + ", ".join(f"{k} {v}" for k, v in references.versions().items()) + ".", "",
             "| tokenizer | reference MB/s | tonnage MB/s | ratio | load, reference | load, tonnage | ratio | resident, reference | resident, tonnage |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        own = "own" in row
        lines.append(f"| {row['name']} | {row['reference']:.2f} | " + (f"{row['own']:.1f} | {row['own'] / row['reference']:.1f}" if own else "|")
                     + f" | {row['reference_load'] * 1e3:.0f} ms | "
                     + (f"{row['own_load'] * 1e3:.0f} ms | {row['reference_load'] / row['own_load']:.1f}" if own else "|")
                     + f" | {row['reference_resident']:.0f} MB | " + (f"{row['own_resident']:.0f} MB |" if own else "|"))
    return "\n".join(lines)


def worst(path, options):
    """Seconds at 1, 2 and 4 MB, and how the last doubling grew."""
    import random
    chance = random.Random(1)
    kinds = {"one letter": lambda n: "a" * n, "one emoji": lambda n: "😀" * (n // 4), "no spaces": lambda n: "".join(chance.choices("abcdefgh", k=n)),
             "random ASCII": lambda n: "".join(map(chr, chance.choices(range(128), k=n))), "spaces": lambda n: " " * n, "digits": lambda n: "7" * n,
             "random bytes": None, "Chinese, no spaces": lambda n: "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(n // 3))}
    lines = [f"| {path.name} | 1 MB | 2 MB | 4 MB | last doubling |", "| --- | ---: | ---: | ---: | ---: |"]
    empty = best(options.best, lambda: {"seconds": measure_command(options.command, path, os.devnull)[0]})["seconds"]
    for kind, make in kinds.items():
        seconds = []
        for size in (1 << 20, 2 << 20, 4 << 20):
            data = make(size).encode() if make else chance.randbytes(size)
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                seconds.append(best(options.best, lambda: {"seconds": measure_command(options.command, path, file.name)[0]})["seconds"] - empty)
        lines.append(f"| {kind} | " + " | ".join(f"{value * 1e3:.0f} ms" for value in seconds) + f" | {seconds[2] / seconds[1]:.2f} |")
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--text", default="build/tokenizers/bench.txt")
    options.add_argument("--tokenizers", default="build/tokenizers")
    options.add_argument("--command")
    options.add_argument("--best", type=int, default=3)
    options.add_argument("--size", type=int, default=100_000_000, help="so many bytes of the text")
    options.add_argument("--report")
    options.add_argument("--worst", action="store_true")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.one:
        return in_this_process(Path(options.one), options.text, options.size)
    rows, parts = [], []
    for name in options.names or NAMES:
        path = Path(options.tokenizers) / name
        if options.worst:
            parts.append(worst(path, options))
            print(parts[-1], flush=True)
        else:
            rows.append(bench(path, options))
            print(rows[-1], file=sys.stderr, flush=True)
    text = "\n\n".join(parts) if options.worst else table(rows, min(options.size, os.path.getsize(options.text)))
    if not options.worst:
        print(text)
    if options.report:
        Path(options.report).write_text(text + "\n")


if __name__ == "__main__":
    main()
