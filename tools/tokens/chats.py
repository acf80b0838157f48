#!/usr/bin/env python3
"""Renders conversations by the chat templates of publishers: the vectors that data/chat is held to.

usage: chats.py FOLDER > tests/tokens/chats.jsonl

FOLDER holds a file NAME.json for each format: {"chat": record of data/chat, "template": the Jinja template, "bos", "eos": what its
bos_token and eos_token are, "source": where it was found}. The templates themselves are not kept here: their licences differ.
They are rendered as Hugging Face transformers does it (trim_blocks, lstrip_blocks, raise_exception, strftime_now). Needs jinja2.
"""
import glob
import json
import os
import sys

import jinja2
import jinja2.sandbox

SYSTEM = {"role": "system", "content": "You answer briefly.\nAnd politely."}
QUESTION = {"role": "user", "content": "Hello! 上海今天天气怎么样?"}
ANSWER = {"role": "assistant", "content": "Sunny, 25 °C."}
SPACED_QUESTION = {"role": "user", "content": "  \u00a0And in\tKyoto? \n\n"}
SPACED_ANSWER = {"role": "assistant", "content": "\n I do not know.  "}
THOUGHT = {"role": "assistant", "content": "<think>\nIt is a city.\n</think>\n\nNeither do I."}

CONVERSATIONS = [
    [QUESTION],
    [SYSTEM, QUESTION],
    [QUESTION, ANSWER, SPACED_QUESTION],
    [SYSTEM, QUESTION, ANSWER, SPACED_QUESTION, SPACED_ANSWER, QUESTION],
    [SYSTEM, SPACED_QUESTION],
    [QUESTION, THOUGHT, QUESTION],
]


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    made.filters["tojson"] = lambda value, **kinds: json.dumps(value, ensure_ascii=False, **kinds)
    made.globals["raise_exception"] = refuse
    return made


def date_of(chat):
    """The day that the record names: any other has as many tokens."""
    return {"llama-3.1": "26 Jul 2024", "harmony": "2025-08-05"}.get(chat, "")


def render(made, row, messages):
    """None where the template refuses the conversation."""
    template = made.from_string(row["template"])
    try:
        return template.render(messages=messages, bos_token=row["bos"], eos_token=row["eos"], add_generation_prompt=True,
                               strftime_now=lambda form: date_of(row["chat"]))
    except jinja2.exceptions.TemplateError:
        return None


def main():
    made = environment()
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
        with open(path, encoding="utf-8") as text:
            row = json.load(text)
        for messages in CONVERSATIONS:
            rendered = render(made, row, messages)
            vector = {"chat": row["chat"], "source": row["source"], "messages": messages, "text": rendered}
            print(json.dumps(vector, ensure_ascii=False))


if len(sys.argv) != 2:
    sys.exit(__doc__)
main()
