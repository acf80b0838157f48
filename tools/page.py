#!/usr/bin/env python3
"""Builds the page: a folder for any web server, and the same files as C for the program.

usage: page.py --wasm FOLDER --web FOLDER --output FOLDER --c FILE      builds tonnage.wasm in its folder, then both
       page.py --c FILE                                                 no page: a C file without files

The folder gets the files of web/ as they are, and tonnage.wasm. Nothing is written that would not change, so that it may run in every build.
"""
import argparse
import gzip
import hashlib
import os
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


def c_head(files):
    """The first line of the C file: of what it was made, as compressing takes a second."""
    digest = hashlib.sha256(read(__file__))
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


def main():
    parser = argparse.ArgumentParser()
    for name in ("--wasm", "--web", "--output", "--c"):
        parser.add_argument(name)
    options = parser.parse_args()
    files = {}
    if options.wasm:
        files = {path: read(os.path.join(options.web, path)) for path in list_files(options.web)}
        files[WASM] = build_wasm(options.wasm)
        write_folder(options.output, files)
    head = c_head(files).encode()
    if not os.path.exists(options.c) or not read(options.c).startswith(head):
        write_if_changed(options.c, c_source(files))


main()
