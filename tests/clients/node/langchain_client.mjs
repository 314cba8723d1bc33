// LangChain with its provider for OpenAI.
import assert from 'node:assert/strict';
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { abortsAndRetries, collect, endlessTokens, key, outlivesTheWorker, Person, question, run, url, watched, Weather } from './common.mjs';

const { statuses, fetch } = watched();
const access = { apiKey: key, configuration: { baseURL: `${url}/v1`, fetch } };
const greedy = new ChatOpenAI({ ...access, model: 'chat', maxTokens: 20, temperature: 0 });
const random = new ChatOpenAI({ ...access, model: 'chat', maxTokens: 200, temperature: 1, modelKwargs: { seed: 1 } });
const endless = new ChatOpenAI({ ...access, model: 'endless', maxTokens: endlessTokens });
const short = new ChatOpenAI({ ...access, model: 'endless', maxTokens: 3, maxRetries: 8 });
const weather = tool(({ city }) => `rain in ${city}`, { name: 'get_weather', description: 'The weather', schema: Weather });
let story;

// An error of the client, with the status that the server gave.
async function refuses(promise, status) {
  const error = await promise.then(() => assert.fail('taken'), (error) => error);
  assert.equal(error.status, status, String(error));
}

await run({
  async chat() {
    const whole = await greedy.invoke(question);
    story = whole.content;
    assert.ok(story.length > 10);
    assert.equal(whole.usage_metadata.output_tokens, 20);
    assert.equal(whole.response_metadata.finish_reason, 'length');
    assert.ok((await greedy.invoke([new SystemMessage('Be kind.'), new HumanMessage(question)])).content);
    const chain = ChatPromptTemplate.fromMessages([['user', 'Tell me a {thing}']]).pipe(greedy).pipe(new StringOutputParser());
    assert.equal(await chain.invoke({ thing: 'story' }), story);
    assert.deepEqual(await chain.batch([{ thing: 'story' }, { thing: 'story' }]), [story, story]);
  },
  async streaming() {
    const chunks = await collect(await greedy.stream(question));
    assert.equal(chunks.map((chunk) => chunk.content).join(''), story);
    const whole = chunks.reduce((a, b) => a.concat(b));
    assert.equal(whole.usage_metadata.output_tokens, 20);
    assert.equal(whole.response_metadata.finish_reason, 'length');
  },
  async tools() {
    const bound = random.bindTools([weather], { tool_choice: 'get_weather' });
    const whole = await bound.invoke(question);
    const [call] = whole.tool_calls;
    Weather.parse(call.args);
    const result = await weather.invoke(call);
    assert.ok(result instanceof ToolMessage && result.content.startsWith('rain in'));
    const after = await greedy.invoke([new HumanMessage(question), whole, result]);
    assert.ok(after.content);
    const chunks = await collect(await bound.stream(question));
    assert.ok(chunks.flatMap((chunk) => chunk.tool_call_chunks ?? []).length > 2);
    const merged = chunks.reduce((a, b) => a.concat(b));
    assert.equal(merged.tool_calls.length, 1);
    Weather.parse(merged.tool_calls[0].args);
    const any = await random.bindTools([weather], { tool_choice: 'any' }).invoke(question);
    assert.equal(any.tool_calls[0].name, 'get_weather');
  },
  async structured() {
    for (const method of ['jsonSchema', 'functionCalling']) {
      const formed = random.withStructuredOutput(Person, { method, name: 'person', strict: true });
      Person.parse(await formed.invoke(question));
      Person.parse((await collect(await formed.stream(question))).at(-1));
    }
  },
  async responses() {
    const model = new ChatOpenAI({ ...access, model: 'chat', maxTokens: 20, temperature: 0, useResponsesApi: true });
    assert.equal((await model.invoke(question)).text, story);
    const chunks = await collect(await model.stream(question));
    assert.equal(chunks.map((chunk) => chunk.text).join(''), story);
    const called = await new ChatOpenAI({ ...access, model: 'chat', maxTokens: 200, useResponsesApi: true })
      .bindTools([weather], { tool_choice: 'get_weather' }).invoke(question);
    Weather.parse(called.tool_calls[0].args);
  },
  async completions() {
    const model = new OpenAI({ ...access, model: 'chat', maxTokens: 10, temperature: 0 });
    const whole = await model.invoke('Once upon a time');
    assert.ok(whole.startsWith(', there was'), whole);
    assert.equal((await collect(await model.stream('Once upon a time'))).join(''), whole);
  },
  async embeddings() {
    const model = new OpenAIEmbeddings({ ...access, model: 'bert' });
    const vectors = await model.embedDocuments(['hello world', 'the cat']);
    assert.deepEqual(vectors.map((vector) => vector.length), [48, 48]);
    const query = await model.embedQuery('hello world');
    query.forEach((value, i) => assert.ok(Math.abs(value - vectors[0][i]) < 1e-5));
  },
  async errors() {
    await refuses(new ChatOpenAI({ ...access, model: 'nobody' }).invoke(question), 404);
    await refuses(new ChatOpenAI({ ...access, model: 'chat', maxTokens: 100000 }).invoke(question), 400);
    await refuses(new ChatOpenAI({ ...access, model: 'chat', apiKey: 'wrong' }).invoke(question), 401);
    const error = await new ChatOpenAI({ ...access, model: 'nobody' }).invoke(question).catch((error) => error);
    assert.equal(error.lc_error_code, 'MODEL_NOT_FOUND');
  },
  async abortsAndRetries() {
    const begin = async () => {
      const controller = new AbortController();
      const stream = await endless.stream(question, { signal: controller.signal });
      await stream.next();
      return async () => {
        controller.abort();
        await assert.rejects(collect(stream), /abort/i);
      };
    };
    await abortsAndRetries(statuses, begin, () => short.invoke(question));
  },
  async outlivesTheWorker() {
    await outlivesTheWorker(statuses, () => short.invoke(question));
  },
});
