// Replay speed on one core, from bytes of chat transcripts to verdicts: `node bench/replay.ts [--spec FILE] [FILE...]`.
// Generated sessions with ~1 KB tool results, and the files given. Prints medians of rounds and where the time goes.
// Does not measure: reading the disk (files are in memory), writing decisions, several cores.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Batch, replayBatch } from '../src/cli/replay/batch.ts';
import { importChat } from '../src/ingest/importers/chat.ts';
import { type ReplaySpec, replaySession, replaySpec } from '../src/replay/replay.ts';
import { compileSpec } from '../src/spec/index.ts';
import { parseStructure } from '../src/step/structure.ts';

const SESSIONS = 1_000;
const ROUNDS = 7;

const SPEC = `
interlock: 1
name: bench
default: allow
tools:
  list_payments: { effect: read, output: { type: array, items: { type: object, properties: {
    id: { type: integer, trust: trusted }, recipient: { type: string, trust: trusted }, subject: { type: string } } } } }
  send_money: { effect: write }
rules:
  - id: known-recipient
    on: call send_money
    require: origin(args.recipient).within(["user", "tool:list_payments"])
    because: A recipient comes from the user or from the record.
  - id: few-payments
    on: call send_money
    limit: { count: 3, per: session }
    because: Few payments a session.
  - id: looked-first
    on: call send_money
    require: past.exists("result list_payments", e, size(e.result) > 0)
    because: Look at the record first.
`;

/** A session of ten steps: a question, three looks at a list of payments in YAML or JSON, a payment, an answer. */
function session(i: number): string {
  const payments = Array.from({ length: 8 }, (_, k) => ({
    amount: 12.5 + k,
    date: '2026-01-05',
    id: i * 8 + k,
    recipient: `DE${String(10 ** 17 + i * 31 + k).padStart(20, '0')}`,
    subject:
      k % 3 === 0 ? "It's the rent, and a few words more that make it as long as such texts are" : 'Rent',
  }));
  const yaml = payments
    .map(
      (p) =>
        `- amount: ${p.amount}\n  date: '${p.date}'\n  id: ${p.id}\n  recipient: ${p.recipient}\n  subject: '${p.subject.replaceAll("'", "''")}'\n`,
    )
    .join('');
  const call = (id: string, name: string, args: object) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  });
  const look = (id: string, content: string) => [
    { role: 'assistant', content: null, tool_calls: [call(id, 'list_payments', { n: 8 })] },
    { role: 'tool', tool_call_id: id, content },
  ];
  return JSON.stringify({
    id: `s${i}`,
    agent: 'bench',
    messages: [
      { role: 'user', content: 'Pay the rent again.' },
      ...look('a', yaml),
      ...look('b', JSON.stringify(payments)),
      {
        role: 'assistant',
        content: null,
        tool_calls: [call('c', 'send_money', { recipient: payments[0]!.recipient, amount: 12.5 })],
      },
      { role: 'tool', tool_call_id: 'c', content: 'message: sent' },
      { role: 'assistant', content: 'Done.' },
    ],
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Median seconds of one run. */
function seconds(run: () => void): number {
  run();
  return median(
    Array.from({ length: ROUNDS }, () => {
      const startedAt = performance.now();
      run();
      return (performance.now() - startedAt) / 1000;
    }),
  );
}

function measure(name: string, spec: ReplaySpec, bytes: Uint8Array<ArrayBuffer>): void {
  const batch: Batch = { format: 'chat', file: name, line: 1, bytes };
  const { totals } = replayBatch(spec, batch, false);
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '');
  const sessions = lines.map((line, i) => importChat(line, { file: name, line: i + 1 }));
  const steps = sessions.flatMap((imported) => (imported.session === null ? [] : [imported.steps]));
  const texts = steps.flat().flatMap((step) => (step.kind === 'tool.result' ? [step.content ?? ''] : []));
  const all = seconds(() => replayBatch(spec, batch, false));
  const importing = seconds(() => {
    for (const line of lines) importChat(line, { file: name, line: 1 });
  });
  const structure = seconds(() => {
    for (const text of texts) parseStructure(text);
  });
  const deciding = seconds(() => {
    for (const list of steps) replaySession(spec, list);
  });
  const rate = (s: number) => `${Math.round(totals.steps / s).toLocaleString('en')} steps/s`;
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.log(
    `${name}: ${totals.sessions} sessions, ${totals.steps} steps, ${Math.round(bytes.length / totals.steps)} bytes a step`,
  );
  console.log(`  replay, one core   ${rate(all)}   ${(bytes.length / 1e6 / all).toFixed(0)} MB/s`);
  console.log(
    `    import           ${rate(importing)}   of it structure ${(characters / 1e6 / structure).toFixed(0)} MB/s of tool output`,
  );
  console.log(`    decide           ${rate(deciding)}`);
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { spec: { type: 'string' } } });
const text = values.spec === undefined ? SPEC : readFileSync(values.spec, 'utf8');
const compiled = compileSpec(text, { file: values.spec ?? 'bench' });
if (!compiled.ok) {
  for (const problem of compiled.problems) console.error(problem);
  process.exit(2);
}
const spec = replaySpec(compiled.spec);
measure(
  'generated',
  spec,
  new TextEncoder().encode(Array.from({ length: SESSIONS }, (_, i) => session(i)).join('\n')),
);
for (const file of positionals) measure(file, spec, Uint8Array.from(readFileSync(file)));
