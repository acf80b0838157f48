"""Commands of engines, as far as Python sees more of them than the unit tests: every setting of an engine has its place in the record of its
commands; manifests are YAML in which the container's own words are the plan's; docs/launch.md has the options of the records.

usage: check_launch.py PROGRAM [--update]     in the folder that $SOURCE_DIR names, or the current one; --update writes the document's tables
"""
import json
import os
import re
import shlex
import subprocess
import sys

try:
    import yaml
except ImportError:
    yaml = None

ROOT = os.environ.get("SOURCE_DIR", ".")
ENGINES = ["vllm", "sglang", "trtllm", "llamacpp", "ollama"]
KINDS = {"count": "N", "human": "N", "real": "X", "word": "WORD", "on": "", "switch": "", "optional": "[WORD]", "mib": "MIB", "layers": "N",
         "list": "LIST", "devices": "0,1", "float32": "DTYPE"}

# (options of the plan, its target): several engines, with and without a file, one machine and two.
MANIFESTS = [
    (["llama-3.1-8b", "--gpu", "h100x2", "--engine", "vllm@0.19.0", "--kv-dtype", "fp8"], "compose"),
    (["llama-3.1-8b", "--gpu", "h100x2", "--engine", "vllm@0.19.0", "--set", "max_num_seqs=64"], "kubernetes"),
    (["qwen3-30b-a3b", "--gpu", "h100", "--engine", "sglang@0.5.6", "--context", "8k"], "compose"),
    (["qwen3-30b-a3b", "--gpu", "h100", "--engine", "sglang@0.5.6", "--context", "8k"], "kubernetes"),
    (["llama-3.1-8b", "--gpu", "h100", "--engine", "trtllm@1.2.0", "--kv-dtype", "fp8", "--set", "cuda_graph_max_batch_size=0"], "compose"),
    (["llama-3.1-8b", "--gpu", "h100", "--engine", "trtllm@1.2.0", "--kv-dtype", "fp8"], "kubernetes"),
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "llamacpp@b8000", "--quant", "q4_k_m", "--context", "8k", "--set", "flash_attn=on",
      "--set", r"override_tensor=blk\.[0-3]\.ffn_.*=CPU"], "compose"),
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "llamacpp@0.7.0", "--quant", "q4_k_m", "--context", "8k"], "kubernetes"),
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "ollama@0.30.0", "--quant", "q4_k_m", "--context", "8k"], "compose"),
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "ollama@0.30.0", "--quant", "q4_k_m", "--context", "8k"], "kubernetes"),
    (["deepseek-v3", "--gpu", "h100x16", "--engine", "vllm@0.19.0"], "kubernetes"),
    (["deepseek-v3", "--gpu", "h100x16", "--engine", "sglang@0.5.10"], "kubernetes"),
]


# (options of fit, its target): the answer's script is a plan of the answer.
FITS = [
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "vllm@0.19.0", "--max", "context"], "vllm"),
    (["llama-3.1-8b", "--gpu", "h100", "--engine", "sglang@0.5.6", "--context", "8k", "--max", "concurrency"], "sglang"),
    (["llama-3.1-70b", "--gpu", "h100x2", "--engine", "trtllm@1.2.0", "--context", "4k", "--best", "kv-dtype"], "trtllm"),
    (["qwen3-32b", "--gpu", "rtx-4090,rtx-3060", "--engine", "llamacpp@0.7.0", "--quant", "q4_k_m", "--kv-dtype", "q8_0", "--context", "8k",
      "--max", "concurrency"], "llamacpp"),
    (["qwen3-32b", "--gpu", "rtx-3060,rtx-4090", "--engine", "llamacpp@0.7.0", "--context", "24k", "--best", "quant"], "llamacpp"),
    (["llama-3.1-8b", "--gpu", "rtx-4090", "--engine", "ollama@0.30.0", "--quant", "q4_k_m", "--max", "context"], "ollama"),
]

# (GPU, command, goal, what is asked without a command): both ways the same answer.
QUESTIONS = [
    ("a100-80gbx2", "vllm serve meta-llama/Llama-3.1-70B -tp 2 --max-model-len 8192 --kv-cache-dtype fp8", ["--max", "concurrency"],
     ["llama-3.1-70b", "--engine", "vllm", "--tp", "2", "--context", "8k", "--kv-dtype", "fp8"]),
    ("rtx-4090,rtx-3060", "CUDA_VISIBLE_DEVICES=0,1 llama-server -m Qwen3-32B-Q4_K_M.gguf -c 8192 -ctk q8_0 -ctv q8_0", ["--max", "context"],
     ["qwen3-32b", "--engine", "llamacpp", "--quant", "q4_k_m", "--pp", "2", "--context", "8k", "--kv-dtype", "q8_0"]),
]


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def plan(program, *arguments):
    done = run(program, "plan", *arguments, "--json")
    return json.loads(done.stdout)


# ---- records ---------------------------------------------------------------------------------------------------------


def read_record(engine):
    """(options, facts, sets of programs, refused settings); an option is (target, kind, attributes, names, other names)."""
    with open(os.path.join(ROOT, "data", "launch", engine + ".rec"), encoding="utf-8") as file:
        text = re.sub(r"\\\n\s*", "", file.read())
    options, facts, others = [], set(), set()
    for line in text.split("\n"):
        words = line.split()
        if words[:1] == ["option"]:
            head, names = line.split(" : ")
            names, _, no = names.partition(" / ")
            options.append((words[1], words[2], head.split()[3:], names.split(), no.split()))
        elif words[:1] == ["fact"]:
            facts |= set(words[1:])
        elif words[:1] == ["refuse"]:
            others.add(words[1])
        elif " set " in line and words[:1] in (["program"], ["module"]):
            others.add(line.split(" set ")[1].split("=")[0])
    return options, facts, others


def check_settings(program):
    """Each setting of the engine is an option, or a fact that no command says; and nothing else is."""
    for engine in ENGINES:
        options, facts, others = read_record(engine)
        listed = json.loads(run(program, "engines", engine, "--json").stdout)["engines"][0]["settings"]
        settings = {one["name"] for one in listed}
        placed = {target for target, *_ in options if not target.startswith("--")}
        yield from (f"{engine}: setting {name} is in no command and no fact" for name in sorted(settings - placed - facts - others))
        yield from (f"{engine}: {name} is no setting" for name in sorted((placed | facts) - settings))
        yield from (f"{engine}: {name} is an option and a fact" for name in sorted(placed & facts))


def check_defaults(program):
    """What an option need not say is what the engine does without it: a plan without options has these values."""
    for engine in ENGINES:
        options = read_record(engine)[0]
        answer = plan(program, "llama-3.1-8b", "--gpu", "h100", "--engine", engine, "--context", "4k")
        for target, _, attributes, *_ in options:
            versions = {"since", "until"} & set(attributes)
            if "unless" in attributes and not target.startswith("--") and not versions:
                usual = attributes[attributes.index("unless") + 1]
                value = answer["settings"][target]["value"]
                value = str(value).lower() if isinstance(value, bool) else str(value)
                if value != usual:
                    yield f"{engine}: {target} is {value} by itself, not {usual}"


# ---- manifests -------------------------------------------------------------------------------------------------------


def containers(document, found):
    """The containers of a manifest, of Compose or Kubernetes."""
    if isinstance(document, dict):
        if "image" in document:
            found.append(document)
        for value in document.values():
            containers(value, found)
    elif isinstance(document, list):
        for value in document:
            containers(value, found)
    return found


def words_of(container):
    words = (container.get("entrypoint") or []) + container.get("command", []) + container.get("args", [])
    return [word.replace("$$", "$") for word in words]


def environment_of(container):
    given = container.get("environment") or {one["name"]: one.get("value") for one in container.get("env", [])}
    return [f"{name}={shlex.quote(value)}" for name, value in given.items() if name != "HF_TOKEN" and value is not None]


def files_of(documents):
    """Path in the container -> text."""
    for document in documents:
        if "configs" in document:
            path = next(iter(document["services"].values()))["configs"][0]["target"]
            yield path, document["configs"]["options"]["content"]
        elif document.get("kind") == "ConfigMap":
            for name, text in document["data"].items():
                yield "/etc/tonnage/" + name, text


def script_of(text):
    """The command that the first container runs, as a script with its files and image."""
    documents = list(yaml.safe_load_all(text))
    container = containers(documents, [])[0]
    lines = [f"cat > {path} <<'END'\n{content}END" for path, content in files_of(documents)]
    words = ["docker", "run", container["image"], *words_of(container)]
    return "\n".join([*lines, " ".join([*environment_of(container), *map(shlex.quote, words)])])


def check_manifest(program, options, target):
    done = run(program, "plan", *options, "--emit", target)
    if done.returncode not in (0, 1) or done.stderr:
        return f"{' '.join(options)} --emit {target}: {done.stderr}"
    given = [options[k + 1] for k in range(len(options) - 1) if options[k] in ("--gpu",)]
    engine = options[options.index("--engine") + 1]
    script = script_of(done.stdout)
    first, second = plan(program, *options), plan(program, "--gpu", given[0], "--engine", engine, "--command", script)
    different = [key for key in ("devices", "host", "kv", "total", "log") if first.get(key) != second.get(key)]
    return f"{' '.join(options)} --emit {target}: read back it has other {', '.join(different)}:\n{script}" if different else None


def check_manifests(program):
    if not yaml:
        print("skipped: no PyYAML: manifests")
        return
    for options, target in MANIFESTS:
        failure = check_manifest(program, options, target)
        if failure:
            yield failure


# ---- answers of fit ---------------------------------------------------------------------------------------------------


def value_of(options, name):
    return options[options.index(name) + 1]


def check_fit(program, options, target):
    name = f"fit {' '.join(options)} --emit {target}"
    done = run(program, "fit", *options, "--emit", target)
    answer = json.loads(run(program, "fit", *options, "--emit", target, "--json").stdout)
    if done.returncode or done.stderr or answer["commands"] != {target: done.stdout}:
        return f"{name}: exit {done.returncode}, {done.stderr or 'and another text in JSON'}"
    every = json.loads(run(program, "fit", *options, "--json").stdout)["commands"]
    if every.get(target) != done.stdout:
        return f"{name}: another text than among all commands"
    asked = shlex.split(answer["proof"]["last_fitting"]["command"])[2:]
    first = plan(program, *asked)
    second = plan(program, "--gpu", value_of(options, "--gpu"), "--engine", value_of(options, "--engine"), "--command", done.stdout)
    different = [key for key in ("devices", "host", "kv", "total") if first.get(key) != second.get(key)]
    return f"{name}: read back it has other {', '.join(different)}:\n{done.stdout}" if different else None


def check_question(program, gpu, command, goal, options):
    first = json.loads(run(program, "fit", "--gpu", gpu, *goal, "--command", command, "--json").stdout)
    second = json.loads(run(program, "fit", "--gpu", gpu, *goal, *options, "--json").stdout)
    values = [(one["answer"]["value"], one["answer"]["limited_by"], one["answer"]["needed_bytes"]) for one in (first, second)]
    return f"fit of {command}: {values[0]}, and by options {values[1]}" if values[0] != values[1] else None


def check_fits(program):
    failures = [check_fit(program, *one) for one in FITS] + [check_question(program, *one) for one in QUESTIONS]
    yield from filter(None, failures)


# ---- the document ----------------------------------------------------------------------------------------------------


def versions_of(attributes):
    pairs = [f"{word} {attributes[k + 1]}" for k, word in enumerate(attributes) if word in ("since", "until")]
    return " ".join(pairs).replace("until", "before")


def written(attributes):
    if "always" in attributes:
        return "always"
    if "unless" in attributes:
        return f"unless it is {attributes[attributes.index('unless') + 1]}"
    if "with" in attributes:
        return f"with {attributes[attributes.index('with') + 1]}"
    return "where given"


def table_of(engine):
    rows = ["| option | also read | setting | written | versions |", "|---|---|---|---|---|"]
    for target, kind, attributes, names, no in read_record(engine)[0]:
        if "written" in attributes:
            continue
        cells = [f"{names[0]} {KINDS[kind]}".strip(), " ".join(names[1:] + no), target, written(attributes), versions_of(attributes)]
        rows.append("| " + " | ".join(f"`{cell}`" if k < 3 and cell else cell for k, cell in enumerate(cells)) + " |")
    return "\n".join(rows)


def check_document(update):
    path = os.path.join(ROOT, "docs", "launch.md")
    with open(path, encoding="utf-8") as file:
        text = wanted = file.read()
    for engine in ENGINES:
        pattern = re.compile(rf"(<!-- options of {engine} -->\n).*?(\n<!-- end -->)", re.S)
        if not pattern.search(wanted):
            yield f"docs/launch.md has no place for the options of {engine}"
        wanted = pattern.sub(lambda match, table=table_of(engine): match[1] + table + match[2], wanted)
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif text != wanted:
        yield "docs/launch.md is out of date: tests/check_launch.py PROGRAM --update writes it"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    program = os.path.abspath(sys.argv[1])
    failures = [*check_settings(program), *check_defaults(program), *check_manifests(program), *check_fits(program), *check_document("--update" in sys.argv)]
    print("\n".join(failures) if failures else f"{len(ENGINES)} engines, {len(MANIFESTS)} manifests, {len(FITS) + len(QUESTIONS)} answers: all agree")
    sys.exit(1 if failures else 0)


main()
