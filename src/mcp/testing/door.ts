// For tests: the HTTP door in front of servers that answer as the test says.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localTransport } from '../../sdk/local.ts';
import { openEngine } from '../../sdk/open.ts';
import { loadSpecObject } from '../../sdk/spec-files.ts';
import { createMcpDoor } from '../doors/http.ts';
import { guardedSession } from '../guard/session.ts';
import { specViews } from '../guard/spec-view.ts';
import { createCatalogue } from '../tools/catalogue.ts';
import { openPins } from '../tools/pins.ts';
import type { Body } from './setup.ts';

const SPEC = {
  interlock: 1,
  name: 'test',
  tools: {
    'a.pay': { effect: 'write' },
    'b.pay': { effect: 'write' },
    'a.page': { effect: 'read' },
  },
  rules: [
    { id: 'two', on: 'call *.pay', limit: { count: 2 }, because: 'Two payments.' },
    { id: 'small', on: 'call a.page', transform: { set: { 'args.region': '"eu"' } }, because: 'Here only.' },
    {
      id: 'lead',
      on: 'call *.pay',
      hold: 'has(args.big)',
      approve: { by: ['lead'] },
      because: 'A lead decides.',
    },
    { id: 'quiet', on: 'request', deny: 'true', because: 'No sampling.' },
  ],
};

type Answer = (request: IncomingMessage, body: Body, response: ServerResponse) => void;

function listening(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

export async function within(answer: Answer, work: (s: Awaited<ReturnType<typeof setUp>>) => Promise<void>) {
  const s = await setUp(answer);
  try {
    await work(s);
  } finally {
    await s.close();
  }
}

async function setUp(answer: Answer) {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-mcp-'));
  const received: { method: string; headers: IncomingMessage['headers']; body: Body }[] = [];
  const upstream = await listening(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text === '' ? null : JSON.parse(text);
    received.push({ method: request.method ?? '', headers: request.headers, body });
    answer(request, body, response);
  });
  const engine = await openEngine({ dataDir: null, specs: [loadSpecObject(SPEC)], withoutSpec: 'deny' });
  const transport = localTransport(engine);
  const pins = openPins(join(directory, 'pins'));
  const said: string[] = [];
  const log = (line: string) => void said.push(line);
  const upstreams = ['a', 'b', 'gone'].map((name) => ({
    name,
    url: new URL(name === 'gone' ? 'http://127.0.0.1:1/mcp' : `http://127.0.0.1:${portOf(upstream)}/mcp`),
    headers: name === 'b' ? { Authorization: 'Bearer held' } : {},
    prefix: name === 'gone' ? 'a.' : `${name}.`,
    catalogue: createCatalogue({
      server: name,
      pins,
      refuse: new Set(),
      onFinding: () => {},
      now: () => new Date(),
    }),
  }));
  const door = createMcpDoor({
    upstreams,
    identify: () => ({ ok: true, who: { agent: { name: 'mcp' } } }),
    open: (init, own) => guardedSession({ transport, init, holdWaitMs: 20_000, own }),
    spec: specViews(async (digest) => (await engine.spec(digest))?.canonical ?? null),
    log,
    firstByteMs: 1_000,
  });
  const proxy = await listening(door.handle);
  const port = portOf(proxy);
  return {
    received,
    said,
    engine,
    transport,
    port,
    post: (server: string, body: object | string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/mcp/${server}`, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', ...body }),
      }),
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    async outcomes() {
      const { sessions } = await engine.sessions({ limit: 10 });
      const rows = await Promise.all(sessions.map(({ id }) => engine.steps(id, { from: 0, limit: 100 })));
      return rows
        .flatMap(({ steps }) => steps)
        .filter(({ step }) => step.kind === 'tool.result')
        .map(({ step }) => step.error?.type ?? step.content ?? '');
    },
    async close() {
      await door.close();
      for (const server of [proxy, upstream]) {
        server.close();
        server.closeAllConnections();
      }
      await engine.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const pay = (id: number, more: object = {}) => ({
  id,
  method: 'tools/call',
  params: { name: 'pay', arguments: {}, ...more },
});
export const paid = (id: number) => ({
  jsonrpc: '2.0',
  id,
  result: { content: [{ type: 'text', text: 'paid' }] },
});

export function json(response: ServerResponse, body: object, headers: Record<string, string> = {}) {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function events(response: ServerResponse, ...parts: string[]) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const part of parts) response.write(part);
}

export const event = (message: object, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;

/** The messages of an answer, whichever way it came. */
export async function messages(response: Response): Promise<Body[]> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return [JSON.parse(text)];
  return [...text.matchAll(/^data: ?(.+)$/gm)].map(([, data]) => JSON.parse(data!));
}
