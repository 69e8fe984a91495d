// What a guard adds to a tool call in the agent's own process: from the call to its return, with both its steps (call and result),
// one after the other. With the record in memory and with a durable one; beside the bare tool. Medians of rounds, in turn.
//   node bench/in-process.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interlock } from '../src/sdk/index.ts';
import { median, quantile } from './measure/measure.ts';

const SPEC = fileURLToPath(new URL('../examples/support-agent/spec.yaml', import.meta.url));
const ROUNDS = 5;
const ORDER = { id: 'A-1', customer_id: 'C-7', total: 95, note: 'Left with the neighbour.' };

type Tool = (args: { order_id: string }) => Promise<unknown>;
const bare: Tool = async () => ORDER;

async function guarded(data: string | null): Promise<{ tool: Tool; close: () => Promise<void> }> {
  const interlock = await Interlock.open({ spec: SPEC, ...(data === null ? {} : { data }) });
  const session = await interlock.session({ agent: { name: 'support-example' }, principal: 'user:1' });
  await session.input('Where is my order?');
  const options = { onDeny: 'result' } as const;
  const verify = session.guard({ name: 'verify_identity', execute: async () => ({ ok: true }) }, options);
  await verify({ customer_id: 'C-7' });
  return {
    tool: session.guard({ name: 'get_order', execute: bare }, options) as Tool,
    close: interlock.close,
  };
}

async function round(tool: Tool, calls: number): Promise<Float64Array> {
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const start = process.hrtime.bigint();
    const result = await tool({ order_id: 'A-1' });
    times[i] = Number(process.hrtime.bigint() - start) / 1_000;
    if (result !== ORDER) throw new Error(`not allowed: ${JSON.stringify(result)}`);
    // An agent does something else between its calls.
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return times;
}

const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
const inMemory = await guarded(null);
const durable = await guarded(directory);
const subjects: readonly [name: string, tool: Tool, calls: number][] = [
  ['the bare tool', bare, 5_000],
  ['guarded, record in memory', inMemory.tool, 5_000],
  ['guarded, durable', durable.tool, 1_000],
];
const found = new Map<string, { p50: number[]; p99: number[] }>();
for (let n = -1; n < ROUNDS; n++)
  for (const [name, tool, calls] of subjects) {
    const times = await round(tool, calls);
    if (n < 0) continue;
    const row = found.get(name) ?? { p50: [], p99: [] };
    row.p50.push(quantile(times, 0.5));
    row.p99.push(quantile(times, 0.99));
    found.set(name, row);
  }
console.table(
  Object.fromEntries(
    [...found].map(([name, { p50, p99 }]) => [
      name,
      { 'p50 µs': median(p50).toFixed(1), 'p99 µs': median(p99).toFixed(1) },
    ]),
  ),
);
await inMemory.close();
await durable.close();
rmSync(directory, { recursive: true });
