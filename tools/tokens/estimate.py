#!/usr/bin/env python3
"""Measures how many tokens a character of each script costs, and writes data/tokens/estimate.rec: what is said where no tokenizer is at hand.

usage: estimate.py --program build/tonnage --corpus CORPUS.jsonl TOKENIZER...  > data/tokens/estimate.rec

A line of the corpus is {"kind": source and language, "text"}. TOKENIZER is a tokenizer.json, a SentencePiece .model, or a .tiktoken file
(read with the pattern of cl100k_base or o200k_base, by its size); the references count (tokenizers, sentencepiece, tiktoken; and numpy).
The program itself counts characters by script, so that one table says what is of which script.

For each tokenizer the rates are fitted to the documents by least squares of relative errors, not below 0; the record has the median of
the tokenizers, and for each group of scripts the range in which 90 of 100 counts of documents of that group lie, whatever the tokenizer.
The error that it states is measured with rates fitted to some sources only, on documents of the others: what a user meets, who knows
neither the rates of the tokenizer nor the source. English and code are half of the documents of Latin letters.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy

# Written by the tool that made the corpus to find faults, and like nothing that people write.
MADE_UP = ("every code point", "normalised", "line ends", "spaces", "mixtures", "upper", "without spaces", "runs", "combining",
           "words")  # lists of words are no text either
# Sources that the error is measured on.
HELD_OUT = ("guide", "messages", "markdown", "code javascript", "code html")
BANDS = [("all", None, "tokenizers of any size"), ("small", (1, 70000), "tokenizers of up to 70,000 tokens"),
         ("medium", (70001, 180000), "tokenizers of 70,000 to 180,000 tokens"),
         ("large", (180001, 16777216), "tokenizers of more than 180,000 tokens")]
LEAST_BYTES = 200    # of a document: shorter ones say little
MOST_DOCUMENTS = 12  # of one kind
MOST_OF_USUAL = 60   # of one kind of English, or of code
USUAL = ("handbook en", "guide en", "markdown", "code", "json", "logs")
# Of the languages in Latin and Cyrillic letters those that most is written in; of other scripts all that the corpus has.
LANGUAGES = set("en de fr es it pt nl pl cs sv da nb fi hu ro tr vi id ru uk bg".split())
FEW_LANGUAGES = {"latin", "capital", "accented", "cyrillic"}
# Scripts that occur together; of the others each is a group.
GROUPS = [{"latin", "capital", "accented", "space"}, {"digit", "punctuation", "indent"}]
GROUP_SHARE = [0.7, 0.4]  # of a document's tokens, for it to be one of the group
OTHER_SHARE = 0.6
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = ("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")


def read_corpus(path):
    """Documents of natural sources, with their kind."""
    seen, documents = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            kind, text = row["kind"], row["text"]
            made_up = kind.startswith(MADE_UP) or len(text.encode("utf-8", "replace")) < LEAST_BYTES
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                made_up = True
            most = MOST_OF_USUAL if kind.startswith(USUAL) else MOST_DOCUMENTS
            if not made_up and seen.setdefault(kind, 0) < most:
                seen[kind] += 1
                documents.append((kind, text))
    return documents


def count_scripts(program, documents):
    """([scripts], matrix [document][script])"""
    lines = "".join(json.dumps({"text": text}) + "\n" for _, text in documents)
    done = subprocess.run([program, "tokens", "--field", "text", "--format", "jsonl"], input=lines.encode(), check=True,
                          stdout=subprocess.PIPE)
    rows = [json.loads(line)["scripts"] for line in done.stdout.splitlines()]
    names = sorted(set().union(*rows))
    return names, numpy.array([[row.get(name, 0) for name in names] for row in rows], dtype=float)


def read_ranks(path):
    import base64
    with open(path, "rb") as lines:
        return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line.strip())}


def open_tokenizer(path):
    """(tokens in it, text -> number of tokens)"""
    if path.endswith(".json"):
        import tokenizers
        made = tokenizers.Tokenizer.from_file(path)
        made.no_truncation()
        return made.get_vocab_size(), lambda text: len(made.encode(text, add_special_tokens=False).ids)
    if path.endswith(".model"):
        import sentencepiece
        made = sentencepiece.SentencePieceProcessor(model_file=path)
        return made.get_piece_size(), lambda text: len(made.encode(text))
    import tiktoken
    ranks = read_ranks(path)
    made = tiktoken.Encoding("x", pat_str=CL100K if len(ranks) < 150000 else O200K, mergeable_ranks=ranks, special_tokens={})
    return len(ranks), lambda text: len(made.encode_ordinary(text))


def fit(counts, tokens):
    """Rates that are not negative, with the least squares of relative errors: by coordinates, from 0."""
    weights = 1 / tokens
    a, b = counts * weights[:, None], tokens * weights
    square, product = a.T @ a, a.T @ b
    rates = numpy.zeros(counts.shape[1])
    for _ in range(3000):
        for k in range(len(rates)):
            if square[k, k] > 0:
                rates[k] = max(0.0, rates[k] + (product[k] - square[k] @ rates) / square[k, k])
    return rates


def language_of(kind):
    words = kind.replace("_", "-").split()
    return words[1].split("-")[0] if words[0] in ("handbook", "guide", "messages", "man") and len(words) > 1 else "en"


def hold_out(documents):
    """Documents of other sources than those that are fitted to; of languages with one source every second document."""
    fitted = {language_of(kind) for kind, _ in documents if not kind.startswith(HELD_OUT)}
    return numpy.array([kind.startswith(HELD_OUT) and (language_of(kind) in fitted or k % 2 == 0)
                        for k, (kind, _) in enumerate(documents)])


def is_common(kind, row, names):
    """Whether a document is in a language that counts: see LANGUAGES."""
    language = language_of(kind)
    letters = sum(n for name, n in zip(names, row) if name in FEW_LANGUAGES)
    return language in LANGUAGES or letters < row.sum() / 2


def groups_of(scripts):
    """[(columns, share)]"""
    rows = [([k for k, name in enumerate(scripts) if name in group], share) for group, share in zip(GROUPS, GROUP_SHARE)]
    grouped = set().union(*GROUPS)
    return rows + [([k], OTHER_SHARE) for k, name in enumerate(scripts) if name not in grouped]


def rates_of(scripts, counts, tokens):
    """[script][low, mid, high]"""
    mid = numpy.median(numpy.array([fit(counts, row) for row in tokens]), axis=0)
    predicted = counts @ mid
    ratios = tokens / predicted[None, :]
    result = numpy.stack([mid * numpy.percentile(ratios, 5), mid, mid * numpy.percentile(ratios, 95)], axis=1)
    for columns, share in groups_of(scripts):
        chosen = (counts[:, columns] @ mid[columns]) >= share * predicted
        if chosen.sum() >= 10:
            low, half, high = numpy.percentile(ratios[:, chosen], [5, 50, 95])
            for k in columns:
                result[k] = mid[k] * low, mid[k] * half, mid[k] * high
    result[:, 0] = numpy.minimum(result[:, 0], result[:, 1])
    return result


def measure(scripts, counts, tokens, held_out, by_group=None):
    """What the record says of its error: fitted to some sources, measured on the others, by tokenizer and document."""
    low, mid, high = rates_of(scripts, counts[~held_out], tokens[:, ~held_out]).T
    predicted = counts @ mid
    chosen = held_out
    if by_group is not None:
        columns, share = by_group
        chosen = held_out & ((counts[:, columns] @ mid[columns]) >= share * predicted)
    actual = tokens[:, chosen]
    if actual.shape[1] < 5:
        return None
    errors = numpy.abs(predicted[None, chosen] / actual - 1).ravel()
    inside = ((actual >= counts[chosen] @ low) & (actual <= counts[chosen] @ high)).mean()
    return numpy.percentile(errors, 50), numpy.percentile(errors, 90), inside, actual.shape[1]


def write_band(name, limits, words, scripts, counts, tokens, held_out):
    half, most, inside, _ = measure(scripts, counts, tokens, held_out)
    print(f"\nestimate {name}")
    if limits:
        print(f"  vocabulary {limits[0]} {limits[1]}")
    print(f"  tokenizers {len(tokens)} {words}")
    print(f"  error half of the documents are within {half:.0%}, nine of ten within {most:.0%}; "
          f"{inside:.0%} of the true counts lie in the range")
    for script, row in zip(scripts, rates_of(scripts, counts, tokens)):
        print("  tokens {} {:.4f} {:.4f} {:.4f}".format(script, *row))
    for columns, share in groups_of(scripts):
        found = measure(scripts, counts, tokens, held_out, (columns, share))
        if found:
            print("| {} | {} | {} | {:.0%} | {:.0%} | {:.0%} |".format(name, ", ".join(scripts[k] for k in columns), found[3],
                                                                     *found[:3]), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/tonnage")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("tokenizers", nargs="+")
    options = parser.parse_args()
    documents = read_corpus(options.corpus)
    scripts, counts = count_scripts(options.program, documents)
    common = [is_common(kind, row, scripts) for (kind, _), row in zip(documents, counts)]
    documents = [document for document, keep in zip(documents, common) if keep]
    counts = counts[common]
    held_out = hold_out(documents)
    sizes, rows = [], []
    for path in options.tokenizers:
        size, count = open_tokenizer(path)
        sizes.append(size)
        rows.append([max(count(text), 1) for _, text in documents])
        print(os.path.basename(path), size, sum(rows[-1]), file=sys.stderr)
    sizes, tokens = numpy.array(sizes), numpy.array(rows, dtype=float)
    names = ", ".join(sorted(os.path.basename(path).rsplit(".", 1)[0] for path in options.tokenizers))
    print("# Tokens per character by script, where no tokenizer is at hand: the range of 90 of 100 counts, and its middle.\n"
          "# Written by tools/tokens/estimate.py.\n"
          f"# source: {len(documents)} documents of {len(set(kind for kind, _ in documents))} sources and languages, "
          f"{sum(len(text.encode()) for _, text in documents):,} bytes, counted by\n"
          f"# {names}.")
    for name, limits, words in BANDS:
        chosen = numpy.array([limits is None or limits[0] <= size <= limits[1] for size in sizes])
        write_band(name, limits, words, scripts, counts, tokens[chosen], held_out)


main()
