// What one decision costs in process: 100 rules over 30 tools, in a session of 10 and of 100,000 steps, beside the same
// four conditions in @cedar-policy/cedar-wasm and @bufbuild/cel. Medians over rounds; no store, no HTTP.
import { celEnv, parse, plan } from '@bufbuild/cel';
import type { Monitor, MonitorState } from '../src/monitor/monitor.ts';
import { createMonitor } from '../src/monitor/session-monitor.ts';
import { compileSpec } from '../src/spec/index.ts';
import type { JsonObject, Step } from '../src/step/types.ts';

const TOOLS = 30;
const RULES = 100;

/** Per tool an amount bound, a recipient check, a join with an earlier result, and now and then a sum or a limit. */
function specText(): string {
  const tools = Array.from(
    { length: TOOLS },
    (_, i) =>
      `  tool_${i}: { effect: write, input: { type: object, properties: { id: { type: string }, amount: { type: number }, to: { type: array, items: { type: string } } } }, output: { type: object, properties: { id: { type: string }, ok: { type: boolean }, total: { type: number } } } }`,
  );
  const rules = Array.from({ length: RULES }, (_, i) => {
    const tool = `tool_${i % TOOLS}`;
    const bodies = [
      'require: args.amount <= 500.0',
      'require: args.to.all(a, a.endsWith("@corp.example"))',
      `deny: past.count("call ${tool}", e, e.args.id == args.id) > 1000000`,
      `require: past.exists("result ${tool}", e, e.args.id == args.id && e.result.ok) || args.amount < 400.0`,
    ];
    return `  - { id: r${i}, on: call ${tool}, because: bound ${i}, ${bodies[i % 4]!.replace(/^(\w+): (.*)$/, (_m, form: string, text: string) => `${form}: ${JSON.stringify(text)}`)} }`;
  });
  return `interlock: 1\nname: bench\ntools:\n${tools.join('\n')}\nrules:\n${rules.join('\n')}\n`;
}

function callStep(seq: number): Step {
  const args: JsonObject = {
    id: `order-${seq % 5000}`,
    amount: (seq % 300) + 0.5,
    to: ['ann@corp.example', 'bob@corp.example'],
  };
  return {
    id: `s${seq}`,
    session: 'bench',
    seq,
    time: 1_700_000_000_000 + seq,
    kind: 'tool.call',
    name: `tool_${seq % TOOLS}`,
    callId: `c${seq}`,
    args,
  };
}

function resultStep(call: Step): Step {
  return {
    id: `${call.id}r`,
    session: 'bench',
    seq: call.seq + 1,
    time: call.time,
    kind: 'tool.result',
    name: call.name,
    callId: call.callId!,
    result: { id: call.args!.id!, ok: true, total: 40 },
  };
}

/** A state that has seen `steps` steps. */
function grown(monitor: Monitor, steps: number): MonitorState {
  const state = monitor.start();
  for (let seq = 0; seq < steps; seq += 2) {
    const call = callStep(seq);
    monitor.step(state, call);
    monitor.step(state, resultStep(call));
  }
  return state;
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

/** Microseconds of each tool call decided on top of a session of `steps`, the results between them not timed. */
function timeDecisions(monitor: Monitor, steps: number, rounds: number): { p50: number; p99: number } {
  const times = new Float64Array(rounds);
  let state = grown(monitor, steps);
  let seq = steps;
  for (let i = 0; i < rounds; i++) {
    if (seq > steps * 1.5 + 40) {
      state = grown(monitor, Math.min(steps, 1000));
      seq = steps;
      if (steps > 1000) state = grown(monitor, steps);
    }
    const call = callStep(seq);
    const start = process.hrtime.bigint();
    const { decision } = monitor.step(state, call);
    times[i] = Number(process.hrtime.bigint() - start) / 1000;
    if (decision.verdict !== 'allow')
      throw new Error(`unexpected ${decision.verdict}: ${JSON.stringify(decision.rules)}`);
    monitor.step(state, resultStep(call));
    seq += 2;
  }
  times.sort();
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

const compiled = compileSpec(specText(), { file: 'bench.yaml' });
if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems, null, 2));
const monitor = createMonitor(compiled.spec.program);
timeDecisions(monitor, 10, 20_000);

const rows: { session: number; p50: number; p99: number }[] = [];
for (const steps of [10, 100_000]) {
  const runs = Array.from({ length: 3 }, () => timeDecisions(monitor, steps, 20_000));
  const middle = (pick: (run: { p50: number; p99: number }) => number) =>
    runs.map(pick).sort((a, b) => a - b)[1]!;
  rows.push({ session: steps, p50: middle((run) => run.p50), p99: middle((run) => run.p99) });
}
for (const row of rows)
  console.log(
    `interlock  session ${String(row.session).padStart(6)} steps  p50 ${row.p50.toFixed(2)} µs  p99 ${row.p99.toFixed(2)} µs`,
  );
console.log(`long over short session: p50 ${(rows[1]!.p50 / rows[0]!.p50).toFixed(2)}×`);

// The stateless conditions of the same rules, all that the peers can be asked: 25 amount bounds and 25 recipient checks.
const expressions = Array.from({ length: 50 }, (_, i) =>
  i % 2 === 0 ? 'args.amount <= 500.0' : 'args.to.all(a, a.endsWith("@corp.example"))',
);
const env = celEnv();
const plans = expressions.map((text) => plan(env, parse(text)));
const sample = callStep(7).args!;
function timeMedian(run: () => void, rounds: number): number {
  const times = new Float64Array(rounds);
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    run();
    times[i] = Number(process.hrtime.bigint() - start) / 1000;
  }
  return quantile(times.sort(), 0.5);
}
const celUs = timeMedian(() => {
  for (const evaluate of plans) if (evaluate({ args: sample as never }) !== true) throw new Error('cel');
}, 2_000);
console.log(
  `@bufbuild/cel, 50 stateless conditions  p50 ${celUs.toFixed(1)} µs  (${(celUs / rows[0]!.p50).toFixed(0)}× ours with 100 rules and history)`,
);

const cedar = await import('@cedar-policy/cedar-wasm/nodejs').catch(() => null);
if (cedar === null) console.log('@cedar-policy/cedar-wasm is not installed: skipped');
else {
  const policies = Array.from(
    { length: RULES },
    (_, i) =>
      `forbid(principal, action == Action::"tool_${i % TOOLS}", resource) when { context.amount > ${500 + i} || context.outside };`,
  );
  const staticPolicies = `permit(principal, action, resource);\n${policies.join('\n')}`;
  cedar.preparsePolicySet('bench', { staticPolicies });
  const call = {
    principal: { type: 'User', id: 'a' },
    action: { type: 'Action', id: 'tool_7' },
    resource: { type: 'App', id: 'x' },
    context: { amount: 42, outside: false },
    preparsedPolicySetId: 'bench',
    validateRequest: false,
    entities: [],
  };
  const cedarUs = timeMedian(() => {
    const answer = cedar.statefulIsAuthorized(call as never) as {
      type: string;
      response?: { decision: string };
    };
    if (answer.type !== 'success' || answer.response?.decision !== 'allow')
      throw new Error(JSON.stringify(answer));
  }, 2_000);
  console.log(
    `@cedar-policy/cedar-wasm, 100 policies pre-parsed  p50 ${cedarUs.toFixed(1)} µs  (${(cedarUs / rows[0]!.p50).toFixed(0)}× ours)`,
  );
}
