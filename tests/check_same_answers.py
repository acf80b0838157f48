"""One question, the same bytes: the command line, the server and WebAssembly answer 500 random requests.

usage: check_same_answers.py PROGRAM [--web FOLDER] [--count N] [--seed N]

A way to ask that is not in this build is left out; two there must be. An answer that differs is shown, and counts as a failure.
"""
import argparse
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

GET_ONLY = ("models", "gpus", "engines")  # on the server
POSITIONAL = {"models": "model", "table": "model", "engines": "engine", "diagnose": "log", "tokens": "text"}  # else the model
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 2048,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "intermediate_size": 5632,
    "vocab_size": 32000,
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 8192,
}
LOG = """INFO 11-22 10:00:00 [__init__.py:1] vLLM API server version 0.10.0
INFO 11-22 10:00:01 [gpu_worker.py:1] Available KV cache memory: 3.47 GiB
ERROR 11-22 10:00:02 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.96 GiB. GPU 0 has a total capacity of 23.65 GiB of which 1.19 GiB is free.
"""


# ---- requests --------------------------------------------------------------------------------------------------------


class Chooser:
    """Random requests: what people ask, and what they get wrong."""

    def __init__(self, program, seed):
        listed = {kind: self.names(program, kind) for kind in ("models", "gpus", "engines")}
        self.models, self.gpus, self.engines = listed["models"], listed["gpus"], listed["engines"]
        self.random = random.Random(seed)

    @staticmethod
    def names(program, kind):
        listed = json.loads(subprocess.check_output([program, kind, "--json"]))[kind]
        return [entry.get("hf_id") or entry.get("id") or entry["name"] for entry in listed]

    def one(self, *values):
        return self.random.choice(values)

    def sometimes(self, request, key, *values, share=0.3):
        if self.random.random() < share:
            request[key] = self.one(*values)

    def model(self):
        return self.one(*self.models) if self.random.random() < 0.95 else self.one("no-such-model", "llama")

    def gpu(self):
        name = self.one(*self.gpus) if self.random.random() < 0.95 else "no-such-gpu"
        return name + self.one("", "", "x2", "x4", "x8")

    def engine(self):
        return self.one(*self.engines) if self.random.random() < 0.95 else self.one("vllm@0.6.0", "vllm@99", "nonsense")

    def deployment(self, request):
        request["gpu"] = self.gpu()
        self.sometimes(request, "engine", self.engine(), share=0.7)
        self.sometimes(request, "context", 512, 4096, "8k", 100000, "1M", 0)
        self.sometimes(request, "concurrency", 1, 4, 64, 1000)
        self.sometimes(request, "kv_dtype", "fp8", "bf16", "int3", share=0.2)
        self.sometimes(request, "quant", "fp8", "awq", "q4_k_m", "no-such", share=0.2)
        self.sometimes(request, "tp", 1, 2, 3, 8, share=0.2)
        self.sometimes(request, "pp", 2, share=0.05)
        self.sometimes(request, "set", {"gpu_memory_utilization": 0.8}, {"max_num_seqs": 64}, {"nonsense": 1}, share=0.1)

    def plan(self, request):
        self.subject(request)
        self.deployment(request)
        self.sometimes(request, "explain", True, share=0.2)
        self.sometimes(request, "format", "text", "csv", "md", "html", "svg", "nonsense", share=0.4)

    def subject(self, request):
        """A model by its name, by a file, or, of a plan, by its numbers."""
        kind = self.random.random() * (1 if request["operation"] == "plan" else 0.93)
        if kind < 0.85:
            request["model"] = self.model()
        elif kind < 0.93:
            request.update(model="mine/config.json", files={"mine/config.json": json.dumps(CONFIG)})
        else:
            request.update(params="13B", layers=40, hidden=5120)

    def fit(self, request):
        request["model"] = self.model()
        self.deployment(request)
        request.pop("tp", None)
        request.update(self.one({"max": "context"}, {"max": "concurrency"}, {"min": "gpus"}, {"best": "kv-dtype"}, {"max": "nonsense"}))
        self.sometimes(request, "format", "text", "md", share=0.2)

    def table(self, request):
        request["model"] = [self.model() for _ in range(self.one(1, 2, 3))]
        self.sometimes(request, "context", 4096, "32k", share=0.5)
        self.sometimes(request, "format", "text", "csv", "svg", share=0.4)

    def inspect(self, request):
        self.subject(request)
        self.sometimes(request, "explain", True)
        self.sometimes(request, "tensors", True, share=0.1)
        self.sometimes(request, "format", "text", "html", share=0.2)

    def models_list(self, request):
        self.sometimes(request, "model", "qwen", "llama", ["70b", "instruct"], "zzz", share=0.8)
        self.sometimes(request, "sort", "parameters", "released", "nonsense", share=0.5)

    def gpus_list(self, request):
        self.sometimes(request, "format", "text", "csv")
        self.sometimes(request, "units", "si")

    def engines_list(self, request):
        self.sometimes(request, "engine", self.engine(), share=0.7)

    def diagnose(self, request):
        lines = LOG.splitlines(keepends=True)
        request.update(log="server.log", files={"server.log": "".join(self.random.sample(lines, self.one(1, 2, 3)))})
        self.sometimes(request, "model", self.model())
        self.sometimes(request, "gpu", self.gpu())

    def tokens(self, request):
        request["text"] = "Where people would rather look than read: " * self.one(1, 5, 100)
        self.sometimes(request, "model", self.model())
        self.sometimes(request, "format", "text")

    KINDS = (
        ("plan", plan, 10),
        ("fit", fit, 2),
        ("table", table, 2),
        ("inspect", inspect, 2),
        ("diagnose", diagnose, 1),
        ("tokens", tokens, 1),
        ("models", models_list, 1),
        ("gpus", gpus_list, 0.3),
        ("engines", engines_list, 1),
    )

    def request(self):
        (name, fill, _), = self.random.choices(self.KINDS, [weight for _, _, weight in self.KINDS])
        request = {"operation": name}
        fill(self, request)
        return request


# ---- who answers -----------------------------------------------------------------------------------------------------


class CommandLine:
    """Each request is a process, in a folder that has its files."""

    name = "command line"

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="tonnage-same-")

    def words(self, request):
        positional = POSITIONAL.get(request["operation"], "model")
        words = [request["operation"]]
        for key, value in request.items():
            option = "--" + key.replace("_", "-")
            if key == positional:
                words += value if isinstance(value, list) else [value]
            elif isinstance(value, dict) and key == "set":
                words += [word for name, one in value.items() for word in (option, "%s=%s" % (name, one))]
            elif value is True:
                words.append(option)
            elif key not in ("operation", "files"):
                words += [option, str(value)]
        return words if "format" in request else words + ["--json"]

    def answer(self, request):
        for name, text in request.get("files", {}).items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([self.program, *self.words(request)], capture_output=True, cwd=self.folder, stdin=subprocess.DEVNULL)
        return done.stdout.decode(), done.returncode

    def close(self):
        shutil.rmtree(self.folder)


class WebAssembly:
    """One Node for all."""

    name = "WebAssembly"

    def __init__(self, web):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wasm", "answer.mjs")
        self.node = subprocess.Popen(["node", script, web], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def answer(self, request):
        self.node.stdin.write(json.dumps(request) + "\n")
        self.node.stdin.flush()
        answer = json.loads(self.node.stdout.readline())
        return answer["text"], answer["exit"]

    def close(self):
        self.node.stdin.close()
        self.node.wait()


class Server:
    """One connection for all. A status has no exit code: 2xx is 0 or 1, as the answer says elsewhere."""

    name = "server"

    def __init__(self, program):
        self.process = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--max-time", "60s"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", said)
        if not port:
            raise OSError(said)
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=60)

    def answer(self, request):
        asked = {key: value for key, value in request.items() if key != "operation"}
        path = "/v1/" + request["operation"]
        self.connection.close()  # as after an error it may be closed at the other end
        if request["operation"] in GET_ONLY:
            self.connection.request("GET", path + "?" + urllib.parse.urlencode(asked, doseq=True))
        else:
            self.connection.request("POST", path, json.dumps(asked), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        return response.read().decode(), None if response.status < 300 else -response.status

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


# ---- comparing -------------------------------------------------------------------------------------------------------


def is_same(request, expected, answer):
    """Errors are JSON, whatever format was asked for; the command line then writes to standard error, in words."""
    (text, code), (other_text, other_code) = expected, answer
    if other_code is not None and other_code >= 0 and other_code != code:
        return False
    if code > 1 and request.get("format", "json") != "json":
        return json.loads(other_text)["schema"] == "tonnage.error/1"
    return (other_code is None) == (code <= 1) and text == other_text if other_code is None or other_code < 0 else text == other_text


def show(request, name, expected, answer):
    print("request: %s" % json.dumps(request))
    lines, others = expected[0].splitlines(), answer[0].splitlines()
    for number in range(max(len(lines), len(others))):
        pair = [side[number] if number < len(side) else "(no line)" for side in (lines, others)]
        if pair[0] != pair[1]:
            print("  line %d\n    command line: %s\n    %s: %s" % (number + 1, pair[0], name, pair[1]))
            break
    print("  command line: exit %s; %s: %s" % (expected[1], name, answer[1]))


def open_answerers(options):
    answerers = []
    if options.web:
        answerers.append(WebAssembly(options.web))
    try:
        answerers.append(Server(options.program))
    except OSError as error:
        print("no server: %s" % str(error).strip())
    return answerers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--web")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    chooser = Chooser(options.program, options.seed)
    first, others = CommandLine(options.program), open_answerers(options)
    if not others:
        print("skipped: neither a server nor WebAssembly is in this build")
        sys.exit(77)
    different = {other.name: 0 for other in others}
    codes = {}
    for _ in range(options.count):
        request = chooser.request()
        expected = first.answer(request)
        codes[expected[1]] = codes.get(expected[1], 0) + 1
        for other in others:
            answer = other.answer(request)
            if not is_same(request, expected, answer):
                different[other.name] += 1
                show(request, other.name, expected, answer)
    for answerer in [first, *others]:
        answerer.close()
    print("%d requests, by exit code: %s" % (options.count, ", ".join("%s: %d" % item for item in sorted(codes.items()))))
    for name, count in different.items():
        print("[  %s ] the_command_line_and_%s_answer_the_same%s"
              % ("FAILED " if count else "     OK", name.replace(" ", "_"), ", %d do not" % count if count else ""))
    sys.exit(1 if any(different.values()) else 0)


main()
