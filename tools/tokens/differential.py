#!/usr/bin/env python3
"""Compares the ids of this program with those of the reference libraries, text by text.

    differential.py --command 'COMMAND' [--tokenizers DIR] [--corpus FILE] [--cache DIR]
                    [--special] [--ordinary] [--every N] [--first N] [--kind WORD] [--show N] [--report FILE.md] [NAME]...

NAME is a file of DIR (llama-3.json) or the beginning of one; without names all are compared.  The command is run
once for each tokenizer.  In it {tokenizer} becomes the file, {input} a JSON Lines file of {"text"}, {encoding} the
name of the split pattern (of a rank file).  Without {input} the lines come on standard input.  It answers each
text with one line, a JSON list of ids (or an object with "ids").

The reference's ids are kept in --cache by the sums of tokenizer and corpus, so that a second run is fast.  Each
difference is shrunk to the shortest text that still differs, and the ids of both are shown; equal ones once.

What is compared: of a tokenizer.json encode(text, add_special_tokens=False), of a .model encode(text), of a rank file
encode(text, allowed_special="all"), or encode_ordinary(text) with `--ordinary`.  `--special` compares of a
tokenizer.json, and of nothing else, encode(text): with the post-processor's tokens, on texts up to 20,000 characters.
`--every N` takes each Nth text, `--first N` the first N, `--kind WORD` those whose kind contains the word.
Exit status 1 where anything differs.
"""
import argparse
import array
import hashlib
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import references

KINDS = (".json", ".model", ".tiktoken", ".gguf")


def files(folder, names):
    found = [path for path in sorted(Path(folder).iterdir()) if path.suffix in KINDS and not path.name.endswith(".vocab.json")]
    if names:
        chosen = [path for path in found if any(path.name == name or path.name.split(".json")[0] == name for name in names)]
        chosen += [path for path in found if path not in chosen and any(path.name.startswith(name + ".") for name in names)]
        return chosen
    return found


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


class Expected:
    """The reference's ids of the corpus: one array of all, and where each text's begin."""

    def __init__(self, path, mode, corpus, texts, cache):
        library = "".join(f"{name}{version}" for name, version in references.versions().items())
        path = references.source(path)
        key = hashlib.sha256(f"{digest(path)} {mode} {digest(corpus)} {library}".encode()).hexdigest()[:24]
        self.place = Path(cache) / f"{path.name}.{mode}.{key}"
        self.path, self.mode, self.texts = path, mode, texts
        self.function = None

    def encode(self, text):
        if self.function is None:
            self.function = references.of(self.path).get(self.mode)
        return list(self.function(text))

    def __iter__(self):
        if not self.place.exists():
            self.make()
        counts, ids = array.array("I"), array.array("I")
        data = self.place.read_bytes()
        size = 4 * len(self.texts)
        counts.frombytes(data[:size])
        ids.frombytes(data[size:])
        at = 0
        for count in counts:
            yield ids[at:at + count]
            at += count

    def make(self):
        counts, ids = array.array("I"), array.array("I")
        for text in self.texts:
            found = self.encode(text) if self.path.suffix != ".json" or self.mode == "plain" or len(text) <= 20000 else []
            counts.append(len(found))
            ids.extend(found)
        self.place.parent.mkdir(parents=True, exist_ok=True)
        part = self.place.with_suffix(".part")
        part.write_bytes(counts.tobytes() + ids.tobytes())
        part.rename(self.place)


def run(command, path, texts):
    """A list of ids for each text; None where the program said nothing."""
    encoding = references.encoding_of(path) if path.suffix == ".tiktoken" else ""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        file.flush()
        words = [word.format(tokenizer=path, input=file.name, encoding=encoding) for word in shlex.split(command)]
        started = time.monotonic()
        with open(file.name, "rb") as source:
            done = subprocess.run(words, stdin=None if "{input}" in command else source, capture_output=True)
        seconds = time.monotonic() - started
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    answers = []
    for line in lines[:len(texts)]:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        answers.append(value["ids"] if isinstance(value, dict) and "ids" in value else value)
    problem = ""
    if done.returncode or len(lines) != len(texts):
        problem = f"exit status {done.returncode}, {len(lines)} lines for {len(texts)} texts: {done.stderr.decode('utf-8', 'replace')[-300:].strip()}"
    return answers + [None] * (len(texts) - len(answers)), problem, seconds


def first_difference(mine, theirs):
    for place, (one, other) in enumerate(zip(mine, theirs)):
        if one != other:
            return place
    return min(len(mine), len(theirs))


def shrink(text, differs_many, rounds=40):
    """A shorter text that still differs.  differs_many takes texts and answers with a list of truths."""
    for _ in range(rounds):
        size = len(text)
        if size < 2:
            break
        candidates = []
        most = max(6, min(200, 200_000 // size))
        step = size // 2
        while step >= 1 and len(candidates) < most:
            candidates += [text[:start] + text[start + step:] for start in range(0, size, step)][:most - len(candidates)]
            step //= 2
        if size <= 150:
            candidates += [text[:i] + "a" + text[i + 1:] for i in range(size) if text[i] not in "a"]
        truths = differs_many(candidates)
        better = [c for c, truth in zip(candidates, truths) if truth]
        better = [c for c in better if len(c) < size or c.count("a") > text.count("a")]
        if not better:
            break
        text = min(better, key=len)
    return text


def first_unanswered(command, path, texts):
    """The first text on which the program gives up, by halving; None where it does so only after others."""
    low, high = 0, len(texts)
    while low < high:
        middle = (low + high) // 2
        if None in run(command, path, texts[:middle + 1])[0]:
            high = middle
        else:
            low = middle + 1
    alone = low < len(texts) and run(command, path, [texts[low]])[0][0] is None
    return texts[low] if alone else None


def show(text):
    if len(text) > 200:
        return json.dumps(text[:160]) + f"... ({len(text)} characters)"
    return json.dumps(text)


def compare(path, mode, rows, options):
    texts = [row["text"] for row in rows]
    expected = Expected(path, mode, options.corpus, options.texts, options.cache)
    wanted = list(expected)
    picked = [wanted[row["place"]] for row in rows]
    command = options.command + (" " + options.special_option if options.special else "")
    mine, problem, seconds = run(command, path, texts)
    bad = [i for i in range(len(texts)) if mine[i] is None or array.array("I", mine[i]) != picked[i]]
    differing = len(bad)
    size = sum(len(text.encode()) for text in texts)
    ids = sum(map(len, picked))
    lines = [f"{'DIFFERS' if bad else 'equal  '} {path.name:28} {mode:7} {len(texts)} texts, {size} bytes, {ids} ids, {seconds:.1f} s"
             + (f": {len(bad)} texts differ" if bad else "") + (f"; {problem}" if problem else "")]

    if all(answer is None for answer in mine):
        return True, lines, (path.name, mode, len(texts), size, ids, differing)

    def differs_many(candidates):
        answers, _, _ = run(command, path, candidates)
        return [answer is None or answer != expected.encode(text) for answer, text in zip(answers, candidates)]

    if None in mine:
        text = first_unanswered(command, path, texts[mine.index(None):])
        if text is not None:
            text = shrink(text, lambda candidates: [None in run(command, path, [one])[0] for one in candidates[:40]] + [False] * len(candidates[40:]))
            lines.append(f"    no answer to {show(text)}")
        bad = [i for i in bad if mine[i] is not None]
    seen = set()
    kinds = {}
    for i in bad:
        kinds[rows[i]["kind"]] = kinds.get(rows[i]["kind"], 0) + 1
    if bad:
        lines.append("    kinds: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items(), key=lambda item: -item[1])[:12]))
    by_kind = {}
    for i in sorted(bad, key=lambda i: len(texts[i])):
        by_kind.setdefault(rows[i]["kind"], []).append(i)
    order = [i for group in zip(*[iter(group + [None] * 4) for group in by_kind.values()]) for i in group if i is not None] if by_kind else []
    for i in order or bad:
        if len(seen) >= options.show:
            break
        text = shrink(texts[i], differs_many)
        if text in seen:
            continue
        seen.add(text)
        answer = run(command, path, [text])[0][0]
        right = expected.encode(text)
        place = first_difference(answer or [], right)
        lines.append(f"    {show(text)}  (kind {rows[i]['kind']})\n        reference {right[:40]}\n        program   {(answer or [])[:40] if answer is not None else None}"
                     f"   first difference at {place}")
    return differing > 0, lines, (path.name, mode, len(texts), size, ids, differing)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--command", help="without it only the reference's ids are made")
    options.add_argument("--special-option", default="", help="added to the command with --special")
    options.add_argument("--tokenizers", default="build/tokenizers")
    options.add_argument("--corpus", default="build/tokenizers/corpus.jsonl")
    options.add_argument("--cache", default="build/tokenizers/cache")
    options.add_argument("--special", action="store_true")
    options.add_argument("--ordinary", action="store_true")
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--first", type=int)
    options.add_argument("--kind", default="")
    options.add_argument("--show", type=int, default=5, help="differences shown of each tokenizer")
    options.add_argument("--report")
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    rows = [{**json.loads(line), "place": place} for place, line in enumerate(open(options.corpus, encoding="utf-8"))]
    options.texts = [row["text"] for row in rows]
    rows = [row for row in rows if options.kind in row["kind"]][::options.every][:options.first]
    if options.special:
        rows = [row for row in rows if len(row["text"]) <= 20000]
    any_bad, table = False, []
    for path in files(options.tokenizers, options.names):
        ranks = path.suffix == ".tiktoken"
        mode = "special" if options.special or ranks and not options.ordinary else "plain"
        if options.special and (path.suffix != ".json" or path.name.endswith(".tekken.json")) or options.ordinary and not ranks:
            continue
        if not options.command:
            started = time.monotonic()
            list(Expected(path, mode, options.corpus, options.texts, options.cache))
            print(f"{path.name:28} {time.monotonic() - started:.1f} s", flush=True)
            continue
        bad, lines, row = compare(path, mode, rows, options)
        any_bad |= bad
        table.append(row)
        print("\n".join(lines), flush=True)
    if options.report and table:
        versions = ", ".join(f"{name} {version}" for name, version in references.versions().items())
        with open(options.report, "w", encoding="utf-8") as out:
            out.write(f"References: {versions}.\n\n| tokenizer | texts | bytes | ids | texts that differ |\n| --- | ---: | ---: | ---: | ---: |\n")
            for name, kind, texts, size, ids, differ in table:
                added = ", with special tokens" if kind == "special" and name.endswith(".json") else ""
                out.write(f"| {name}{added} | {texts} | {size} | {ids} | {differ} |\n")
    sys.exit(any_bad)


if __name__ == "__main__":
    main()
