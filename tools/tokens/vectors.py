#!/usr/bin/env python3
"""Writes the vectors of tests/tokens: small tokenizers, and what the reference libraries make of a set of texts.

    vectors.py [--to tests/tokens] [NAME]...

The tokenizers have the pipelines of pipelines.py and vocabularies trained on the texts below and this project's
documents, so nothing of another's vocabulary is in them.  X.jsonl belongs to the file X, and to the GGUF of the same
pipeline; a line is {"text", "ids"}, and for texts with a "<" and the first few also "special", where the ids with
special tokens added (tokenizer.json) or recognised (rank files) are others.
"""
import argparse
import json
import tempfile
import unicodedata
from pathlib import Path

import derive
import pipelines
import references

ROOT = Path(__file__).resolve().parents[2]

LANGUAGES = [
    "The memory of a model grows with every token it reads; a cache keeps keys and values.",
    "How's it going? I'M FINE, they'll say, we've done it, you'Re right, she'D know, it'ſ odd, don't",
    "Der Speicher wächst mit jedem Token. Straße, Größe, ÄRGER, Übermut.",
    "La mémoire grandit à chaque jeton : « déjà vu », l'été, cœur, Noël.",
    "Память растёт с каждым токеном, а ёжик спит под ёлкой.",
    "Η μνήμη μεγαλώνει με κάθε λέξη. ΣΊΣΥΦΟΣ",
    "Bellek her sözcükle büyür. İSTANBUL ılık Iğdır",
    "Bộ nhớ tăng theo từng từ. Tiếng Việt",
    "上海今天天气怎么样?内存随着每个词而增长。",
    "模型的記憶體，隨著每個詞語增長！３２ＧＢ",
    "メモリはトークンごとに増えます。カタカナとひらがな、漢字。ﾊﾝｶｸ",
    "메모리는 토큰마다 늘어납니다. 한국어 문장",
    "تنمو الذاكرة مع كل كلمة. مَرْحَبًا ١٢٣",
    "الذاكرة۔ اردو میں یادداشت، بڑھتی ہے",
    "הזיכרון גדל עם כל מילה. שָׁלוֹם",
    "हर शब्द के साथ स्मृति बढ़ती है। क्षत्रिय १२३",
    "প্রতিটি শব্দে স্মৃতি বাড়ে",
    "ஒவ்வொரு சொல்லிலும் நினைவகம் வளரும்",
    "หน่วยความจำเพิ่มขึ้นทุกคำ ภาษาไทยไม่มีช่องว่าง ๑๒๓",
    "អង្គចងចាំកើនឡើងជាមួយពាក្យនីមួយៗ",
    "དྲན་ཤེས་ནི་ཚིག་རེ་རེ་དང་བཅས་འཕེལ་ལོ།",
    "მეხსიერება იზრდება. Հիշողությունը աճում է։ አማርኛ",
]
CODE = [
    "int main(void)\n{\n\tfor (int i = 0; i < 10; i++)\n\t\tprintf(\"%d\\n\", i);\n\treturn 0;\n}\n",
    "def f(x):\n    return {k: v**2 for k, v in x.items()}  # squares\n\n\nclass HTTPServer2:\n        pass\n",
    "{\"a\": [1, 2.5e-3, null], \"b\": {\"c\": \"\\u00e9\"}}",
    "SELECT * FROM t WHERE x != 'it''s' AND y >= 100000;",
    "<div class=\"a\">&nbsp;<br/></div> https://example.org/a?b=1&c=%20",
    "2024-01-31T23:59:59Z ERROR [worker-3] out of memory: 12,345,678 bytes (0x00BC614E)",
]
CASES = [
    "", " ", "  ", "   ", "\n", "\r\n", "\t", "a", " a", "a ", "  a  b  ", "\n\na\n\n\n b", "a\r\nb\r\n\r\nc\rd", " \n \r\n \t x",
    "x" + " " * 20 + "y", "\t\t\t\tif", " " * 33, "\n" * 9, "a\u00a0b\u3000c\u2003d\u2028e\u0085f\u200bg\ufeffh",
    "1", "12", "123", "1234", "1234567890", "3.14159 1,000,000 １２３ ①②③ ½ Ⅷ ٣٤٥ १२३ ๑๒ 三",
    "é e\u0301 \u00e5 a\u030a \u212b \u1e9b\u0323 a\u0316\u0301 a\u0301\u0316 \u0301x \uac00 \u1100\u1161\u11a8 \u0958 \u2126",
    "ﬁ ﬀ Ａ ｶﾞ ㍿ ㌔ ² ™ … \u00ad soft",
    "😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 1️⃣ ❤️ ☠ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "'s 'S 'ſ 'll 'LL 'Ll 're've'm'd't ''s ’s 's's 'st 1's é's 他's \n's",
    "K Å ſ ß ẞ İ ı ǅ Ǆ ŉ \ufb05 \ufb06 Σς",
    "!!! ... --- === /// \\\\ {}[]() <>|~`^ “quoted” «x» 、。！？ ¿¡ $€¥ +-*/ a.b,c;d:e",
    "camelCaseWORDSmixedUP snake_case_name SCREAMING kebab-case-x A1b2C3",
    "\u0000\u0001\u001f\u007f\u0080\ue000\uffff\U0010ffff\ufffd",
    "\U0001d54f\U00020000\U0002ebf0\u0897\U00010d40\ua7cb\U0001cc00 汉\U0002ebf0字",
    "▁ ▁a a▁b ▁▁ Ġ Ċ <0x0A> <0x41> ## ##a </w> a</w>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "whole wholes whole. awhole Strip  Strip a Strip b Ünï ünï UNI\u0308 raw É raw E\u0301 <|a|><|b|> a  b A  B Unreachable Unreachable 上海",
    "Norm aNorm Normb <n>a <n> b<n> x y ax y word words word.word <x>Norm <y> Norm",
    "<x> a <x>  <y> b<y>  c <x><y>",
    "x<|endoftext|>y <|im_start|>user\nhi<|im_end|>\n <s> </s>a</s> b <unk> <pad>[CLS] [MASK] [mask]  <mask>. <bos><eos> <EOT><BOS_TOKEN>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|> <｜User｜>hi<｜Assistant｜> <think>\n</think> <tool_call> >>TITLE<<",
    "<start_of_turn>user\n<end_of_turn>\n\n\n<h1> [INST] a [/INST] [REF] <extra_id_0> <sep>a<cls> <|user|> \n a <|end|>\t<|startoftext|> en_XX",
    "``quoted'' ''", "supercalifragilisticexpialidociousunknownwordswithoutspaces", "antidisestablishmentarianism 12ab3c45 aeiou xyz",
]
SHORT = LANGUAGES[:3] + LANGUAGES[8:9] + CASES[1:20] + CASES[26:]

# The GGUF of a pipeline: kind, name of the split pattern, file.
GGUFS = {"llama2": ("llama", "default", ".model"), "t5": ("t5", "default", ".model"), "llama3": ("gpt2", "llama-bpe", ".json"),
         "qwen2": ("gpt2", "qwen2", ".json"), "bert_uncased": ("bert", "jina-v2-en", ".json")}

# Near relatives of others, for the comparison on the corpus only.
LEFT_OUT = {"split_inverted_contiguous", "split_inverted_merged_with_previous", "split_inverted_merged_with_next", "punctuation_isolated",
            "punctuation_merged_with_previous", "punctuation_merged_with_next", "phi4", "llama2_metaspace"}


def small_rules(texts, place):
    """NFKC and the white space of "nmt", as rules for the characters of the texts."""
    rules = {}
    for character in sorted(set("".join(texts)) | {chr(c) for c in range(0xFF01, 0xFF5F)}):
        changed = unicodedata.normalize("NFKC", character)
        if character in "\t\n\r\u00a0\u3000\u2003\u2028\u200b\ufeff▁":
            changed = " "
        elif unicodedata.category(character) == "Cc" and character != "\0":
            changed = ""
        decomposed = unicodedata.normalize("NFD", character)
        if changed != character and character != "\0":
            rules[character] = changed
        if len(decomposed) > 1 and unicodedata.normalize("NFC", decomposed) == character:
            rules[decomposed] = character
    with open(place, "w", encoding="utf-8") as out:
        for source, target in sorted(rules.items()):
            out.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")


def write_vectors(path, texts, reference):
    functions = references.of(reference)
    with open(f"{path}.jsonl", "w", encoding="utf-8") as out:
        for place, text in enumerate(texts):
            line = {"text": text, "ids": list(functions["plain"](text))}
            if "special" in functions and (place < 3 or "<" in text or not text):
                with_special = list(functions["special"](text))
                if with_special != line["ids"]:
                    line["special"] = with_special
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--to", default=str(ROOT / "tests/tokens"))
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    folder = Path(options.to)
    folder.mkdir(parents=True, exist_ok=True)
    documents = [(ROOT / name).read_text(encoding="utf-8")[:6000] for name in ("README.md", "CONTRIBUTING.md", "Makefile")]
    training = (LANGUAGES + CODE) * 3 + documents + [text for text in CASES if "\0" not in text and "<" not in text]
    with tempfile.NamedTemporaryFile(suffix=".tsv") as rules:
        small_rules(LANGUAGES + CODE + CASES, rules.name)
        pipelines.SMALL_RULES = rules.name
        for name, make in pipelines.PIPELINES.items():
            if options.names and name not in options.names:
                continue
            if name in LEFT_OUT:
                continue
            odd = name.startswith(("split_", "punctuation_"))
            for suffix, data in make(training, 300 if odd else 700).items():
                path = folder / (name + suffix)
                path.write_bytes(data)
                write_vectors(path, SHORT if odd else LANGUAGES + CODE + CASES, path)
                if name in GGUFS and GGUFS[name][2] == suffix:
                    kind, split, _ = GGUFS[name]
                    target = folder / f"{name}.gguf"
                    derive.write_gguf(target, kind, split, path)


if __name__ == "__main__":
    main()
