"""A server of models for the tests, on a port of the loopback interface: well-behaved, and faulty in every way that a
network knows. Files are a head of real bytes and nothing behind it, so that one of 5 GB costs none.

    server = Server()
    server.add("/dir/model.gguf", File(head, file_bytes), fault=...)
    server.requests     what was asked: (path, fields, status, bytes of the body)
"""
import http.server
import json
import re
import socket
import struct
import threading
import time

CHUNK = 1 << 16


class File:
    def __init__(self, head, size=None, etag=None):
        self.head = head
        self.size = len(head) if size is None else size
        self.etag = etag if etag is not None else f'"{hash((head, size)) & 0xffffffff:08x}"'

    def part(self, first, last):
        """The bytes from first to last, in pieces; what lies behind the head is zeros."""
        while first <= last:
            count = min(CHUNK, last - first + 1)
            known = self.head[first:first + count]
            yield known + b"\0" * (count - len(known))
            first += count


class Request:
    def __init__(self, handler):
        self.path = handler.path
        self.fields = {name.lower(): value for name, value in handler.headers.items()}
        self.status = None
        self.bytes = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        request = Request(self)
        with self.server.lock:
            self.server.requests.append(request)
            asked_before = sum(one.path == self.path for one in self.server.requests) - 1
            self.server.active += 1
            self.server.most_active = max(self.server.most_active, self.server.active)
        try:
            file, fault = self.server.files.get(self.path, (None, None))
            if fault is None or not fault(self, request, asked_before):
                self.answer(request, file)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.server.lock:
                self.server.active -= 1

    def send(self, request, status, fields, body=(), length=None):
        body = [body] if isinstance(body, bytes) else body
        request.status = status
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if length is None:
            body = list(body)
            length = sum(map(len, body))
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        for piece in body:
            self.wfile.write(piece)
            request.bytes += len(piece)

    def answer(self, request, file, change_range=lambda first, last, size: (first, last, size)):
        """As a good server does."""
        if file is None:
            return self.send(request, 404, {}, b"nothing here")
        fields = {"ETag": file.etag} if file.etag else {}
        if file.etag and request.fields.get("if-none-match") == file.etag:
            return self.send(request, 304, fields)
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.fields.get("range", ""))
        if not span:
            return self.send(request, 200, fields, file.part(0, file.size - 1), file.size)
        first, last = int(span[1]), min(int(span[2]), file.size - 1)
        if first >= file.size:
            return self.send(request, 416, {"Content-Range": f"bytes */{file.size}"})
        told = change_range(first, last, file.size)
        fields["Content-Range"] = f"bytes {told[0]}-{told[1]}/{told[2]}"
        return self.send(request, 206, fields, file.part(first, last), last - first + 1)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.requests = []
        self.lock = threading.Lock()
        self.active = self.most_active = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        pass

    def add(self, path, file, fault=None):
        self.files[path] = (file, fault)

    def asked(self, path=""):
        return [request for request in self.requests if path in request.path]

    def forget(self):
        self.requests.clear()
        self.most_active = 0


# ---- faults: each answers a request in its own way and returns True, or leaves it to the good server ----------------------


def status(code, fields=None, times=10**9):
    """A status without a file, for the first requests."""
    def fault(handler, request, asked_before):
        if asked_before < times:
            handler.send(request, code, fields or {}, b"a page that says why")
        return asked_before < times
    return fault


def redirect(target, code=302):
    def fault(handler, request, _):
        handler.send(request, code, {"Location": target}, b"moved")
        return True
    return fault


def endless(handler, request, _):
    """Ignores the range, and pours out; without a range it does not even say how much."""
    request.status = 200
    handler.send_response_only(200)
    if "range" in request.fields:
        handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    handler.close_connection = True
    while request.bytes < 1 << 33:
        handler.wfile.write(b"\0" * CHUNK)
        request.bytes += CHUNK
    return True


def cut(times, after):
    """The connection ends in the middle of the body."""
    def fault(handler, request, asked_before):
        if asked_before >= times:
            return False
        file, _ = handler.server.files[handler.path]
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.fields.get("range", ""))
        first = int(span[1]) if span else 0
        last = min(int(span[2]) if span else file.size, file.size - 1)
        request.status = 206 if span else 200
        handler.send_response_only(request.status)
        handler.send_header("ETag", file.etag)
        if span:
            handler.send_header("Content-Range", f"bytes {first}-{last}/{file.size}")
        handler.send_header("Content-Length", str(last - first + 1))
        handler.end_headers()
        handler.wfile.write(file.head[first:first + after])
        handler.wfile.flush()
        request.bytes = after
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
        return True
    return fault


def silent(times):
    """Takes the request and says nothing."""
    def fault(handler, request, asked_before):
        if asked_before >= times:
            return False
        time.sleep(3)
        handler.close_connection = True
        return True
    return fault


def slow(seconds):
    """All is right, but it takes its time."""
    def fault(handler, request, _):
        time.sleep(seconds)
        return False
    return fault


def wrong_range(change):
    """change(first, last, size) gives what Content-Range claims."""
    def fault(handler, request, _):
        handler.answer(request, handler.server.files[handler.path][0], change)
        return True
    return fault


def changes(handler, request, asked_before):
    """A new file under the same name at each request."""
    file, _ = handler.server.files[handler.path]
    handler.answer(request, File(file.head, file.size, f'"{asked_before}"'))
    return True


def no_http(handler, request, _):
    handler.wfile.write(b"SSH-2.0-something\r\n")
    handler.close_connection = True
    return True


# ---- models -------------------------------------------------------------------------------------------------------------


def safetensors(tensors):
    """(head, size) of a file of BF16 tensors {name: dims}."""
    entries, end = {}, 0
    for name, dims in tensors.items():
        count = 2
        for dim in dims:
            count *= dim
        entries[name] = {"dtype": "BF16", "shape": dims, "data_offsets": [end, end + count]}
        end += count
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, 8 + len(text) + end


def gguf(tensors, metadata, tokens=0):
    """(head, size) of a file of F16 tensors {name: dims}, outermost first; tokens: how long the vocabulary is."""
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    def pair(key, value):
        if isinstance(value, str):
            return text(key) + struct.pack("<I", 8) + text(value)
        return text(key) + struct.pack("<II", 4, value) if value < 1 << 16 else text(key) + struct.pack("<IQ", 10, value)

    pairs = [pair(key, value) for key, value in metadata.items()]
    if tokens:
        words = b"".join(text(f"word{number}") for number in range(tokens))
        pairs.append(text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, tokens) + words)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs)
    end = 0
    for name, dims in tensors.items():
        head += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", dim) for dim in reversed(dims))
        head += struct.pack("<IQ", 1, end)
        count = 2
        for dim in dims:
            count *= dim
        end += -(-count // 32) * 32
    aligned = -(-len(head) // 32) * 32
    return head + b"\0" * (aligned - len(head)), aligned + end
