#!/usr/bin/env python3
"""Checks the images of charts from outside: well-formed, without ids and scripts, as wide as asked for, and with the figures of the JSON.

usage: check_charts.py TONNAGE
"""

import csv
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"
MODEL = ["plan", "llama-3.1-8b", "--engine", "vllm", "--context", "5000", "--concurrency", "12"]
DEPLOYMENTS = [[*MODEL, "--gpu", "h100-80gb"], [*MODEL, "--gpu", "t4x4"], [*MODEL, "--gpu", "h100-80gbx16", "--pp", "2"]]
ALLOWED = {"svg", "title", "desc", "style", "rect", "line", "path", "polyline", "circle", "text", "g"}


def run(program, arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def named(root, kind):
    return [element for element in root.iter() if element.get("class", "").split()[:1] == [kind]]


def check_image(text, width, language):
    root = tree.fromstring(text)
    assert root.tag == SVG + "svg" and root.get("role") == "img" and root.get("class") == "tn"
    assert root.get("width") == str(width) and root.get("viewBox").startswith(f"0 0 {width} ")
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == language
    assert root[0].tag == SVG + "title" and root[1].tag == SVG + "desc" and root[1].text
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in ALLOWED, element.tag
        assert element.get("id") is None and not any(name.startswith("on") for name in element.attrib)
        if element.tag == SVG + "text":
            assert 0 <= float(element.get("x")) <= width, element.attrib
        if element.tag == SVG + "rect":
            assert float(element.get("x", 0)) + float(element.get("width")) <= width + 0.1, element.attrib
    return root


def check_bars(root, answer):
    bars = named(root, "bar")
    assert sum(int(bar.get("data-count")) for bar in bars) == len(answer["devices"])
    device = answer["devices"][0]
    for name in ("low", "mid", "high"):
        assert bars[0].get("data-" + name) == str(device[name]), name
    assert bars[0].get("data-capacity") == str(device["memory_bytes"])
    parts = {part.get("data-category"): int(part.get("data-bytes")) for part in bars[0] if part.get("data-category")}
    uncertain = parts.pop("uncertain", 0)
    free = parts.pop("free", 0)
    assert sum(parts.values()) == device["mid"] and sum(parts.values()) + uncertain == device["high"]
    assert free == device["free_bytes"]


def check_context(root, answer):
    chart = answer["chart"]
    lines = named(root, "series")
    assert [line.get("data-concurrency") for line in lines] == [str(one["concurrency"]) for one in chart["series"]]
    for line, series in zip(lines, chart["series"]):
        points = [mark for mark in line if mark.get("data-context")]
        shown = [(int(p.get("data-context")), int(p.get("data-bytes")), p.get("data-fits")) for p in points]
        assert shown == [(p["context"], p["bytes"], p["fits"]) for p in series["points"]]


def check_grid(root, answer):
    chart = answer["chart"]
    cells = {(c.get("data-context"), c.get("data-concurrency")): c for c in named(root, "cell")}
    assert len(cells) == len(chart["cells"])
    for cell in chart["cells"]:
        mark = cells[str(cell["context"]), str(cell["concurrency"])]
        assert mark.get("data-fits") == cell["fits"]
        assert mark.get("data-bytes") == (str(cell["bytes"]) if cell["bytes"] else None)
        assert mark.find(SVG + "title").text
    asked = [mark for mark in named(root, "asked") if mark.get("data-context")]
    assert [(m.get("data-context"), m.get("data-concurrency")) for m in asked] == [("5000", "12")]


def check_csv(text, answer):
    rows = list(csv.DictReader(io.StringIO(text)))
    shown = [(int(r["context"]), int(r["concurrency"]), r["fits"], int(r["bytes"] or 0)) for r in rows]
    assert shown == [(c["context"], c["concurrency"], c["fits"], c["bytes"] or 0) for c in answer["chart"]["cells"]]


def main():
    program = sys.argv[1]
    count = 0
    for deployment in DEPLOYMENTS:
        for name, check in (("bars", check_bars), ("context", check_context), ("grid", check_grid)):
            answer = json.loads(run(program, [*deployment, "--chart", name, "--json"]))
            assert answer["chart"]["name"] == name
            for width in (320, 360, 600, 960, 2000):
                for language in ("en", "zh"):
                    image = run(program, [*deployment, "--chart", name, "--format", "svg", "--width", str(width), "--lang", language])
                    check(check_image(image, width, language), answer)
                    count += 1
            if name == "grid":
                check_csv(run(program, [*deployment, "--chart", name, "--format", "csv"]), answer)
    for width in ("319", "4097"):
        done = subprocess.run([program, *MODEL, "--width", width], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "between 320 and 4096" in done.stderr
    print(f"{count} images")


main()
