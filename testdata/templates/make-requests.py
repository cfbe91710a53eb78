#!/usr/bin/env python3
"""Writes requests.jsonl beside this file: what apply_chat_template of transformers gives for requests as clients send them,
with the templates that Tern brings and with those here.  Made with transformers 5.18 and Jinja2 3.1.6; run it again when
cases are added.  No test needs it."""
import datetime
import json
import pathlib

import transformers.utils.chat_template_utils as chat

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BUILT_IN = ROOT / "java/core/src/main/resources/dev/tern/template"
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


class Now(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 3, 7, 14, 5, 9)


chat.datetime = Now

SYSTEM = {"role": "system", "content": " Be brief. "}
USER = {"role": "user", "content": "Weather in Köln \U0001f600?"}
THOUGHT = {"role": "assistant", "reasoning_content": "Simple.\n", "content": "Sunny.  "}
ARGUMENTS = {"city": "Köln", "z": 1, "a": [1.5, 1e20, 12345678901234567890, None, True], "deep": {"b": {}, "a": "\"q\" </x> é"}}


def calls(*arguments, content=""):
    return {"role": "assistant", "content": content, "tool_calls": [
        {"id": "call%05d" % i, "type": "function", "function": {"name": "weather", "arguments": a}} for i, a in enumerate(arguments)]}


def result(i, text="21 °C"):
    return {"role": "tool", "tool_call_id": "call%05d" % i, "name": "weather", "content": text}


TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "It's \"the\" weather\n<now>.", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}, "a": {"type": "array"}}, "required": ["city"]}}},
    {"type": "function", "function": {"parameters": {}, "name": "time", "description": ""}}]

REQUESTS = {
    "plain": {"messages": [USER]},
    "no prompt": {"messages": [SYSTEM, USER, {"role": "assistant", "content": "So."}], "add_generation_prompt": False},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}]},
    "extra fields": {"messages": [{"role": "user", "name": "Eve", "content": "x", "mood": ["good"]}]},
    "tools": {"messages": [SYSTEM, USER], "tools": TOOLS},
    "call, object": {"messages": [USER, calls(ARGUMENTS), result(0)], "tools": TOOLS},
    "call, string": {"messages": [USER, calls(json.dumps(ARGUMENTS)), result(0)], "tools": TOOLS},
    "call, null": {"messages": [USER, calls({}, content=None), result(0), {"role": "assistant", "content": "Warm."}, USER], "tools": TOOLS},
    "two calls": {"messages": [USER, calls({"city": "Bonn"}, {"city": "Köln"}, content="I look."), result(0), result(1, "{\"t\": 20}")], "tools": TOOLS},
    "reasoning": {"messages": [SYSTEM, USER, THOUGHT, USER, THOUGHT], "add_generation_prompt": False},
    "thinking off": {"messages": [USER], "chat_template_kwargs": {"enable_thinking": False}},
    "thinking on": {"messages": [USER], "chat_template_kwargs": {"enable_thinking": True}},
    "kwargs": {"messages": [USER], "chat_template_kwargs": {"bos_token": "[B]", "date_string": "today", "custom": {"a": [1]}}},
    "continued": {"messages": [SYSTEM, USER, {"role": "assistant", "content": "It is"}], "continue_final_message": True},
    "continued, space": {"messages": [USER, {"role": "assistant", "content": "It is  "}], "continue_final_message": True},
    "continued, parts": {"messages": [USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
                         "continue_final_message": True},
    "continued, reasoning": {"messages": [USER, {"role": "assistant", "content": "", "reasoning_content": "Hm"}], "continue_final_message": "reasoning_content"},
    "continued, nothing": {"messages": [USER, {"role": "assistant", "content": None}], "continue_final_message": True},
    "documents": {"messages": [USER], "documents": [{"title": "T", "text": "ü"}]},
}

NASTY = {
    "documents": "{% for d in documents %}{{ d.title }}|{{ d | tojson }}{% endfor %}{{ documents is none }}",
    "json": "{{ tools | tojson(indent=2) }}{{ messages | tojson }}{{ messages }}{{ messages[-1].tool_calls }}",
    "fields": "{% for m in messages %}{% for k, v in m.items() %}{{ k }}={{ v }};{% endfor %}{{ m.name is defined }}{{ m.content is none }}{% endfor %}",
    "kwargs": "{{ enable_thinking is defined }}{{ enable_thinking }}{{ custom | tojson if custom is defined }}{{ bos_token }}",
    "generation": "{% for m in messages %}{{ m.role }}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "types": "{% for m in messages %}{{ m.content is string }}{{ m.content is mapping }}{{ m.content is iterable }}{{ m.content is sequence }}{% endfor %}",
}


def outcome(template, request):
    try:
        rendered, _ = chat.render_jinja_template(
            conversations=[request["messages"]], tools=request.get("tools"), documents=request.get("documents"), chat_template=template,
            continue_final_message=request.get("continue_final_message", False),
            add_generation_prompt=request.get("add_generation_prompt", not request.get("continue_final_message", False)),
            **{**SPECIAL, **request.get("chat_template_kwargs", {})})
        return {"rendered": rendered[0]}
    except Exception as e:  # whatever Python throws, the interpreter under test must refuse, too
        return {"error": type(e).__name__ + ": " + str(e)[:200]}


templates = {"built-in:" + file.stem: file.read_text() for file in sorted(BUILT_IN.glob("*.jinja"))}
templates |= {file.name: file.read_text() for file in (HERE / name for name in ("llama3.jinja", "mistral.jinja", "qwen3.jinja", "falcon3.jinja"))}
with open(HERE / "requests.jsonl", "w") as out:
    out.write(json.dumps({"requests": REQUESTS, "special": SPECIAL}, ensure_ascii=False) + "\n")
    for name, source in templates.items():
        for case, request in REQUESTS.items():
            out.write(json.dumps({"template": name, "case": case, **outcome(source, request)}, ensure_ascii=False) + "\n")
    for name, source in NASTY.items():
        for case, request in REQUESTS.items():
            out.write(json.dumps({"source": source, "case": case, **outcome(source, request)}, ensure_ascii=False) + "\n")
