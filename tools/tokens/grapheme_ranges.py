#!/usr/bin/env python3
"""Writes src/tokens/unicode/grapheme_ranges.c from src/tables.rs of the Rust crate unicode-segmentation, the reference for where
clusters end: tools/tokens/grapheme_ranges.py TABLES.RS > src/tokens/unicode/grapheme_ranges.c, then clang-format -i."""

import re
import sys

KINDS = {
    "CR": "CR", "LF": "LF", "Control": "CONTROL", "Extend": "EXTEND", "ZWJ": "ZWJ", "SpacingMark": "SPACING",
    "Prepend": "PREPEND", "Regional_Indicator": "REGIONAL", "Extended_Pictographic": "PICTOGRAPH",
    "InCB_Consonant": "CONSONANT", "L": "L", "V": "V", "T": "T", "LV": None, "LVT": None,
}  # fmt: skip
CHARACTER = r"'\\u\{([0-9a-fA-F]+)\}'"


def table(source, name):
    start = source.index(f"const {name}: &[")
    return source[start : source.index("];", start)]


def ranges(text, tail=""):
    pattern = rf"\(\s*{CHARACTER}\s*,\s*{CHARACTER}\s*{tail}\)"
    for found in re.findall(pattern, text):
        yield (int(found[0], 16), int(found[1], 16), *found[2:])


def main():
    source = open(sys.argv[1]).read()
    version = re.search(r"UNICODE_VERSION: \(u64, u64, u64\) = \((\d+), (\d+), (\d+)\)", source).groups()
    kinds, extend = {}, set()
    for first, last, kind in ranges(table(source, "grapheme_cat_table"), r",\s*GC_(\w+)\s*"):
        for code in range(first, last + 1):
            if KINDS[kind]:
                kinds[code] = KINDS[kind]
    for first, last in ranges(table(source, "InCB_Extend_table")):
        extend.update(range(first, last + 1))
    start = source.index("fn is_incb_linker")
    linkers = {int(code, 16) for code in re.findall(CHARACTER, source[start : source.index("}\n\n", start)])}
    rows = []
    for code in sorted(kinds.keys() | extend | linkers):
        row = (kinds.get(code, "ANY"), code in linkers, code in extend and code not in linkers)
        if rows and rows[-1][1] == code - 1 and rows[-1][2] == row:
            rows[-1][1] = code
        else:
            rows.append([code, code, row])
    print(f"/* Unicode {'.'.join(version)}, written by tools/tokens/grapheme_ranges.py. */")
    print('#include "tokens/unicode/grapheme_ranges.h"\n')
    print("const struct tn_grapheme_range tn_grapheme_ranges[] = {")
    for first, last, (kind, linker, conjunct) in rows:
        print(f"{{0x{first:X}, 0x{last:X}, TN_GRAPHEME_{kind}, {int(linker)}, {int(conjunct)}}},")
    print("};\n")
    print("const size_t tn_grapheme_ranges_count = sizeof tn_grapheme_ranges / sizeof tn_grapheme_ranges[0];")


main()
