#!/usr/bin/env python3
"""Tensor names, shapes and parameter totals of language models, as the
`transformers` library builds them: an oracle independent of this project.

    oracle.py --out DIR CONFIG.json...       write DIR/<file name>.json each
    oracle.py --expand OUTPUT.json           print one "name<TAB>shape" a line

A CONFIG is a model's config.json, or an object {"hf_id", "config", ...}, or a
list of such objects (each then named after its hf_id, "/" as "__").  The class
named in "architectures" is built on the meta device: no weights, no memory for
them, no network.  "quantization_config" is dropped first, so shapes and totals
are those of the logical, unquantised parameters.

Output, one object per config:

  hf_id         as given, or null
  architecture  the class that was built
  transformers  version of the library
  names         "checkpoint": the names that saving the model would write;
                "module": the library's own names, which may differ from them
  total         parameters, a tensor shared by several names counted once
  tied          {further name of a shared tensor: the name that stands for it}
  tensors       the parameters, tied names left out (run-length form, below)
  buffers       persistent buffers, which a checkpoint holds too but which are
                not part of total (same form)
  module        the tensors under the library's own names, where they differ
  notes         doubts, if any: parts of the config that were absent, names
                that could not be reverted
  mtp           layers of multi-token prediction, if the library (from 5) has
                them for the model: {"layers", "total", "tensors"}, names being
                the library's own; not part of total, and without the shared
                embedding and head that some checkpoints repeat there

Run-length form: every numeric component of a dotted name becomes a letter:
{e} where the component before it is "experts", otherwise {i}, then {j}, {k},
{l} from left to right.  Each such pattern maps to a list of groups

  {"shape": [256, 64], "i": "0-11,13", "e": "0-7"}

and a group stands for every combination of its ranges (ends included).

Each config is built in a forked child under a time limit, so that none can
stop the others.  Failures go to DIR/failures.txt, one line each; totals that
differ from a "params_total" of the config file to DIR/differences.txt.
"""
import argparse
import itertools
import json
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path

# Published class names that the library spells differently (same model).
ALIASES = {
    "MPTForCausalLM": "MptForCausalLM",
    "RWForCausalLM": "FalconForCausalLM",
    "CPMAntForCausalLM": "CpmAntForCausalLM",
    "Qwen2_5OmniModel": "Qwen2_5OmniForConditionalGeneration",
    "LightOnOCRForConditionalGeneration": "LightOnOcrForConditionalGeneration",
    "KimiK25ForConditionalGeneration": "Kimi_K25ForConditionalGeneration",
    "HCXVisionV2ForCausalLM": "HyperCLOVAXVisionV2ForConditionalGeneration",
}

# Keys that ask for quantisation, remote code or a kernel that is not needed.
DROPPED = {
    "quantization_config", "compression_config", "auto_map",
    "attn_implementation", "_attn_implementation",
    "_attn_implementation_internal", "_attn_implementation_autoset",
    "uniform_expert_assignment",  # DBRX: about kernels; the library refuses it
}

LETTERS = "ijklmn"


# ---------------------------------------------------------------- run-length

def pattern_of(name):
    """('a.0.b.7.c') -> ('a.{i}.b.{j}.c', ('i', 'j'), (0, 7))"""
    parts, letters, index = name.split("."), [], []
    free = iter(LETTERS)
    for at, part in enumerate(parts):
        if part.isdigit():
            expert = at > 0 and parts[at - 1] == "experts" and "e" not in letters
            letters.append("e" if expert else next(free))
            index.append(int(part))
            parts[at] = "{%s}" % letters[-1]
    return ".".join(parts), tuple(letters), tuple(index)


def ranges(numbers):
    """[0, 1, 2, 5] -> '0-2,5'"""
    runs = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def boxes(tuples, depth):
    """Cut a set of index tuples into products of ranges (range texts)."""
    if depth == 0:
        return [()]
    by_first = {}
    for t in tuples:
        by_first.setdefault(t[0], []).append(t[1:])
    merged = {}
    for first, rest in by_first.items():
        merged.setdefault(tuple(boxes(rest, depth - 1)), []).append(first)
    return [(ranges(firsts),) + box
            for rest, firsts in merged.items() for box in rest]


def compact(shapes):
    """{name: shape} -> {pattern: [group]}"""
    seen = {}
    for name, shape in shapes.items():
        pattern, letters, index = pattern_of(name)
        seen.setdefault((pattern, letters), {}).setdefault(tuple(shape), []).append(index)
    return {pattern: [dict(shape=list(shape), **dict(zip(letters, box)))
                      for shape, tuples in by_shape.items()
                      for box in boxes(tuples, len(letters))]
            for (pattern, letters), by_shape in seen.items()}


def expand(tensors):
    """The inverse of compact(): yields (name, shape)."""
    for pattern, groups in tensors.items():
        for group in groups:
            letters = [k for k in group if k != "shape"]
            spans = []
            for k in letters:
                ends = [r.split("-") for r in group[k].split(",")]
                spans.append([n for e in ends for n in range(int(e[0]), int(e[-1]) + 1)])
            for index in itertools.product(*spans):
                name = pattern
                for k, n in zip(letters, index):
                    name = name.replace("{%s}" % k, str(n))
                yield name, group["shape"]


def size(shape):
    n = 1
    for d in shape:
        n *= d
    return n


# ------------------------------------------------------------------ building

def clean(value):
    """The config without the DROPPED keys, at every depth.

    A "layer_types" that goes on past num_hidden_layers (to the layers of
    multi-token prediction, which are not part of the model) is cut there.
    """
    if isinstance(value, dict):
        value = {k: clean(v) for k, v in value.items() if k not in DROPPED}
        layers, types = value.get("num_hidden_layers"), value.get("layer_types")
        if isinstance(layers, int) and isinstance(types, list):
            value["layer_types"] = types[:layers]
        return value
    if isinstance(value, list):
        return [clean(v) for v in value]
    return value


def class_for(transformers, config):
    """(model class, config class) for a config dictionary."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    model_type = config.get("model_type")
    for arch in config.get("architectures") or []:
        cls = getattr(transformers, ALIASES.get(arch, arch), None)
        if cls is not None and getattr(cls, "config_class", None) is not None:
            # Some published configs name a text class over a config of the
            # whole model, or a model type of their own: the class decides,
            # unless the model type is one it also accepts (a subclass).
            config_class = cls.config_class
            if model_type in CONFIG_MAPPING and issubclass(CONFIG_MAPPING[model_type], config_class):
                config_class = CONFIG_MAPPING[model_type]
            return cls, config_class
        raise LookupError(f"class {arch} (model_type {model_type}) unknown to transformers {transformers.__version__}")
    if model_type not in CONFIG_MAPPING:
        raise LookupError(f"no architectures, model_type {model_type} unknown")
    config_class = CONFIG_MAPPING[model_type]
    for auto in ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM",
                 "AutoModelForImageTextToText", "AutoModel"):
        mapping = getattr(transformers, auto)._model_mapping
        if config_class in mapping:
            cls = mapping[config_class]
            return (cls[0] if isinstance(cls, tuple) else cls), config_class
    raise LookupError(f"no model class for model_type {model_type}")


def settle_tying(made, config):
    """Tie embedding and head as the config says, not as version 5 assumes.

    Version 5 takes a missing "tie_word_embeddings" of a multimodal config as
    true, since loading unties again what a checkpoint stores twice.  Published
    configs leave the key out where it equals the default of the text config.
    """
    if getattr(made, "is_encoder_decoder", False):
        return  # there the key is about more than the head
    text = made.get_text_config()
    tie = (config.get("text_config") or {}).get("tie_word_embeddings")
    if tie is None:
        tie = config.get("tie_word_embeddings")
    if tie is None and config.get("text_config"):
        tie = type(text)().tie_word_embeddings
    if tie is not None:
        made.tie_word_embeddings = text.tie_word_embeddings = tie


def build(config):
    """The model of a config dictionary, on the meta device, weights tied."""
    import torch
    import transformers
    from transformers import modeling_utils
    no_init = getattr(modeling_utils, "no_init_weights", None)
    if no_init is None:  # moved in version 5
        from transformers.initialization import no_init_weights as no_init

    config = clean(config)
    cls, config_class = class_for(transformers, config)
    if config.get("model_type") != config_class.model_type:
        config["model_type"] = config_class.model_type
    made = config_class.from_dict(config)
    made._attn_implementation = "eager"
    if int(transformers.__version__.split(".")[0]) >= 5:
        settle_tying(made, config)
    # Schedules computed in constructors (linspace(...).item()) need numbers.
    linspace = torch.linspace
    torch.linspace = lambda *a, **k: linspace(*a, **{**k, "device": "cpu"})
    try:
        with no_init(), torch.device("meta"):
            model = cls(made)
            model.tie_weights()
    finally:
        torch.linspace = linspace
    return model


def checkpoint_names(model, shapes):
    """{name: shape} under the names that saving would write, else None."""
    import transformers
    if int(transformers.__version__.split(".")[0]) >= 5:
        import torch
        from transformers.core_model_loading import revert_weight_conversion
        meta = {k: torch.empty(s, device="meta") for k, s in shapes.items()}
        saved = {k: list(t.shape) for k, t in revert_weight_conversion(model, meta).items()}
    else:
        saved = {}
        back = {v: re.sub(r"\(.*\)", "", k.lstrip("^"))
                for k, v in (model._checkpoint_conversion_mapping or {}).items()}
        for name, shape in shapes.items():
            for pattern, replacement in back.items():
                name, n = re.subn(pattern, replacement, name)
                if n:
                    break
            saved[name] = shape
    same = sum(map(size, saved.values())) == sum(map(size, shapes.values()))
    return saved if same else None


def predictor(model):
    """The layers of multi-token prediction, where the library (5) has them."""
    try:
        import torch
        from transformers.modeling_layers import MtpModel
        layers = getattr(model.config.get_text_config(), "num_mtp_layers", None)
        if not layers:
            return None
        with torch.device("meta"):
            mtp = MtpModel(model, layers)
        shared = {id(p) for p in model.parameters()}
        shapes = {k: list(p.shape) for k, p in mtp.named_parameters() if id(p) not in shared}
        return {"layers": layers, "total": sum(map(size, shapes.values())), "tensors": compact(shapes)}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"[:200]}


def describe(hf_id, config):
    """The output object of one config."""
    import transformers
    model = build(config)
    first, shapes, tied = {}, {}, {}
    for name, p in model.named_parameters(remove_duplicate=False):
        if id(p) in first:
            tied[name] = first[id(p)]
        else:
            first[id(p)] = name
            shapes[name] = list(p.shape)
    unsaved = [re.compile(x) for x in model._keys_to_ignore_on_save or []]
    buffers = {k: list(t.shape) for k, t in model.state_dict().items()
               if k not in shapes and k not in tied and not any(r.search(k) for r in unsaved)}
    total = sum(map(size, shapes.values()))

    names, notes, modules = "module", [], {}
    absent = [k for k in getattr(model.config, "sub_configs", {}) if not config.get(k)]
    if absent:
        notes.append("not in the config, so the library's defaults: " + ", ".join(absent))
    try:
        saved = checkpoint_names(model, shapes)
        every = checkpoint_names(model, {**shapes, **buffers})
        if saved is not None and every is not None and all(k in every for k in saved):
            back = {k: next(iter(checkpoint_names(model, {k: [1]}) or {}), k)
                    for k in set(tied) | set(tied.values())}
            tied = {back[k]: back[v] for k, v in tied.items()}
            names, modules, shapes = "checkpoint", shapes, saved
            buffers = {k: s for k, s in every.items() if k not in saved}
        else:
            notes.append("names not reverted: the total would change")
    except Exception as e:
        notes.append(f"names not reverted: {type(e).__name__}: {e}"[:200])
    tensors = compact(shapes)
    assert dict(expand(tensors)) == shapes and sum(map(size, shapes.values())) == total
    out = {"hf_id": hf_id, "architecture": type(model).__name__,
           "transformers": transformers.__version__, "names": names}
    if notes:
        out["notes"] = notes
    out.update(total=total, tied=tied, tensors=tensors, buffers=compact(buffers))
    if modules and modules != shapes:
        out["module"] = compact(modules)
    prediction = predictor(model)
    if prediction:
        out["mtp"] = prediction
    return out


# ------------------------------------------------------------------- running

def read_configs(paths, prefix):
    """Yields (output name, hf_id, config, published total or None)."""
    for path in paths:
        data = json.loads(Path(path).read_text())
        for item in data if isinstance(data, list) else [data]:
            wrapped = isinstance(item.get("config"), dict)
            config = item["config"] if wrapped else item
            hf_id = item.get("hf_id") if wrapped else None
            name = Path(path).stem
            if isinstance(data, list):
                name = (hf_id or config.get("model_type", "?")).replace("/", "__")
            yield prefix + name, hf_id, config, item.get("params_total") if wrapped else None


def dump(out):
    """JSON with one pattern a line."""
    lines = []
    for key, value in out.items():
        if key in ("tensors", "buffers") and value:
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f"{json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n ".join(lines) + "}\n"


def child(target, hf_id, config, seconds, gib):
    """Runs in the forked child; returns its exit status."""
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_DATA, (gib << 30, gib << 30))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    error = Path(str(target) + ".error")
    try:
        text = dump(describe(hf_id, config))
        error.with_suffix(".part").write_text(text)
        os.replace(error.with_suffix(".part"), target)
        return 0
    except BaseException as e:
        error.write_text(" ".join(f"{type(e).__name__}: {e}".split())[:300])
        return 1


def run(args):
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    work = list(read_configs(args.configs, args.prefix))
    # Import once, before forking; children share the pages.
    import torch
    import transformers
    from transformers import modeling_utils  # noqa: F401
    torch.set_num_threads(1)
    queue = [(name, hf_id, config) for name, hf_id, config, _ in work
             if not (args.missing and (out / f"{name}.json").exists())]
    running, failures, done = {}, {}, 0
    while queue or running:
        while queue and len(running) < args.jobs:
            name, hf_id, config = queue.pop(0)
            target = out / f"{name}.json"
            target.unlink(missing_ok=True)
            pid = os.fork()
            if pid == 0:
                os._exit(child(target, hf_id, config, args.timeout, args.memory))
            running[pid] = (name, config, time.time())
        pid, status = os.wait()
        name, config, start = running.pop(pid)
        done += 1
        error = out / f"{name}.json.error"
        if status != 0:
            why = error.read_text() if error.exists() else f"ended by signal {status & 127} after {time.time() - start:.0f} s"
            arch = (config.get("architectures") or [config.get("model_type")])[0]
            failures[name] = f"{name}\t{arch}\ttransformers {transformers.__version__}: {why}"
        error.unlink(missing_ok=True)
        if args.verbose:
            print(f"{done} {name} {time.time() - start:.1f} s {'FAILED' if status else 'ok'}", flush=True)

    # The two reports keep what earlier runs wrote about other configs.
    current = {name for name, *_ in work}
    write_report(out / "failures.txt", current, failures)
    differences = {}
    for name, _, _, published in work:
        path = out / f"{name}.json"
        if published and path.exists():
            got = json.loads(path.read_text())
            if got["total"] != published:
                gap = published - got["total"]
                differences[name] = f"{name}\t{got['architecture']}\toracle {got['total']}\tpublished {published}\tgap {gap}"
    write_report(out / "differences.txt", current, differences)
    print(f"{len(work)} configs, {len(work) - len(failures)} described, {len(failures)} failed, {len(differences)} totals differ")


def write_report(path, current, lines):
    old = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in old if line.split("\t")[0] not in current]
    path.write_text("".join(line + "\n" for line in kept + list(lines.values())))


def main():
    p = argparse.ArgumentParser(description="tensor names, shapes and totals from the transformers library")
    p.add_argument("configs", nargs="*", help="config files")
    p.add_argument("--out", help="folder of the outputs")
    p.add_argument("--prefix", default="", help="put before every output name")
    p.add_argument("--missing", action="store_true", help="only configs without an output yet (a second library version)")
    p.add_argument("--jobs", type=int, default=2, help="children at a time (%(default)s)")
    p.add_argument("--timeout", type=int, default=240, help="seconds for one config (%(default)s)")
    p.add_argument("--memory", type=int, default=8, help="GiB for one config (%(default)s)")
    p.add_argument("--verbose", action="store_true", help="a line for each config")
    p.add_argument("--expand", metavar="OUTPUT", help="print the names and shapes of an output")
    args = p.parse_args()
    if args.expand:
        for name, shape in expand(json.loads(Path(args.expand).read_text())["tensors"]):
            print(f"{name}\t{json.dumps(shape)}")
        return 0
    if not args.configs or not args.out:
        p.error("--out and at least one config are needed")
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
