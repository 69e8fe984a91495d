// What a gateway adds to a call to a model: ours with policies on and evidence durable, Portkey's and LiteLLM's without, and
// the upstream itself, alternating in one run, in front of the same upstream on the same cores: latency, first token,
// throughput, and what 1,000 slow streams cost. Not measured: a network, TLS, a model (the upstream answers at once).
//   node bench/gateway.ts [--seconds 2] [--rounds 3] [--streams 1000] [--only interlock,portkey] [--here] [--json FILE]
// Peers that are missing are installed first (bench/package.json; LiteLLM in the temporary directory), or reported absent;
// `--here` takes what is there. Numbers are medians of the rounds.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Report, Task } from './gateway/load.ts';
import { direct, interlock, type Launch, litellm, portkey, proxy, type Target } from './gateway/targets.ts';
import { machine, median, megabytes, quantile } from './measure/measure.ts';
import { residentBytes } from './measure/resident.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    streams: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'interlock,proxy,portkey,litellm' },
    here: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const streams = Number(values.streams);
const LAUNCHES: Readonly<Record<string, Launch>> = { interlock, proxy, portkey, litellm };

/** What is measured of every target in every round. */
const TASKS = {
  call: { kind: 'talk', connections: 1, seconds },
  thoughtful: { kind: 'thoughtful', connections: 1, seconds },
  firstToken: { kind: 'stream', seconds },
  at50: { kind: 'talk', connections: 50, seconds },
  at200: { kind: 'talk', connections: 200, seconds },
} as const satisfies Record<string, Task>;
type Name = keyof typeof TASKS;

interface Figure {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

interface Result {
  readonly name: string;
  readonly figures: Record<Name, Figure>;
  readonly slow: SlowFigure | null;
}

interface SlowFigure {
  readonly streams: number;
  readonly failures: number;
  readonly firstTokenP50Ms: number;
  readonly firstTokenP99Ms: number;
  readonly seconds: number;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
}

async function main(): Promise<void> {
  if (!values.here) {
    const npm = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    spawnSync('npm', npm, {
      cwd: import.meta.dirname,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
  }
  const dir = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
  const upstream = spawn(process.execPath, [join(import.meta.dirname, 'gateway/upstream.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const load = fork(join(import.meta.dirname, 'gateway/load.ts'));
  const targets: Target[] = [];
  try {
    const port = Number(String((await once(upstream.stdout, 'data'))[0]));
    console.log(machine());
    for (const launch of [direct, ...values.only.split(',').map((name) => LAUNCHES[name])]) {
      if (launch === undefined) throw new Error(`--only takes ${Object.keys(LAUNCHES).join(', ')}`);
      const target = await launch(port, dir);
      if ('absent' in target) console.log(`  absent: ${target.absent}`);
      else {
        targets.push(target);
        console.log(`  ${target.name}: ${target.does}`);
        await check(load, target);
      }
    }
    const results = await measureAll(load, targets);
    print(results);
    if (values.json !== undefined)
      writeFileSync(
        values.json,
        `${JSON.stringify({ machine: machine(), rounds, seconds, results }, null, 2)}\n`,
      );
  } finally {
    load.disconnect();
    upstream.kill();
    for (const target of targets) await target.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** It passes conversations and streams on, and the forbidden call only if nobody guards. */
async function check(load: ChildProcess, target: Target): Promise<void> {
  await ask(load, target, { kind: 'talk', connections: 1, seconds: 0 });
  await ask(load, target, { kind: 'stream', seconds: 0 });
  const { forbiddenSeen } = await ask(load, target, { kind: 'forbidden' });
  if (forbiddenSeen === target.guards)
    throw new Error(`${target.name}: the forbidden call ${forbiddenSeen ? 'came through' : 'is missing'}`);
}

async function measureAll(load: ChildProcess, targets: readonly Target[]): Promise<Result[]> {
  for (const target of targets) for (const task of Object.values(TASKS)) await ask(load, target, task);
  const rows = targets.map((target) => ({ target, figures: new Map<Name, Figure[]>() }));
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(TASKS) as Name[]) {
      for (const { target, figures } of rows) {
        const report = await ask(load, target, TASKS[name]);
        figures.set(name, [...(figures.get(name) ?? []), figureOf(report)]);
      }
    }
  }
  const results: Result[] = [];
  for (const { target, figures } of rows) {
    const own = Object.fromEntries([...figures].map(([name, all]) => [name, middle(all)]));
    const slow = streams > 0 ? await manyStreams(load, target) : null;
    results.push({ name: target.name, figures: own as Record<Name, Figure>, slow });
  }
  return results;
}

async function manyStreams(load: ChildProcess, target: Target): Promise<SlowFigure> {
  const resident = () => (target.pid === null ? 0 : residentBytes(target.pid));
  const rssBeforeBytes = resident();
  let rssPeakBytes = rssBeforeBytes;
  const watch = setInterval(() => {
    rssPeakBytes = Math.max(rssPeakBytes, resident());
  }, 250);
  try {
    const report = await ask(load, target, { kind: 'slow', streams });
    return {
      streams,
      failures: report.failures.length,
      firstTokenP50Ms: quantile(report.latenciesMs, 0.5),
      firstTokenP99Ms: quantile(report.latenciesMs, 0.99),
      seconds: report.seconds,
      rssBeforeBytes,
      rssPeakBytes,
    };
  } finally {
    clearInterval(watch);
  }
}

async function ask(load: ChildProcess, { name, port, path, headers }: Target, task: Task): Promise<Report> {
  load.send({ address: { port, path, headers }, task });
  const [report] = (await once(load, 'message')) as [Report | { error: string }];
  if ('error' in report) throw new Error(`${name}, ${JSON.stringify(task)}: ${report.error}`);
  if (report.failures.length > 0 && task.kind !== 'slow')
    throw new Error(`${name}, ${JSON.stringify(task)}: ${report.failures[0]}`);
  return report;
}

function figureOf({ latenciesMs, seconds: elapsed }: Report): Figure {
  return {
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    perSecond: latenciesMs.length / elapsed,
  };
}

function middle(figures: readonly Figure[]): Figure {
  return {
    p50Ms: median(figures.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(figures.map(({ p99Ms }) => p99Ms)),
    perSecond: median(figures.map(({ perSecond }) => perSecond)),
  };
}

function print(results: readonly Result[]): void {
  const base = results[0]!.figures;
  const ours = results.find(({ name }) => name === 'interlock') ?? results[0]!;
  for (const [name, title] of [
    ['call', 'a call, one connection'],
    ['thoughtful', 'a call to an upstream that takes 20 ms, one connection'],
    ['firstToken', 'the first token of a stream'],
  ] as const) {
    console.log(`\n${title}: p50 and p99, and what is added to the upstream's own`);
    for (const { name: who, figures } of results) {
      const { p50Ms, p99Ms } = figures[name];
      const added = `added ${ms(p50Ms - base[name].p50Ms)} ${ms(p99Ms - base[name].p99Ms)}`;
      console.log(`  ${who.padEnd(18)} ${ms(p50Ms)} ${ms(p99Ms)}   ${added}`);
    }
  }
  for (const [name, title] of [
    ['at50', '50 connections'],
    ['at200', '200 connections'],
  ] as const) {
    console.log(`\n${title}: calls per second, p50 and p99`);
    for (const { name: who, figures } of results) {
      const { perSecond, p50Ms, p99Ms } = figures[name];
      const ratio = ours.figures[name].perSecond / perSecond;
      console.log(
        `  ${who.padEnd(18)} ${Math.round(perSecond).toLocaleString('en').padStart(8)}/s ${ms(p50Ms)} ${ms(p99Ms)}   ${ours.name} is ${ratio.toFixed(2)}×`,
      );
    }
  }
  for (const { name: who, slow } of results) {
    if (slow === null) continue;
    if (who === results[0]!.name)
      console.log(
        `\n${slow.streams.toLocaleString('en')} slow streams at once: first token, and memory of the gateway`,
      );
    const memory =
      slow.rssPeakBytes === 0
        ? ''
        : `   RSS ${megabytes(slow.rssBeforeBytes)}, at most ${megabytes(slow.rssPeakBytes)}`;
    console.log(
      `  ${who.padEnd(18)} ${ms(slow.firstTokenP50Ms)} ${ms(slow.firstTokenP99Ms)}   ${slow.failures} failed, ${slow.seconds.toFixed(1)} s${memory}`,
    );
  }
}

function ms(value: number): string {
  return `${value.toFixed(2).padStart(8)} ms`;
}

await main();
