// What the proxy adds to one call of a tool, over stdio and over HTTP: the same server called directly and through
// `interlock mcp`, by the same client, in alternating rounds. Through the proxy each call is two decisions, one of the call
// and one of its result, each made durable on disk; a call of a tool that only reads goes on meanwhile, one with an effect
// waits. The server takes a millisecond for a call. `--data /dev/shm/x` shows what the disk is of the cost. Server, proxy and
// client share the cores. Not measured: a network, many clients at once, large results.
//   node bench/mcp.ts [--calls 300] [--rounds 5] [--work MS] [--data DIR]
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openLocal } from '../src/sdk/open.ts';
import { machine, median, quantile } from './measure/measure.ts';

const MAIN = new URL('../src/cli/main.ts', import.meta.url).pathname;
const SELF = import.meta.filename;
const TEXT = 'x'.repeat(1_000);

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
    data: { type: 'string' },
    work: { type: 'string', default: '1' },
    serve: { type: 'string' },
  },
});

/** The server: answers every call with the same text. */
function answerTo(line: string): string {
  const { id } = JSON.parse(line) as { id: number };
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: TEXT }] } });
}

/** As a server that waits for a disk or another service. */
function worked(then: () => void): void {
  if (Number(values.work) === 0) then();
  else setTimeout(then, Number(values.work));
}

function serveStdio(): void {
  createInterface({ input: process.stdin }).on('line', (line) =>
    worked(() => process.stdout.write(`${answerTo(line)}\n`)),
  );
}

function serveHttp(): void {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      worked(() => {
        const text = answerTo(body);
        const length = Buffer.byteLength(text);
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': length }).end(text);
      });
    });
  });
  server.listen(0, '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`),
  );
}

const SPEC = `interlock: 1
name: bench
tools:
  look: { effect: read, input: { type: object, required: [account], properties: { account: { type: integer } } } }
  pay: { effect: write, input: { type: object, required: [account], properties: { account: { type: integer } } } }
rules:
${Array.from({ length: 10 }, (_, i) => `  - { id: r${i}, on: call *, require: "args.account < ${1_000_000 + i}", because: Known accounts. }`).join('\n')}
  - { id: often, on: call *, limit: { count: 1000000, per: args.account }, because: Not too often. }
`;

interface Target {
  readonly name: string;
  /** Calls once; resolves when the whole answer is there. */
  call(n: number, tool: string): Promise<void>;
  close(): void;
}

function callText(n: number, tool: string): string {
  const params = { name: tool, arguments: { account: n % 100, note: 'a note' } };
  return JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/call', params });
}

function checked(text: string, n: number): void {
  const { id, result } = JSON.parse(text) as { id: number; result?: { isError?: boolean } };
  if (id !== n || result === undefined || result.isError === true)
    throw new Error(`call ${n}: ${text.slice(0, 300)}`);
}

function overStdio(name: string, args: readonly string[]): Target {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let waiting: (line: string) => void = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => waiting(line));
  return {
    name,
    async call(n, tool) {
      const answer = new Promise<string>((resolve) => {
        waiting = resolve;
      });
      child.stdin.write(`${callText(n, tool)}\n`);
      checked(await answer, n);
    },
    close: () => child.stdin.end(),
  };
}

function overHttp(name: string, url: string, close: () => void): Target {
  const agent = new Agent({ keepAlive: true });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return {
    name,
    call: (n, tool) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => {
            try {
              checked(text, n);
              resolve();
            } catch (error) {
              reject(error);
            }
          });
        });
        request.on('error', reject).end(callText(n, tool));
      }),
    close() {
      agent.destroy();
      close();
    },
  };
}

/** Starts a program and gives the first address it says. */
function started(args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      const found = /http:\/\/127\.0\.0\.1:\d+\/mcp\S*/.exec(String(chunk));
      if (found !== null) resolve({ child, url: found[0] });
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

const TOOLS = [
  ['look', 'a tool that only reads'],
  ['pay', 'a tool with an effect'],
] as const;

async function compare(direct: Target, proxied: Target): Promise<void> {
  const calls = Number(values.calls);
  const rows = TOOLS.flatMap(([tool, says]) =>
    [direct, proxied].map((target) => ({ tool, says, target, rounds: [] as number[][] })),
  );
  let n = 0;
  for (let round = 0; round <= Number(values.rounds); round++)
    for (const { target, tool, rounds } of rows) {
      const spent: number[] = [];
      for (let i = 0; i < calls; i++) {
        const before = performance.now();
        await target.call(n++, tool);
        spent.push(performance.now() - before);
      }
      // The first round warms up.
      if (round > 0) rounds.push(spent);
    }
  const at = (rounds: readonly number[][], q: number) => median(rounds.map((spent) => quantile(spent, q)));
  for (const [tool, says] of TOOLS) {
    const [without, through] = rows.filter((row) => row.tool === tool);
    const added = at(through!.rounds, 0.5) - at(without!.rounds, 0.5);
    console.log(`${proxied.name}, ${says}`);
    for (const { target, rounds } of [without!, through!])
      console.log(
        `  ${target === direct ? 'direct ' : 'proxied'}  p50 ${at(rounds, 0.5).toFixed(3)} ms   p99 ${at(rounds, 0.99).toFixed(3)} ms`,
      );
    console.log(`  added    p50 ${added.toFixed(3)} ms\n`);
  }
  for (const target of [direct, proxied]) target.close();
}

/** The two decisions of a call by themselves, in this process: what the proxy cannot be faster than. */
async function decisions(spec: string, dataDir: string): Promise<void> {
  const transport = await openLocal({ spec, data: dataDir });
  const { id } = await transport.openSession({ agent: { name: 'mcp' } });
  const rounds: number[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const spent: number[] = [];
    for (let n = 0; n < Number(values.calls); n++) {
      const step = { name: 'look', callId: `${round}-${n}` };
      const before = performance.now();
      await transport.decide(id, { ...step, kind: 'tool.call', args: { account: n % 100, note: 'a note' } });
      await transport.decide(id, { ...step, kind: 'tool.result', content: TEXT });
      spent.push(performance.now() - before);
    }
    if (round > 0) rounds.push(quantile(spent, 0.5));
  }
  await transport.close();
  console.log(`two durable decisions      p50 ${median(rounds).toFixed(3)} ms`);
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'interlock-bench-'));
  try {
    const spec = join(directory, 'spec.yaml');
    await writeFile(spec, SPEC);
    const data = (name: string) => join(values.data ?? directory, name);
    const options = (name: string) => [
      'mcp',
      '--spec',
      spec,
      '--data',
      data(name),
      '--pins',
      join(directory, 'pins'),
    ];
    console.log(`${machine()}\n`);
    await compare(
      overStdio('stdio', [SELF, '--serve', 'stdio']),
      overStdio('stdio', [MAIN, ...options('a'), '--', process.execPath, SELF, '--serve', 'stdio']),
    );
    await decisions(spec, data('c'));
    console.log('');
    const server = await started([SELF, '--serve', 'http']);
    const proxy = await started([
      MAIN,
      ...options('b'),
      '--listen',
      '0',
      '--prefix',
      '',
      '--upstream',
      `s=${server.url}`,
    ]);
    await compare(
      overHttp('http', server.url, () => server.child.kill()),
      overHttp('http', proxy.url, () => proxy.child.kill()),
    );
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

if (values.serve === 'stdio') serveStdio();
else if (values.serve === 'http') serveHttp();
else await main();
