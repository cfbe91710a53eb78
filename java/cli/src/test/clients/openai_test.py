"""OpenAI's Python client against tern serve; the environment is that of openai.test.mjs. Run by OpenAiClientsTest."""

import asyncio
import enum
import json
import math
import os
import time
import unittest
import urllib.request
from array import array

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field

KEY = os.environ["TERN_KEY"]
URL = os.environ["TERN_URL"]
with open(os.environ["TERN_FABLES"], encoding="utf-8") as file:
    FABLES = json.load(file)["fables"]
FABLE = FABLES[1]
GREEDY = {"model": "tiny", "messages": FABLE["prompt"]["messages"], "temperature": 0}


class City(str, enum.Enum):
    ULM = "Ulm"
    ROME = "Rome"


class Weather(BaseModel):
    """The weather of days to come."""

    city: City
    days: int = Field(ge=1, le=9)


ASKING = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "How will it be?"}],
    "tools": [openai.pydantic_function_tool(Weather)],
    "seed": 1,
    "parallel_tool_calls": False,
    "max_completion_tokens": 300,
}


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
        self.tools = OpenAI(base_url=os.environ["TERN_TOOLS_URL"] + "/v1", api_key=KEY, max_retries=0)
        self.addCleanup(self.client.close)
        self.addCleanup(self.tools.close)

    def test_models(self):
        self.assertEqual([one.id for one in self.client.models.list()], ["tiny"])
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("gpt-4o")

    def test_chat(self):
        answer = self.client.chat.completions.create(**GREEDY)
        self.assertEqual(answer.choices[0].message.content, FABLE["greedy_text"])
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.prompt_tokens, len(FABLE["ids"]))

    def test_stream(self):
        chunks = list(
            self.client.chat.completions.create(**GREEDY, stream=True, stream_options={"include_usage": True}))
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        self.assertEqual(text, FABLE["greedy_text"])
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.prompt_tokens, len(FABLE["ids"]))
        with self.client.chat.completions.stream(**GREEDY) as stream:
            text = "".join(event.delta for event in stream if event.type == "content.delta")
            self.assertEqual(stream.get_final_completion().choices[0].message.content, text)
        self.assertEqual(text, FABLE["greedy_text"])

    def test_logprobs_and_n(self):
        answer = self.client.chat.completions.create(
            **{**GREEDY, "messages": [{"role": "user", "content": "What is the moon?"}], "temperature": 1.5},
            seed=3, n=3, max_tokens=6, logprobs=True, top_logprobs=2)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])
        for choice in answer.choices:
            text = b"".join(bytes(token.bytes) for token in choice.logprobs.content)
            self.assertEqual(text.decode(), choice.message.content)
            self.assertTrue(all(len(token.top_logprobs) == 2 for token in choice.logprobs.content))

    def test_tools(self):
        answer = self.tools.chat.completions.create(**ASKING, tool_choice="required")
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        named = {"type": "function", "function": {"name": "Weather"}}
        parsed = self.tools.chat.completions.parse(**ASKING, tool_choice=named)
        self.assertIsInstance(parsed.choices[0].message.tool_calls[0].function.parsed_arguments, Weather)
        with self.tools.chat.completions.stream(**ASKING, tool_choice=named) as stream:
            pieces = [event for event in stream if event.type == "tool_calls.function.arguments.delta"]
            message = stream.get_final_completion().choices[0].message
        self.assertGreater(len(pieces), 2)
        self.assertIsInstance(message.tool_calls[0].function.parsed_arguments, Weather)

    def test_schema(self):
        for seed in (1, 2):
            answer = self.client.chat.completions.parse(
                **{**GREEDY, "temperature": 1.2}, seed=seed, response_format=Weather)
            self.assertEqual(answer.choices[0].finish_reason, "stop")
            self.assertIsInstance(answer.choices[0].message.parsed, Weather)

    def test_embeddings(self):
        texts = ["A fox", "The lion and the mouse"]
        packed = self.client.embeddings.create(model="tiny", input=texts)
        plain = self.client.embeddings.create(model="tiny", input=texts, encoding_format="float")
        for one, other in zip(packed.data, plain.data, strict=True):
            self.assertEqual(len(one.embedding), 512)
            self.assertEqual(array("f", one.embedding), array("f", other.embedding))
            self.assertAlmostEqual(math.hypot(*one.embedding), 1, places=5)

    def test_completions_and_responses(self):
        answer = self.client.completions.create(
            model="tiny", prompt=FABLE["prompt"]["text"], temperature=0, max_tokens=200)
        self.assertEqual(answer.choices[0].text, FABLE["greedy_text"])
        answer = self.client.responses.create(
            model="tiny", input=FABLE["prompt"]["messages"][0]["content"], temperature=0)
        self.assertEqual(answer.output_text, FABLE["greedy_text"])

    def test_responses_that_are_cut_off(self):
        question = FABLE["prompt"]["messages"][0]["content"]
        with self.client.responses.stream(
                model="tiny", input=question, temperature=0, max_output_tokens=16) as stream:
            events = list(stream)
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertTrue(FABLE["greedy_text"].startswith(text) and text)
        self.assertEqual(events[-1].type, "response.incomplete")
        last = events[-1].response
        self.assertEqual(last.status, "incomplete")
        self.assertEqual(last.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(last.output_text, text)
        self.assertEqual(last.usage.output_tokens, 16)

    def test_errors(self):
        with OpenAI(base_url=URL + "/v1", api_key="wrong", max_retries=0) as stranger:
            with self.assertRaises(openai.AuthenticationError):
                stranger.chat.completions.create(**GREEDY)
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.chat.completions.create(**{**GREEDY, "temperature": "hot"})
        self.assertEqual(raised.exception.param, "temperature")
        self.assertTrue(raised.exception.request_id)
        long = {**GREEDY, "messages": [{"role": "user", "content": "A fox and a lion. " * 2000}]}
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.chat.completions.create(**long)
        self.assertEqual(raised.exception.type, "exceed_context_size_error")
        self.assertEqual(raised.exception.body["n_ctx"], 512)

    def test_leaving(self):
        stream = self.client.chat.completions.create(
            **{**GREEDY, "temperature": 1.5}, seed=1, stream=True, extra_body={"ignore_eos": True})
        next(iter(stream))
        stream.close()
        request = urllib.request.Request(URL + "/slots", headers={"Authorization": "Bearer " + KEY})
        busy = True
        while busy:
            with urllib.request.urlopen(request) as response:
                busy = any(slot["is_processing"] for slot in json.load(response))
            time.sleep(0.01)

    def test_many_at_once(self):
        async def ask():
            async with AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0) as client:
                return await asyncio.gather(*(
                    client.chat.completions.create(model="tiny", messages=fable["prompt"]["messages"], temperature=0)
                    for fable in FABLES[:8]))

        for answer, fable in zip(asyncio.run(ask()), FABLES, strict=False):
            self.assertEqual(answer.choices[0].message.content, fable["greedy_text"])


if __name__ == "__main__":
    unittest.main()
