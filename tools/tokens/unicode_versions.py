#!/usr/bin/env python3
"""Writes src/tokens/unicode/unicode_versions.c: what the reference of tokenizer.json knows of characters, asked code point by code point.

usage: unicode_versions.py > src/tokens/unicode/unicode_versions.c

Its parts were built with different versions of Unicode (8.0 and 9.0 in two old libraries, the newest in others), so that no
one version's data will do. Needs the packages `tokenizers`, which is asked, and `unicodedata2`, which knows of the characters
that a newer version normalises and the reference leaves alone.
"""
import tokenizers
import unicodedata2
from tokenizers import normalizers, pre_tokenizers

WIDTH = 120
BLOCK = 256
BLOCKED = 0x20000  # beyond it there are few runs: they are searched as one block
CODE_POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
FORMS = ("NFC", "NFD", "NFKC", "NFKD")
FLAGS = 11  # bits, in the order of tn_unicode_facts in unicode_versions.h


# ---- asking ----------------------------------------------------------------------------------------------------------


def removed_by(normalizer):
    return {point for point in CODE_POINTS if normalizer.normalize_str(chr(point)) == ""}


def isolated_by(pre_tokenizer):
    return {point for point in CODE_POINTS if len(pre_tokenizer.pre_tokenize_str("a" + chr(point) + "b")) == 3}


def dropped_by(pre_tokenizer):
    return {point for point in CODE_POINTS if len(pre_tokenizer.pre_tokenize_str("a" + chr(point) + "b")) == 2}


def ordered():
    """Characters with a combining class: they change places with a mark of the highest class, or of the lowest."""
    nfd = normalizers.NFD().normalize_str
    return {
        point
        for point in CODE_POINTS
        for alone in [nfd(chr(point))]
        if nfd("a\u0345" + chr(point)) != "a\u0345" + alone or nfd("a" + chr(point) + "\u0334") != "a" + alone + "\u0334"
    }


def pairs_that_join():
    """(first, second) of every pair that is one character in some version. Hangul's are of all versions."""
    for point in CODE_POINTS:
        parts = unicodedata2.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            yield int(parts[0], 16), int(parts[1], 16)


def joined():
    """The pairs that the reference joins, and those that it does not."""
    nfc = normalizers.NFC().normalize_str
    old, new = set(), set()
    for first, second in pairs_that_join():
        text = chr(first) + chr(second)
        if unicodedata2.normalize("NFC", text) != text:
            (new if nfc(text) == text else old).add((first, second))
    return old, new


def changed_by(form):
    normalizer = getattr(normalizers, form)()
    return {point for point in CODE_POINTS if normalizer.normalize_str(chr(point)) != chr(point)}


def inert(taking_part, new_pairs):
    """Characters that take no part in the reference's normalisation, but do in that of a newer version."""
    newer = {
        point
        for point in CODE_POINTS
        if unicodedata2.combining(chr(point)) or unicodedata2.normalize("NFKD", chr(point)) != chr(point)
    }
    points = (newer | {point for pair in new_pairs for point in pair}) - taking_part
    assert all(first in points or second in points for first, second in new_pairs)
    return points


def lower():
    normalizer = normalizers.Lowercase()
    pairs = [(point, normalizer.normalize_str(chr(point))) for point in CODE_POINTS]
    return [(point, text) for point, text in pairs if text != chr(point)]


# ---- writing ---------------------------------------------------------------------------------------------------------


def runs(sets):
    """(first code point, flags) of every run of code points with the same flags."""
    rows, before = [], None
    for point in range(0x110000):
        flags = sum(1 << bit for bit, members in enumerate(sets) if point in members)
        if flags != before:
            rows.append((point, flags))
            before = flags
    return rows


def first_rows(rows):
    """Of each block, the row that holds its first code point; then the number of rows."""
    blocks, row = [], 0
    for start in range(0, BLOCKED + 1, BLOCK):
        while row + 1 < len(rows) and rows[row + 1][0] <= start:
            row += 1
        blocks.append(row)
    return blocks


def lower_rows(pairs):
    """(first, last, step, difference): characters whose small letters are as far away, every one or every other."""
    rows = []
    for point, text in pairs:
        difference = ord(text[0]) - point
        if rows:
            first, last, step, same = rows[-1]
            if same == difference and point - last in ((1, 2) if first == last else (step,)):
                rows[-1] = (first, point, point - last, same)
                continue
        rows.append((point, point, 1, difference))
    return rows


def table(head, items):
    print(head + " = {")
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > WIDTH:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line)
    print("};")


def main():
    moving = ordered()
    old_pairs, new_pairs = joined()
    seconds = {second for _, second in old_pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    changed = {form: changed_by(form) for form in FORMS}
    firsts = {first for first, _ in old_pairs}
    inert_ones = inert(moving | seconds | firsts | set().union(*changed.values()), new_pairs)
    sets = [
        isolated_by(pre_tokenizers.Digits(individual_digits=True)),
        isolated_by(pre_tokenizers.Punctuation()),
        removed_by(normalizers.BertNormalizer(True, False, False, False)),
        removed_by(normalizers.BertNormalizer(False, False, True, False)),
        removed_by(normalizers.StripAccents()),
        dropped_by(pre_tokenizers.WhitespaceSplit()),
    ]
    for form in FORMS:
        sets.append(changed[form] | moving | (seconds if "C" in form else set()))
    sets.append(inert_ones)
    assert len(sets) == FLAGS
    rows = runs(sets)
    pairs = lower()
    longer = [(point, text) for point, text in pairs if len(text) > 1]
    assert longer == [(0x130, "i\u0307")]  # the one that unicode_versions.h tells of
    print(f"/* Written by tools/tokens/unicode_versions.py, which asked tokenizers {tokenizers.__version__}. */")
    print('#include "tokens/unicode/unicode_versions.h"\n\n/* clang-format off */')
    print("/* The first code point of each run, shifted left by TN_FACT_BITS, and its facts. */")
    table("static const uint32_t runs[]", [f"0x{point << FLAGS | flags:08X}" for point, flags in rows])
    print("\n/* The run in which each block of 256 code points begins. */")
    table("static const uint16_t blocks[]", [str(row) for row in first_rows(rows)])
    print("\n/* The facts of ASCII. */")
    ascii_facts = [sum(1 << bit for bit, members in enumerate(sets) if point in members) for point in range(0x80)]
    table("const uint16_t tn_ascii_facts[]", [str(flags) for flags in ascii_facts])
    print("\n/* Characters that have a small letter. */")
    print("static const struct {\n    uint32_t first;\n    uint32_t last;\n    uint32_t step;\n    int32_t difference;\n} lower[] = {")
    for first, last, step, difference in lower_rows(pairs):
        print(f"    {{0x{first:04X}, 0x{last:04X}, {step}, {difference}}},")
    print("};\n/* clang-format on */\n")
    print(CODE, end="")


CODE = """\
enum {
    RUNS = sizeof runs / sizeof runs[0],
    BLOCKS = sizeof blocks / sizeof blocks[0],
    LOWER = sizeof lower / sizeof lower[0],
    BLOCK_BITS = 8,
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

unsigned tn_unicode_facts_in_table(uint32_t code_point)
{
    size_t block = smaller(code_point >> BLOCK_BITS, BLOCKS - 1);
    size_t low = smaller(blocks[block], RUNS - 1);
    size_t high = block + 1 < BLOCKS ? smaller(blocks[block + 1] + (size_t)1, RUNS) : RUNS;
    uint32_t wanted = code_point << TN_FACT_BITS | ((1U << TN_FACT_BITS) - 1);
    while (high - low > 1) { /* runs[low] begins at or before the character, runs[high] behind it */
        size_t middle = low + (high - low) / 2;
        if (runs[middle] <= wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return runs[low] & ((1U << TN_FACT_BITS) - 1);
}

uint32_t tn_unicode_lower(uint32_t code_point)
{
    size_t low = 0;
    size_t high = LOWER;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lower[middle].last < code_point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool listed =
        low < LOWER && lower[low].first <= code_point && (code_point - lower[low].first) % lower[low].step == 0;
    return listed ? (uint32_t)((int32_t)code_point + lower[low].difference) : code_point;
}
"""

if __name__ == "__main__":
    main()
