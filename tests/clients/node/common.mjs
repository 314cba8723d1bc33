// What every client is tried with.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

export const url = process.env.ATELIER_URL;
export const key = process.env.ATELIER_API_KEY;
export const question = 'Tell me a story';
export const endlessTokens = 15000;

export const Weather = z.object({ city: z.enum(['Paris', 'Rome']), days: z.number().int().min(1).max(9) });
export const Person = z.object({ name: z.string().max(8), age: z.number().int().min(0).max(99), likes: z.array(z.enum(['cats', 'dogs'])).max(3) });

// A fetch() that keeps the statuses of the answers.
export function watched() {
  const statuses = [];
  const watching = async (...request) => {
    const answer = await fetch(...request);
    statuses.push(answer.status);
    return answer;
  };
  return { statuses, fetch: watching };
}

export async function until(condition, what, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
    if (await condition()) {
      return;
    }
  }
  assert.fail(`not in time: ${what}`);
}

// Runs what is named, one after the other; the first failure ends the process.
export async function run(tests) {
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
    } catch (error) {
      console.error(`FAIL ${name}:`, error);
      process.exit(1);
    }
    console.log(`  ok   ${name}`);
  }
  process.exit(0);
}

// `endless` computes one answer and lets one more wait. `begin` starts an answer that goes on and on, reads a piece of
// it, and gives what ends it; `ask` wants a few tokens. One of two questions is refused, and asked again by the client
// itself; both are answered only if the first answer has ended indeed.
export async function abortsAndRetries(statuses, begin, ask) {
  const end = await begin();
  statuses.length = 0;
  const both = [ask(), ask()];
  await until(() => statuses.includes(429), 'a refusal');
  await end();
  await Promise.all(both);
  assert.equal(statuses.filter((status) => status === 200).length, 2);
  assert.equal(statuses.filter((status) => status === 429).length, statuses.length - 2);
}

// The worker is killed: the client gets 503 until there is another, and asks again itself.
export async function outlivesTheWorker(statuses, ask) {
  const headers = { authorization: `Bearer ${key}` };
  const state = await (await fetch(`${url}/v1/deployments/endless`, { headers })).json();
  process.kill(state.versions[0].pid, 'SIGKILL');
  statuses.length = 0;
  await ask();
  assert.equal(statuses.at(-1), 200);
  assert.ok(statuses.length > 1 && statuses.slice(0, -1).every((status) => status === 503), statuses.join());
}

// For errors of which the class and the status are known.
export function fails(promise, type, status) {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof type, `${error?.constructor?.name}: ${error}`);
    assert.equal(error.status ?? error.statusCode ?? error.status_code, status);
    assert.ok(error.message.length > 10);
    return true;
  });
}

export async function collect(stream, pick = (piece) => piece) {
  const pieces = [];
  for await (const piece of stream) {
    pieces.push(pick(piece));
  }
  return pieces;
}
