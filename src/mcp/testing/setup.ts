// For tests: a guard over a real engine, with a spec given as an object and pins in a temporary directory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localTransport } from '../../sdk/local.ts';
import { openEngine } from '../../sdk/open.ts';
import { loadSpecObject } from '../../sdk/spec-files.ts';
import type { Transport } from '../../sdk/transport.ts';
import { createGuard, type Guard } from '../guard/guard.ts';
import { guardedSession } from '../guard/session.ts';
import { specViews } from '../guard/spec-view.ts';
import type { Fate, Guarded, Peer } from '../guard/types.ts';
import { createCatalogue } from '../tools/catalogue.ts';
import type { FindingKind } from '../tools/finding.ts';
import { openPins } from '../tools/pins.ts';
import { readMessage } from '../wire/message.ts';

export interface SetUpOptions {
  readonly prefix?: string;
  readonly refuse?: readonly FindingKind[];
  readonly holdWaitMs?: number;
  /** Puts itself between the guard and the engine. */
  readonly transport?: (engine: Transport) => Transport;
}

export interface SetUp {
  readonly guard: Guard;
  readonly guarded: Guarded;
  readonly transport: Transport;
  /** What the proxy said to its operator. */
  readonly said: string[];
  readonly notified: unknown[];
  /** What becomes of a message; its text parsed. */
  client(message: object, peer?: Partial<Peer>): Promise<{ t: Fate['t']; body: Body }>;
  server(message: object): Promise<{ t: Fate['t']; body: Body }>;
  /** Recorded steps as `kind name`, with the verdict where one was made. */
  steps(): Promise<string[]>;
  rows(): ReturnType<Awaited<ReturnType<typeof openEngine>>['steps']>;
  engine: Awaited<ReturnType<typeof openEngine>>;
  close(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: what a test looks into
export type Body = any;

export async function setUp(spec: object | null, options: SetUpOptions = {}): Promise<SetUp> {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-mcp-'));
  const engine = await openEngine({
    dataDir: null,
    specs: spec === null ? [] : [loadSpecObject({ interlock: 1, name: 'test', ...spec })],
    withoutSpec: 'deny',
  });
  const local = localTransport(engine);
  const transport = options.transport?.(local) ?? local;
  const said: string[] = [];
  const notified: unknown[] = [];
  const session = guardedSession({
    transport,
    init: { id: 'test', agent: { name: 'mcp' } },
    holdWaitMs: options.holdWaitMs ?? 0,
    own: true,
  });
  const guarded: Guarded = {
    session,
    prefix: options.prefix ?? '',
    catalogue: createCatalogue({
      server: 'server',
      pins: openPins(join(directory, 'pins')),
      refuse: new Set(options.refuse),
      onFinding: ({ kind, tool }) => said.push(`${kind} ${tool}`),
      now: () => new Date(),
    }),
    spec: specViews(async (digest) => (await engine.spec(digest))?.canonical ?? null)(session),
    log: (line) => said.push(line),
  };
  const guard = createGuard(guarded);
  const peer: Peer = { notify: (text) => notified.push(JSON.parse(text)) };
  const parsed = (text: string) => {
    const read = readMessage(text);
    if (!read.ok) throw new Error(`${read.unreadable.message}: ${text}`);
    return read.message;
  };
  const shown = (fate: Fate) => ({
    t: fate.t,
    body: fate.t === 'drop' ? fate.why : (JSON.parse(fate.text) as Body),
  });
  // Without the session's start, which says nothing of a message.
  const rows = () => engine.steps('test', { from: 1, limit: 1_000 });
  return {
    guard,
    guarded,
    transport,
    said,
    notified,
    engine,
    client: async (message, given = {}) => {
      const text = JSON.stringify({ jsonrpc: '2.0', ...message });
      return shown(await guard.fromClient(parsed(text), { ...peer, ...given }));
    },
    server: async (message) => {
      const text = JSON.stringify({ jsonrpc: '2.0', ...message });
      return shown(await guard.fromServer(parsed(text), text, peer));
    },
    rows,
    steps: async () =>
      (await rows()).steps.map(({ step, decision }) =>
        [step.kind, step.name, decision?.verdict ?? ''].filter((part) => part !== '').join(' '),
      ),
    async close() {
      await engine.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function call(id: number | string, name: string, args: object = {}, more: object = {}) {
  return { id, method: 'tools/call', params: { name, arguments: args, ...more } };
}

export function result(id: number | string, text: string, more: object = {}) {
  return { id, result: { content: [{ type: 'text', text }], ...more } };
}
