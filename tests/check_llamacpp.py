"""Plans what was measured of llama.cpp, and fails where one byte is different.

usage: check_llamacpp.py PROGRAM MEASURED

MEASURED is tests/measured/llamacpp: rows.jsonl and graphs.jsonl, measurements by llama.cpp's own libraries, and exceptions.json, what is known not
to be exact: {"model": NAME, "term": TERM, "why": TEXT}. What is not exact must not be below its measurement at the high end of its range. An
exception that nothing needs is an error, too. Some of the rows are planned once more from a GGUF file, as the command line does it.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

FROM_FILES = 16  # rows that are planned from a file

# name: id, elements of a block, bytes of a block
TYPES = {"f32": (0, 1, 4), "f16": (1, 1, 2), "q4_0": (2, 32, 18), "q4_1": (3, 32, 20), "q5_0": (6, 32, 22), "q5_1": (7, 32, 24),
         "q8_0": (8, 32, 34), "q2_k": (10, 256, 84), "q3_k": (11, 256, 110), "q4_k": (12, 256, 144), "q5_k": (13, 256, 176),
         "q6_k": (14, 256, 210), "iq4_nl": (20, 32, 18), "bf16": (30, 1, 2), "mxfp4": (39, 32, 17)}
ALIGNMENT = 32
CATEGORIES = {"weights": "model", "cache": "context", "state": "context", "activation": "compute"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


# ---- all rows, in one process ----


def score(program, paths):
    done = subprocess.run([program, "score", "--json", "--details", *paths], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    if done.returncode:
        sys.exit(f"score: {answer.get('where')}: {answer.get('message')}")
    return answer


def compare(answer, exceptions):
    """What is wrong with the answer; exceptions that are needed get a key."""
    for record in answer["unresolved"]:
        yield f"{record['id']}: {record['why']}"
    for record in answer["details"]:
        for device in record["devices"]:
            for term, value in device["terms"].items():
                place = f"{record['id']} ({record['model']}, {record['engine']}), {device['device']}: {term}"
                known = [one for one in exceptions if one["model"] == record["model"] and one["term"] == term]
                for one in known if not value["exact"] else []:
                    one["is_needed"] = True
                if not value["exact"] and not known:
                    yield f"{place} is {value['predicted']:,.0f}, measured {value['measured']:,.0f}"
                if value["high"] < value["measured"] - value["rounding"]:
                    yield f"{place} is at most {value['high']:,.0f}, measured {value['measured']:,.0f}"


# ---- some of them from files ----


def layers_of(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def tensors_of(model):
    for name, layers, shape, dtype in model["tensors"]:
        for layer in layers_of(layers) if layers else [""]:
            yield name.replace("{i}", str(layer)), shape, dtype


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(value):
    """The type and the bytes of a value of the metadata."""
    if isinstance(value, list):
        kind = 6 if any(isinstance(one, float) for one in value) else pair(value[0])[0]
        kind = 5 if kind == 4 else kind
        return 9, struct.pack("<IQ", kind, len(value)) + b"".join(struct.pack("<f" if kind == 6 else "<i" if kind == 5 else "<?", one) for one in value)
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return (4, struct.pack("<I", value)) if value >= 0 else (5, struct.pack("<i", value))
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    return 8, text(value)


def write_gguf(model, path):
    """A header, and a hole in place of the data."""
    tensors = list(tensors_of(model))
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(model["metadata"]))
    for key, value in model["metadata"].items():
        kind, data = pair(value)
        header += text(key) + struct.pack("<I", kind) + data
    offset = 0
    for name, shape, dtype in tensors:
        number, elements, size = TYPES[dtype]
        header += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        for dim in shape[1:]:
            size *= dim
        offset += -(-(shape[0] // elements * size) // ALIGNMENT) * ALIGNMENT
    header += b"\0" * (-len(header) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + offset)


def setting(key, value):
    """As --set takes it."""
    opposites = {"offload_kqv": "no_kv_offload", "extra_bufts": "no_repack"}
    if key in opposites:
        return f"{opposites[key]}={int(not value)}"
    name = {"n_ctx_requested": "n_ctx"}.get(key, key)
    return f"{name}={str(value).replace('/', ',')}"


def options(row):
    settings = {**row["settings"]}
    gpus = settings.pop("gpus", 1)
    sets = ["server=false", "no_mmap=true", "no_alloc=true", *(["device=none"] if not gpus else [])]
    sets += [setting(key, value) for key, value in settings.items()]
    return ["--engine", "llamacpp@" + row["llama_cpp"], "--pp", str(max(gpus, 1)), "--json", *[part for one in sets for part in ("--set", one)]]


def sums(entries):
    found = dict.fromkeys(CATEGORIES.values(), 0)
    for entry in entries:
        if entry["category"] in CATEGORIES:
            found[CATEGORIES[entry["category"]]] += entry["mid"]
    return found


def measured_sums(row):
    """By device; all that is not a GPU's own is the host's."""
    found = {}
    for buffer, figures in row["bytes"].items():
        device = buffer if buffer.startswith("CUDA") and buffer != "CUDA_Host" else "host"
        known = found.setdefault(device, dict.fromkeys(CATEGORIES.values(), 0))
        for key, value in figures.items():
            known[key] += value
    return found


def check_file(program, model, row, folder):
    path = os.path.join(folder, "model.gguf")
    write_gguf(model, path)
    done = subprocess.run([program, "plan", path, *options(row)], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    if "devices" not in answer:
        yield f"{row['model']}: {answer.get('message')}"
        return
    planned = {f"CUDA{k}": sums(device["entries"]) for k, device in enumerate(answer["devices"])}
    planned["host"] = sums(answer["host"]["entries"])
    for device, figures in measured_sums(row).items():
        if planned[device] != figures:
            yield f"{row['model']} from a file, {row['settings']}: {device} is {planned[device]}, measured {figures}"


def check_files(program, records):
    models = {one["model"]: one for one in records if one["record"] == "model"}
    rows = [one for one in records if one["record"] == "measurement" and one["mode"] == "no_alloc"]
    with tempfile.TemporaryDirectory() as folder:
        for row in rows[:: max(len(rows) // FROM_FILES, 1)]:
            yield from check_file(program, models[row["model"]], row, folder)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = sys.argv[1:]
    paths = [os.path.join(folder, name) for name in ("rows.jsonl", "graphs.jsonl")]
    with open(os.path.join(folder, "exceptions.json"), encoding="utf-8") as file:
        exceptions = json.load(file)
    answer = score(program, paths)
    faults = list(compare(answer, exceptions))
    faults += [f"exceptions.json: {one['model']}, {one['term']}: it is exact now" for one in exceptions if not one.get("is_needed")]
    faults += list(check_files(program, read(paths[1])))
    for fault in faults:
        print(fault)
    print(f"{answer['scored']} measurements planned, {len(exceptions)} exceptions, {len(faults)} faults")
    sys.exit(1 if faults or not answer["scored"] else 0)


main()
