// Anthropic's SDK.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { abortsAndRetries, collect, endlessTokens, fails, key, outlivesTheWorker, Person, question, run, url, watched, Weather } from './common.mjs';

const { statuses, fetch } = watched();
const client = new Anthropic({ baseURL: url, apiKey: key, fetch });
const messages = [{ role: 'user', content: question }];
const greedy = { model: 'chat', messages, max_tokens: 20, temperature: 0 };
const random = { model: 'chat', messages, max_tokens: 200 };
const { $schema, ...schema } = z.toJSONSchema(Weather);
const tool = { name: 'get_weather', description: 'The weather', input_schema: schema };
const endless = { model: 'endless', messages, max_tokens: endlessTokens };
const short = { model: 'endless', messages, max_tokens: 3 };
let story;

await run({
  async models() {
    const models = await collect(client.models.list());
    assert.deepEqual(models.map((model) => model.id).sort(), ['bert', 'chat', 'endless']);
    assert.ok(models.every((model) => model.type === 'model' && model.display_name && Date.parse(model.created_at) > 1.6e12));
    assert.equal((await client.models.retrieve('chat')).display_name, 'chat');
    await fails(client.models.retrieve('nobody'), Anthropic.NotFoundError, 404);
  },
  async chat() {
    const whole = await client.messages.create({ ...greedy, system: 'Be kind.' });
    assert.ok(whole.content[0].type === 'text' && whole.content[0].text);
    assert.equal(whole.stop_reason, 'max_tokens');
    assert.equal(whole.usage.output_tokens, 20);
    assert.ok(whole.id.startsWith('msg_') && whole.role === 'assistant' && whole._request_id);
    story = (await client.messages.create(greedy)).content[0].text;
    const count = await client.messages.countTokens({ model: 'chat', messages });
    const { usage } = await client.messages.create(greedy);
    assert.equal(count.input_tokens, usage.input_tokens + usage.cache_read_input_tokens);
    const stopped = await client.messages.create({ ...greedy, max_tokens: 100, stop_sequences: [story.slice(3, 9)] });
    assert.equal(stopped.stop_reason, 'stop_sequence');
    assert.equal(stopped.stop_sequence, story.slice(3, 9));
    const begun = [...messages, { role: 'assistant', content: 'Once upon' }];
    assert.ok((await client.messages.create({ ...greedy, messages: begun })).content[0].text);
  },
  async streaming() {
    const events = await collect(await client.messages.create({ ...greedy, stream: true }));
    assert.deepEqual([events[0].type, events.at(-1).type], ['message_start', 'message_stop']);
    assert.equal(events.map((event) => event.delta?.text ?? '').join(''), story);
    const deltas = [];
    const stream = client.messages.stream(greedy).on('text', (text) => deltas.push(text));
    const final = await stream.finalMessage();
    assert.equal(final.content[0].text, story);
    assert.equal(deltas.join(''), story);
    assert.equal(final.usage.output_tokens, 20);
  },
  async tools() {
    const forced = { ...random, tools: [tool], tool_choice: { type: 'any' } };
    const whole = await client.messages.create(forced);
    assert.equal(whole.stop_reason, 'tool_use');
    const call = whole.content.find((block) => block.type === 'tool_use');
    Weather.parse(call.input);
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain' }] };
    const history = [...messages, { role: 'assistant', content: whole.content }, result];
    assert.ok((await client.messages.create({ ...greedy, messages: history, tools: [tool] })).content.length > 0);
    const pieces = [];
    const stream = client.messages.stream({ ...random, tools: [tool], tool_choice: { type: 'tool', name: 'get_weather' } });
    stream.on('inputJson', (piece) => pieces.push(piece));
    const final = await stream.finalMessage();
    Weather.parse(final.content.at(-1).input);
    assert.deepEqual(JSON.parse(pieces.join('')), final.content.at(-1).input);
    assert.ok(pieces.length > 2);
  },
  async structured() {
    // The SDK takes bounds and enumerations out of a schema and checks them itself: this one has none.
    const Pet = z.object({ small: z.boolean(), tame: z.boolean() });
    const asked = { ...random, output_config: { format: zodOutputFormat(Pet) } };
    Pet.parse((await client.messages.parse(asked)).parsed_output);
    Pet.parse((await client.messages.stream(asked).finalMessage()).parsed_output);
    const { $schema, ...form } = z.toJSONSchema(Person);
    const plain = await client.messages.create({ ...random, output_config: { format: { type: 'json_schema', schema: form } } });
    Person.parse(JSON.parse(plain.content[0].text));
    const bad = { ...random, output_config: { format: { type: 'xml' } } };
    await fails(client.messages.create(bad), Anthropic.BadRequestError, 400);
  },
  async errors() {
    await fails(client.messages.create({ ...greedy, model: 'nobody' }), Anthropic.NotFoundError, 404);
    await fails(client.messages.create({ ...greedy, max_tokens: 20000 }), Anthropic.BadRequestError, 400);
    await fails(client.messages.create({ ...greedy, temperature: 9, stream: true }), Anthropic.BadRequestError, 400);
    await fails(client.withOptions({ apiKey: 'wrong' }).messages.create(greedy), Anthropic.AuthenticationError, 401);
    const error = await client.messages.create({ ...greedy, model: 'nobody' }).catch((error) => error);
    assert.equal(error.error.error.type, 'not_found_error');
    assert.ok(error.requestID);
  },
  async abortsAndRetries() {
    const begin = async () => {
      for await (const event of await client.messages.create({ ...endless, stream: true })) {
        if (event.type === 'content_block_delta') {
          break; // closes it
        }
      }
      const stream = client.messages.stream(endless);
      await new Promise((resolve) => stream.once('text', resolve));
      stream.on('abort', () => {});
      return async () => {
        stream.abort();
        await assert.rejects(stream.done(), Anthropic.APIUserAbortError);
      };
    };
    await abortsAndRetries(statuses, begin, () => client.messages.create(short));
  },
  async outlivesTheWorker() {
    const patient = client.withOptions({ maxRetries: 8 });
    await outlivesTheWorker(statuses, () => patient.messages.create(short));
  },
});
