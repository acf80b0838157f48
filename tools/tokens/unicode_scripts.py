#!/usr/bin/env python3
"""Writes src/tokens/unicode/unicode_scripts.c: which characters the reference's UnicodeScripts takes for those of one script.

usage: unicode_scripts.py > src/tokens/unicode/unicode_scripts.c

The scripts have no names here: two characters are of one where the pre-tokenizer, which is asked, does not split between
them. 0 is the script of characters that go with any other. Needs the package `tokenizers`.
"""
import tokenizers
from tokenizers import pre_tokenizers

WIDTH = 120
BITS = 8


def classes():
    split = pre_tokenizers.UnicodeScripts().pre_tokenize_str
    known, before, rows = [], None, []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or not split(chr(point)):
            script = 0
        elif before and len(split(known[before - 1] + chr(point))) == 1:
            script = before
        else:
            for script, one in enumerate(known, 1):
                if len(split(one + chr(point))) == 1:
                    break
            else:
                known.append(chr(point))
                script = len(known)
        if not rows or script != rows[-1][1]:
            rows.append((point, script))
        before = script or before
    assert len(known) < 1 << BITS
    return rows


def main():
    print(f"/* Written by tools/tokens/unicode_scripts.py, which asked tokenizers {tokenizers.__version__}. */")
    print('#include "tokens/unicode/unicode_scripts.h"\n\n#include <stddef.h>\n')
    print(f"/* The first code point of each run, shifted left by {BITS} bits, and its script. */\n/* clang-format off */")
    print("static const uint32_t runs[] = {")
    line = "   "
    for point, script in classes():
        item = f" 0x{point << BITS | script:08X},"
        if len(line) + len(item) > WIDTH:
            print(line)
            line = "   "
        line += item
    print(line + "\n};\n/* clang-format on */\n")
    print(CODE, end="")


CODE = """\
unsigned tn_unicode_script(uint32_t code_point)
{
    size_t low = 0;
    size_t high = sizeof runs / sizeof runs[0];
    while (high - low > 1) { /* runs[low] begins at or before the character, runs[high] behind it */
        size_t middle = low + (high - low) / 2;
        if (runs[middle] >> 8 <= code_point) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return runs[low] & 0xFF;
}
"""

if __name__ == "__main__":
    main()
