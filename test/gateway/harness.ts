// For the gateway's tests: `interlock serve` as a process of its own, as users run it, in front of a scripted model, and
// its record read over its own API.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hold, Recorded, SessionSummary } from '../../src/engine/types.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const READY_MS = 20_000;

/** What the shop's agents may do in these tests. Money goes nowhere, refunds above 100 wait for a person. */
export const SHOP = `
interlock: 1
name: shop
default: deny
tools:
  get_order:
    effect: read
    input: { type: object, required: [id], properties: { id: { type: string } } }
  refund:
    effect: write
    reversible: false
    input:
      type: object
      required: [id, amount]
      properties: { id: { type: string }, amount: { type: number }, note: { type: string } }
  wire_money:
    effect: send
    input: { type: object, properties: { account: { type: string }, amount: { type: number } } }
rules:
  - id: no-wires
    on: call wire_money
    deny: "true"
    because: Money is not wired from here.
    repair: Refund the order instead.
  - id: order-first
    on: call refund
    require: past.exists("result get_order", o, o.args.id == args.id)
    because: A refund needs its order.
  - id: large-refund
    on: call refund
    hold: args.amount > 100
    approve: { by: [support-lead], expires: 1s }
    because: A refund above 100 needs a support lead.
  - id: no-secrets
    on: output
    deny: content.matches("sk-live-[a-z0-9]{8}")
    because: Keys stay inside.
  - id: models
    on: request *
    deny: name.startsWith("forbidden-")
    because: This model is not used here.
`;

export interface GatewayOptions {
  /** Where the three vendors are. */
  readonly upstream: string;
  readonly spec?: string;
  /** More of the gateway file: lines of YAML. */
  readonly settings?: string;
  /** More upstreams: lines of YAML, two spaces in. */
  readonly upstreams?: string;
  /** An earlier gateway's, to go on with its record. */
  readonly dir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes that a file may have: the store is full there. */
  readonly fileBytesMax?: number;
}

export interface GatewayUnderTest {
  readonly url: string;
  readonly pid: number;
  /** Spec, gateway file and data; gone after `stop`. */
  readonly dir: string;
  /** A GET, or a POST when there is a body, of the API; the JSON of the answer. */
  api<T>(path: string, body?: object): Promise<T>;
  sessionsOf(agent: string): Promise<readonly SessionSummary[]>;
  stepsOf(session: string): Promise<readonly Recorded[]>;
  /** The same once the end of the last reply is on record: it stops nobody, and comes behind the reply. */
  endedSteps(session: string): Promise<readonly Recorded[]>;
  pendingHolds(session: string): Promise<readonly Hold[]>;
  approve(hold: string): Promise<Hold>;
  /** SIGKILL: the process says goodbye to nobody. The directory stays. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<GatewayUnderTest> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'interlock-gateway-')));
  const upstreams = ['openai', 'anthropic', 'gemini']
    .map((name) => `  ${name}: { protocol: ${name}, url: "${options.upstream}" }\n`)
    .join('');
  const settings = options.settings ?? 'hold: 50ms\n';
  await writeFile(join(dir, 'spec.yaml'), options.spec ?? SHOP);
  await writeFile(
    join(dir, 'gateway.yaml'),
    `gateway: 1\nupstreams:\n${upstreams}${options.upstreams ?? ''}${settings}`,
  );
  const args = [MAIN, 'serve', '--port', '0', '--no-otlp', '--no-example', '--data', join(dir, 'data')];
  args.push('--spec', join(dir, 'spec.yaml'), '--gateway', join(dir, 'gateway.yaml'));
  const limit = options.fileBytesMax;
  const child =
    limit === undefined
      ? spawn(process.execPath, args, childOptions(options))
      : // Blocks of 1,024 bytes; what is written beyond fails as on a full disk.
        spawn(
          'bash',
          [
            '-c',
            `trap '' XFSZ; ulimit -f ${Math.ceil(limit / 1024)}; exec "$@"`,
            'bash',
            process.execPath,
            ...args,
          ],
          childOptions(options),
        );
  const exited = once(child, 'exit');
  const url = await urlOf(child);

  async function api<T>(path: string, body?: object): Promise<T> {
    const init =
      body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          };
    return (await (await fetch(`${url}${path}`, init)).json()) as T;
  }
  async function stepsOf(session: string): Promise<readonly Recorded[]> {
    return (await api<{ steps: Recorded[] }>(`/v1/sessions/${session}/steps?limit=1000`)).steps;
  }
  return {
    url,
    pid: child.pid!,
    dir,
    api,
    async sessionsOf(agent) {
      const { sessions } = await api<{ sessions: SessionSummary[] }>(`/v1/sessions?limit=100&agent=${agent}`);
      return sessions;
    },
    stepsOf,
    async endedSteps(session) {
      let steps = await stepsOf(session);
      for (let i = 0; i < 500 && steps.at(-1)?.step.kind !== 'model.response'; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        steps = await stepsOf(session);
      }
      return steps;
    },
    async pendingHolds(session) {
      const { holds } = await api<{ holds: Hold[] }>('/v1/holds?state=pending');
      return holds.filter((hold) => hold.session === session);
    },
    approve: (hold) =>
      api<Hold>(`/v1/holds/${hold}/answer`, { approve: true, by: 'user:lead', role: 'support-lead' }),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await exited;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function childOptions({ env }: GatewayOptions) {
  return { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } };
}

/** Reads what the process says until it tells its address. */
async function urlOf(child: ChildProcess): Promise<string> {
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const until = Date.now() + READY_MS;
  while (Date.now() < until && child.exitCode === null) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
    if (url !== null) return url[0];
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill();
  throw new Error(`interlock serve did not start: ${said}`);
}

/** A `fetch` that keeps every byte of the answers' bodies, and the heads. */
export function recordingFetch(): { fetch: typeof fetch; bytes(): Promise<string>; heads: Headers[] } {
  const bodies: Promise<string>[] = [];
  const heads: Headers[] = [];
  return {
    heads,
    async fetch(input, init) {
      const response = await fetch(input, init);
      heads.push(response.headers);
      bodies.push(response.clone().text().catch(String));
      return response;
    },
    bytes: async () => (await Promise.all(bodies)).join('\n'),
  };
}
