#!/usr/bin/env python3
"""Writes a mixed corpus for comparing tokenizers, one {"kind", "text"} a line.

    corpus.py [--seed N] [--size BYTES] [--natural] [--plain] [--kinds] --out FILE

Sources are what a Debian system has once these packages are there (a missing
one is named and left out; the corpus of two equal systems is equal):

    manpages-zh manpages-ja manpages-ru manpages-de debian-handbook
    installation-guide-amd64 hunspell-ar hunspell-hi hunspell-th hunspell-bn
    hunspell-he hunspell-ko

and the messages of /usr/share/locale, Python's library, JavaScript of npm, this
project's C and Markdown, logs.  On top of it come hard cases made here: every
code point in several settings, combining marks, emoji, line ends, long runs,
contractions, special tokens as text, random UTF-8.  About 14 MB.

--size   at least as many bytes (10M, 100M): the records again, shuffled
--natural  without the hard cases, for timing
--plain  the texts alone, a line feed after each
--kinds  prints bytes and records of each kind
"""
import argparse
import gettext
import glob
import gzip
import html
import json
import os
import random
import re
import sys
import sysconfig
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 700_000  # bytes of each natural source


def read(path):
    try:
        data = gzip.open(path).read() if str(path).endswith(".gz") else Path(path).read_bytes()
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def collect(paths, change=lambda text: text, limit=LIMIT):
    """The texts of files, as they come in the order of their names, to a limit."""
    parts, size = [], 0
    for path in sorted(paths):
        text = change(read(path))
        parts.append(text)
        size += len(text.encode())
        if size >= limit:
            break
    return "".join(parts).encode()[:limit].decode("utf-8", "ignore")


def without_tags(text):
    text = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", "", text)
    return re.sub(r"\n\s*\n+", "\n\n", html.unescape(text))


def messages(language, limit=120_000):
    """The translations in the .mo files of a language."""
    parts, size = [], 0
    for path in sorted(glob.glob(f"/usr/share/locale/{language}/LC_MESSAGES/*.mo")):
        try:
            with open(path, "rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog
        except (OSError, UnicodeDecodeError, ValueError, IndexError):
            continue
        for key in sorted(catalog, key=str):
            if key:
                parts.append(catalog[key] + "\n")
                size += len(parts[-1].encode())
        if size >= limit:
            break
    return "".join(parts).encode()[:limit].decode("utf-8", "ignore")


def natural():
    """kind -> text"""
    share, library = "/usr/share/", sysconfig.get_path("stdlib")
    texts = {}
    for language, place in (("zh_CN", "zh_CN"), ("zh_TW", "zh_TW"), ("ja", "ja"), ("ru", "ru"), ("de", "de")):
        texts["man " + language] = collect(glob.glob(f"{share}man/{place}/man*/*"))
    for language in ("ar-MA", "de-DE", "es-ES", "fa-IR", "fr-FR", "id-ID", "it-IT", "ja-JP", "ko-KR", "pl-PL", "pt-BR", "ru-RU",
                     "tr-TR", "vi-VN", "zh-CN", "en-US"):
        pages = glob.glob(f"{share}doc/debian-handbook/html/{language}/*.html")
        texts["handbook " + language] = collect(pages, without_tags, 350_000)
    for language in ("el", "hu", "ko", "ja", "zh_CN", "vi", "en", "cs"):
        pages = glob.glob(f"{share}doc/installation-guide-amd64/{language}/*.html*")
        texts["guide " + language] = collect(pages, without_tags, 150_000)
    for name in ("ar", "hi_IN", "th_TH", "bn_BD", "he_IL", "ko_KR"):
        texts["words " + name] = collect([f"{share}hunspell/{name}.dic"], lambda text: text.replace("\n", " "), 150_000)
    for language in ("am", "ar", "as", "be", "bg", "bn", "bn_IN", "bo", "ckb", "dz", "el", "eo", "eu", "fa", "fi", "ga", "gu", "he",
                     "hi", "hy", "is", "ja", "ka", "kk", "km", "kn", "ko", "ku", "ky", "lo", "lt", "mk", "ml", "mn", "mr", "my", "ne",
                     "nso", "or", "pa", "ps", "si", "sq", "sr", "ta", "te", "tg", "th", "ti", "ug", "uk", "ur", "uz", "vi", "yi", "yo",
                     "zh_HK", "zu"):
        texts["messages " + language] = messages(language)
    texts["code python"] = collect(glob.glob(library + "/*.py"), limit=1_200_000)
    texts["code c"] = collect(glob.glob(str(ROOT / "src/*/*.[ch]")) + glob.glob("/usr/include/*.h"))
    texts["code javascript"] = collect(glob.glob("/usr/lib/node_modules/npm/**/*.js", recursive=True) or
                                       glob.glob("/usr/share/nodejs/**/*.js", recursive=True))
    texts["code html"] = collect(glob.glob(share + "doc/debian-handbook/html/en-US/*.html"), limit=200_000)
    texts["code shell"] = collect(glob.glob("/usr/bin/*[a-z]"), lambda text: text if text.startswith("#!/bin/") else "", 300_000)
    texts["json"] = collect(glob.glob(str(ROOT / "tests/data/arch/*.json"))) + collect(
        glob.glob("/usr/lib/node_modules/npm/**/package.json", recursive=True) or
        glob.glob("/usr/share/nodejs/**/package.json", recursive=True), limit=300_000)
    texts["markdown"] = collect(glob.glob(str(ROOT / "*.md")) + glob.glob(str(ROOT / "docs/*.md")))
    texts["logs"] = collect(glob.glob("/var/log/*.log") + glob.glob("/var/log/apt/*.log"), limit=400_000)
    texts["table"] = collect([share + "unicode/UnicodeData.txt"], limit=200_000)
    return texts


def cut(text, chance):
    """Pieces of many sizes: some a few characters, most some hundred, some 200 KB."""
    at = 0
    while at < len(text):
        kind = chance.random()
        size = (chance.randint(1, 30) if kind < 0.15 else chance.randint(30, 600) if kind < 0.6 else chance.randint(600, 6000)
                if kind < 0.95 else chance.randint(6000, 40000) if kind < 0.99 else chance.randint(60000, 200000))
        yield text[at:at + size]
        at += size


# The hard cases.

SPECIAL = """<|endoftext|> <|im_start|> <|im_end|> <s> </s> <unk> <pad> [MASK] [CLS] [SEP] [UNK] [PAD] <mask> <bos> <eos>
<start_of_turn> <end_of_turn> <|begin_of_text|> <|end_of_text|> <|eot_id|> <|start_header_id|> <|end_header_id|>
<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> <|EOT|> <｜fim▁hole｜> <think> </think> <tool_call> </tool_call>
<|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|endofprompt|> <|start|> <|end|> <|message|> <|channel|> <|return|> [INST] [/INST]
<BOS_TOKEN> <|START_OF_TURN_TOKEN|> <|CHATBOT_TOKEN|> <EOT> <META> <unused0> <0x41> <extra_id_0> <|user|> <|assistant|> <|system|>
<|startoftext|> [gMASK] <sop> <image> <|image|> <2mass> [@BOS@] [TOOL_CALLS] [REFERENCE_DOC_1] <h1> </h1>""".split()


def letters(ranges):
    return [chr(c) for low, high in ranges for c in range(low, high + 1)]


def code_points():
    """All but the surrogates; of the large empty planes a sample."""
    for c in range(0x110000):
        if 0xD800 <= c <= 0xDFFF:
            continue
        if c < 0x20000 or 0xE0000 <= c < 0xE0200 or c & 0xFFFF >= 0xFFFC or c % 97 == 0 or (c < 0x33480 and c % 7 == 0):
            yield chr(c)


def every_code_point():
    points = list(code_points())
    for start in range(0, len(points), 48):
        group = points[start:start + 48]
        yield "".join(group)
        yield " ".join(group)
        yield "a" + "b".join(group)
        if start % 96 == 0:
            yield "1".join(group) + "".join("'" + c for c in group)
        else:
            yield "!".join(group) + "".join(" " + c + c for c in group)


def combining(chance):
    marks = [chr(c) for c in range(0x20000) if unicodedata.combining(chr(c))]
    bases = letters([(0x41, 0x5A), (0x61, 0x7A), (0x391, 0x3A9), (0x430, 0x44F), (0x905, 0x939), (0xAC00, 0xAC20), (0x1100, 0x1112)])
    for _ in range(1200):
        yield "".join(chance.choice(bases) + "".join(chance.choice(marks) for _ in range(chance.randint(0, 5)))
                      + chance.choice(["", "", " "]) for _ in range(chance.randint(1, 12)))
    for c in range(0x2FA20):
        character = chr(c)
        forms = {unicodedata.normalize(form, character) for form in ("NFC", "NFD", "NFKC", "NFKD")} - {character}
        if forms and not 0xAC00 <= c <= 0xD7A3:
            yield character + "|" + "|".join(sorted(forms)) + "\u0301x"


def jamo(chance):
    lead, vowel, trail = (letters([r]) for r in ((0x1100, 0x115F), (0x1160, 0x11A7), (0x11A8, 0x11FF)))
    for _ in range(300):
        yield "".join(chance.choice(lead) + chance.choice(vowel) + chance.choice(trail + [""]) + chance.choice(["", "", " ", "가"])
                      for _ in range(chance.randint(1, 10)))


def emoji(chance):
    faces = letters([(0x1F300, 0x1F64F), (0x1F680, 0x1F6C5), (0x1F900, 0x1F9FF), (0x2600, 0x26FF), (0x2700, 0x27BF)])
    tones, regions = letters([(0x1F3FB, 0x1F3FF)]), letters([(0x1F1E6, 0x1F1FF)])
    fixed = ["👩‍👩‍👧‍👦", "👨🏽‍💻", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️‍🔥", "1️⃣", "#️⃣", "🇩🇪🇯🇵", "👁️‍🗨️", "☠️", "☠︎", "👩🏿‍❤️‍💋‍👨🏻"]
    yield from fixed
    for _ in range(800):
        yield "".join(chance.choice([chance.choice(faces), chance.choice(faces) + chance.choice(tones), chance.choice(fixed), " ", "\u200d",
                                     "\ufe0f", "ok", chance.choice(regions) + chance.choice(regions), "!"])
                      for _ in range(chance.randint(1, 15)))


def spaces(chance):
    blanks = [" ", " ", " ", "  ", "\t", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u3000", "\u2003", "\u2028", "\u0085", "\x0b", "\x0c", "\u200b",
              "\ufeff", "\u1680", "\u180e", "▁"]
    words = ["a", "Bc", "def", "1", "12345", ".", "--", "{", "}", "汉", "é", "_", "'s", "/", "//", "#", "\\"]
    for _ in range(2500):
        yield "".join(chance.choice(blanks) * chance.choice([1, 1, 1, 2, 3, 5, 17]) if chance.random() < 0.55 else chance.choice(words)
                      for _ in range(chance.randint(1, 25)))
    for blank in blanks:
        for count in (1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129, 1000, 5000):
            yield blank * count
            yield "x" + blank * count + "y"
            yield blank * count + "\n" + blank * count + "if"


def digits(chance):
    numbers = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)).startswith("N")]
    for _ in range(1200):
        script = chance.randrange(len(numbers) - 10)
        pool = numbers[script:script + 10] if chance.random() < 0.7 else numbers
        yield "".join(chance.choice(pool + [",", ".", " ", "a"]) if chance.random() < 0.9 else chance.choice("0123456789")
                      for _ in range(chance.randint(1, 40)))
    for length in range(1, 40):
        yield ("1234567890" * 5)[:length]
        yield "x" + "9" * length + "th"


def contractions(chance):
    ends = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "VE", "M", "LL", "D", "Re", "vE", "Ll", "ſ", "ſt", "K", "K", "sſ", "x", "n", "st",
            "\ufb05", "\ufb06", "\u0149", "s\u0301"]
    starts = ["", "I", "it", "IT", "don", "we", "他", "1", "!", " ", "\n", "é", "e\u0301", "ﬀ", "_", "\u00a0"]
    for apostrophe in ("'", "’", "ʼ", "''", "'\u200d", "＇"):
        for start in starts:
            for end in ends:
                yield f"{start}{apostrophe}{end}"
                yield f"{start}{apostrophe}{end}{chance.choice(starts)}{chance.choice(ends)} {start} {apostrophe}{end}"


def special(chance):
    glue = ["", " ", "  ", "\n", "a", "Z", "é", "1", ".", "汉", "\t", "_", "s"]
    for token in SPECIAL:
        for left in glue:
            yield left + token + chance.choice(glue)
            yield "x" + left + token + token + left + "y"
        yield token.upper() + token.lower() + token[:-1] + token[1:]
        yield unicodedata.normalize("NFD", token) + " " + token + " " + token
    for _ in range(1200):
        yield "".join(chance.choice(SPECIAL) if chance.random() < 0.5 else chance.choice(glue + ["word", " hello "])
                      for _ in range(chance.randint(2, 12)))


def cases(chance):
    """Words in all cases, across scripts."""
    words = "Straße ΣΊΣΥΦΟΣ İstanbul ıIiİ DŽungla ǅ ǆ ﬁne ﬀﬃ ẞ Ǆ camelCaseHTTPServer XMLHttpRequest2 snake_case_word SCREAMING_SNAKE K ſ Å Å Ω Ω".split()
    for word in words:
        yield from (word, word.upper(), word.lower(), word.swapcase(), word.title(), word + word)
    letter = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) in ("Lu", "Ll", "Lt", "Lm", "Lo") and not 0x3400 < c < 0xD7FF]
    for _ in range(2000):
        yield "".join(chance.choice(letter) if chance.random() < 0.6 else chance.choice("abcABC '") for _ in range(chance.randint(1, 30)))


def mixtures(chance):
    """Random code points: of all, of few, and of scripts next to each other."""
    everything = list(code_points())
    scripts = [letters([r]) for r in ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F),
                                      (0xE00, 0xE7F), (0x1780, 0x17FF), (0xF00, 0xFFF), (0x1100, 0x11FF), (0xAC00, 0xAFFF), (0x3040, 0x30FF),
                                      (0x4E00, 0x5FFF), (0x2000, 0x206F), (0x1F600, 0x1F64F), (0xFF00, 0xFFEF), (0x0, 0x1F), (0x20000, 0x200FF))]
    for _ in range(1500):
        yield "".join(chance.choice(everything) for _ in range(chance.randint(1, 60)))
    for _ in range(3500):
        few = chance.sample(scripts, 3)
        yield "".join(chance.choice(chance.choice(few)) for _ in range(chance.randint(1, 60)))
    for _ in range(1500):
        few = chance.sample(everything, 3) + [" ", "\n"]
        yield "".join(chance.choice(few) for _ in range(chance.randint(1, 80)))
    ascii_only = letters([(0, 0x7F)])
    for _ in range(2500):
        yield "".join(chance.choice(ascii_only) for _ in range(chance.randint(1, 80)))


def runs():
    """Long texts of one character, of a pair, and without spaces."""
    for unit in ("a", "A", "é", "中", "😀", ".", "=", "-", "0", "ab", "aA", "a1", " a", "\n ", "ा", "\u0301", "👍🏽", "กา", "<", "'s", "\x00"):
        for count in (1, 2, 3, 10, 100, 999, 5000):
            yield unit * count
    yield "".join(chr(0x4E00 + i % 5000) for i in range(20000))
    yield "".join(chr(97 + i * i % 26) for i in range(20000))


def hard(chance):
    yield "empty", ""
    for kind, texts in (("every code point", every_code_point()), ("combining", combining(chance)), ("jamo", jamo(chance)),
                        ("emoji", emoji(chance)), ("spaces", spaces(chance)), ("digits", digits(chance)),
                        ("contractions", contractions(chance)), ("special", special(chance)), ("cases", cases(chance)),
                        ("mixtures", mixtures(chance)), ("runs", runs())):
        for text in texts:
            yield kind, text


def records(seed, only_natural):
    chance = random.Random(seed)
    texts = natural()
    missing = [kind for kind, text in texts.items() if not text]
    if missing:
        print(f"corpus.py: nothing found for: {', '.join(missing)}", file=sys.stderr)
    for kind, text in texts.items():
        for piece in cut(text, chance):
            yield kind, piece
        if only_natural:
            continue
        sample = text[1000:5000]
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            yield "normalised", unicodedata.normalize(form, sample)
        yield "line ends", sample.replace("\n", "\r\n")
        yield "line ends", "".join(chance.choice(["\n", "\r\n", "\r", "\n\r"]) if c == "\n" else c for c in sample)
        yield "without spaces", re.sub(r"\s", "", sample)
        yield "upper", sample.upper()
    if not only_natural:
        yield from hard(chance)


def size_of(text):
    digits_, unit = re.fullmatch(r"(\d+)([kMG]?)", text).groups()
    return int(digits_) * {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}[unit]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", required=True)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--size", type=size_of, default=0)
    options.add_argument("--natural", action="store_true")
    options.add_argument("--plain", action="store_true")
    options.add_argument("--kinds", action="store_true")
    options = options.parse_args()
    rows = list(records(options.seed, options.natural))
    if options.kinds:
        kinds = {}
        for kind, text in rows:
            count, size = kinds.get(kind, (0, 0))
            kinds[kind] = (count + 1, size + len(text.encode()))
        for kind, (count, size) in kinds.items():
            print(f"{size:10} {count:7} {kind}")
    total = 0
    chance = random.Random(options.seed + 1)
    with open(options.out + ".part", "w", encoding="utf-8", newline="") as out:
        while True:
            for kind, text in rows:
                out.write(text + "\n" if options.plain else json.dumps({"kind": kind, "text": text}, ensure_ascii=False) + "\n")
                total += len(text.encode()) + options.plain
                if options.size and total >= options.size:
                    break
            if total >= options.size:
                break
            chance.shuffle(rows)
    os.replace(options.out + ".part", options.out)
    print(f"{total} bytes of text in {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
