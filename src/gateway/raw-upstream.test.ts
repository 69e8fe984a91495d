// The gateway before an upstream that answers with bytes of the test's own: what was said is on record however a reply ends, and
// nothing is kept waiting or left behind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { refuse } from '../engine/problem.ts';
import type { Engine } from '../engine/types.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { parseGateway } from './config.ts';
import { openGateway } from './gateway.ts';

const SPEC = `
interlock: 1
name: free
default: allow
rules:
  - id: no-keys
    on: output
    deny: content.matches("sk-[0-9]{4}")
    because: Keys are not told.
  - id: leaked
    on: result
    deny: content == "leaked"
    otherwise: halt
    because: Something leaked.
`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let dir: string;
let upstream: Server;
let server: RunningServer;
let answer: Answer;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-gateway-'));
  upstream = createServer((request, response) => {
    request.resume().once('end', () => answer(request, response));
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  await writeFile(join(dir, 'spec.yaml'), SPEC);
  const upstreams = ['openai', 'anthropic', 'gemini'].map((name) => `${name}: { url: "${url}" }`).join(', ');
  await writeFile(
    join(dir, 'gateway.yaml'),
    `gateway: 1\nupstreams: { ${upstreams}, spare: { protocol: openai, url: "${url}/spare" } }\nhold: 300ms\nroutes:\n  - { model: routed, to: [openai, spare], on: [5xx] }\n`,
  );
  server = await startServer({
    port: 0,
    otlpPort: null,
    dataDir: join(dir, 'data'),
    specFiles: [join(dir, 'spec.yaml')],
    gatewayFile: join(dir, 'gateway.yaml'),
  });
});
after(async () => {
  await server?.close();
  upstream?.closeAllConnections();
  upstream?.close();
  await rm(dir, { recursive: true, force: true });
});

const PATHS = {
  openai: 'openai/v1/chat/completions',
  responses: 'openai/v1/responses',
  anthropic: 'anthropic/v1/messages',
  gemini: 'gemini/v1beta/models/m:streamGenerateContent?alt=sse',
} as const;

function streams(...events: readonly (object | string)[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events)
      response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
    response.end();
  };
}

async function ask(vendor: keyof typeof PATHS, given: object = {}) {
  const messages = [{ role: 'user', content: `hello ${Math.random()}` }];
  const contents = [{ role: 'user', parts: [{ text: 'hello' }] }];
  const body = { model: 'm', stream: true, messages, input: 'hello', contents, ...given };
  const response = await fetch(`${server.url}/gateway/${PATHS[vendor]}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, session: response.headers.get('x-interlock-session')! };
}

/** What the model said, as it is on record. */
async function said(session: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const { steps } = await server.engine.steps(session, { from: 0, limit: 100 });
    if (steps.at(-1)?.step.kind === 'model.response')
      return steps
        .filter(({ step, decision }) => step.kind === 'output' && decision?.verdict === 'allow')
        .map(({ step }) => step.content)
        .join('');
    await pause(10);
  }
  throw new Error('the reply was not recorded');
}

const chat = (delta: object, finish_reason: string | null = null) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
});
const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
const words = (text: string) => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text },
});
const parts = (text: string, finishReason?: string) => ({
  candidates: [
    { index: 0, content: { role: 'model', parts: [{ text }] }, ...(finishReason ? { finishReason } : {}) },
  ],
});

describe('what was said is on record', () => {
  const ways: Record<string, readonly [keyof typeof PATHS, readonly (object | string)[]]> = {
    'a choice that does not say that it has ended': ['openai', [chat({ content: 'All of it.' }), '[DONE]']],
    'words after the end of a choice': [
      'openai',
      [chat({ content: 'All ' }), chat({}, 'stop'), chat({ content: 'of it.' }), '[DONE]'],
    ],
    'a block that does not end': [
      'anthropic',
      [{ type: 'message_start', message: { id: 'm' } }, block, words('All of it.'), { type: 'message_stop' }],
    ],
    'words after the end of a candidate': ['gemini', [parts('All ', 'STOP'), parts('of it.')]],
    'an end with every piece': ['gemini', [parts('All ', 'STOP'), parts('of it.', 'STOP')]],
  };
  for (const [name, [vendor, events]] of Object.entries(ways))
    it(name, async () => {
      answer = streams(...events);
      const { text, session } = await ask(vendor);
      const given = [...text.matchAll(/"(?:content|text)":"([^"]*)"/g)].map(([, words]) => words).join('');
      assert.equal(await said(session), given);
    });

  it('and a text that ends twice is one text to a rule', async () => {
    answer = streams(parts('The key is sk-', 'STOP'), parts('1234', 'STOP'));
    assert.doesNotMatch((await ask('gemini')).text, /1234/);
    answer = streams(
      chat({ content: 'The key is sk-' }),
      chat({}, 'stop'),
      chat({ content: '1234' }, 'stop'),
      '[DONE]',
    );
    assert.doesNotMatch((await ask('openai')).text, /1234/);
  });
});

describe('a reply that is on its way', () => {
  it('ends when its session is halted by what came in by another door', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const tell = (delta: object, reason: string | null = null) =>
        response.write(`data: ${JSON.stringify(chat(delta, reason))}\n\n`);
      tell({ content: 'The beginning. ' });
      const goOn = async () => {
        const { sessions } = await server.engine.sessions({ limit: 1 });
        await server.engine.decide(sessions[0]!.id, { kind: 'tool.result', name: 'read', content: 'leaked' });
        await pause(50);
        tell({ content: 'More words.' });
        tell({}, 'stop');
        response.end('data: [DONE]\n\n');
      };
      setTimeout(() => void goOn(), 50);
    };
    const { text } = await ask('openai');
    assert.match(text, /The beginning\. .*Something leaked|The beginning\. .*halted/s);
    assert.doesNotMatch(text, /More words/);
  });
});

describe('an upstream', () => {
  it('that fails and never says all of why does not keep the next one waiting', async () => {
    answer = (request, response) => {
      if (request.url!.startsWith('/spare'))
        return void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'here' } }] }));
      response.writeHead(503, { 'content-type': 'application/json' }).write('{"error":');
    };
    const { status, text } = await ask('openai', { model: 'routed', stream: false });
    assert.equal(status, 200, text);
  });

  it('is let go when the request that it was sent early cannot be put on record', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_, response) => {
      response.once('close', () => closed.resolve());
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': thinking\n\n');
    };
    const { engine } = server;
    const failing: Engine = {
      ...engine,
      async decide(session, proposal, early) {
        await engine.decide(session, proposal, early);
        if (proposal.kind !== 'model.request') return engine.decide(session, proposal);
        await pause(50);
        throw refuse('store-failed', 'the record could not be made durable');
      },
    };
    const { port } = upstream.address() as AddressInfo;
    const config = parseGateway(
      { gateway: 1, upstreams: { openai: { url: `http://127.0.0.1:${port}` } } },
      {},
    );
    assert.ok(config.ok);
    const directory = join(dir, 'failing');
    const gateway = await openGateway({ engine: failing, config: config.value, directory, onFailure() {} });
    const door = createServer(gateway.handle);
    await once(door.listen(0, '127.0.0.1'), 'listening');
    try {
      const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}/gateway/${PATHS.openai}`;
      const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
      const refused = await fetch(url, { method: 'POST', body });
      assert.equal(refused.status, 503, await refused.text());
      await Promise.race([closed.promise, pause(2_000).then(() => assert.fail('the upstream goes on'))]);
    } finally {
      door.closeAllConnections();
      door.close();
      await gateway.close();
    }
  });

  it('that compresses what nobody asked it to is an error that says so, of every kind of answer', async () => {
    let accepted: unknown;
    for (const [status, stream, type] of [
      [200, false, 'application/json'],
      [200, true, 'text/event-stream'],
      [429, false, 'application/json'],
    ] as const) {
      answer = (request, response) => {
        accepted = request.headers['accept-encoding'];
        response.writeHead(status, { 'content-type': type, 'content-encoding': 'gzip' });
        // Not all of it: it is let go all the same.
        response.write(gzipSync('{"error":{"message":"slow down"}}'));
      };
      const { status: given, text } = await ask('openai', { stream });
      assert.equal(accepted, 'identity');
      assert.equal(given, 502, text);
      assert.match(text, /upstream_invalid.*gzip|gzip.*upstream_invalid/s);
    }
  });

  it('that sends clients elsewhere does not lead them past the gateway', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      answer = (_, response) => void response.writeHead(status, { location: 'http://127.0.0.1:9/v1' }).end();
      const asked = await fetch(`${server.url}/gateway/${PATHS.openai}`, {
        method: 'POST',
        redirect: 'manual',
        body: JSON.stringify({ model: 'm', messages: [] }),
      });
      assert.equal(asked.status, 502);
      assert.equal(asked.headers.get('location'), null);
      assert.match(await asked.text(), /redirects/);
      const listed = await fetch(`${server.url}/gateway/openai/v1/models`, { redirect: 'manual' });
      assert.deepEqual([listed.status, listed.headers.get('location')], [502, null]);
    }
  });
});
