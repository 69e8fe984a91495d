// A guarded server as a child process: order, ends of every kind, and output that is no message.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Body, call, setUp } from '../testing/setup.ts';
import { PARSE_ERROR, UNAVAILABLE } from '../wire/message.ts';
import { runStdio } from './stdio.ts';

const SERVER = fileURLToPath(new URL('../testing/server.ts', import.meta.url));
const OPEN = {
  default: 'allow',
  rules: [{ id: 'no-x', on: 'call *', deny: 'has(args.x)', because: 'No x.' }],
};

async function start(how = 'plain') {
  const s = await setUp(OPEN);
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = new AbortController();
  const ended = runStdio({
    guarded: s.guarded,
    command: process.execPath,
    args: [SERVER, how],
    input,
    output,
    log: (line) => s.said.push(line),
    signal: stop.signal,
  });
  ended.catch(() => {});
  const lines: Interface = createInterface({ input: output });
  const iterator = lines[Symbol.asyncIterator]();
  return {
    ...s,
    input,
    stop,
    ended,
    send: (...messages: (object | string)[]) =>
      input.write(
        messages
          .map((m) => `${typeof m === 'string' ? m : JSON.stringify({ jsonrpc: '2.0', ...m })}\n`)
          .join(''),
      ),
    async next(): Promise<Body> {
      const { value } = await iterator.next();
      return value === undefined ? null : JSON.parse(value);
    },
  };
}

test('messages pass in order, calls are decided, and the end of the input ends the server', async () => {
  const s = await start();
  s.send(
    { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } },
    { method: 'notifications/initialized' },
    call(2, 'echo', { a: 1 }),
    call(3, 'echo', { x: 1 }),
    { id: 4, method: 'ping' },
    '{not json',
  );
  const got = new Map<unknown, Body>();
  for (let i = 0; i < 6; i++) {
    const message = await s.next();
    got.set(message.method ?? message.id, message);
  }
  assert.equal(got.get(1).result.protocolVersion, '2025-11-25');
  assert.equal(got.get('notifications/message').params.data.got.method, 'notifications/initialized');
  assert.equal(got.get(2).result.content[0].text, '{"a":1}');
  assert.match(got.get(3).result.content[0].text, /no-x/);
  assert.deepEqual(got.get(4).result, {});
  assert.equal(got.get(null).error.code, PARSE_ERROR);
  s.input.end();
  assert.equal(await s.ended, 0);
  assert.equal((await s.engine.session('test'))?.state, 'ended');
  await s.close();
});

test('what was asked before the end of the input is still answered', async () => {
  const s = await start();
  for (let id = 1; id <= 20; id++) s.send(call(id, 'echo', { id }));
  s.input.end();
  const ids = new Set<number>();
  for (let i = 0; i < 20; i++) ids.add((await s.next()).id);
  assert.equal(ids.size, 20);
  assert.equal(await s.ended, 0);
  await s.close();
});

test('a server that dies in a call is an error to the client, recorded as an outcome that nobody knows', async () => {
  const s = await start();
  s.send(call(1, 'crash'));
  const { id, error } = await s.next();
  assert.deepEqual([id, error.code, error.data.interlock.error], [1, UNAVAILABLE, 'upstream-failed']);
  assert.match(error.message, /exit code 3/);
  assert.equal(await s.ended, 3);
  const { steps } = await s.rows();
  assert.match(steps.find(({ step }) => step.kind === 'tool.result')?.step.content ?? '', /Nothing is known/);
  await s.close();
});

test('output that is no message does not reach the client; a line without end stops the server', async () => {
  const s = await start();
  s.send(call(1, 'noise'));
  assert.equal((await s.next()).result.content[0].text, 'after the noise');
  assert.equal(s.said.filter((line) => line.startsWith('dropped')).length, 2);
  s.send(call(2, 'flood'));
  assert.equal((await s.next()).error.code, UNAVAILABLE);
  await s.ended;
  assert.match(s.said.join('\n'), /longer than/);
  await s.close();
});

test('a request of the server reaches the client and its answer the server', async () => {
  const s = await start();
  s.send(call(1, 'ask'));
  assert.equal((await s.next()).params.message, 'Who?');
  s.send({ id: 'ask', result: { action: 'accept', content: { name: 'Ann' } } });
  assert.equal((await s.next()).params.data.got.id, 'ask');
  s.input.end();
  await s.ended;
  assert.ok((await s.steps()).includes('input allow'));
  await s.close();
});

test('a server that will not go is killed with what it started', { timeout: 30_000 }, async () => {
  const s = await start('stubborn');
  const { pids } = (await s.next()).params.data;
  s.stop.abort();
  assert.equal(await s.ended, 0);
  for (const pid of pids) {
    for (let i = 0; i < 50 && isAlive(pid); i++) await pause(20);
    assert.equal(isAlive(pid), false, `process ${pid} is left`);
  }
  await s.close();
});

test('a command that is not there says so', async () => {
  const s = await setUp(OPEN);
  const options = { args: [], input: new PassThrough(), output: new PassThrough(), log: () => {} };
  const run = runStdio({
    ...options,
    guarded: s.guarded,
    command: '/nowhere/server',
    signal: new AbortController().signal,
  });
  await assert.rejects(run, { code: 'ENOENT' });
  await s.close();
});

test('a client that does not read holds the server back', async () => {
  const s = await setUp(OPEN);
  const input = new PassThrough();
  const output = new PassThrough({ highWaterMark: 1_024 });
  const stop = new AbortController();
  const ended = runStdio({
    guarded: s.guarded,
    command: process.execPath,
    args: [SERVER, 'plain'],
    input,
    output,
    log: () => {},
    signal: stop.signal,
  });
  for (let n = 0; n < 200; n++)
    input.write(`${JSON.stringify({ jsonrpc: '2.0', method: `notifications/${'n'.repeat(1_000)}` })}\n`);
  await pause(600);
  assert.ok(output.writableLength < 16_384, `${output.writableLength} bytes wait`);
  let bytes = 0;
  output.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  while (bytes < 200_000) await once(output, 'data');
  stop.abort();
  await ended;
  await s.close();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a message is one line to every reader: none is hidden in another', async () => {
  const s = await start();
  const smuggled = JSON.stringify({ jsonrpc: '2.0', ...call(9, 'echo', { x: 1 }) });
  for (const [i, end] of ['\u2028', '\u2029', '\u0085'].entries())
    s.send(call(i, 'echo', { a: `${end}${smuggled}${end}` }));
  s.send(call(5, 'echo', { a: 'last' }));
  const texts: string[] = [];
  for (let message = await s.next(); message.id !== 5; message = await s.next()) {
    texts.push(message.result.content[0].text);
  }
  assert.deepEqual(s.said, [], 'a call that nobody decided ran, and its answer was dropped');
  assert.equal(texts.length, 3);
  assert.ok(texts.every((text) => JSON.parse(text).a.includes('"id":9')));
  s.input.end();
  await s.ended;
  await s.close();
});

test('what a server says is one line to every client', async () => {
  const s = await start();
  s.send(call(1, 'breaks'));
  // Node's own reader of lines, by which this client reads, ends them at more than a line feed.
  assert.equal((await s.next()).result.content[0].text, 'a\u2028b\u0085c');
  s.input.end();
  await s.ended;
  await s.close();
});
