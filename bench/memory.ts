// What sessions cost while nothing happens in them: the state of one, saved and in memory, and a process with 100,000 of
// them live in its engine, each after ten steps under examples/support-agent. The record is on disk (SQLite), as in
// production; what its worker thread needs is in the figure. Not measured: open calls, held acts, long sessions.
//   node bench/memory.ts [--sessions 100000] [--states 2000]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/engine/index.ts';
import { loadSpecFile } from '../src/sdk/spec-files.ts';
import type { Step } from '../src/step/types.ts';
import { openSqliteStore } from '../src/store/sqlite/store.ts';
import { conversation } from './measure/conversation.ts';
import { machine, median, megabytes, quantile, retainedHeap, timeEach } from './measure/measure.ts';

const SPEC = new URL('../examples/support-agent/spec.yaml', import.meta.url).pathname;
/** Sessions that are opened at the same time. */
const AGENTS = 256;
const ROUNDS = 3;
const HEAP_LIMIT = '--max-old-space-size=640';

function stepsOf(n: number): Step[] {
  return conversation(n).map((proposal, seq) => ({
    ...proposal,
    id: `${n}-${seq}`,
    session: `session-${n}`,
    seq,
    time: 1_700_000_000_000 + seq,
  }));
}

const { values } = parseArgs({
  options: { sessions: { type: 'string', default: '100000' }, states: { type: 'string', default: '2000' } },
});
const sessions = Number(values.sessions);
// In a process of its own with a limit on its heap, as an operator would set it: without one V8 lets garbage stand.
if (!process.execArgv.includes(HEAP_LIMIT)) {
  const again = [HEAP_LIMIT, ...process.execArgv, ...process.argv.slice(1)];
  process.exit(spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1);
}
const spec = await loadSpecFile(SPEC);
console.log(`${machine()}; ${HEAP_LIMIT}`);

/** The monitor's state alone. */
function stateOfOne(): void {
  const monitor = spec.createMonitor();
  const saved = Array.from({ length: 100 }, (_, n) => {
    const state = monitor.start();
    for (const step of stepsOf(n)) monitor.step(state, step);
    return JSON.stringify(monitor.save(state)).length;
  });
  const heap = Array.from({ length: ROUNDS }, () => {
    const before = retainedHeap();
    const states = Array.from({ length: Number(values.states) }, (_, n) => {
      const state = monitor.start();
      for (const step of stepsOf(n)) monitor.step(state, step);
      return state;
    });
    return (retainedHeap() - before) / states.length;
  });
  const state = monitor.start();
  for (const step of stepsOf(0)) monitor.step(state, step);
  const wakes = timeEach(Number(values.states), () =>
    monitor.load(JSON.parse(JSON.stringify(monitor.save(state)))),
  );
  console.log(
    `state of an idle session after ${stepsOf(0).length} steps: ${median(saved)} bytes saved, ${Math.round(median(heap))} bytes of heap; packed and unpacked in ${quantile(wakes, 0.5).toFixed(0)} µs`,
  );
}

async function live(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
  const store = await openSqliteStore({ directory });
  // None is written out and forgotten; the engine packs the states of those that are idle.
  const limits = { sessionsInMemory: sessions + 1, bytesInMemory: Number.MAX_SAFE_INTEGER };
  const engine = await createEngine({ store, specs: [spec], noSpec: 'deny', limits });
  try {
    const before = { heap: retainedHeap(), rss: process.memoryUsage.rss() };
    let next = 0;
    const started = performance.now();
    const agents = Array.from({ length: AGENTS }, async () => {
      for (let n = next++; n < sessions; n = next++) {
        const { id } = await engine.openSession({
          agent: { name: 'support-example' },
          principal: `user:${n}`,
        });
        for (const proposal of conversation(n)) {
          const { decision } = await engine.decide(id, proposal);
          if (decision.verdict !== 'allow') throw new Error(JSON.stringify(decision.rules));
        }
      }
    });
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 250);
    await Promise.all(agents);
    clearInterval(watch);
    const seconds = (performance.now() - started) / 1_000;
    const heap = retainedHeap();
    const rss = process.memoryUsage.rss();
    console.log(
      `${sessions.toLocaleString('en')} live sessions of ${stepsOf(0).length + 1} steps (${seconds.toFixed(0)} s): RSS ${megabytes(rss)}, at most ${megabytes(Math.max(peak, rss))} while they came; ${megabytes(before.rss)} before`,
      `\n  heap ${megabytes(heap)}, ${Math.round((heap - before.heap) / sessions).toLocaleString('en')} bytes a session; external ${megabytes(process.memoryUsage().external)}`,
    );
  } finally {
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

await live();
stateOfOne();
