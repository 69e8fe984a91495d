// Durable decisions per second in process: 64 sessions that each wait for a decision before the next, group-committed,
// beside the same steps written one transaction each. Medians over rounds; no HTTP. Does not measure other machines'
// disks: a commit is one fsync, and that is most of the difference between machines.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createEngine } from '../src/engine/index.ts';
import { paymentsSpec } from '../src/engine/testing/payments-spec.ts';
import { openSqliteStore } from '../src/store/sqlite/store.ts';

const SESSIONS = 64;
const ROUNDS = 5;
const ROUND_MS = 1_500;
const TEXT = 'x'.repeat(700);

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function decisions(directory: string): Promise<Round[]> {
  const store = await openSqliteStore({ directory });
  const engine = await createEngine({ store, specs: [paymentsSpec({ shared: false })], noSpec: 'deny' });
  const rounds: Round[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const latencies: number[] = [];
    const started = performance.now();
    const agents = Array.from({ length: SESSIONS }, async (_, i) => {
      const { id } = await engine.openSession({ agent: { name: `payer-${i}` } });
      for (let n = 0; performance.now() - started < ROUND_MS; n++) {
        const before = performance.now();
        const args = { account: n % 50, text: TEXT };
        await engine.decide(id, {
          kind: 'tool.call',
          name: n % 2 === 0 ? 'look' : 'pay',
          callId: `c-${n}`,
          args,
        });
        latencies.push(performance.now() - before);
      }
    });
    await Promise.all(agents);
    const seconds = (performance.now() - started) / 1_000;
    // The first round warms up.
    if (round > 0) rounds.push({ perSecond: latencies.length / seconds, ...quantiles(latencies) });
  }
  await engine.close();
  return rounds;
}

/** The peer: a table, a transaction per step, in this thread. */
function transactions(directory: string): Round[] {
  const database = new DatabaseSync(join(directory, 'peer.sqlite'));
  database.exec('PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec(
    'CREATE TABLE steps (n INTEGER PRIMARY KEY, session TEXT, seq INTEGER, step TEXT, decision TEXT)',
  );
  const insert = database.prepare('INSERT INTO steps (session, seq, step, decision) VALUES (?, ?, ?, ?)');
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const latencies: number[] = [];
    const started = performance.now();
    while (performance.now() - started < ROUND_MS / 3) {
      const before = performance.now();
      insert.run('session', latencies.length, TEXT, TEXT);
      latencies.push(performance.now() - before);
    }
    const seconds = (performance.now() - started) / 1_000;
    rounds.push({ perSecond: latencies.length / seconds, ...quantiles(latencies) });
  }
  database.close();
  return rounds;
}

function quantiles(latencies: number[]): Pick<Round, 'p50Ms' | 'p99Ms'> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function report(name: string, rounds: readonly Round[]): number {
  const perSecond = median(rounds.map((round) => round.perSecond));
  const p50 = median(rounds.map((round) => round.p50Ms)).toFixed(2);
  const p99 = median(rounds.map((round) => round.p99Ms)).toFixed(2);
  console.log(`${name.padEnd(46)} ${perSecond.toFixed(0).padStart(8)}/s   p50 ${p50} ms   p99 ${p99} ms`);
  return perSecond;
}

const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
try {
  const ours = report(`durable decisions, ${SESSIONS} sessions`, await decisions(directory));
  const theirs = report('one SQLite transaction per step, no decision', transactions(directory));
  console.log(`ratio ${(ours / theirs).toFixed(2)}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
