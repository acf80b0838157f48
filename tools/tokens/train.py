#!/usr/bin/env python3
"""Trains the tokenizers of pipelines.py on a corpus: train.py --corpus FILE --to DIR [--size N] [NAME]...

They stand in for the families that no package holds, and try the rarer options.  DIR/trained-NAME.json (.model,
.tiktoken) is made once; delete it to make it again.
"""
import argparse
import json
import random
from pathlib import Path

from pipelines import PIPELINES


LANGUAGE = {"man", "handbook", "guide", "words", "messages", "code", "json", "markdown"}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--corpus", required=True)
    options.add_argument("--to", default="build/tokenizers")
    options.add_argument("--size", type=int, default=8000, help="entries of a vocabulary (default: %(default)s)")
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    rows = [json.loads(line) for line in open(options.corpus, encoding="utf-8")]
    texts = [row["text"][:20000] for row in rows if row["kind"].split()[0] in LANGUAGE]
    random.Random(1).shuffle(texts)
    for name in options.names or PIPELINES:
        if list(Path(options.to).glob(f"trained-{name}.*")):
            continue
        for suffix, data in PIPELINES[name](texts[:3000], options.size).items():
            path = Path(options.to) / f"trained-{name}{suffix}"
            path.write_bytes(data)
            print(path, len(data), flush=True)


if __name__ == "__main__":
    main()
