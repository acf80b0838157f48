#!/usr/bin/env python3
"""Writes a fixture for tests/unit/test_architectures.c: a config, and the
tensors and the total that the oracle (oracle.py) built from it.

    fixture.py --out tests/data/arch/NAME.json CONFIG.json[#HF_ID] ORACLE_OUTPUT.json

NAME is the id of the architecture record, with "-" and a word behind it where a
record has several fixtures.  #HF_ID chooses one config of a list.

The fixture holds only keys of the config that can matter for shapes, and says
where both halves came from:

  {"source", "config", "total", "published", "tied", "tensors", "buffers"}

Tensors and buffers are in the oracle's run-length form.  "published", if there,
is a total that somebody published (--published): it counts multi-token prediction
and router biases, which "total" leaves out.
"""
import argparse
import json
import re
import sys
from pathlib import Path

from oracle import clean, dump, read_configs

# Keys that never say anything about a shape or a cache.
IRRELEVANT = re.compile(
    r"^rope_(theta|scaling|parameters)$|_token_id$|dropout|layerdrop|pdrop|initializer|init_std|_eps(ilon)?$|id2label|label2id"
    r"|^_|transformers_version|auto_map|use_cache|task_specific_params|problem_type|beam|aux_loss|z_loss|jitter|softcapping"
    r"|pretraining_tp|^output_|penalty|no_repeat_ngram|chunk_size_feed|finetuning|pruned_heads|return_dict|bad_words"
    r"|torchscript|typical_p|unsloth|norm_topk|swiglu_limit|tokenizer|summary_|logit_scale|use_bfloat16|tf_legacy"
    r"|temperature|suppress_tokens|image_token|video_token|^(embedding|residual|attention|logits)_(multiplier|scaling)$")


def relevant(value):
    """The config without the keys that never matter."""
    if isinstance(value, dict):
        return {key: relevant(item) for key, item in value.items()
                if item is not None and not IRRELEVANT.search(key)}
    return value


def choose(path, hf_id):
    for _, found, config, _ in read_configs([path], ""):
        if hf_id is None or found == hf_id:
            return found, config
    raise SystemExit(f"{path}: no config of {hf_id}")


def main():
    parser = argparse.ArgumentParser(description="a fixture of a config and the oracle's output")
    parser.add_argument("config", metavar="CONFIG.json[#HF_ID]")
    parser.add_argument("output", metavar="ORACLE_OUTPUT.json", type=Path)
    parser.add_argument("--published", type=int, metavar="TOTAL", help="the published total of the parameters")
    parser.add_argument("--out", required=True, type=Path, metavar="FIXTURE.json")
    args = parser.parse_args()
    path, _, wanted = args.config.partition("#")
    hf_id, config = choose(path, wanted or None)
    oracle = json.loads(args.output.read_text())
    source = {"config": hf_id or Path(path).stem, "oracle": f"transformers {oracle['transformers']}, {oracle['architecture']}"}
    fixture = {"source": source, "config": relevant(clean(config)), "total": oracle["total"]}
    if args.published:
        fixture["published"] = args.published
    fixture.update({key: oracle[key] for key in ("tied", "tensors", "buffers")})
    args.out.write_text(dump(fixture))
    return 0


if __name__ == "__main__":
    sys.exit(main())
