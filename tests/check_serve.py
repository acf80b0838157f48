"""Checks `tonnage serve` from outside: every route, statuses and fields, the same bytes as the command line, what the operator has not allowed,
clients that are slow or many, time limits, stopping, and a socket of systemd.

usage: check_serve.py PROGRAM
"""
import concurrent.futures
import contextlib
import gzip
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

PROGRAM = sys.argv[1]
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
         "num_attention_heads": 32, "vocab_size": 32000, "intermediate_size": 11008, "torch_dtype": "float16",
         "max_position_embeddings": 4096}
JSON = {"Content-Type": "application/json"}
failures = []


def check(what, is_so, seen=None):
    if not is_so:
        failures.append(f"{what}: {seen!r}" if seen is not None else what)


class Server:
    """A server on a port of its own; `with` stops it, and looks at how it ended."""

    def __init__(self, *options, prefix=(), env=None, **popen):
        command = [*prefix, PROGRAM, "serve", *options]
        if not prefix:
            command += ["--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}, **popen)
        self.lines = []
        first = self.process.stderr.readline()
        self.log_of(first)
        try:
            self.url = urllib.parse.urlsplit(self.lines[0]["detail"])
        except (IndexError, KeyError):
            sys.exit(f"the server does not start: {first}")
        self.port = self.url.port
        self.reader = threading.Thread(target=self.read_log)
        self.reader.start()

    def log_of(self, line):
        if line.strip():
            self.lines.append(json.loads(line))

    def read_log(self):
        for line in self.process.stderr:
            self.log_of(line)

    def ask(self, method, path, body=None, headers=None, timeout=300):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body, headers = json.dumps(body), {**JSON, **(headers or {})}
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def post(self, operation, **inputs):
        status, fields, body = self.ask("POST", f"/v1/{operation}", inputs)
        return status, fields, json.loads(body)

    def connect(self, text=b""):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        peer.sendall(text)
        return peer

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.reader.join()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        check("ends with 0", self.stop() == 0, self.process.returncode)


def command_line(operation, inputs):
    """What the command line prints for the inputs of a request."""
    words = [PROGRAM, operation, "--json"]
    for name, value in inputs.items():
        if name in ("model",):
            words += value if isinstance(value, list) else [value]
        elif isinstance(value, dict):
            words += [word for key, one in value.items() for word in ("--" + name, f"{key}={one}")]
        elif value is True:
            words.append("--" + name.replace("_", "-"))
        else:
            words += ["--" + name.replace("_", "-"), str(value)]
    return subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout


SAME = [
    ("plan", {"model": "llama-2-70b", "gpu": "a100-80gbx2"}),
    ("plan", {"model": "llama-2-70b", "gpu": "a100-80gb", "context": 4096}),
    ("plan", {"model": "llama-3.1-8b", "engine": "vllm@0.19.0", "gpu": "h100-80gb", "set": {"max_num_seqs": 64}}),
    ("plan", {"model": "llama-3.1-8b", "engine": "llamacpp", "quant": "q4_k_m", "gpu": "rtx-4090", "context": 8192}),
    ("plan", {"model": "qwen3-8b", "explain": True}),
    ("plan", {"model": "no-such-model"}),
    ("plan", {"model": "llama-2-70b", "gpu": "no-such-gpu"}),
    ("plan", {"model": "llama-2-70b", "tp": 3}),
    ("plan", {"model": "llama-2-70b", "context": "many"}),
    ("table", {"model": ["llama-3.1-8b", "qwen3-32b"], "context": "32k"}),
    ("fit", {"model": "llama-3.1-8b", "max": "context", "gpu": "rtx-4090"}),
    ("inspect", {"model": "deepseek-ai/DeepSeek-V3"}),
]


def check_routes(server):
    for operation, inputs in SAME:
        status, fields, body = server.ask("POST", f"/v1/{operation}", inputs)
        check(f"{operation} {inputs}: the bytes of the command line", body == command_line(operation, inputs), body[:200])
        is_error = b"tonnage.error/1" in body
        check(f"{operation} {inputs}: status", (status in (400, 422)) if is_error else status == 200, status)
        check("JSON", fields["content-type"] == "application/json", fields)
    query = "/v1/plan?model=llama-2-70b&gpu=a100-80gbx2&context=4k"
    check("a plan by its query", server.ask("GET", query)[2] ==
          command_line("plan", {"model": "llama-2-70b", "gpu": "a100-80gbx2", "context": "4k"}))
    for operation in ("models", "gpus", "engines"):
        check(operation, server.ask("GET", f"/v1/{operation}")[2] == command_line(operation, {}))
    check("models of a family", server.ask("GET", "/v1/models?family=qwen&model=coder")[2] ==
          command_line("models", {"family": "qwen", "model": "coder"}))
    check("tokens", server.post("tokens", text="how many tokens are these?")[2]["schema"] == "tonnage.tokens/1")
    log = "INFO 01-01 00:00:00 [api_server.py:1] vLLM API server version 0.11.0\n"
    check("diagnose", server.post("diagnose", log="x.log", files={"x.log": log})[2].get("schema") == "tonnage.diagnose/1")
    check("healthz", server.ask("GET", "/healthz")[0] == 200)
    status, fields, body = server.ask("HEAD", "/healthz")
    check("HEAD", (status, body) == (200, b"") and int(fields["content-length"]) > 0, fields)
    check("a config given", server.post("plan", config=LLAMA)[2]["model"]["parameters"] == 6738415616)


TYPES = {"text": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8", "md": "text/markdown; charset=utf-8",
         "html": "text/html; charset=utf-8", "svg": "image/svg+xml", "json": "application/json"}


def check_formats(server):
    for name, wanted in TYPES.items():
        status, fields, body = server.ask("POST", "/v1/plan", {"model": "llama-2-70b", "gpu": "a100-80gb", "format": name})
        check(f"format {name}", (status, fields["content-type"]) == (200, wanted) and len(body) > 100, fields)


def check_statuses(server):
    for method, path, body, headers, wanted in [
            ("GET", "/nothing", None, {}, 404), ("GET", "/v1/", None, {}, 404), ("GET", "/../etc/passwd", None, {}, 404),
            ("GET", "/%2e%2e/etc/passwd", None, {}, 404), ("DELETE", "/v1/plan", None, {}, 405),
            ("PUT", "/v1/plan", "{}", JSON, 405), ("GET", "/v1/tokens", None, {}, 405), ("POST", "/healthz", "{}", JSON, 405),
            ("POST", "/v1/plan", "{", JSON, 400), ("POST", "/v1/plan", "", JSON, 400), ("POST", "/v1/plan", "[]", JSON, 400),
            ("POST", "/v1/plan", '{"model": "a", "nonsense": 1}', JSON, 400),
            ("DELETE", "/nothing", None, {}, 404), ("POST", "/", "{}", JSON, 405), ("POST", "/v1/plan", "\xff\xfe".encode("latin-1"), JSON, 400),
            ("POST", "/v1/plan", "model=llama-2-70b", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            ("GET", "/v1/plan?model=llama-2-70b&nonsense=1", None, {}, 400), ("GET", "/v1/plan?context", None, {}, 400),
            ("POST", "/v1/plan", " " * (9 << 20), JSON, 413), ("POST", "/v1/plan", "[" * 100000, JSON, 400)]:
        try:
            status, fields, answer = server.ask(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):  # the answer came before all was sent
            check(f"{method} {path}", wanted == 413)
            continue
        check(f"{method} {path} {str(body)[:30]}", status == wanted, (status, answer[:200]))
        document = json.loads(answer)
        check("an error as JSON", document["schema"] == "tonnage.error/1" and document["message"], document)
        check("Allow", (wanted == 405) == ("allow" in fields), fields)
    check("the verdict that it does not fit is an answer",
          server.post("plan", model="llama-2-70b", gpu="rtx-4090")[2]["verdict"]["fits"] is False)


def check_fields(server):
    _, fields, packed = server.ask("GET", "/", headers={"Accept-Encoding": "gzip"})
    if fields.get("content-encoding") == "gzip":
        status, bare, plain = server.ask("GET", "/")
        check("who takes nothing compressed gets the same file", status == 200 and "content-encoding" not in bare
              and plain == gzip.decompress(packed), (status, bare))
    policy = fields["content-security-policy"]
    check("policy", "default-src 'none'" in policy and "unsafe-eval" not in policy.replace("wasm-unsafe-eval", ""), policy)
    for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")):
        check(name, fields.get(name) == value, fields)
    given = {"X-Request-Id": "abc-1.2_3"}
    check("an id is kept", server.ask("GET", "/healthz", headers=given)[1]["x-request-id"] == "abc-1.2_3")
    ids = {server.ask("GET", "/healthz", headers={"X-Request-Id": bad})[1]["x-request-id"]
           for bad in ('"}', "a b", "x" * 65, "\u00e4".encode().decode("latin-1"), "")}
    check("other ids are made", len(ids) == 5 and all(len(one) == 16 for one in ids), ids)
    check("the log has it", any(line.get("id") == "abc-1.2_3" and line["status"] == 200 and line["path"] == "/healthz"
                                for line in wait_for(server, lambda line: line.get("id") == "abc-1.2_3")))


def wait_for(server, is_wanted):
    end = time.monotonic() + 10
    while time.monotonic() < end and not any(is_wanted(line) for line in list(server.lines)):
        time.sleep(0.01)
    return list(server.lines)


def check_metrics(server):
    text = server.ask("GET", "/metrics")[2].decode()
    check("a count", 'tonnage_http_requests_total{route="/v1/plan",status="422"}' in text, text[:500])
    check("build", "tonnage_build_info{version=" in text)
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    buckets = [int(value) for name, value in rows.items()
               if name.startswith('tonnage_http_request_duration_seconds_bucket{route="/v1/plan"')]
    check("buckets grow", buckets == sorted(buckets) and buckets[-1] > 0, buckets)
    check("and end in the count", buckets[-1] == int(rows['tonnage_http_request_duration_seconds_count{route="/v1/plan"}']))
    check("in flight is this request", rows["tonnage_http_requests_in_flight"] == "1", rows["tonnage_http_requests_in_flight"])


def check_openapi(server):
    document = json.loads(server.ask("GET", "/openapi.json")[2])
    check("openapi", document["openapi"].startswith("3.1"))
    for path, methods in document["paths"].items():
        for method in methods:
            status = server.ask(method.upper(), path, {} if method == "post" else None)[0]
            check(f"{method} {path} is there", status not in (404, 405), status)
    plan = document["paths"]["/v1/plan"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    check("nothing of this machine is offered", not {"models", "record", "output", "jobs", "detect"} & set(plan["properties"]))


# ---- what is not allowed ---------------------------------------------------------------------------------------------


def check_closed(server):
    for inputs in ({"model": "/etc/passwd"}, {"model": "../x.json"}, {"model": "./x"}, {"model": "hf:a/b"}, {"model": "ollama:x"},
                   {"model": "http://127.0.0.1:1/x.json"}, {"model": "llama-2-70b", "models": "/etc"},
                   {"command": "@/etc/passwd"}, {"command": "-"}):
        status, _, document = server.post("plan", **inputs)
        check(f"{inputs} is refused", (status, document["code"]) == (403, "forbidden"), (status, document))
    for operation, inputs in (("diagnose", {"log": "/etc/passwd"}), ("diagnose", {"log": "-"}), ("tokens", {"file": "/etc/passwd"}),
                              ("tokens", {"text": "-"}), ("tokens", {"text": "a", "jobs": 8}),
                              ("tokens", {"text": "a", "tokenizer": "/etc/passwd"}),
                              ("fit", {"model": "llama-3.1-8b", "gpu": "a100-80gb", "requests": "/etc/passwd"})):
        status, _, document = server.post(operation, **inputs)
        check(f"{operation} {inputs} is refused", status in (400, 403) and "root:" not in str(document), (status, document))
    status, _, document = server.post("plan", model="llama-2-70b", gpu="auto")
    check("GPUs of the machine are not looked at", status in (400, 403, 422), (status, document))
    for operation in ("measure", "calibrate", "score", "serve", "mcp"):
        check(f"{operation} is no route", server.ask("POST", f"/v1/{operation}", {})[0] == 404)


def check_folder():
    with tempfile.TemporaryDirectory() as outside, tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/model")
        for path in (f"{folder}/model/config.json", f"{outside}/config.json"):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(LLAMA, file)
        with open(f"{folder}/a.log", "w", encoding="utf-8") as file:
            file.write("vLLM API server version 0.11.0\n")
        os.symlink("model", f"{folder}/inside")
        os.symlink(outside, f"{folder}/outside")
        os.symlink(f"{outside}/config.json", f"{folder}/link.json")
        os.symlink("/etc/passwd", f"{folder}/passwd.json")
        os.symlink("/proc/self/environ", f"{folder}/environ.json")
        os.mkfifo(f"{folder}/pipe.json")
        with Server("--allow-files", folder) as server:
            for name in ("model", "model/config.json", "inside", f"{folder}/model", "./model"):
                status, _, document = server.post("plan", model=name)
                check(f"{name} is read", status == 200 and document["model"]["parameters"] == 6738415616, (name, document))
            for name in ("outside", "outside/config.json", "link.json", "passwd.json", "environ.json", "pipe.json", "/etc/passwd",
                         "../" + os.path.basename(outside), f"{folder}/../{os.path.basename(outside)}/config.json", outside,
                         f"{folder}/outside/config.json", "/proc/self/environ", "model/../../etc/passwd", "hf:a/b"):
                status, _, document = server.post("plan", model=name)
                check(f"{name} is not", status in (403, 422) and document["schema"] == "tonnage.error/1", (status, document))
            check("a log is read", server.post("diagnose", log="a.log")[0] == 200)
            check("another is not", server.post("diagnose", log="passwd.json")[0] in (403, 422))


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """/config.json is a model; /to/URL redirects."""
    visits = []

    def do_GET(self):
        self.visits.append((self.headers["Host"], self.path))
        target = urllib.parse.unquote(self.path[len("/to/"):-len("/config.json")]) if self.path.startswith("/to/") else None
        body = b"" if target else json.dumps(LLAMA).encode()
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check_remote():
    elsewhere = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Elsewhere)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    port = elsewhere.server_address[1]
    own_name = socket.gethostname()
    with tempfile.TemporaryDirectory() as cache, \
            Server("--allow-remote", "127.0.0.1", "--allow-remote", own_name, env={"XDG_CACHE_HOME": cache}) as server:
        allowed = f"http://127.0.0.1:{port}"
        status, _, document = server.post("plan", model=f"{allowed}/config.json")
        check("an allowed host is read", status == 200, (status, document))
        for target in (f"http://localhost:{port}/config.json", f"http://127.0.0.2:{port}/config.json", f"http://[::1]:{port}/config.json",
                       "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/x.json"):
            before = len(Elsewhere.visits)
            path = "/to/" + urllib.parse.quote(target, safe="") + "/config.json"
            status, _, document = server.post("plan", model=allowed + path)
            check(f"a redirect to {target} is not followed", status in (403, 502) and len(Elsewhere.visits) == before + 1, document)
        status, _, document = server.post("plan", model=f"http://localhost:{port}/config.json")
        check("another name is refused", (status, document["code"]) == (403, "forbidden"), document)
        with contextlib.suppress(OSError):  # where the machine's own name leads to an address that is not public
            address = socket.gethostbyname(own_name)
            if address.startswith(("127.", "10.", "172.", "192.168.")):
                before = len(Elsewhere.visits)
                status, _, document = server.post("plan", model=f"http://{own_name}:{port}/config.json")
                check("a name that leads to a private address", status == 403 and len(Elsewhere.visits) == before, document)
    elsewhere.shutdown()


# ---- clients that take part badly ------------------------------------------------------------------------------------


def answers_quickly(server):
    """Quickly for a machine that is busy with other tests: what is to be seen is that it does not wait for the others."""
    start = time.monotonic()
    status = server.post("plan", model="llama-3.1-8b")[0]
    return status == 200 and time.monotonic() - start < 30


def is_closed_within(peer, seconds):
    """Whether the server ends the connection; what it sends before is passed over."""
    end = time.monotonic() + seconds
    peer.settimeout(0.5)
    while time.monotonic() < end:
        try:
            if not peer.recv(4096):
                return True
        except socket.timeout:
            continue
        except OSError:
            return True
    return False


HEAD = b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


def drip(peer, text, seconds):
    """One byte every 100 ms, until the server has enough of it; the seconds that took, or None."""
    start = time.monotonic()
    peer.settimeout(0.1)
    position = 0
    while time.monotonic() - start < seconds:
        try:
            peer.sendall(text[position % len(text):][:1])
            position += 1
            if not peer.recv(4096):
                return time.monotonic() - start
        except socket.timeout:
            continue
        except OSError:
            return time.monotonic() - start
    return None


def check_slow():
    with Server("--timeout", "1s", "--max-connections", "60") as server:
        silent = [server.connect() for _ in range(10)]
        half = server.connect(b"GET /healthz HT")
        body = server.connect(HEAD + b'{"mo')
        with concurrent.futures.ThreadPoolExecutor() as pool:
            drips = [pool.submit(drip, server.connect(), b"GET /" + b"a" * 1000, 15),
                     pool.submit(drip, server.connect(HEAD), b" " * 1000, 15),
                     pool.submit(drip, server.connect(b"GET /healthz HTTP/1.1\r\n"), b"X-A: b\r\n", 15)]
            check("others are answered meanwhile", answers_quickly(server))
            check("who is silent is ended", all(is_closed_within(peer, 10) for peer in [*silent, half, body]))
            check("who drips is ended", all(one.result() for one in drips), [one.result() for one in drips])
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        check("others are answered while one does not read", answers_quickly(server))
        check("who does not read is ended", any(not line.get("complete", True) for line in
                                                wait_for(server, lambda line: line.get("complete") is False)))


def check_crowd():
    with Server("--max-connections", "50") as server:
        crowd = [server.connect() for _ in range(400)]
        for _ in range(5):
            check("more idle connections than places, and others are answered", answers_quickly(server))
        for peer in crowd:
            peer.close()


def check_malformed(server):
    for text in (b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 500, b"\x16\x03\x01\x02\x00" * 50,
                 b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                 b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                 b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{",
                 b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
                 b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"):
        with server.connect() as peer:
            with contextlib.suppress(OSError):
                peer.sendall(text)
                peer.shutdown(socket.SHUT_WR)
                answer = peer.recv(4096)
                check(f"{text[:40]} is refused", not answer or answer.split(b" ")[1][:1] in (b"4", b"5"), answer[:100])
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with server.connect(b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") as peer:
        with contextlib.suppress(OSError):
            for _ in range(40):
                peer.sendall(piece)
            check("a body without an end is cut", False)
    check("and the server goes on", answers_quickly(server))


COSTLY = {"model": "llama-3.1-70b", "engine": "ollama"}


def check_time():
    with Server("--max-time", "20ms") as server:
        status, _, document = server.post("fit", **COSTLY)
        check("a search ends when its time is over", (status, document["code"]) == (422, "too_costly"), document)
    with Server("--threads", "2", "--max-time", "5m") as server:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            slow = [pool.submit(server.post, "fit", **COSTLY) for _ in range(4)]
            time.sleep(0.2)
            check("plans are answered while searches run", all(answers_quickly(server) for _ in range(5)))
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)  # do not wait for them
            check("a second signal gives them up", {one.result()[0] for one in slow} <= {200, 422, 503})


def check_stop():
    server = Server("--max-time", "5m")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        idle = server.connect()
        under_way = pool.submit(server.ask, "GET", "/v1/models")
        wait = time.monotonic() + 10
        while time.monotonic() < wait and b"in_flight 2" not in server.ask("GET", "/metrics")[2]:
            pass
        server.process.send_signal(signal.SIGTERM)
        check("what runs is finished", under_way.result()[0] == 200)
        check("who waits is let go", is_closed_within(idle, 10))
    check("and the end is 0", server.stop() == 0, server.process.returncode)
    check("the log says so", [line["event"] for line in server.lines if "event" in line] == ["listening", "stopping", "stopped"])


def check_activation():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, \
            tempfile.TemporaryDirectory() as folder:
        notified.bind(f"{folder}/notify")
        notified.settimeout(10)
        os.dup2(listener.fileno(), 3) if listener.fileno() != 3 else None
        os.set_inheritable(3, True)
        shell = ("sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh")
        with Server(prefix=shell, pass_fds=(3,), env={"NOTIFY_SOCKET": f"{folder}/notify"}) as server:
            check("the socket of systemd", server.port == listener.getsockname()[1], server.url)
            check("it is answered on", server.ask("GET", "/healthz")[0] == 200)
            check("systemd is told", notified.recv(100) == b"READY=1")


def check_refusals():
    """Options that cannot be: an error at once, and its exit code."""
    taken = socket.create_server(("127.0.0.1", 0))
    for options, status in ((("--listen", "8080"), 2), (("--listen", "127.0.0.1:99999"), 2), (("--listen", "::1:80"), 2),
                            (("--allow-files", "/no/such/folder"), 2), (("--allow-remote", "http://x"), 2), (("--threads", "0"), 2),
                            (("--max-time", "soon"), 2), (("--listen", "127.0.0.1:%d" % taken.getsockname()[1]), 4),
                            (("--listen", "no.such.host.invalid:80"), 4)):
        done = subprocess.run([PROGRAM, "serve", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        check(f"{options} end with {status}", done.returncode == status, (done.returncode, done.stderr))
    taken.close()


def main():
    with Server("--max-time", "5m") as server:  # sanitizers take their time
        for part in (check_routes, check_formats, check_statuses, check_fields, check_metrics, check_openapi, check_closed, check_malformed):
            part(server)
    for part in (check_folder, check_remote, check_slow, check_crowd, check_time, check_stop, check_activation, check_refusals):
        part()
    print("\n".join(failures) if failures else "all as it should be")
    sys.exit(1 if failures else 0)


main()
