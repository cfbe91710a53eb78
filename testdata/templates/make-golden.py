#!/usr/bin/env python3
"""Writes chat.jsonl and expressions.jsonl beside this file: what Jinja2 makes of the templates here, in the environment that
transformers sets up for chat templates.  Made with Jinja2 3.1.6; run it again when cases are added.  No test needs it."""
import datetime
import json
import pathlib

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 3, 7, 14, 5, 9)


class Generation(Extension):
    """transformers marks the assistant's part with this tag; rendering is not changed by it."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = NOW.strftime


def outcome(template, variables):
    try:
        return {"rendered": env.from_string(template).render(**{"tools": None, "documents": None, **variables})}
    except Exception as e:  # whatever Python throws, the interpreter under test must refuse, too
        return {"error": type(e).__name__ + ": " + str(e)}


SYSTEM = {"role": "system", "content": "  You answer in one word.\n"}
USER = {"role": "user", "content": "What is the capital of France? "}
ASSISTANT = {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\nParis"}
USER2 = {"role": "user", "content": "And of Österreich? \U0001f600\nSecond line\n\n  third <|eot_id|>"}
CALL = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"city": "Wien", "days": 3, "metric": True, "x": 0.5}}}]}
CALL_TEXT = {**CALL, "content": ""}
RESULT = {"role": "tool", "content": '{"temp": 21.5}', "tool_call_id": "abcdefghi"}
TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "Tells the weather.\nUse \"city\".",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "Ein Ort, z. B. Köln"}, "days": {"type": "integer"},
        "kinds": {"type": "array", "items": {"type": "string", "enum": ["rain", "sun"]}}, "nothing": {}}}}}]
CONVERSATIONS = {
    "one": [USER],
    "system": [SYSTEM, USER],
    "turns": [USER, ASSISTANT, USER2],
    "system and turns": [SYSTEM, USER, ASSISTANT, USER2],
    "answered": [USER, ASSISTANT],
    "not alternating": [USER, USER2],
    "tool": [USER, CALL, RESULT, ASSISTANT, USER2],
    "tool, empty text": [SYSTEM, USER, CALL_TEXT, RESULT],
    "unknown role": [USER, {"role": "pirate", "content": "Arr"}, {"role": "stop", "content": "now"}, USER],
    "skip": [USER, {"role": "skip", "content": "this"}, {"role": "user", "content": ""}, USER2],
    "parts": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " look "}]}],
    "nothing": [],
}

with open(HERE / "chat.jsonl", "w") as out:
    for file in sorted(HERE.glob("*.jinja")):
        for name, messages in CONVERSATIONS.items():
            for prompt in (True, False):
                for tools in (None, TOOLS):
                    variables = {"messages": messages, "add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>", "tools": tools}
                    if name == "one" and prompt and not tools:
                        variables["enable_thinking"] = False
                    case = {"template": file.name, "case": name, "variables": variables}
                    out.write(json.dumps({**case, **outcome(file.read_text(), variables)}) + "\n")

VARIABLES = {"s": "Hello, World", "t": "  padded \n", "empty": "", "n": 7, "z": 0, "neg": -3, "f": 2.5, "big": 1e20, "small": 1e-7, "none": None,
             "yes": True, "no": False, "xs": [3, 1, 2], "words": ["pear", "Apple", "fig", "apple"], "d": {"b": 2, "a": 1, "C": 3}, "nested": {"k": {"l": [10, 20]}},
             "objs": [{"n": "x", "v": 2, "ok": True}, {"n": "Y", "v": 1, "ok": False}, {"n": "z", "v": 3, "ok": True, "o": {"p": 5}}],
             "uni": "äöü ß \U0001f600 日本", "lines": "one\ntwo\n\nthree", "quote": "it's \"so\"", "items": "shadow"}
EXPRESSIONS = (HERE / "expressions.txt").read_text().split("\n%%\n")
with open(HERE / "expressions.jsonl", "w") as out:
    out.write(json.dumps({"variables": VARIABLES}) + "\n")
    for template in EXPRESSIONS:
        out.write(json.dumps({"template": template, **outcome(template, VARIABLES)}) + "\n")
