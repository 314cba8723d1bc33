// OpenAI's SDK.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { abortsAndRetries, collect, endlessTokens, fails, key, outlivesTheWorker, Person, question, run, url, watched, Weather } from './common.mjs';

const { statuses, fetch } = watched();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, fetch });
const messages = [{ role: 'user', content: question }];
const greedy = { model: 'chat', messages, max_tokens: 20, temperature: 0 };
const random = { model: 'chat', messages, max_tokens: 200, seed: 1 };
const weather = zodFunction({ name: 'get_weather', description: 'The weather', parameters: Weather });
const endless = { model: 'endless', messages, max_tokens: endlessTokens, stream: true };
const short = { model: 'endless', messages, max_tokens: 3 };
let story;

await run({
  async models() {
    const ids = await collect(await client.models.list(), (model) => model.id);
    assert.deepEqual(ids.sort(), ['bert', 'chat', 'endless']);
    const model = await client.models.retrieve('chat');
    assert.equal(model.object, 'model');
    assert.ok(model.created > 1.6e9);
  },
  async chat() {
    const { data, response } = await client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 2 }).withResponse();
    const [choice] = data.choices;
    story = choice.message.content;
    assert.ok(story.length > 10 && choice.message.role === 'assistant' && choice.finish_reason === 'length');
    assert.equal(choice.logprobs.content.length, 20);
    assert.equal(choice.logprobs.content[0].top_logprobs.length, 2);
    assert.equal(data.usage.completion_tokens, 20);
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + 20);
    assert.ok(data.id.startsWith('chatcmpl-') && data.object === 'chat.completion');
    assert.ok(response.headers.get('x-request-id') && data._request_id);
    const two = await client.chat.completions.create({ ...random, n: 2, max_tokens: 5 });
    assert.deepEqual(two.choices.map((choice) => choice.index), [0, 1]);
    const parts = await client.chat.completions.create({ ...greedy, messages: [{ role: 'user', content: [{ type: 'text', text: question }] }] });
    assert.ok(parts.choices[0].message.content);
  },
  async streaming() {
    const chunks = await collect(await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } }));
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), story);
    assert.equal(chunks.at(-1).usage.completion_tokens, 20);
    assert.equal(chunks.at(-2).choices[0].finish_reason, 'length');
    assert.ok(chunks.length > 10, `${chunks.length} chunks`);
    const deltas = [];
    const stream = client.chat.completions.stream(greedy).on('content', (delta) => deltas.push(delta));
    assert.equal(await stream.finalContent(), story);
    assert.equal(deltas.join(''), story);
  },
  async tools() {
    const whole = await client.chat.completions.parse({ ...random, tools: [weather], tool_choice: 'required' });
    const [call] = whole.choices[0].message.tool_calls;
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    assert.equal(call.function.name, 'get_weather');
    Weather.parse(call.function.parsed_arguments);
    const history = [...messages, whole.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'rain' }];
    const after = await client.chat.completions.create({ ...greedy, messages: history, tools: [weather], tool_choice: 'none' });
    assert.equal(after.choices[0].message.tool_calls, undefined);
  },
  async streamedTools() {
    const choice = { type: 'function', function: { name: 'get_weather' } };
    const chunks = await collect(await client.chat.completions.create({ ...random, tools: [weather], tool_choice: choice, stream: true }));
    const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert.ok(pieces.length > 2 && pieces.every((piece) => piece.index === 0));
    assert.ok(pieces[0].id && pieces.slice(1).every((piece) => piece.id === undefined));
    Weather.parse(JSON.parse(pieces.map((piece) => piece.function.arguments ?? '').join('')));
    const stream = client.chat.completions.stream({ ...random, tools: [weather], tool_choice: 'required' });
    const done = [];
    stream.on('tool_calls.function.arguments.done', (call) => done.push(call));
    const final = await stream.finalChatCompletion();
    assert.equal(done.length, 1);
    Weather.parse(final.choices[0].message.tool_calls[0].function.parsed_arguments);
  },
  async runsTools() {
    const asked = [];
    const tool = zodFunction({ name: 'get_weather', parameters: Weather, function: ({ city }) => asked.push(city) && `rain in ${city}` });
    const choice = { type: 'function', function: { name: 'get_weather' } };
    const runner = client.chat.completions.runTools({ ...random, tools: [tool], tool_choice: choice, stream: true });
    await runner.done();
    assert.ok(['Paris', 'Rome'].includes(asked[0]));
    assert.equal(runner.messages.at(-1).role, 'tool');
  },
  async structured() {
    const format = zodResponseFormat(Person, 'person');
    const whole = await client.chat.completions.parse({ ...random, response_format: format });
    Person.parse(whole.choices[0].message.parsed);
    const stream = client.chat.completions.stream({ ...random, seed: 2, response_format: format });
    Person.parse((await stream.finalChatCompletion()).choices[0].message.parsed);
    const any = await client.chat.completions.create({ ...random, max_tokens: 300, response_format: { type: 'json_object' }, stop: [] });
    if (any.choices[0].finish_reason === 'stop') {
      JSON.parse(any.choices[0].message.content);
    }
  },
  async responses() {
    const asked = { model: 'chat', input: question, max_output_tokens: 20, temperature: 0 };
    const whole = await client.responses.create(asked);
    assert.equal(whole.output_text, story);
    assert.equal(whole.status, 'incomplete');
    assert.equal(whole.incomplete_details.reason, 'max_output_tokens');
    assert.equal(whole.usage.output_tokens, 20);
    const events = await collect(await client.responses.create({ ...asked, stream: true }));
    assert.equal(events[0].type, 'response.created');
    assert.equal(events.at(-1).type, 'response.incomplete');
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, i) => i));
    assert.equal((await client.responses.stream(asked).finalResponse()).output_text, story);
    const next = await client.responses.create({ ...asked, input: 'More', previous_response_id: whole.id });
    assert.equal(next.previous_response_id, whole.id);
    assert.ok(next.usage.input_tokens > whole.usage.input_tokens);
    assert.equal((await client.responses.retrieve(whole.id)).id, whole.id);
    await client.responses.delete(whole.id);
    await fails(client.responses.retrieve(whole.id), OpenAI.NotFoundError, 404);
  },
  async responsesOfForm() {
    const asked = { model: 'chat', input: question, max_output_tokens: 200 };
    const formed = await client.responses.parse({ ...asked, text: { format: zodTextFormat(Person, 'person') } });
    Person.parse(formed.output_parsed);
    const { name, parameters } = weather.function;
    const tool = { type: 'function', name, parameters, strict: true };
    const called = await client.responses.create({ ...asked, tools: [tool], tool_choice: 'required' });
    const call = called.output.find((item) => item.type === 'function_call');
    Weather.parse(JSON.parse(call.arguments));
    const stream = client.responses.stream({ ...asked, tools: [tool], tool_choice: { type: 'function', name } });
    const events = await collect(stream);
    const done = events.find((event) => event.type === 'response.function_call_arguments.done');
    Weather.parse(JSON.parse(done.arguments));
    const result = { type: 'function_call_output', call_id: call.call_id, output: 'rain' };
    const after = await client.responses.create({ ...asked, max_output_tokens: 5, input: [result], previous_response_id: called.id });
    assert.ok(after.output_text);
  },
  async completions() {
    const asked = { model: 'chat', prompt: ['Once upon a time', 'The dog'], max_tokens: 10, temperature: 0 };
    const whole = await client.completions.create({ ...asked, logprobs: 1, echo: true });
    assert.equal(whole.choices.length, 2);
    assert.ok(whole.choices[0].text.startsWith('Once upon a time, there was'), whole.choices[0].text);
    assert.equal(whole.choices[0].logprobs.tokens.slice(1).join('').trim(), whole.choices[0].text); // without <s>
    const chunks = await collect(await client.completions.create({ ...asked, stream: true }));
    for (const index of [0, 1]) {
      const text = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index).map((choice) => choice.text).join('');
      assert.ok(whole.choices[index].text.endsWith(text) && text.length > 5);
    }
  },
  async embeddings() {
    const asked = { model: 'bert', input: ['hello world', 'the cat'] };
    const packed = await client.embeddings.create(asked); // base64 on the wire
    const plain = await client.embeddings.create({ ...asked, encoding_format: 'float' });
    assert.deepEqual(packed.data.map((item) => item.embedding.length), [48, 48]);
    packed.data.forEach((item, i) => item.embedding.forEach((value, k) => assert.ok(Math.abs(value - plain.data[i].embedding[k]) < 1e-6)));
    assert.ok(packed.usage.prompt_tokens > 0);
    assert.equal((await client.embeddings.create({ ...asked, dimensions: 8 })).data[0].embedding.length, 8);
  },
  async errors() {
    await fails(client.chat.completions.create({ ...greedy, model: 'nobody' }), OpenAI.NotFoundError, 404);
    await fails(client.chat.completions.create({ ...greedy, max_tokens: 100000 }), OpenAI.BadRequestError, 400);
    await fails(client.chat.completions.create({ ...greedy, temperature: 9, stream: true }), OpenAI.BadRequestError, 400);
    await fails(client.embeddings.create({ model: 'bert', input: '' }), OpenAI.BadRequestError, 400);
    await fails(client.models.retrieve('nobody'), OpenAI.NotFoundError, 404);
    await fails(client.withOptions({ apiKey: 'wrong' }).models.list(), OpenAI.AuthenticationError, 401);
    const error = await client.chat.completions.create({ ...greedy, temperature: 9 }).catch((error) => error);
    assert.equal(error.param, 'temperature');
    assert.equal(error.type, 'invalid_request_error');
    assert.ok(error.requestID && error.code);
  },
  async timeouts() {
    const asked = { ...endless, stream: false };
    await assert.rejects(client.chat.completions.create(asked, { timeout: 300, maxRetries: 0 }), OpenAI.APIConnectionTimeoutError);
    await client.chat.completions.create(short);
  },
  async abortsAndRetries() {
    const begin = async () => {
      const stream = await client.chat.completions.create(endless);
      for await (const chunk of stream) {
        assert.equal(chunk.choices[0].finish_reason, null);
        break; // closes it
      }
      const again = await client.chat.completions.create(endless);
      await again[Symbol.asyncIterator]().next();
      return () => again.controller.abort();
    };
    await abortsAndRetries(statuses, begin, () => client.chat.completions.create(short));
  },
  async isNotServedWhenFull() {
    const stream = await client.chat.completions.create(endless);
    await stream[Symbol.asyncIterator]().next();
    const asked = [1, 2].map(() => client.chat.completions.create(short, { maxRetries: 0 }));
    const refused = await Promise.any(asked.map((promise) => promise.then(() => assert.fail(), (error) => error)));
    assert.ok(refused instanceof OpenAI.RateLimitError);
    assert.equal(refused.headers.get('retry-after'), '1');
    stream.controller.abort();
    await Promise.allSettled(asked);
  },
  async outlivesTheWorker() {
    const patient = client.withOptions({ maxRetries: 8 });
    await outlivesTheWorker(statuses, () => patient.chat.completions.create(short));
  },
});
