#!/usr/bin/env python3
"""Writes data/gpu/*.rec from a table of accelerators with a source per figure.

usage: gpu_records.py GPUS.jsonl data/gpu

Each line of the table is an object: vendor, name, aliases (what drivers report), figures (null where unknown), `source`
(figure -> where it was read) and `derived` (how a figure follows from others). A figure without a source is refused,
unless DROPPED names it. Every name that a person may type has to lead to one record: the script fails where two share
one.
"""
import collections
import json
import os
import re
import sys

HEAD = """\
# {vendor} accelerators. Figures as of {as_of}. Written by tools/gpu_records.py.
#
#     gpu ID                          one accelerator as a program sees it
#       name NAME
#       alias WORD WORD ...           further names that people type; each belongs to one record only. Names compare
#                                     without case, spaces and punctuation: RTX 4090, rtx-4090 and rtx4090 are one
#       reported_as NAME              what its driver reports; cards of one name with different memory share it, and the
#                                     first of them is the common one
#       FIGURE VALUE @SOURCE PLACE    the source is a record at the end of this file; PLACE, where given, is in it
#
# memory_driver_mib is what the driver reports and memory_torch_bytes what PyTorch sees; memory_marketed_gb is the box.
# *_tflops and *_tops are dense peaks, with FP32 accumulation where the hardware has a choice. link_gb_per_s counts one
# direction. mig PROFILE N GB: at most N instances of nominally GB. memory_options_gb: the sizes in which a machine with
# shared memory is sold; its working_set, a record of that name, says what of it the GPU may take. A figure that is not
# here is not known.
"""

# The figure in the table, the statement in the record; in the order of the record.
FIGURES = [
    ("memory_driver_mib", "memory_driver_mib"),
    ("memory_torch_bytes", "memory_torch_bytes"),
    ("memory_marketed_gb", "memory_marketed_gb"),
    ("extra.ram_options_gb", "memory_options_gb"),
    ("bandwidth_gbs", "bandwidth_gb_per_s"),
    ("tflops_dense.fp32", "fp32_tflops"),
    ("tflops_dense.tf32", "tf32_tflops"),
    ("tflops_dense.fp16", "fp16_tflops"),
    ("extra.fp16_tensor_fp16_accumulate", "fp16_accumulate_fp16_tflops"),
    ("extra.vector_fp16", "fp16_vector_tflops"),
    ("tflops_dense.bf16", "bf16_tflops"),
    ("tflops_dense.fp8", "fp8_tflops"),
    ("tflops_dense.fp4", "fp4_tflops"),
    ("tflops_dense.int8", "int8_tops"),
    ("interconnect.nvlink.generation", "link"),
    ("interconnect.nvlink.gb_s_per_direction", "link_gb_per_s"),
    ("interconnect.pcie", "pcie"),
    ("tdp_w", "tdp_w"),
    ("architecture", "architecture"),
    ("compute_capability", "compute_capability"),
    ("release_year", "release_year"),
]

# GiB that programs saw on a card (cudaMemGetInfo) where the table has no figure: from start-up logs of vLLM. Two decimals.
SEEN_BY_PROGRAMS = {
    "a100-sxm4-40gb": (39.49, "start-up logs of vLLM"),
    "a100-sxm4-80gb": (79.25, "start-up logs of vLLM"),
    "b300-sxm": (267.69, "start-up logs of vLLM"),
    "gb10": (121.63, "start-up logs of vLLM"),
    "h100-sxm5-80gb": (79.19, "llm-d-incubation/llm-d-planner#205, logs of vLLM 0.19"),
    "h200-sxm5-141gb": (139.81, "start-up logs of vLLM"),
    "l40s": (44.42, "start-up logs of vLLM"),
    "rtx-3090": (23.56, "vllm-project/vllm#45517, Free memory on device"),
    "rtx-5090": (31.37, "vllm-project/vllm#14452, total_gpu_memory"),
    "rtx-pro-6000-blackwell-max-q": (95.01, "start-up logs of vLLM"),
    "rtx-pro-6000-blackwell-server": (95.01, "start-up logs of vLLM"),
    "rtx-pro-6000-blackwell-workstation": (95.01, "start-up logs of vLLM"),
    "v100-sxm2-32gb": (31.74, "start-up logs of vLLM"),
}

# How the table begins a derivation of several figures at once.
DERIVED_TOGETHER = {
    "fp16/bf16 dense": {"fp16", "bf16"},
    "listed value is 16x fp32": {"fp8", "fp16", "bf16"},
}

# What a note says about the table, in words that hold for the record.
NOTE_WORDS = [
    ("; ranges in extra", ""),
    ("left null", "left out"),
    ("no numeric source retrieved; left out", "no source found for its figures"),
    ("STAS", "ml-engineering"),
    ("Tom's", "Tom's Hardware"),
    ("the retrieved excerpt", "the source read"),
    ("the excerpt", "the source read"),
]

# Figures of the table that name no source anywhere: they do not enter the catalog.
DROPPED = {
    ("A10G", "interconnect.pcie"),
    ("H100 NVL 94GB", "interconnect.pcie"),
    ("Arc B580", "extra.vector_fp16"),
}

# Short names that people type, by record. Where a name is common to several variants it goes to the usual one; between
# cards of equal memory, to the one whose memory a driver has reported.
SHORT = {
    "v100-sxm2-16gb": "v100 v100-16gb v100-sxm2 v100-sxm-16gb",
    "v100-sxm2-32gb": "v100-32gb v100-sxm-32gb",
    "v100s-pcie-32gb": "v100s",
    "a100-sxm4-80gb": "a100 a100-80gb a100-sxm a100-sxm4 a100-sxm-80gb",
    "a100-sxm4-40gb": "a100-40gb a100-sxm-40gb",
    "a100-pcie-80gb": "a100-pcie",
    "a800-sxm4-80gb": "a800 a800-80gb a800-sxm",
    "h100-sxm5-80gb": "h100 h100-80gb h100-sxm h100-sxm5 h100-sxm-80gb",
    "h100-sxm5-96gb": "h100-96gb",
    "h100-pcie-80gb": "h100-pcie",
    "h100-nvl-94gb": "h100-nvl h100-94gb",
    "h800-sxm5-80gb": "h800 h800-80gb h800-sxm",
    "h20-96gb": "h20",
    "h200-sxm5-141gb": "h200 h200-141gb h200-sxm h200-sxm5",
    "h200-nvl-141gb": "h200-nvl",
    "gh200-96gb-hbm3": "gh200 gh200-96gb",
    "gh200-144gb-hbm3e": "gh200-144gb",
    "b100-sxm": "b100",
    "b200-sxm-180gb": "b200 b200-180gb b200-sxm",
    "b300-sxm": "b300",
    "gb10": "dgx-spark spark",
    "jetson-agx-thor": "thor jetson-thor",
    "jetson-agx-orin-64gb": "agx-orin orin-64gb jetson-orin-64gb",
    "rtx-2060-6gb": "rtx-2060 2060",
    "rtx-3050-8gb": "rtx-3050 3050",
    "rtx-3060-12gb": "rtx-3060 3060",
    "rtx-3080-10gb": "rtx-3080 3080",
    "rtx-4060-ti-8gb": "rtx-4060-ti 4060-ti",
    "rtx-5060-ti-8gb": "rtx-5060-ti 5060-ti",
    "rtx-a2000-6gb": "a2000 rtx-a2000",
    "rtx-6000-ada": "6000-ada ada-6000",
    "quadro-rtx-8000": "rtx-8000",
    "rtx-pro-4000-blackwell": "rtx-pro-4000",
    "rtx-pro-4500-blackwell": "rtx-pro-4500",
    "rtx-pro-5000-blackwell": "rtx-pro-5000",
    "rtx-pro-6000-blackwell-server": "rtx-pro-6000 rtx-pro-6000-blackwell pro-6000 rtx-pro-6000-server",
    "rtx-pro-6000-blackwell-workstation": "rtx-pro-6000-workstation",
    "rtx-pro-6000-blackwell-max-q": "rtx-pro-6000-max-q",
    "ryzen-ai-max-395": "strix-halo ai-max-395",
    "arc-a770-16gb": "a770 arc-a770",
    "arc-b580": "b580",
    "arc-pro-b60-24gb": "b60 arc-pro-b60",
    "tpu-v6e": "trillium",
    "tpu7x": "tpu-v7 tpu-v7x ironwood",
    "inferentia2": "inf2",
    "trainium2": "trn2",
}

# Short and stable names for sources that many figures cite; the others take the name of their repository or site.
SOURCE_NAMES = [
    (r"voidful/gpu-info-api:", "wikipedia"),
    (r"stas00/ml-engineering:.*@b9e2", "ml-engineering"),
    (r"AlexsJones/llmfit:", "llmfit"),
    (r"NVIDIA/gpu-operator:", "gpu-operator"),
    (r"skypilot-org/.*aiconfigurator", "skypilot-vast-2"),
    (r"skypilot-org/", "skypilot-vast"),
    (r"huggingface/huggingface.js:", "huggingface-hardware"),
    (r"Lightning-AI/", "lightning"),
    (r"exo-explore/exo:", "exo"),
    (r"modal-labs/", "modal"),
    (r"https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported", "mig-guide"),
    (r"the name of the product", "product-name"),
    (r"same family as", "same-family"),
    (r"nvidia-smi output", "nvidia-smi"),
    (r"m\.968545\.com", "encyclopedia"),
    (r"fp16 .*= fp16_accumulate_fp16 / 2", "half-of-fp16-accumulate"),
    (r"bf16 = fp16", "bf16-as-fp16"),
    (r"tf32 = bf16 / 2", "tf32-half-of-bf16"),
    (r"fp8 .*= fp16 with FP16", "fp8-as-fp16-accumulate"),
    (r"int8 = 2 x fp16", "int8-twice-fp16"),
    (r"fp4 = half of", "half-of-sparse-fp4"),
    (r"fp16/bf16 dense = listed sparse", "half-of-sparse"),
    (r"listed value is 16x fp32", "share-of-sparse-fp8"),
    (r"server figure .*scaled to the 2617 MHz", "scaled-by-clock"),
]


def fold(name):
    """What of a name counts when names are compared."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def words(value):
    """A value as the record writes it."""
    if isinstance(value, list):
        return " ".join(words(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def look_up(row, path):
    """A figure by its path in the table; None where absent."""
    value = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def identifier(name):
    name = re.sub(r"\(.*?\)|/.*", "", name)
    name = re.sub(r"^(GeForce|Instinct|Radeon|Data Center GPU) ", "", name.strip())
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


class Sources:
    """The sources of one file: text -> id, in the order of first use."""

    def __init__(self):
        self.ids = {}

    def name(self, text):
        if text in self.ids:
            return self.ids[text]
        for pattern, name in SOURCE_NAMES:
            if re.match(pattern, text):
                break
        else:
            site = re.match(r"(?:https?://(?:www\.)?([^/]+)|[^/ ]+/([\w.-]+))", text)
            name = re.sub(r"[^a-z0-9]+", "-", (site[1] or site[2] if site else text[:24]).lower()).strip("-")
        taken = set(self.ids.values())
        unique = next(one for one in [name] + [f"{name}-{k}" for k in range(2, 99)] if one not in taken)
        self.ids[text] = unique
        return unique

    def cite(self, text):
        """'@id place' for a source as the table writes it: what differs between figures goes into the place."""
        place = ""
        text = re.sub(r" \(stored copy id \d+\)|, stored file id \d+", "", text)
        text = re.sub(r"^product (family )?name$", "the name of the product", text)
        text = re.sub(r"^public nvidia-smi output found by exact string in GitHub files",
                      "nvidia-smi output published on GitHub", text)
        text = re.sub(r"^Chinese encyclopedia page on (.*?) \(stored copy (?:m\.968545\.com )?(.*)\)",
                      r"m.968545.com \2, encyclopedia page on \1", text)
        if "voidful/gpu-info-api" in text and ", key " in text:
            text, place = text.rsplit(", key ", 1)
            text = text.replace("(branch gpu-data)", "(branch gpu-data, 2025-06-16; built from Wikipedia GPU tables)")
        elif re.match(r"ai-dynamo/aiconfigurator:[^ ]*$", text):
            text, place, commit = re.match(r"(.*)/([^/]*)(@\w+)$", text).groups()
            text += commit
        else:
            remark = re.match(r"(.*?) \((.*)\)$", text)
            if remark and "skypilot" not in text and not re.search(r"; | = ", text):
                text, place = remark.groups()
        return f"@{self.name(text)} {place}".strip()


def derivation(row, path):
    """How the figure was derived, in the table's words; None where it was read."""
    figure = path.removeprefix("tflops_dense.")
    for text in row.get("derived") or []:
        subject = re.match(r"(?:tflops_dense\.)?(\w+)", text)[1]
        together = [figures for start, figures in DERIVED_TOGETHER.items() if text.startswith(start)]
        if figure in (together[0] if together else {subject}):
            text = re.sub(r"^tflops_dense\.\w+: |tflops_dense\.", "", text)
            return text.replace("extra.fp16_tensor_fp16_accumulate", "fp16_accumulate_fp16")
    return None


def cite_figure(row, path, sources):
    """The citation of a figure; None where the table has none."""
    source = row["source"]
    # A table's single entry speaks for all figures of a group; what a laptop card's extras or a bus lack is in the same
    # row of the table that the other figures of the card come from (it has a column for each).
    text = source.get(path) or source.get(".".join(path.split(".")[:2])) or source.get(path.split(".")[0])
    if path == "extra.ram_options_gb":
        text = row["extra"]["ram_options_source"]
    if text == "same":
        text = source["memory_marketed_gb"]
    derived = derivation(row, path)
    if text:
        cited = sources.cite(text)
        return f"{cited} ({derived.split(' = ', 1)[1]})" if derived and " = " in derived else cited
    if derived:
        return sources.cite(derived)
    if path in ("interconnect.pcie", "extra.fp16_tensor_fp16_accumulate", "extra.vector_fp16"):
        table = [one for one in source.values() if "voidful/gpu-info-api" in one]
        return sources.cite(table[0]) if table else None
    return None


def reported_names(row):
    return [name for name in row["aliases"] if not re.match(r"gfx\w+$", name)]


def short_names(row, record_id):
    """The words of the alias line, without those that the id or the name already stand for."""
    found = SHORT.get(record_id, "").split()
    if record_id.startswith("rtx-") and re.match(r"rtx-\d{4}(-|$)", record_id):
        found.append(record_id[4:])
    if record_id.startswith("rx-"):
        found.append(record_id[3:])
    if record_id.startswith("rtx-a"):
        found.append(record_id[4:])
    if record_id.startswith(("apple-", "ascend-")):
        found.append(record_id.split("-", 1)[1])
    memory = row["memory_marketed_gb"]
    if memory and not re.search(r"\d+gb", record_id):
        found.append(f"{record_id}-{words(memory)}gb")
    known, result = {fold(record_id), fold(row["name"])}, []
    for name in found:
        if fold(name) not in known:
            known.add(fold(name))
            result.append(name)
    return result


def note_of(row):
    note = row.get("notes") or ""
    for old, new in NOTE_WORDS:
        note = note.replace(old, new)
    extra = row.get("extra") or {}
    ranges = [f"{label} {extra[key].replace(' ', ' / ')} {unit}" for key, label, unit in (
        ("tdp_range_w", "power", "W"), ("bandwidth_listed", "bandwidth", "GB/s"), ("fp32_range", "fp32", "TFLOPS"))
        if extra.get(key) not in (None, "None")]
    bare = [f"MIG: {one['profile']}" for one in row["mig_profiles"] or [] if not one["nominal_memory_gb"]]
    return "; ".join(filter(None, [note, "listed: " + ", ".join(ranges) if ranges else "", *bare]))


def record(row, record_id, sources, missing):
    """The lines of one accelerator."""
    lines = [f"gpu {record_id}", f"name {row['name']}", f"vendor {row['vendor']}"]
    if short_names(row, record_id):
        lines.append("alias " + " ".join(short_names(row, record_id)))
    lines += [f"reported_as {name}" for name in reported_names(row)]
    lines += [f"isa {name}" for name in row["aliases"] if re.match(r"gfx\w+$", name)]
    for path, statement in FIGURES:
        value = look_up(row, path)
        if value is None or (row["name"], path) in DROPPED:
            continue
        citation = cite_figure(row, path, sources)
        if not citation:
            missing.append(f"{row['name']}: {path} has no source")
            continue
        if statement == "link" and isinstance(value, int):
            value = f"NVLink {value}"
        lines.append(f"{statement} {words(value)} {citation}")
    if row["form"]:
        lines.append(f"form {row['form']}")
    for profile in row["mig_profiles"] or []:
        if profile["nominal_memory_gb"]:  # else it is but a number of instances: note_of has it
            lines.append(f"mig {profile['profile']} {profile['max_instances']} {words(profile['nominal_memory_gb'])} "
                         + sources.cite(row["source"]["mig_profiles"]))
    if (row.get("extra") or {}).get("working_set"):
        lines.append("working_set apple")
    if note_of(row):
        lines.append(f"note {note_of(row)}")
    return "\n  ".join(lines) + "\n"


def working_set(rule, sources):
    """Of a host whose GPU shares its memory: what the GPU may take, measured."""
    lines = ["working_set apple", f"note {rule['rule']}"]
    for one in rule["measured"]:
        # Hosts write GB and MB for powers of 1024: two thirds of 32 GiB are the 21845.34 "MB" of one of them.
        taken = re.sub(r" ([GM])i?B$", r"\1iB", one["working_set"])
        lines.append(f"measured {one['ram_gb']}GiB {taken} {sources.cite(one['source'])}")
    return "\n  ".join(lines) + "\n"


def write_vendor(vendor, rows, ids, folder, missing):
    sources = Sources()
    records = [record(row, ids[row["name"]], sources, missing) for row in rows]
    rules = [row["extra"]["working_set"] for row in rows if (row.get("extra") or {}).get("working_set")]
    if rules:
        records.append(working_set(rules[0], sources))
        assert all(rule == rules[0] for rule in rules), "one rule is expected for all of Apple's"
    for text, name in sources.ids.items():
        records.append(f"source {name}\n  text {text}\n")
    head = HEAD.format(vendor=vendor, as_of=max(row["as_of"] for row in rows))
    with open(os.path.join(folder, vendor.lower() + ".rec"), "w", encoding="utf-8") as file:
        file.write(head + "\n" + "\n".join(records))


def collisions(rows, ids):
    """Names that lead to two records. Reported names may be shared, but not taken by another record's other names."""
    owners = collections.defaultdict(set)
    for row in rows:
        record_id = ids[row["name"]]
        for name in [record_id, row["name"], *short_names(row, record_id)]:
            owners[fold(name)].add(record_id)
    for row in rows:
        for name in reported_names(row):
            if fold(name) in owners and ids[row["name"]] not in owners[fold(name)]:
                yield f"{name}: reported by {ids[row['name']]}, but also a name of {owners[fold(name)]}"
    for name, found in owners.items():
        if len(found) > 1:
            yield f"{name}: a name of {sorted(found)}"


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    ids = {row["name"]: identifier(row["name"]) for row in rows}
    for row in rows:
        seen, source = SEEN_BY_PROGRAMS.get(ids[row["name"]], (None, None))
        if seen and not row.get("memory_torch_bytes"):
            row["memory_torch_bytes"] = int(seen * 2**30)
            row["source"]["memory_torch_bytes"] = source
    faults = list(collisions(rows, ids))
    faults += [f"{name}: in SHORT, but no record" for name in SHORT if name not in ids.values()]
    vendors = collections.OrderedDict()
    for row in rows:
        vendors.setdefault(row["vendor"], []).append(row)
    for vendor, group in vendors.items():
        write_vendor(vendor, group, ids, sys.argv[2], faults)
    print(f"{len(rows)} accelerators of {len(vendors)} vendors")
    sys.exit("\n".join(faults) if faults else 0)


main()
