// Ours, as bench/field.ts asks it: one session, its history grown step by step, each call decided and remembered.
import type { Monitor, MonitorState } from '../../src/monitor/monitor.ts';
import { createMonitor } from '../../src/monitor/session-monitor.ts';
import { compileSpec } from '../../src/spec/index.ts';
import type { Step } from '../../src/step/types.ts';
import type { Peer } from './peer.ts';
import { boundOf, type Call, type Rule, TOOLS, type Verified } from './rules.ts';

export const interlock: Peer = {
  name: 'interlock',
  does: 'keeps the history itself; decides, remembers the call, and can name its witnesses',
  async prepare(rules, history) {
    const session = createSession(rules);
    for (const result of history) session.verify(result);
    return (call) => session.act(call) === 'allow';
  },
};

export interface Session {
  readonly monitor: Monitor;
  readonly state: MonitorState;
  /** A call of `verify` and its result: two steps. */
  verify(result: Verified): void;
  act(call: Call): string;
}

export function createSession(rules: readonly Rule[]): Session {
  const compiled = compileSpec(specOf(rules), { file: 'field.json' });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems.slice(0, 3), null, 2));
  const monitor = createMonitor(compiled.spec.program);
  const state = monitor.start();
  let seq = 0;
  const step = (kind: Step['kind'], name: string, rest: Partial<Step>) => {
    const { decision } = monitor.step(state, {
      ...rest,
      id: `s${seq}`,
      session: 'field',
      seq,
      time: 1_700_000_000_000 + seq,
      kind,
      name,
    });
    seq++;
    return decision.verdict;
  };
  return {
    monitor,
    state,
    verify({ name, args, result }) {
      const callId = `c${seq}`;
      step('tool.call', name, { callId, args });
      step('tool.result', name, { callId, result });
    },
    act: ({ name, args }) => step('tool.call', name, { args }),
  };
}

function specOf(rules: readonly Rule[]): string {
  const order = { type: 'object', properties: { id: { type: 'string' }, amount: { type: 'number' } } };
  const verdict = { type: 'object', properties: { ok: { type: 'boolean' }, total: { type: 'number' } } };
  const tools = Array.from({ length: TOOLS }, (_, i) => [
    [`verify_${i}`, { effect: 'read', input: order, output: verdict }],
    [`act_${i}`, { effect: 'write', input: order }],
  ]).flat();
  return JSON.stringify({
    interlock: 1,
    name: 'field',
    tools: Object.fromEntries(tools),
    rules: rules.map((rule) => ({
      id: rule.id,
      on: `call act_${rule.tool}`,
      require: requireOf(rule),
      because: 'The order is within its bound, and verified.',
    })),
  });
}

function requireOf(rule: Rule): string {
  if (rule.kind === 'bound') return `args.amount <= ${boundOf(rule)}.0`;
  const seen = `e.args.id == args.id && e.result.ok && e.result.total >= ${rule.n}.0`;
  return `past.exists("result verify_${rule.tool}", e, ${seen})`;
}
