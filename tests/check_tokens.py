"""The vectors of tests/tokens: what the reference libraries made of texts with these tokenizers, `tonnage tokens` makes of them.

usage: check_tokens.py   with $TONNAGE the program and $SOURCE_DIR the folder of the sources
"""
import json
import os
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.environ["SOURCE_DIR"], "tests", "tokens")
SHOWN = 5


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def vectors_of(name):
    """The vectors of a tokenizer, of a GGUF those of the file whose vocabulary it holds; None where it has none."""
    stem, ending = name.rsplit(".", 1)
    holders = [name] if ending != "gguf" else [f"{stem}.model", f"{stem}.json"]
    paths = [os.path.join(FOLDER, f"{holder}.jsonl") for holder in holders]
    return next((path for path in paths if os.path.exists(path)), None)


def expected_of(name, vectors):
    """Options of the program, and the ids that it must print for each text, None where nothing is known. It finds special tokens in any
    text; a rank file's vectors have those apart where they name them, a .model has none to find."""
    # A GGUF finds "</s>" in a text, other than the .model whose vectors it has, and writes words of WordPiece with a U+2581 of its own.
    unlike = {"gguf": ("</s>", "\u2581 ")}.get(name.rsplit(".", 1)[-1], ())
    plain = [None if any(part in vector["text"] for part in unlike) else vector["ids"] for vector in vectors]
    special = [vector.get("special") for vector in vectors]
    if name.endswith(".tiktoken"):
        hidden = [found is None and "<|" in vector["text"] for found, vector in zip(special, vectors)]
        yield [], [None if hides else found or ids for hides, found, ids in zip(hidden, special, plain)]
        return
    yield [], plain
    if name.endswith(".json") and any(special):
        yield ["--special"], special


def ids_of(name, requests, options):
    command = [os.environ["TONNAGE"], "tokens", "--tokenizer", os.path.join(FOLDER, name), "--file", requests, "--field", "text",
               "--ids", "--format", "jsonl", *options]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode:
        return run.stderr.decode()
    return [json.loads(line)["ids"] for line in run.stdout.decode().splitlines()]


def check(name, requests, vectors):
    """How many texts were compared, and a line for each that differs."""
    compared, wrong = 0, []
    for options, expected in expected_of(name, vectors):
        ids = ids_of(name, requests, options)
        if isinstance(ids, str) or len(ids) != len(expected):
            return compared, [f"{name} {' '.join(options)}: {ids if isinstance(ids, str) else 'another number of lines'}"]
        compared += sum(ids is not None for ids in expected)
        for vector, wanted, got in zip(vectors, expected, ids):
            if wanted is not None and wanted != got:
                wrong.append(f"{name} {' '.join(options)}: {vector['text'][:60]!r}: {got[:12]}, not {wanted[:12]}")
    return compared, wrong


def main():
    files = [name for name in sorted(os.listdir(FOLDER)) if name.rsplit(".", 1)[-1] in ("json", "model", "tiktoken", "gguf")]
    names = [name for name in files if vectors_of(name)]
    compared, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            vectors = read_lines(vectors_of(name))
            requests = os.path.join(folder, "requests.jsonl")
            with open(requests, "w", encoding="utf-8") as lines:
                lines.writelines(json.dumps({"text": vector["text"]}) + "\n" for vector in vectors)
            some, differing = check(name, requests, vectors)
            compared += some
            wrong += differing[:SHOWN]
    print("\n".join(wrong))
    print(f"{len(names)} tokenizers, {compared} texts, {len(wrong)} shown to differ")
    sys.exit(1 if wrong or not compared else 0)


if __name__ == "__main__":
    main()
