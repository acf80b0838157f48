"""Counts tokens of 100 MB beside the reference libraries, where they and the tokenizers are there: tools/tokens/README.md tells how to get
them into build/tokenizers, or the folder that $TOKENIZERS names. Else it says so, and that is all.

usage: tokens.py TONNAGE
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.environ.get("TOKENIZERS", os.path.join(ROOT, "build", "tokenizers"))


def main():
    python = os.path.join(FOLDER, "venv", "bin", "python")
    text = os.path.join(FOLDER, "bench.txt")
    missing = [path for path in (python, text) if not os.path.exists(path)]
    if missing:
        print(f"skipped: no {', no '.join(missing)}; tools/tokens/README.md says how they are made")
        return 0
    command = f"{sys.argv[1]} tokens --tokenizer {{tokenizer}} --file {{input}} --jobs 1"
    return subprocess.run([python, os.path.join(ROOT, "tools", "tokens", "bench.py"), "--tokenizers", FOLDER, "--text", text,
                           "--command", command, *sys.argv[2:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
