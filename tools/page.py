#!/usr/bin/env python3
"""Builds the page: a folder for any web server, and the same files as C for the program.

usage: page.py --wasm FOLDER --web FOLDER --output FOLDER --c FILE      builds tonnage.wasm in its folder, then both
       page.py --c FILE                                                 no page: a C file without files

The folder gets the files of web/ as they are, tonnage.wasm, and tonnage.html, which is all of them in one file. Nothing is written that would not change, so that it may run in every build.
"""
import argparse
import base64
import gzip
import hashlib
import json
import os
import posixpath
import re
import subprocess
import sys

# What belongs to the page, by suffix. Other files of web/, such as the settings of a checker, do not.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wasm": "application/wasm",
}
WASM = "tonnage.wasm"
SINGLE = "tonnage.html"
BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "single_page.js")

# What a module says of other files: import { a } from "./b.js", new Worker(new URL("./c.js", import.meta.url), { type: "module" }), and
# new URL("./d.svg", import.meta.url).
IMPORT = re.compile(r"""^(\s*(?:import|export)\b[^"'();]*)["'](\.\.?/[^"']+)["']""", re.MULTILINE)
REFERENCE = re.compile(r"""new URL\(\s*["'](\.\.?/[^"']+)["']\s*,\s*import\.meta\.url\s*\)""")
WORKER = re.compile(r"""new Worker\(\s*%s\s*,\s*\{\s*type:\s*["']module["']\s*\}""" % REFERENCE.pattern)
# What the page itself says: <script type="module" src="main.js">, <link rel="stylesheet" href="page.css">, href="icon.svg".
SCRIPT = re.compile(r"""<script type="module" src="([^":]+)"></script>""")
STYLE = re.compile(r"""<link rel="stylesheet" href="([^":]+)">""")
LINK = re.compile(r'(href|src)="([^":#]+)"')


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write_if_changed(path, data):
    if not os.path.exists(path) or read(path) != data:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def type_of(path):
    return TYPES.get(os.path.splitext(path)[1])


def list_files(folder):
    """The files of the page below a folder, as paths with "/"."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "node_modules"))]
        for name in names:
            path = os.path.relpath(os.path.join(place, name), folder)
            if type_of(path) and not name.startswith("."):
                found.append(path.replace(os.sep, "/"))
    return sorted(found)


def build_wasm(folder):
    """Brings tonnage.wasm up to date; its bytes."""
    run = subprocess.run(["ninja", "-C", folder, "wasm/" + WASM], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    return read(os.path.join(folder, "wasm", WASM))


def write_folder(folder, files):
    """The folder has these files and no others of the page."""
    for path in list_files(folder):
        if path not in files:
            os.remove(os.path.join(folder, path))
    for path, data in files.items():
        write_if_changed(os.path.join(folder, path), data)


def literal(data):
    """The bytes as lines of a C string."""
    escapes = {byte: "\\%03o" % byte for byte in range(256)}
    escapes.update({byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?'})
    return "\n".join(
        '    "%s"' % "".join(escapes[byte] for byte in data[start : start + 64]) for start in range(0, len(data), 64)
    )


def link_module(path, text, files):
    """The text of a module with the paths of what it refers to, for tools/single_page.js."""

    def resolve(name):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        if target not in files:
            sys.exit("page.py: web/%s refers to %s, which is not there" % (path, name))
        return target

    text = IMPORT.sub(lambda match: '%s"@module/%s"' % (match[1], resolve(match[2])), text)
    text = WORKER.sub(lambda match: 'new Worker("@worker/%s"' % resolve(match[1]), text)
    text = REFERENCE.sub(lambda match: 'new URL("@file/%s")' % resolve(match[1]), text)
    if "import.meta" in text:
        sys.exit('page.py: web/%s: of import.meta only new URL("./FILE", import.meta.url) can be in one file' % path)
    return text


def script(name, text):
    return '<script %s>%s</script>' % (name, text)


def single_page(files):
    """The page in one file, which needs no web server."""
    page = files["index.html"].decode()
    held = {}
    for path, data in files.items():
        if path.endswith(".js"):
            held[path] = {"type": type_of(path), "text": link_module(path, data.decode(), files)}
        elif not path.endswith((".html", ".css")):
            packed = base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()
            held[path] = {"type": type_of(path), "gzip": packed}

    def inline(match):
        data = files.get(match[2])
        if data is None:
            sys.exit("page.py: web/index.html refers to %s, which is not there" % match[2])
        return '%s="data:%s;base64,%s"' % (match[1], type_of(match[2]), base64.b64encode(data).decode())

    page = STYLE.sub(lambda match: "<style>\n%s</style>" % files[match[1]].decode(), page)
    page = SCRIPT.sub(lambda match: script('type="module" data-module="%s"' % match[1], ""), page)
    page = LINK.sub(inline, page)
    # "</script>" in a text would end the element that holds it
    store = json.dumps(held, ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
    boot = read(BOOT).decode()
    ending = script('type="application/json" id="files"', store) + "\n" + "<script>\n%s</script>" % boot
    return page.replace("</body>", ending + "\n</body>").encode()


def c_head(files):
    """The first line of the C file: of what it was made, as compressing takes a second."""
    digest = hashlib.sha256(read(__file__) + read(BOOT))
    for path, data in sorted(files.items()):
        digest.update(b"%d %s %d\n" % (len(path), path.encode(), len(data)) + data)
    return "/* Written by tools/page.py: do not edit. %s */\n" % digest.hexdigest()


def c_source(files):
    """The C file that defines tn_page_files."""
    parts = [
        c_head(files) + '#include "server/page.h"\n\n'
        '#pragma GCC diagnostic ignored "-Woverlength-strings"\n'
    ]
    rows = []
    for number, (path, data) in enumerate(sorted(files.items())):
        small = gzip.compress(data, 9, mtime=0)
        is_gzip = len(small) < len(data)
        stored = small if is_gzip else data
        etag = hashlib.sha256(data).hexdigest()[:32]
        parts.append("static const char file_%d[] =\n%s;\n" % (number, literal(stored) or '    ""'))
        rows.append(
            '    {"%s", "%s", (const unsigned char *)file_%d, %d, %s, "\\"%s\\""},\n'
            % (path, type_of(path), number, len(stored), "true" if is_gzip else "false", etag)
        )
    parts.append("const struct tn_page_file tn_page_files[] = {\n%s    {0},\n};\n" % "".join(rows))
    return "\n".join(parts).encode()


def is_done(options, head, files):
    """Whether all was made of the same files before."""
    made = [os.path.join(options.output, path) for path in [*files, SINGLE]] if files else []
    return os.path.exists(options.c) and read(options.c).startswith(head) and all(map(os.path.exists, made))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--wasm", "--web", "--output", "--c"):
        parser.add_argument(name)
    options = parser.parse_args()
    files = {}
    if options.wasm:
        files = {path: read(os.path.join(options.web, path)) for path in list_files(options.web)}
        files[WASM] = build_wasm(options.wasm)
    if is_done(options, c_head(files).encode(), files):
        return
    if files:
        write_folder(options.output, {**files, SINGLE: single_page(files)})
    write_if_changed(options.c, c_source(files))


main()
