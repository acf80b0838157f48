"""Remote models, against a server that this test starts on the loopback interface: nothing else is ever asked.

usage: check_remote.py PROGRAM       the cases of tests/remote/server.py, good and hostile
"""
import hashlib
import json
import os
import pty
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "remote"))
import server as remote  # noqa: E402

PROGRAM = sys.argv[1]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secret"
HIDDEN, FFN, LAYERS, VOCABULARY, HEADS, KV_HEADS = 8192, 28672, 80, 128256, 64, 8
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FFN,
          "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
          "vocab_size": VOCABULARY, "max_position_embeddings": 8192, "torch_dtype": "bfloat16",
          "tie_word_embeddings": False}
KV = HIDDEN // HEADS * KV_HEADS
# by hand: 2 x 128256 x 8192 + 8192 + 80 x (2 x 8192^2 + 2 x 8192 x 1024 + 3 x 8192 x 28672 + 2 x 8192)
PARAMETERS = 70553706496


class Skipped(Exception):
    pass


class Failure(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Failure(what)


class World:
    """A server, a second one that stands for another host, an empty cache, and the program between them."""

    def __init__(self):
        self.server, self.other = remote.Server(), remote.Server()
        self.folder = tempfile.TemporaryDirectory()
        self.cache = os.path.join(self.folder.name, "tonnage")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.other.shutdown()
        self.folder.cleanup()

    def environment(self, **more):
        keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS") if name in os.environ}
        return dict(keep, HF_ENDPOINT=self.server.url, OLLAMA_HOST=self.server.url.removeprefix("http://"),
                    XDG_CACHE_HOME=self.folder.name, HOME=self.folder.name, TONNAGE_TIMEOUT="1", LC_ALL="C.UTF-8",
                    no_proxy="*", **more)

    def run(self, name, command="plan", **more):
        """(exit code, the JSON document)"""
        done = subprocess.run([PROGRAM, command, name, "--json"], env=self.environment(**more), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        expect(not done.stderr, f"standard error is not empty: {done.stderr!r}")
        return done.returncode, json.loads(done.stdout)

    def succeeds(self, name, **more):
        code, answer = self.run(name, **more)
        expect(code in (0, 1) and answer["schema"] == "tonnage.plan/1", f"{name}: exit {code}: {answer}")
        expect(answer["model"]["parameters"] == PARAMETERS, f"{answer['model']['parameters']} parameters")
        return answer

    def fails(self, name, message, code="network", exit_code=4, **more):
        got, answer = self.run(name, **more)
        expect(got == exit_code and answer.get("code") == code, f"{name}: exit {got}: {answer}")
        expect(message in answer["message"], f"the message is: {answer['message']}")
        expect(answer["where"] and answer["hint"], f"no place or no hint: {answer}")
        expect(TOKEN not in json.dumps(answer), "the token is shown")
        return answer

    def kept(self):
        return sorted(os.listdir(self.cache)) if os.path.isdir(self.cache) else []


# ---- models -------------------------------------------------------------------------------------------------------------


def llama_tensors():
    yield "model.embed_tokens.weight", [VOCABULARY, HIDDEN]
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        yield at + "self_attn.q_proj.weight", [HIDDEN, HIDDEN]
        yield at + "self_attn.k_proj.weight", [KV, HIDDEN]
        yield at + "self_attn.v_proj.weight", [KV, HIDDEN]
        yield at + "self_attn.o_proj.weight", [HIDDEN, HIDDEN]
        yield at + "mlp.gate_proj.weight", [FFN, HIDDEN]
        yield at + "mlp.up_proj.weight", [FFN, HIDDEN]
        yield at + "mlp.down_proj.weight", [HIDDEN, FFN]
        yield at + "input_layernorm.weight", [HIDDEN]
        yield at + "post_attention_layernorm.weight", [HIDDEN]
    yield "model.norm.weight", [HIDDEN]
    yield "lm_head.weight", [VOCABULARY, HIDDEN]


def shards(count):
    """{file name: File} and the index."""
    tensors = list(llama_tensors())
    files, places = {}, {}
    for number in range(count):
        part = tensors[len(tensors) * number // count:len(tensors) * (number + 1) // count]
        name = f"model-{number + 1:05}-of-{count:05}.safetensors" if count > 1 else "model.safetensors"
        files[name] = remote.File(*remote.safetensors(dict(part)))
        places.update({tensor: name for tensor, _ in part})
    return files, remote.File(json.dumps({"metadata": {}, "weight_map": places}).encode())


def gguf_parts(count, tokens=50000):
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    inner = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
             "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    tensors = []
    for name, dims in llama_tensors():
        stem = name.removesuffix(".weight")
        if stem not in names:
            _, _, layer, part = stem.split(".", 3)
            names[stem] = f"blk.{layer}.{inner[part]}"
        tensors.append((names[stem] + ".weight", dims))
    metadata = {"general.architecture": "llama", "llama.block_count": LAYERS, "llama.embedding_length": HIDDEN,
                "llama.feed_forward_length": FFN, "llama.attention.head_count": HEADS,
                "llama.attention.head_count_kv": KV_HEADS, "llama.context_length": 8192, "llama.vocab_size": VOCABULARY}
    parts = []
    for number in range(count):
        part = dict(tensors[len(tensors) * number // count:len(tensors) * (number + 1) // count])
        split = {"split.no": number, "split.count": count, "split.tensors.count": len(tensors)} if count > 1 else {}
        whole = dict(metadata, **split) if number == 0 else split
        parts.append(remote.File(*remote.gguf(part, whole, tokens if number == 0 else 0)))
    return parts


SHARDS, INDEX = shards(160)
SINGLE = shards(1)[0]["model.safetensors"]
CONFIG_FILE = remote.File(json.dumps(CONFIG).encode())
GGUF = gguf_parts(1)[0]


def add_hub(world, files, name="org/name", revision="main", fault=None):
    reply = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": path} for path in files]}
    world.server.add(f"/api/models/{name}/revision/{revision}", remote.File(json.dumps(reply).encode()))
    for path, file in files.items():
        world.server.add(f"/{name}/resolve/{COMMIT}/{path}", file, fault)


def whole_hub():
    return dict(SHARDS, **{"model.safetensors.index.json": INDEX, "config.json": CONFIG_FILE, ".gitattributes": CONFIG_FILE})


# ---- what works ---------------------------------------------------------------------------------------------------------


def test_hub_160_shards(world):
    """two requests for each of 160 shards, at most 8 at once, no byte but the headers'; the second time none at all"""
    add_hub(world, whole_hub(), fault=remote.slow(0.03))
    start = time.monotonic()
    world.succeeds("hf:org/name")
    took = time.monotonic() - start
    asked = world.server.asked(".safetensors")
    asked = [request for request in asked if "index" not in request.path]
    headers = sum(len(file.head) for file in SHARDS.values())
    came = sum(request.bytes for request in asked)
    most = max(sum(request.path == other.path for other in asked) for request in asked)
    print(f"    160 shards: {len(asked)} requests, at most {most} per shard, {world.server.most_active} at once, "
          f"{came} bytes for {headers} of headers ({came / headers:.3f}), {took:.2f} s")
    expect(most <= 2, f"{most} requests for one shard")
    expect(came <= 1.05 * headers, f"{came} bytes for headers of {headers}")
    expect(world.server.most_active == 8, f"{world.server.most_active} requests at once")
    expect(not world.server.asked("gitattributes"), "a file that is no model was read")
    world.server.forget()
    world.succeeds("hf:org/name")
    expect(len(world.server.requests) == 1, "a commit that is at hand was read again")


def test_hub_token(world):
    """the token goes to the hub and not to the host that it redirects to"""
    add_hub(world, {"config.json": CONFIG_FILE, "model.safetensors": SINGLE})
    path = f"/org/name/resolve/{COMMIT}/model.safetensors"
    world.server.add(path, None, remote.redirect(world.other.url + "/cdn/file?signature=1"))
    world.other.add("/cdn/file?signature=1", SINGLE)
    world.succeeds("hf:org/name", HF_TOKEN=TOKEN)
    expect(all(request.fields.get("authorization") == f"Bearer {TOKEN}" for request in world.server.requests),
           "the hub was asked without the token")
    expect(world.other.requests, "the redirect was not followed")
    expect(not any("authorization" in request.fields for request in world.other.requests), "the token went elsewhere")
    expect(not any(TOKEN in str(request.fields) for request in world.other.requests), "the token went elsewhere")


def test_hub_revision_and_file(world):
    """hf:ORG/NAME/FOLDER/FILE@REVISION, in a repository with several files"""
    files = {"q4/a.gguf": GGUF, "q8/b.gguf": GGUF, "a.gguf": GGUF, "b.gguf": GGUF}
    add_hub(world, files, revision="refs%2Fpr%2F1")
    world.succeeds("hf:org/name/q4/a.gguf@refs/pr/1")
    expect(not world.server.asked("/b.gguf"), "another file was read")
    answer = world.fails("hf:org/name@refs/pr/1", "this folder holds 2 GGUF models", "not_a_model", 3)
    expect("hf:org/name/a.gguf" in answer["hint"], answer["hint"])


def test_url_safetensors(world):
    """a URL of a file, with the config beside it; of one whose config is missing; of an index"""
    world.server.add("/m/model.safetensors", SINGLE)
    world.server.add("/m/config.json", CONFIG_FILE)
    answer = world.succeeds(world.server.url + "/m/model.safetensors")
    expect(answer["model"]["id"] == "model.safetensors", answer["model"]["id"])
    world.server.add("/n/model.safetensors", SINGLE)
    world.run(world.server.url + "/n/model.safetensors")
    for name, file in dict(SHARDS, **{"model.safetensors.index.json": INDEX, "config.json": CONFIG_FILE}).items():
        world.server.add("/s/" + name, file)
    world.succeeds(world.server.url + "/s/model.safetensors.index.json")


def test_url_gguf(world):
    """two requests, ended when the header is complete; a copy is asked for by its tag and not read again"""
    world.server.add("/m.gguf", GGUF)
    world.succeeds(world.server.url + "/m.gguf")
    expect(len(world.server.requests) == 2, f"{len(world.server.requests)} requests")
    came = sum(request.bytes for request in world.server.requests)
    print(f"    GGUF: {came} bytes left the server for a header of {len(GGUF.head)}")
    expect(came < GGUF.size / 1000, f"{came} bytes")
    world.server.forget()
    world.succeeds(world.server.url + "/m.gguf")
    expect([request.status for request in world.server.requests] == [304], "the copy was not asked for by its tag")
    world.server.forget()
    world.server.add("/m.gguf", remote.File(GGUF.head, GGUF.size, '"new"'))
    world.succeeds(world.server.url + "/m.gguf")
    expect([request.status for request in world.server.requests] == [206, 206], "a new file was not read")
    expect(len(world.kept()) == 1, f"kept: {world.kept()}")


def test_url_gguf_split(world):
    """all parts of a split, by the name of any"""
    for number, part in enumerate(gguf_parts(5)):
        world.server.add(f"/m-{number + 1:05}-of-00005.gguf", part)
    world.succeeds(world.server.url + "/m-00003-of-00005.gguf")
    expect(len(world.server.requests) == 6, "a part without a vocabulary took more than one request")
    world.server.add("/m-00004-of-00005.gguf", None)
    answer = world.fails(world.server.url + "/m-00003-of-00005.gguf", "(404)")
    expect("m-00004-of-00005.gguf" in answer["where"], answer["where"])


def test_url_secrets(world):
    """a password and a signature are sent and never shown; another host does not get them"""
    url = world.server.url.replace("http://", "http://user:pass@")
    world.server.add("/m.gguf?key=signature", None, remote.redirect(world.other.url + "/m.gguf"))
    world.other.add("/m.gguf", GGUF)
    world.succeeds(url + "/m.gguf?key=signature")
    expect(world.server.requests[0].fields.get("authorization", "").startswith("Basic "), "no password was sent")
    expect("authorization" not in world.other.requests[0].fields, "the password went elsewhere")
    world.server.add("/m.gguf?key=signature", None)
    answer = json.dumps(world.fails(url + "/m.gguf?key=signature", "(404)"))
    expect("pass" not in answer and "signature" not in answer, answer)


def test_without_tag(world):
    """a server that names no tag: nothing is kept, as nothing could tell whether it still holds"""
    world.server.add("/m.gguf", remote.File(GGUF.head, GGUF.size, ""))
    world.succeeds(world.server.url + "/m.gguf")
    expect(not world.kept(), f"kept: {world.kept()}")
    world.server.add("/m.gguf", remote.File(GGUF.head, GGUF.size, 'W/"weak"'))
    world.succeeds(world.server.url + "/m.gguf")
    expect(not world.kept(), f"kept: {world.kept()}")


def test_registry(world):
    """manifest, redirect to a blob; tag, namespace and the address of another registry"""
    digest = "sha256:" + hashlib.sha256(GGUF.head).hexdigest()
    layers = [{"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "0" * 64, "size": 1},
              {"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": GGUF.size}]
    manifest = remote.File(json.dumps({"schemaVersion": 2, "layers": layers}).encode())
    world.server.add("/v2/library/llama/manifests/latest", manifest)
    world.server.add("/v2/library/llama/blobs/" + digest, None, remote.redirect(world.other.url + "/blob", 307))
    world.other.add("/blob", GGUF)
    answer = world.succeeds("ollama:llama", HF_TOKEN=TOKEN)
    expect(answer["model"]["id"] == "llama:latest", answer["model"]["id"])
    asked = [request for request in world.other.requests + world.server.requests if "authorization" in request.fields]
    expect(not [request for request in asked if request in world.other.requests], "the token went elsewhere")
    world.succeeds("ollama:llama")
    expect(len(world.other.requests) == 2, "a blob that is at hand was read again")
    world.other.add("/v2/me/llama/manifests/70b", manifest)
    world.other.add("/v2/me/llama/blobs/" + digest, GGUF)
    world.succeeds(f"ollama:{world.other.url}/me/llama:70b")
    world.server.add("/v2/library/cloud/manifests/latest", remote.File(b'{"layers": []}'))
    world.fails("ollama:cloud", "the manifest names no GGUF file", "not_a_model", 3)
    world.fails("ollama:nothing:7b", "(404)")


def test_busy_then_well(world):
    """429 with Retry-After, 500 and cut connections: asked again, from where it ended, and it works"""
    faults = {"a": remote.status(429, {"Retry-After": "1"}, 1), "b": remote.status(500, None, 2),
              "c": remote.cut(2, 5000), "d": remote.silent(1), "e": remote.slow(0.3)}
    for name, fault in faults.items():
        world.server.add(f"/{name}.gguf", GGUF, fault)
        start = time.monotonic()
        world.succeeds(f"{world.server.url}/{name}.gguf")
        expect(name != "a" or time.monotonic() - start >= 1, "Retry-After was not heeded")
    ranges = [request.fields["range"].split("-")[0] for request in world.server.asked("/c.gguf")]
    expect(ranges == ["bytes=0", "bytes=5000", "bytes=10000", "bytes=16384"], f"{ranges}")
    world.server.add("/f/model.safetensors", SINGLE)
    world.server.add("/f/config.json", CONFIG_FILE, remote.cut(1, 10))
    world.succeeds(world.server.url + "/f/model.safetensors")


# ---- what does not ------------------------------------------------------------------------------------------------------


def test_refused(world):
    """401, 403, 404: once each, with the way out"""
    for code, words in ((401, "(401)"), (403, "(403)"), (404, "(404)")):
        add_hub(world, {"config.json": CONFIG_FILE, "model.safetensors": SINGLE}, f"org/n{code}",
                fault=remote.status(code))
        answer = world.fails(f"hf:org/n{code}", words)
        expect(code == 404 or "HF_TOKEN" in answer["hint"], answer["hint"])
        expect(len(world.server.asked(f"/org/n{code}/resolve")) == 1, "asked again although refused")
        answer = world.fails(f"hf:org/n{code}", words, HF_TOKEN=TOKEN)
        expect(f"{world.server.url}/org/n{code}" in answer["where"], answer["where"])
    world.fails("hf:org/missing", "(404)")
    expect(not world.kept(), f"kept: {world.kept()}")


def test_busy_for_ever(world):
    """429, 500, 503, cut and silent without end: four attempts; a Retry-After of an hour is no reason to wait"""
    faults = {"a": (remote.status(429), "(429)"), "b": (remote.status(500), "(500)"), "c": (remote.status(503), "(503)"),
              "d": (remote.cut(99, 0), "cut"), "e": (remote.silent(99), "silent"), "g": (remote.no_http, "not HTTP")}
    for name, (fault, message) in faults.items():
        world.server.add(f"/{name}.gguf", GGUF, fault)
        world.fails(f"{world.server.url}/{name}.gguf", message)
        expect(len(world.server.asked(f"/{name}.gguf")) == (1 if name == "g" else 4), f"attempts for {name}")
    world.server.add("/f.gguf", GGUF, remote.status(429, {"Retry-After": "3600"}))
    world.fails(world.server.url + "/f.gguf", "(429)")
    expect(len(world.server.asked("/f.gguf")) == 1, "asked again before an hour has passed")
    expect(not world.kept(), f"kept: {world.kept()}")


def test_ignored_range(world):
    """a server that ignores the range is left before it pours out gigabytes"""
    for name in ("/a.gguf", "/a/model.safetensors"):
        world.server.add(name, GGUF, remote.endless)
        start = time.monotonic()
        world.fails(world.server.url + name, "ignores the range")
        expect(time.monotonic() - start < 5, "it took too long")
    world.server.add("/b/config.json", None, remote.endless)
    world.server.add("/b/model.safetensors", SINGLE)
    world.fails(world.server.url + "/b/model.safetensors", "more than", "too_large", 3)
    world.server.add("/c/config.json", remote.File(b"{", 1 << 33))
    world.server.add("/c/model.safetensors", SINGLE)
    world.fails(world.server.url + "/c/model.safetensors", "more than", "too_large", 3)
    time.sleep(0.2)
    most = max(request.bytes for request in world.server.requests)
    expect(most < 100 << 20, f"{most} bytes were poured out")
    expect(not world.kept(), f"kept: {world.kept()}")


def test_wrong_range(world):
    """other bytes than those asked for, a size that is not told, and a file that changes under its reader"""
    wrong = {"a": lambda first, last, size: (first + 1, last + 1, size), "b": lambda first, last, size: (first, last, "*"),
             "c": lambda first, last, size: (first, last, last), "d": lambda first, last, size: (first, last + 10**12, size),
             "e": lambda first, last, size: (first, last, "99999999999999999999999")}
    for name, change in wrong.items():
        world.server.add(f"/{name}/model.safetensors", SINGLE, remote.wrong_range(change))
        world.fails(f"{world.server.url}/{name}/model.safetensors", "other bytes")
    world.server.add("/f/model.safetensors", SINGLE, remote.changes)
    world.fails(world.server.url + "/f/model.safetensors", "has changed")
    world.server.add("/g/model.safetensors", SINGLE,
                     remote.wrong_range(lambda first, last, size: (first, last, size + first)))
    world.fails(world.server.url + "/g/model.safetensors", "has changed")
    expect(not world.kept(), f"kept: {world.kept()}")


def test_bad_files(world):
    """what is no model: a web page, an empty file, a file that is cut, a length from outer space"""
    files = {"a.gguf": remote.File(b"<!DOCTYPE html><html>" + b" " * 1000), "b.gguf": remote.File(b""),
             "c.gguf": remote.File(GGUF.head[:5000]), "d/model.safetensors": remote.File(b"\xff" * 100),
             "e/model.safetensors": remote.File(SINGLE.head, len(SINGLE.head) - 10)}
    expected = {"a.gguf": ("header", 3), "b.gguf": ("network", 4), "c.gguf": ("truncated", 3),
                "d/model.safetensors": ("too_large", 3), "e/model.safetensors": ("truncated", 3)}
    for name, file in files.items():
        world.server.add("/" + name, file)
        world.fails(f"{world.server.url}/{name}", "", *expected[name])
    expect(not world.kept(), f"kept: {world.kept()}")


def test_bad_redirects(world):
    """round and round, to a file of this machine, and to nowhere"""
    world.server.add("/a.gguf", None, remote.redirect("/a.gguf"))
    world.fails(world.server.url + "/a.gguf", "again and again")
    expect(len(world.server.requests) <= 10, f"{len(world.server.requests)} requests")
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:70/", ""):
        world.server.add("/b.gguf", None, remote.redirect(target))
        world.fails(world.server.url + "/b.gguf", "redirects to something" if target else "redirects")


def test_bad_replies(world):
    """hubs and registries that answer something else"""
    replies = {"a": b"<html>", "b": b"[]", "c": b"{}", "d": b'{"sha": "main", "siblings": []}',
               "e": b'{"sha": "../../../../../../../../../../../../../etc"}', "f": b""}
    for name, body in replies.items():
        world.server.add(f"/api/models/org/{name}/revision/main", remote.File(body))
        world.server.add(f"/v2/library/{name}/manifests/latest", remote.File(body))
        world.fails(f"hf:org/{name}", "not understood")
        world.fails(f"ollama:{name}", "not understood")
    bad = {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../x"}]}
    world.server.add("/v2/library/z/manifests/latest", remote.File(json.dumps(bad).encode()))
    world.fails("ollama:z", "digest")
    hidden = {"../config.json": CONFIG_FILE, "a\x1b[31m.gguf": GGUF}
    add_hub(world, hidden)
    world.fails("hf:org/name", "no model in this folder", "not_a_model", 3)


def test_bad_names(world):
    """names that are none are an error of usage; nobody is asked"""
    names = ["hf:", "hf:../..", "hf:org//name", "hf:org/na me", "hf:org/name@../x", "ollama:", "ollama:a/../b",
             "ollama:a:b/c", "http://", "https:///x.gguf", "http://127.0.0.1", "http://127.0.0.1/", "http://a\\@b/x.gguf",
             "http://a b/x.gguf"]
    for name in names:
        world.fails(name, "", "usage", 2)
    expect(not world.server.requests, "somebody was asked")


def test_bad_settings(world):
    """an endpoint that is no URL, and one at which nobody listens"""
    environment = world.environment()
    for endpoint, code, exit_code in (("file:///etc", "usage", 2), ("http://127.0.0.1:1", "network", 4)):
        environment["HF_ENDPOINT"] = endpoint
        done = subprocess.run([PROGRAM, "plan", "hf:org/name", "--json"], env=environment, capture_output=True)
        answer = json.loads(done.stdout)
        expect((done.returncode, answer["code"]) == (exit_code, code), f"{endpoint}: {answer}")


def test_damaged_cache(world):
    """a copy that is damaged, cut or of another URL is read again; a cache that cannot be written is none"""
    world.server.add("/m.gguf", GGUF)
    world.succeeds(world.server.url + "/m.gguf")
    path = os.path.join(world.cache, world.kept()[0])
    with open(path, "rb") as file:
        good = file.read()
    for bad in (b"", good[:-1], good[:-9] + b"x" + good[-8:], good.replace(b"/m.gguf", b"/n.gguf", 1), b"\0" * 50):
        with open(path, "wb") as file:
            file.write(bad)
        world.server.forget()
        world.succeeds(world.server.url + "/m.gguf")
        expect([request.status for request in world.server.requests] == [206, 206], "a damaged copy was used")
    expect(len(world.kept()) == 1, f"kept: {world.kept()}")
    os.remove(path)
    os.rmdir(world.cache)
    with open(world.cache, "w", encoding="utf-8"):
        pass  # a file where the folder should be
    world.succeeds(world.server.url + "/m.gguf")


def test_progress(world):
    """a reading of more than a second shows how far it is, on a terminal only, and takes the line away"""
    world.server.add("/m.gguf", GGUF, remote.slow(1.6))
    try:
        master, slave = pty.openpty()
    except OSError as error:  # no /dev/pts, as in a bare chroot
        raise Skipped("no terminal to be had here") from error
    environment = dict(world.environment(), TONNAGE_TIMEOUT="10", TERM="xterm")
    done = subprocess.run([PROGRAM, world.server.url + "/m.gguf", "--json"], env=environment, stderr=slave,
                          stdout=subprocess.PIPE)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    expect(done.returncode in (0, 1), f"exit {done.returncode}")
    expect("0 of 1 files" in shown and shown.endswith("\r\033[K"), repr(shown))


def main():
    failed = 0
    for name, test in [one for one in globals().items() if one[0].startswith("test_")]:
        with World() as world:
            try:
                test(world)
                print(f"[       OK ] {name}: {test.__doc__}")
            except Skipped as why:
                print(f"[  SKIPPED ] {name}: {why}")
            except (Failure, subprocess.TimeoutExpired) as failure:
                failed += 1
                print(f"[  FAILED  ] {name}: {test.__doc__}\n    {failure}")
    sys.exit(1 if failed else 0)


main()
