"""Published traces through `tonnage fit --requests`: as many requests, and as long ones, as beside them is written.

usage: check_traces.py TONNAGE FOLDER     the folder of the traces, as they lie beside a checkout
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

# file: requests, mean tokens of prompts and outputs, as published with the files
TRACES = {
    "azure2023_code.csv.gz": (8819, 2048, 28),
    "azure2023_conv.csv.gz": (19366, 1155, 211),
    "mooncake_conversation_trace.jsonl.gz": (12031, 12035, 343),
    "mooncake_synthetic_trace.jsonl.gz": (3993, 15325, 149),
    "vidur_arxiv_summarization_lengths.csv.gz": (28257, 2588, 291),
    "vllm019_RTX4090_Llama-31-8B.jsonl.gz": (300, 857, 653),
}


def check(program, folder, name, expected):
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, name[:-len(".gz")])
        with gzip.open(os.path.join(folder, name)) as packed, open(path, "wb") as file:
            file.write(packed.read())
        command = [program, "fit", "llama-3.1-8b", "--engine", "vllm@0.19.0", "--gpu", "h100-80gb", "--requests", path, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    answer = json.loads(done.stdout)["answer"]
    count = answer["requests"] + answer["requests_longer"] + answer["requests_empty"]
    means = (answer["mean_prompt_tokens"], answer["mean_output_tokens"])
    met = count == expected[0] and all(abs(mean - wanted) <= 0.5 for mean, wanted in zip(means, expected[1:]))
    more = answer["concurrency"] >= answer["worst_case_concurrency"] and answer["share"] >= 0.99
    good = met and more
    print(f"[{'       OK' if good else '  FAILED '} ] {name}" + ("" if good else f": {count} requests of {means}"))
    return good


def main():
    program, folder = sys.argv[1:]
    if not os.path.isdir(folder):
        print("skipped: no ../shared")
        sys.exit(77)
    sys.exit(0 if all([check(program, folder, name, expected) for name, expected in TRACES.items()]) else 1)


main()
