#!/usr/bin/env python3
"""Checks data/language: no phrase that nothing says any more, and nothing of a plan that no phrase has.

usage: check_language.py TONNAGE SOURCE_DIR
"""

import json
import pathlib
import re
import subprocess
import sys

PLACEHOLDER = re.compile(r"\{[a-z]*(?::[nbws])?\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# What stands in both languages, and what engines say in their own words behind the colon.
SAME = {"mla", "MLA"}

MODELS = ["llama-3.1-8b", "gpt-oss-20b"]
ENGINES = ["generic", "vllm", "sglang", "trtllm", "transformers", "tgi", "llamacpp", "ollama"]
DEPLOYMENTS = [
    {"gpu": "h100-80gb"},
    {"gpu": "t4", "context": 4096, "concurrency": 8},
    {"gpu": "a100-80gbx4", "context": 32768, "concurrency": 64},
    {"gpu": "rtx-4090", "context": 16384, "concurrency": 3},
]


def phrases(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("say "):
            english, _, other = line.strip()[4:].partition(" => ")
            yield english, other


def sources(folder):
    """All that the core may say: its sources with the pieces of literals joined, and the records."""
    text = []
    for path in [*folder.glob("src/**/*.c"), *folder.glob("data/engine/*.rec"), *folder.glob("data/arch/*.rec")]:
        content = path.read_text(encoding="utf-8")
        content = re.sub(r"\\\n\s*", "", content) if path.suffix == ".rec" else re.sub(r'"\s*\n\s*"', "", content)
        text.append(content.replace('\\"', '"'))
    return "\n".join(text)


def stands(words, text, cuts):
    """Whether the words stand in a source, whole or in few pieces, as a builder puts them together."""
    if words in text:
        return True
    spaces = [k for k, char in enumerate(words) if char == " "]
    return cuts > 0 and any(words[:k] in text and stands(words[k + 1 :], text, cuts - 1) for k in spaces)


def unsaid(english, text):
    """The first piece between placeholders and marks that no source has; None where all have."""
    for piece in re.split(r"[;:,.()]", PLACEHOLDER.sub(";", english)):
        words = piece.strip(" -%")
        if len(words) > 2 and not stands(words, text, 2):
            return words
    return None


def run(program, request):
    arguments = [program, "plan", request["model"], "--json"]
    for key, value in request.items():
        if key != "model":
            arguments += ["--" + key, str(value)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    return None if answer["schema"] == "tonnage.error/1" else answer


def texts(answer):
    """What a plan says to a person."""
    yield answer["verdict"]["message"]
    for remedy in answer["verdict"]["remedies"]:
        yield remedy["meaning"]
    for note in answer["notes"]:
        yield note["message"]
    for device in answer["devices"][:1]:
        for entry in device["entries"]:
            yield entry["label"]


def without_texts(answer):
    """The rest of an answer, in which the languages must agree."""
    bare = json.loads(json.dumps(answer))
    bare["verdict"]["message"] = ""
    bare["notes"] = [note["code"] for note in bare["notes"]]
    for remedy in bare["verdict"]["remedies"]:
        remedy["meaning"] = ""
    for device in [*bare["devices"], *([bare["host"]] if bare["host"] else [])]:
        for entry in device["entries"]:
            entry["label"] = ""
    return bare


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    faults = []
    table = list(phrases(folder / "data/language/zh.rec"))
    said = sources(folder)
    seen = set()
    for english, other in table:
        if english in seen:
            faults.append(f"twice: {english}")
        seen.add(english)
        missing = unsaid(english, said)
        if missing:
            faults.append(f"nothing says '{missing}' of: {english}")
        if not CHINESE.search(PLACEHOLDER.sub("", other)) and "，" not in other and english not in SAME and other != "CUDA Graph":
            faults.append(f"not Chinese: {other}")
    count = 0
    for engine in ENGINES:
        for model in MODELS:
            for deployment in DEPLOYMENTS:
                request = {"model": model, "engine": engine, **deployment}
                answer = run(program, {**request, "lang": "zh"})
                if answer is None:
                    continue
                if engine in ("generic", "vllm") and without_texts(answer) != without_texts(run(program, request)):
                    faults.append(f"{request}: more than texts depends on the language")
                for text in texts(answer):
                    count += 1
                    if not CHINESE.search(text) and text not in SAME and text != "CUDA Graph":
                        faults.append(f"{engine}: still English: {text}")
    for fault in sorted(set(faults)):
        print(fault)
    print(f"{len(table)} phrases, {count} texts, {len(set(faults))} faults")
    return 1 if faults else 0


sys.exit(main())
