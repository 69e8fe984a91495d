// Durable decisions per second over HTTP on loopback: a server as it is started in production, and a load generator of
// its own in a child process, both on the same cores. Not measured: a network, TLS, more than one machine.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../src/server/server.ts';

const CONNECTIONS = 64;
const SPEC = new URL('../examples/support-agent/spec.yaml', import.meta.url).pathname;

interface Report {
  readonly decisions: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One keep-alive connection, one session, one request at a time: proposes until the time is up. */
async function drive(port: number, index: number, untilMs: number, latenciesMs: number[]): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const session = `bench-${Math.round(untilMs)}-${index}`;
  await exchange(socket, '/v1/sessions', { id: session, agent: { name: 'support-example' } });
  const path = `/v1/sessions/${session}/steps`;
  for (let n = 0; performance.now() < untilMs; n++) {
    const started = performance.now();
    const args = { order_id: `A-${n}` };
    const status = await exchange(socket, path, {
      kind: 'tool.call',
      name: 'get_order',
      callId: `c${n}`,
      args,
    });
    if (status !== 200) throw new Error(`status ${status}`);
    latenciesMs.push(performance.now() - started);
  }
  socket.destroy();
}

/** Writes one request and reads one whole answer; resolves with its status. */
function exchange(socket: Socket, path: string, body: object): Promise<number> {
  const text = JSON.stringify(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    let got = '';
    const onData = (chunk: Buffer) => {
      got += chunk.toString('latin1');
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(got)?.[1]);
      if (got.length < end + 4 + length) return;
      done();
      resolve(Number(got.slice(9, 12)));
    };
    const onEnd = () => {
      done();
      reject(new Error('the server closed the connection'));
    };
    const done = () => socket.off('data', onData).off('close', onEnd).off('error', onEnd);
    socket.on('data', onData).once('close', onEnd).once('error', onEnd);
    socket.write(head + text);
  });
}

async function load(port: number, seconds: number): Promise<Report> {
  const latenciesMs: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => drive(port, i, until, latenciesMs)));
  const elapsed = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(latenciesMs).sort();
  const at = (quantile: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
  return { decisions: sorted.length, seconds: elapsed, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

async function measure(child: ChildProcess, port: number, seconds: number): Promise<Report> {
  child.send({ port, seconds });
  const [report] = (await once(child, 'message')) as [Report];
  return report;
}

function rateOf({ decisions, seconds }: Report): number {
  return Math.round(decisions / seconds);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '4' }, rounds: { type: 'string', default: '3' } },
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'interlock-bench-'));
  const server = await startServer({ port: 0, otlpPort: null, dataDir, specFiles: [SPEC] });
  const child = fork(import.meta.filename, ['--child']);
  try {
    await measure(child, server.port, 1);
    const reports: Report[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      reports.push(await measure(child, server.port, Number(values.seconds)));
    }
    reports.sort((a, b) => rateOf(a) - rateOf(b));
    const median = reports[Math.floor(reports.length / 2)]!;
    const { p50Ms, p99Ms, maxMs } = median;
    const rates = reports.map(rateOf).join(', ');
    console.log(
      `http: ${rateOf(median)} durable decisions/s over ${CONNECTIONS} connections (rounds: ${rates})`,
    );
    console.log(`      p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)} ms`);
  } finally {
    child.disconnect();
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (process.argv.includes('--child')) {
  process.on('message', ({ port, seconds }: { port: number; seconds: number }) => {
    load(port, seconds).then(
      (report) => process.send!(report),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
} else await main();
