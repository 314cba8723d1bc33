// Vercel's AI SDK with its provider for what speaks as OpenAI does.
import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embed, embedMany, generateObject, generateText, stepCountIs, streamObject, streamText, tool } from 'ai';
import { abortsAndRetries, collect, endlessTokens, fails, key, outlivesTheWorker, Person, question, run, url, watched, Weather } from './common.mjs';

const { statuses, fetch } = watched();
const settings = { name: 'atelier', baseURL: `${url}/v1`, apiKey: key, fetch, includeUsage: true, supportsStructuredOutputs: true };
const atelier = createOpenAICompatible(settings);
const greedy = { model: atelier('chat'), prompt: question, maxOutputTokens: 20, temperature: 0 };
const random = { model: atelier('chat'), prompt: question, maxOutputTokens: 200, temperature: 1, seed: 1 };
const weather = tool({ description: 'The weather', inputSchema: Weather, execute: async ({ city }) => `rain in ${city}` });
const endless = { model: atelier('endless'), prompt: question, maxOutputTokens: endlessTokens };
const short = { model: atelier('endless'), prompt: question, maxOutputTokens: 3 };
let story;

await run({
  async chat() {
    const whole = await generateText({ ...greedy, system: 'Be kind.' });
    assert.ok(whole.text && whole.finishReason === 'length' && whole.usage.outputTokens === 20);
    story = (await generateText(greedy)).text;
    const { response } = await generateText({ ...greedy, messages: [{ role: 'user', content: [{ type: 'text', text: question }] }], prompt: undefined });
    assert.ok(response.id.startsWith('chatcmpl-') && response.modelId === 'chat');
  },
  async streaming() {
    const streamed = streamText(greedy);
    const pieces = await collect(streamed.textStream);
    assert.equal(pieces.join(''), story);
    assert.ok(pieces.length > 10);
    assert.equal((await streamed.usage).outputTokens, 20);
    assert.equal(await streamed.finishReason, 'length');
  },
  async tools() {
    const called = { ...random, tools: { get_weather: weather }, toolChoice: 'required' };
    const whole = await generateText(called);
    assert.equal(whole.finishReason, 'tool-calls');
    Weather.parse(whole.toolCalls[0].input);
    assert.ok(whole.toolResults[0].output.startsWith('rain in'));
    const streamed = streamText({ ...called, toolChoice: { type: 'tool', toolName: 'get_weather' } });
    const parts = await collect(streamed.fullStream);
    assert.deepEqual(parts.filter((part) => part.type === 'error'), []);
    const input = parts.filter((part) => part.type === 'tool-input-delta').map((part) => part.delta).join('');
    assert.ok(parts.filter((part) => part.type === 'tool-input-delta').length > 2);
    assert.deepEqual(JSON.parse(input), (await streamed.toolCalls)[0].input);
    // The second step gets the tool's answer.
    const steps = await generateText({
      ...called,
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => (stepNumber === 0 ? {} : { toolChoice: 'none' }),
    });
    assert.equal(steps.steps.length, 2);
    assert.ok(steps.text);
  },
  async structured() {
    Person.parse((await generateObject({ ...random, schema: Person })).object);
    const streamed = streamObject({ ...random, seed: 2, schema: Person });
    assert.ok((await collect(streamed.partialObjectStream)).length > 1);
    Person.parse(await streamed.object);
    const kinds = await generateObject({ ...random, output: 'enum', enum: ['cat', 'dog'] });
    assert.ok(['cat', 'dog'].includes(kinds.object));
    // Without support for schemas the SDK asks for a JSON object, which random words seldom match.
    const plain = createOpenAICompatible({ ...settings, supportsStructuredOutputs: false });
    const error = await generateObject({ ...random, model: plain('chat'), schema: Person }).then(() => null, (error) => error);
    assert.ok(error === null || error.name === 'AI_NoObjectGeneratedError', String(error));
  },
  async completions() {
    const asked = { ...greedy, model: atelier.completionModel('chat') };
    const whole = await generateText(asked);
    assert.ok(whole.text && whole.usage.outputTokens === 20);
    assert.equal((await collect(streamText(asked).textStream)).join(''), whole.text);
  },
  async embeddings() {
    const model = atelier.textEmbeddingModel('bert');
    const { embeddings, usage } = await embedMany({ model, values: ['hello world', 'the cat'] });
    assert.deepEqual(embeddings.map((vector) => vector.length), [48, 48]);
    assert.ok(usage.tokens > 0);
    assert.deepEqual((await embed({ model, value: 'hello world' })).embedding.length, 48);
  },
  async errors() {
    await fails(generateText({ ...greedy, model: atelier('nobody') }), APICallError, 404);
    await fails(generateText({ ...greedy, maxOutputTokens: 100000 }), APICallError, 400);
    const stranger = createOpenAICompatible({ ...settings, apiKey: 'wrong' });
    await fails(generateText({ ...greedy, model: stranger('chat') }), APICallError, 401);
    const error = await generateText({ ...greedy, temperature: 9 }).catch((error) => error);
    assert.equal(error.data.error.param, 'temperature');
    assert.equal(error.isRetryable, false);
    const parts = await collect(streamText({ ...greedy, model: atelier('nobody'), onError: () => {} }).fullStream);
    assert.equal(parts.find((part) => part.type === 'error').error.statusCode, 404);
  },
  async abortsAndRetries() {
    const begin = async () => {
      const controller = new AbortController();
      const parts = streamText({ ...endless, abortSignal: controller.signal }).fullStream[Symbol.asyncIterator]();
      for (let part = await parts.next(); part.value.type !== 'text-delta'; part = await parts.next());
      return async () => {
        controller.abort();
        let last = await parts.next();
        for (let part = last; !part.done; part = await parts.next()) {
          last = part;
        }
        assert.equal(last.value.type, 'abort');
      };
    };
    await abortsAndRetries(statuses, begin, () => generateText(short));
  },
  async outlivesTheWorker() {
    await outlivesTheWorker(statuses, () => generateText({ ...short, maxRetries: 8 }));
  },
});
