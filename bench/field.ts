// One call decided under 1, 10, 100 and 1,000 rules, in one run: ours and the field, on the same rules, history and calls
// (bench/peers/rules.ts), each checked to give the same verdicts before it is timed; then ours alone, over sessions of 10
// to 1,000,000 steps. Half of the rules look at the history. Ours also remembers the call; nobody writes anything to disk.
//   node bench/field.ts [--history 200] [--rounds 3] [--rules 1,10,100,1000] [--steps 10,1000,100000,1000000] [--budget MS] [--here]
// Peers that are missing are installed first (bench/package.json; Go and Python ones in the temporary directory), or
// reported absent; `--here` takes what is there.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { machine, median, quantile, timeEach } from './measure/measure.ts';
import { createSession, interlock } from './peers/interlock.ts';
import type { Decide, Remote } from './peers/peer.ts';
import { invariant, opa } from './peers/remote.ts';
import { allowedCalls, type Call, deniedCalls, type Rule, rulesOf, verified } from './peers/rules.ts';
import { bufbuildCel, cedar, celJs, governance, rescan } from './peers/stateless.ts';

const { values } = parseArgs({
  options: {
    history: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    rules: { type: 'string', default: '1,10,100,1000' },
    steps: { type: 'string', default: '10,1000,100000,1000000' },
    budget: { type: 'string', default: '400' },
    here: { type: 'boolean', default: false },
  },
});
/** Milliseconds for one peer in one round. */
const budgetMs = Number(values.budget);
const rounds = Number(values.rounds);
const PEERS = [interlock, rescan, bufbuildCel, celJs, governance, cedar];
const REMOTES = [opa, invariant];
/** Decisions of one peer in one round, at most. */
const RUNS_MAX = 20_000;
const WARM_UP = 3_000;
/** Decisions between two looks at the clock. */
const BATCH = 20;

interface Row {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly timed: number;
}

function check(name: string, calls: readonly Call[], decide: Decide): void {
  for (const call of calls) {
    if (decide(call) !== call.allowed)
      throw new Error(`${name} decides ${JSON.stringify(call)} otherwise than it should`);
  }
}

/** Microseconds of each decision, as many as the budget has time for. */
function timeFor(calls: readonly Call[], decide: Decide): Float64Array {
  const until = performance.now() + budgetMs;
  const batches: Float64Array[] = [];
  for (let runs = 0; runs < RUNS_MAX && performance.now() < until; runs += BATCH) {
    batches.push(timeEach(BATCH, (i) => decide(calls[(runs + i) % calls.length]!)));
  }
  return Float64Array.from(batches.flatMap((batch) => [...batch]));
}

async function table(rules: readonly Rule[], results: number, remotes: readonly Remote[]): Promise<void> {
  const history = Array.from({ length: results }, (_, k) => verified(k));
  const allowed = allowedCalls(rules.length, results);
  const denied = deniedCalls(rules);
  const deciders: { name: string; decide: Decide; times: Float64Array[] }[] = [];
  const absent: string[] = [];
  for (const peer of PEERS) {
    const decide = await peer.prepare(rules, history);
    if (decide === null) absent.push(`${peer.name}: absent (not installed)`);
    else {
      check(peer.name, [...allowed.slice(0, 50), ...denied], decide);
      deciders.push({ name: peer.name, decide, times: [] });
    }
  }
  for (const { decide } of deciders) {
    const until = performance.now() + budgetMs;
    for (let i = 0; i < WARM_UP && performance.now() < until; i++) decide(allowed[i % allowed.length]!);
  }
  for (let round = 0; round < rounds; round++)
    for (const one of deciders) one.times.push(timeFor(allowed, one.decide));
  const rows: Row[] = deciders.map(({ name, times }) => ({
    name,
    p50: median(times.map((each) => quantile(each, 0.5))),
    p99: median(times.map((each) => quantile(each, 0.99))),
    timed: times[0]!.length,
  }));
  for (const remote of remotes) {
    const calls = [...allowed.slice(0, 5), ...denied.slice(0, 5)];
    const answers = await remote.run(rules, history, calls, budgetMs * rounds);
    if ('absent' in answers) absent.push(`${remote.name}: no figure (${answers.absent})`);
    else {
      check(remote.name, calls, (call) => answers.allowed[calls.indexOf(call)]!);
      const [p50, p99] = [quantile(answers.times, 0.5), quantile(answers.times, 0.99)];
      rows.push({ name: remote.name, p50, p99, timed: answers.times.length });
    }
  }
  console.log(`\n${rules.length} rules, history of ${2 * results} steps:`);
  for (const { name, p50, p99, timed } of rows)
    console.log(
      `  ${name.padEnd(32)} p50 ${show(p50)} µs   p99 ${show(p99)} µs   ${(p50 / rows[0]!.p50).toFixed(1).padStart(8)}×   (${timed} decisions a round)`,
    );
  for (const line of absent) console.log(`  ${line}`);
}

function show(us: number): string {
  return (us < 100 ? us.toFixed(2) : us.toFixed(0)).padStart(9);
}

/** Ours under 100 rules, the session having so many steps. Call and its result are decided; both are shown. */
function flat(steps: number): { p50: number; p99: number; resultP50: number } {
  const session = createSession(rulesOf(100));
  const results = Math.max(1, Math.floor(steps / 2));
  for (let k = 0; k < results; k++) session.verify(verified(k));
  const calls = allowedCalls(100, results);
  const decide: Decide = (call) => session.act(call) === 'allow';
  check('interlock', calls, decide);
  timeFor(calls, decide);
  const times = Array.from({ length: rounds }, () => timeFor(calls, decide));
  const pairs = timeEach(5_000, (i) => session.verify(verified(results + i)));
  return {
    p50: median(times.map((each) => quantile(each, 0.5))),
    p99: median(times.map((each) => quantile(each, 0.99))),
    resultP50: quantile(pairs, 0.5),
  };
}

function list(text: string): number[] {
  return text.split(',').map(Number);
}

if (!values.here) {
  const npm = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  spawnSync('npm', npm, { cwd: import.meta.dirname, stdio: 'inherit', shell: process.platform === 'win32' });
}
console.log(machine());
for (const { name, does } of [...PEERS, ...REMOTES]) console.log(`  ${name}: ${does}`);
for (const count of list(values.rules))
  await table(rulesOf(count), Number(values.history) / 2, values.here ? [] : REMOTES);
console.log('\ninterlock, 100 rules, by the length of the session:');
let first = 0;
for (const steps of list(values.steps)) {
  const { p50, p99, resultP50 } = flat(steps);
  first ||= p50;
  console.log(
    `  ${steps.toLocaleString('en').padStart(9)} steps   p50 ${show(p50)} µs   p99 ${show(p99)} µs   ${(p50 / first).toFixed(2)}×   a call and its result remembered: p50 ${show(resultP50)} µs`,
  );
}
