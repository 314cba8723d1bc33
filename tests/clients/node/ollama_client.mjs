// Ollama's client. It never asks again.
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { z } from 'zod';
import { collect, endlessTokens, fails, key, Person, question, run, until, url, Weather } from './common.mjs';

const headers = { authorization: `Bearer ${key}` };
const client = new Ollama({ host: url, headers });
const messages = [{ role: 'user', content: question }];
const greedy = { model: 'chat', messages, options: { temperature: 0, num_predict: 20 } };
const { $schema, ...schema } = z.toJSONSchema(Person);
const { $schema: _, ...parameters } = z.toJSONSchema(Weather);
const endless = { model: 'endless', messages, options: { num_predict: endlessTokens }, stream: true };
const short = { model: 'endless', messages, options: { num_predict: 3 } };
const { ResponseError } = await client.show({ model: 'nobody' }).catch((error) => ({ ResponseError: error.constructor }));
let story;

await run({
  async models() {
    const { models } = await client.list();
    assert.deepEqual(models.map((model) => model.name.replace(/:latest$/, '')).sort(), ['bert', 'chat', 'endless']);
    assert.ok(models.every((model) => model.size > 0 && model.digest && Date.parse(model.modified_at) > 1.6e12));
    const running = (await client.ps()).models.find((model) => model.name === 'chat');
    assert.ok(running.size > 0 && running.context_length === 512 && Date.parse(running.expires_at) > Date.now());
    const shown = await client.show({ model: 'chat' });
    assert.ok(shown.capabilities.includes('completion'));
    assert.equal(shown.model_info['general.architecture'], 'llama');
    assert.ok((await client.version()).version);
  },
  async chat() {
    const whole = await client.chat(greedy);
    story = whole.message.content;
    assert.ok(story && whole.done && whole.done_reason === 'length' && whole.message.role === 'assistant');
    assert.equal(whole.eval_count, 20);
    assert.ok(whole.prompt_eval_count > 0 && whole.total_duration > 0);
    assert.equal((await client.chat({ ...greedy, model: 'chat:latest' })).message.content, story);
    assert.equal((await client.chat({ ...greedy, messages: [] })).done_reason, 'load');
  },
  async streaming() {
    const pieces = await collect(await client.chat({ ...greedy, stream: true }));
    assert.equal(pieces.map((piece) => piece.message.content).join(''), story);
    assert.ok(pieces.length > 10 && pieces.at(-1).done && pieces.at(-1).eval_count === 20);
  },
  async generates() {
    const asked = { model: 'chat', prompt: 'Once upon a time', raw: true, options: greedy.options };
    const whole = await client.generate(asked);
    assert.ok(whole.response.startsWith(', there was'), whole.response);
    const pieces = await collect(await client.generate({ ...asked, stream: true }));
    assert.equal(pieces.map((piece) => piece.response).join(''), whole.response);
  },
  async tools() {
    // Nothing can force this model to call one; that it is told of them must do.
    const tool = { type: 'function', function: { name: 'get_weather', description: 'The weather', parameters } };
    const whole = await client.chat({ ...greedy, tools: [tool] });
    const without = await client.chat(greedy);
    assert.ok(whole.prompt_eval_count > without.prompt_eval_count);
    const call = { function: { name: 'get_weather', arguments: { city: 'Paris' } } };
    const history = [...messages, { role: 'assistant', content: '', tool_calls: [call] }, { role: 'tool', content: 'rain', tool_name: 'get_weather' }];
    assert.ok((await client.chat({ ...greedy, messages: history, tools: [tool] })).done);
  },
  async structured() {
    const asked = { model: 'chat', messages, format: schema, options: { seed: 1, num_predict: 200 } };
    Person.parse(JSON.parse((await client.chat(asked)).message.content));
    const pieces = await collect(await client.chat({ ...asked, stream: true }), (piece) => piece.message.content);
    Person.parse(JSON.parse(pieces.join('')));
    const { response } = await client.generate({ model: 'chat', prompt: 'x', format: schema, options: asked.options });
    Person.parse(JSON.parse(response));
  },
  async embeddings() {
    const two = await client.embed({ model: 'bert', input: ['hello world', 'the cat'] });
    assert.deepEqual(two.embeddings.map((vector) => vector.length), [48, 48]);
    assert.equal((await client.embed({ model: 'bert', input: 'hello', dimensions: 8 })).embeddings[0].length, 8);
    assert.equal((await client.embeddings({ model: 'bert', prompt: 'hello world' })).embedding.length, 48);
  },
  async errors() {
    assert.equal(ResponseError.name, 'ResponseError');
    await fails(client.chat({ ...greedy, model: 'nobody' }), ResponseError, 404);
    await fails(client.chat({ ...greedy, model: 'nobody', stream: true }), ResponseError, 404);
    await fails(client.chat({ ...greedy, options: { temperature: -1 } }), ResponseError, 400);
    await fails(client.chat({ ...greedy, model: 'bert' }), ResponseError, 400);
    const stranger = new Ollama({ host: url, headers: { authorization: 'Bearer wrong' } });
    await fails(stranger.list(), ResponseError, 401);
  },
  async aborts() {
    const stream = await client.chat(endless);
    await stream[Symbol.asyncIterator]().next();
    const two = [client.chat(short), client.chat(short)];
    const refused = await Promise.any(two.map((promise) => promise.then(() => assert.fail(), (error) => error)));
    assert.ok(refused instanceof ResponseError && refused.status_code === 429);
    stream.abort();
    const done = await Promise.allSettled(two);
    assert.deepEqual(done.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
    const again = await client.chat(endless);
    await again[Symbol.asyncIterator]().next();
    client.abort();
    await until(() => client.chat(short).then(() => true, () => false), 'the slot is free');
  },
});
