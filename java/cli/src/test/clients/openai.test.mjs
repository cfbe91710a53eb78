// OpenAI's JavaScript client against tern serve. TERN_URL is a server of the trained model with its own template,
// TERN_TOOLS_URL one whose template knows tools; both ask for TERN_KEY. TERN_FABLES is golden/fables.json. Run by
// OpenAiClientsTest.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const { TERN_URL, TERN_TOOLS_URL, TERN_KEY, TERN_FABLES } = process.env;
const fables = JSON.parse(readFileSync(TERN_FABLES, "utf8")).fables;
const client = new OpenAI({ baseURL: `${TERN_URL}/v1`, apiKey: TERN_KEY, maxRetries: 0 });
const tools = new OpenAI({ baseURL: `${TERN_TOOLS_URL}/v1`, apiKey: TERN_KEY, maxRetries: 0 });

const model = "tiny";
const fable = fables[0];
const messages = fable.prompt.messages;
const greedy = { model, messages, temperature: 0 };
const wild = {
  model, messages: [{ role: "user", content: "What is the moon?" }], temperature: 1.5, seed: 7,
  max_completion_tokens: 12,
};

const collected = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const content = (chunks, index = 0) =>
  chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index)
    .map((choice) => choice.delta.content ?? "").join("");
const busySlots = async (server) => {
  const response = await fetch(`${server}/slots`, { headers: { Authorization: `Bearer ${TERN_KEY}` } });
  return (await response.json()).filter((slot) => slot.is_processing).length;
};
const untilIdle = async (server) => {
  for (let i = 0; i < 1000; i++) {
    if ((await busySlots(server)) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("a slot is still busy");
};

test("models are listed and retrieved", async () => {
  const ids = [];
  for await (const one of client.models.list()) ids.push(one.id);
  assert.deepEqual(ids, [model]);
  const one = await client.models.retrieve(model);
  assert.equal(one.object, "model");
  await assert.rejects(client.models.retrieve("gpt-4o"), OpenAI.NotFoundError);
});

test("a chat answers with what the model has learnt", async () => {
  const answer = await client.chat.completions.create(greedy);
  const [choice] = answer.choices;
  assert.equal(choice.message.role, "assistant");
  assert.equal(choice.message.content, fable.greedy_text);
  assert.equal(choice.finish_reason, "stop");
  assert.equal(answer.usage.prompt_tokens, fable.ids.length);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.match(answer.id, /^chatcmpl-/);
  assert.ok(answer._request_id, "the request's id comes in a header");
});

test("a chat is streamed, and ends with its usage", async () => {
  const chunks = await collected(
    await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  assert.equal(content(chunks), fable.greedy_text);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.prompt_tokens, fable.ids.length);
  const ends = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.finish_reason);
  assert.deepEqual(ends.map((choice) => choice.finish_reason), ["stop"]);
  assert.ok(chunks.every((chunk) => chunk.object === "chat.completion.chunk" && chunk.id === chunks[0].id));
  const without = await collected(await client.chat.completions.create({ ...greedy, max_tokens: 3, stream: true }));
  assert.ok(without.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
});

test("the client's own reader of streams follows it", async () => {
  const stream = client.chat.completions.stream(greedy);
  const seen = [];
  stream.on("content", (delta) => seen.push(delta));
  assert.equal(await stream.finalContent(), fable.greedy_text);
  assert.equal(seen.join(""), fable.greedy_text);
  const whole = await stream.finalChatCompletion();
  assert.equal(whole.choices[0].finish_reason, "stop");
});

test("answers end where they are told to", async () => {
  const short = await client.chat.completions.create({ ...greedy, max_completion_tokens: 5 });
  assert.equal(short.choices[0].finish_reason, "length");
  assert.equal(short.usage.completion_tokens, 5);
  const stop = fable.greedy_text.slice(30, 36);
  const stopped = await client.chat.completions.create({ ...greedy, stop: [stop] });
  assert.equal(stopped.choices[0].finish_reason, "stop");
  assert.equal(stopped.choices[0].message.content, fable.greedy_text.slice(0, fable.greedy_text.indexOf(stop)));
});

test("several answers at once, whole and streamed, are the same", async () => {
  const whole = await client.chat.completions.create({ ...wild, n: 3 });
  assert.deepEqual(whole.choices.map((choice) => choice.index), [0, 1, 2]);
  const texts = whole.choices.map((choice) => choice.message.content);
  assert.equal(new Set(texts).size, 3);
  const chunks = await collected(await client.chat.completions.create({ ...wild, n: 3, stream: true }));
  assert.deepEqual([0, 1, 2].map((index) => content(chunks, index)), texts);
  const other = await client.chat.completions.create({ ...wild, seed: 8 });
  assert.equal(other.choices[0].message.content, texts[1], "each has the seed after the last one's");
});

test("likelihoods come with the tokens", async () => {
  const answer = await client.chat.completions.create({ ...greedy, max_tokens: 6, logprobs: true, top_logprobs: 4 });
  const tokens = answer.choices[0].logprobs.content;
  assert.equal(tokens.length, 6);
  for (const token of tokens) {
    assert.equal(token.top_logprobs.length, 4);
    assert.equal(token.top_logprobs[0].token, token.token, "greedy takes the likeliest");
    assert.ok(token.logprob <= 0 && token.logprob === token.top_logprobs[0].logprob);
  }
  assert.equal(Buffer.from(tokens.flatMap((token) => token.bytes)).toString(), answer.choices[0].message.content);
});

const Weather = z.object({ city: z.enum(["Ulm", "Rome"]), days: z.number().int().min(1).max(9) });
const weather = zodFunction({ name: "weather", description: "The weather of days to come", parameters: Weather });
const clock = zodFunction({ name: "clock", parameters: z.object({ zone: z.enum(["UTC", "CET"]) }) });
const asking = {
  model, messages: [{ role: "user", content: "How will it be?" }], tools: [weather, clock], seed: 1,
  parallel_tool_calls: false, max_completion_tokens: 300,
};
const named = { type: "function", function: { name: "weather" } };

test("a tool that must be called is called", async () => {
  const any = await tools.chat.completions.create({ ...asking, tool_choice: "required" });
  assert.equal(any.choices[0].finish_reason, "tool_calls");
  assert.equal(any.choices[0].message.tool_calls.length, 1);
  assert.ok(["weather", "clock"].includes(any.choices[0].message.tool_calls[0].function.name));
  const parsed = await tools.chat.completions.parse({ ...asking, tool_choice: named });
  const [call] = parsed.choices[0].message.tool_calls;
  assert.equal(call.type, "function");
  assert.equal(call.function.name, "weather");
  assert.deepEqual(Weather.parse(JSON.parse(call.function.arguments)), call.function.parsed_arguments);
  const next = await tools.chat.completions.create({
    ...asking, tool_choice: "none",
    messages: [
      ...asking.messages, parsed.choices[0].message, { role: "tool", tool_call_id: call.id, content: "Rain." },
    ],
  });
  assert.equal(next.choices[0].message.tool_calls, undefined);
});

test("a call of a tool is streamed", async () => {
  const chunks = await collected(
    await tools.chat.completions.create({ ...asking, tool_choice: named, stream: true }));
  const parts = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  assert.equal(parts[0].function.name, "weather");
  assert.ok(parts[0].id && parts.length > 2, "its arguments come in pieces");
  Weather.parse(JSON.parse(parts.map((part) => part.function.arguments ?? "").join("")));
  assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
  const stream = tools.chat.completions.stream({ ...asking, tool_choice: named });
  const whole = await stream.finalChatCompletion();
  Weather.parse(whole.choices[0].message.tool_calls[0].function.parsed_arguments);
});

test("the client runs a tool and brings back what it said", async () => {
  const asked = [];
  const runner = tools.chat.completions.runTools({
    ...asking, tool_choice: named,
    tools: [{ type: "function", function: {
      name: "weather", parse: JSON.parse, parameters: weather.function.parameters,
      function: (query) => { asked.push(Weather.parse(query)); return "Rain."; },
    } }],
  });
  assert.equal(await runner.finalFunctionToolCallResult(), "Rain.");
  assert.equal(asked.length, 1);
});

const Animal = z.object({
  animal: z.enum(["fox", "lion"]),
  age: z.number().int().min(0).max(99),
  friends: z.array(z.enum(["crow", "ass"])).max(2),
});

test("an answer follows a schema, and the client parses it", async () => {
  for (const seed of [1, 2, 3]) {
    const answer = await client.chat.completions.parse({
      model, messages, seed, temperature: 1.2, response_format: zodResponseFormat(Animal, "animal"),
    });
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.deepEqual(Animal.parse(JSON.parse(answer.choices[0].message.content)), answer.choices[0].message.parsed);
  }
  const stream = client.chat.completions.stream({
    model, messages, seed: 4, response_format: zodResponseFormat(Animal, "animal"),
  });
  Animal.parse((await stream.finalChatCompletion()).choices[0].message.parsed);
});

test("an answer is JSON where that is wanted", async () => {
  for (let seed = 0; seed < 4; seed++) {
    const answer = await client.chat.completions.create({
      model, messages, seed, temperature: 1.5, response_format: { type: "json_object" },
    });
    const [choice] = answer.choices;
    if (choice.finish_reason === "stop") assert.equal(typeof JSON.parse(choice.message.content), "object");
    else assert.match(choice.message.content, /^\{/);
  }
});

test("embeddings are the same in both encodings", async () => {
  const input = ["A fox", "The lion and the mouse"];
  const packed = await client.embeddings.create({ model, input }); // the client asks for base64 by itself
  const plain = await client.embeddings.create({ model, input, encoding_format: "float" });
  assert.deepEqual(packed.data.map((one) => one.index), [0, 1]);
  assert.equal(packed.data[0].embedding.length, 512);
  for (const i of [0, 1]) {
    assert.deepEqual(packed.data[i].embedding.map(Math.fround), plain.data[i].embedding.map(Math.fround));
    const length = Math.hypot(...plain.data[i].embedding);
    assert.ok(Math.abs(length - 1) < 1e-5, `length ${length}`);
  }
  assert.ok(packed.usage.prompt_tokens > 4 && packed.usage.total_tokens === packed.usage.prompt_tokens);
});

test("plain completions: texts, token ids, many prompts, echo, likelihoods, streams", async () => {
  const text = await client.completions.create({ model, prompt: fable.prompt.text, temperature: 0, max_tokens: 200 });
  assert.equal(text.choices[0].text, fable.greedy_text);
  assert.equal(text.choices[0].finish_reason, "stop");
  const ids = await client.completions.create({ model, prompt: fable.ids, temperature: 0, max_tokens: 200 });
  assert.equal(ids.choices[0].text, fable.greedy_text);
  const many = await client.completions.create({
    model, prompt: fables.slice(0, 3).map((one) => one.prompt.text), temperature: 0, max_tokens: 4, logprobs: 2,
  });
  assert.deepEqual(many.choices.map((choice) => choice.index), [0, 1, 2]);
  many.choices.forEach((choice, i) => {
    assert.ok(fables[i].greedy_text.startsWith(choice.text));
    assert.equal(choice.logprobs.tokens.join(""), choice.text);
    assert.equal(choice.logprobs.token_logprobs.length, choice.logprobs.tokens.length);
  });
  const echo = await client.completions.create({ model, prompt: "A fox", temperature: 0, max_tokens: 2, echo: true });
  assert.ok(echo.choices[0].text.includes("A fox"));
  const chunks = await collected(await client.completions.create({
    model, prompt: fable.prompt.text, temperature: 0, max_tokens: 200, stream: true,
  }));
  assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), fable.greedy_text);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("responses, whole and streamed", async () => {
  const answer = await client.responses.create({ model, input: messages[0].content, temperature: 0 });
  assert.equal(answer.status, "completed");
  assert.equal(answer.output_text, fable.greedy_text);
  const stream = client.responses.stream({ model, input: messages[0].content, temperature: 0 });
  const deltas = [];
  stream.on("response.output_text.delta", (event) => deltas.push(event.delta));
  assert.equal((await stream.finalResponse()).output_text, fable.greedy_text);
  assert.equal(deltas.join(""), fable.greedy_text);
});

test("errors are the client's own classes", async () => {
  const stranger = new OpenAI({ baseURL: `${TERN_URL}/v1`, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create(greedy), (e) =>
    e instanceof OpenAI.AuthenticationError && e.status === 401 && e.type === "authentication_error");
  await assert.rejects(client.chat.completions.create({ ...greedy, temperature: "hot" }), (e) =>
    e instanceof OpenAI.BadRequestError && e.param === "temperature" && e.type === "invalid_request_error"
      && e.message.includes("temperature") && Boolean(e.requestID));
  await assert.rejects(client.chat.completions.create({ ...greedy, messages: [] }), OpenAI.BadRequestError);
  const long = [{ role: "user", content: "A fox and a lion. ".repeat(2000) }];
  for (const stream of [false, true]) {
    await assert.rejects(client.chat.completions.create({ ...greedy, messages: long, stream }), (e) =>
      e instanceof OpenAI.BadRequestError && e.type === "exceed_context_size_error" && e.error.n_ctx > 0
        && e.error.n_prompt_tokens > e.error.n_ctx);
  }
  const schema = { type: "json_schema", json_schema: { name: "no", schema: { type: "object", not: {} } } };
  await assert.rejects(
    client.chat.completions.create({ ...greedy, response_format: schema }), OpenAI.BadRequestError);
  await assert.rejects(client.get("/nothing"), OpenAI.NotFoundError);
  await assert.rejects(client.images.generate({ prompt: "a fox" }), (e) =>
    e instanceof OpenAI.APIError && e.status === 501 && e.type === "not_supported_error");
  const nobody = new OpenAI({ baseURL: "http://127.0.0.1:1/v1", apiKey: "none", maxRetries: 0 });
  await assert.rejects(nobody.models.list(), OpenAI.APIConnectionError);
});

test("who goes away frees the slot", async () => {
  const endless = { ...wild, max_completion_tokens: undefined, ignore_eos: true };
  const stream = await client.chat.completions.create({ ...endless, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) {
      stream.controller.abort();
      break;
    }
  }
  await untilIdle(TERN_URL);
  const abort = new AbortController();
  const whole = client.chat.completions.create({ ...endless, n: 4 }, { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(whole, OpenAI.APIUserAbortError);
  await untilIdle(TERN_URL);
});

test("many at once get what each gets alone", async () => {
  const answers = await Promise.all(fables.slice(0, 12).map((one) =>
    client.chat.completions.create({ model, messages: one.prompt.messages, temperature: 0 })));
  answers.forEach((answer, i) => assert.equal(answer.choices[0].message.content, fables[i].greedy_text));
});
