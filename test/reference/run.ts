// Runs a random case through the compiled monitor and through the reference, side by side.
import assert from 'node:assert/strict';
import { SharedHistory } from '../../src/monitor/history.ts';
import { createMonitor } from '../../src/monitor/session-monitor.ts';
import type { Decision } from '../../src/monitor/types.ts';
import { compileSpec, type Program } from '../../src/spec/index.ts';
import type { Step } from '../../src/step/types.ts';
import { type Act, IDS } from './generate.ts';
import { type Judged, ReferenceSession } from './interpreter.ts';
import { type Rule, specText } from './spec-model.ts';

export type Owners = readonly { readonly principal: string | null; readonly tenant: string | null }[];

export function programOf(rules: readonly Rule[], name?: string): Program {
  const compiled = compileSpec(specText(rules, name));
  assert.ok(compiled.ok, JSON.stringify(compiled.problems.map(({ message }) => message)));
  return compiled.spec.program;
}

/** What one side makes of a step; the monitor's binding and the reference's name the same act. */
export interface Player {
  step(session: 0 | 1, step: Step): { readonly verdict: string; readonly held: string | null };
}

export interface Compared {
  readonly decision: Decision;
  readonly judged: Judged;
  readonly step: Step;
}

/** The steps that acts come to, given what is held and open; `play` answers the binding of a hold. */
export function playActs(
  acts: readonly Act[],
  play: (session: 0 | 1, step: Step) => { verdict: string },
): void {
  const open: { callId: string; name: string }[][] = [[], []];
  const held: (Step | null)[] = [null, null];
  const seq = [1, 1];
  const ended = [false, false];
  let time = 1_000;
  for (const act of acts) {
    const { session } = act;
    time += act.wait;
    if (ended[session]) continue;
    const base = { id: `s${seq[session]}`, session: `s${session}`, seq: seq[session]!, time };
    const args = { id: IDS[act.id]!, n: act.n, ...(act.opt === null ? {} : { opt: act.opt }) };
    const callId = `c${seq[session]}`;
    const calls = open[session]!;
    let step: Step | null = null;
    switch (act.act) {
      case 'call':
        step = { ...base, kind: 'tool.call', name: act.tool, callId, args };
        break;
      case 'again':
        if (held[session] !== null) step = { ...held[session]!, ...base, callId };
        break;
      case 'result':
      case 'fail': {
        const [call] = calls.length === 0 ? [] : calls.splice(act.pick % calls.length, 1);
        if (call === undefined) break;
        const outcome = act.act === 'fail' ? { error: { message: 'no' } } : { result: { ref: IDS[act.id]! } };
        step = { ...base, kind: 'tool.result', name: call.name, callId: call.callId, ...outcome };
        break;
      }
      case 'input':
        step = { ...base, kind: 'input', name: '', content: `please use ${IDS[act.id]}` };
        break;
      case 'approve':
        step = { ...base, kind: 'approval', name: 'review', args: {} };
        break;
      case 'deadline':
        step = { ...base, kind: 'check', name: 'deadline' };
        break;
      case 'end':
        step = { ...base, kind: 'session.end', name: '' };
    }
    if (step === null) continue;
    const { verdict } = play(session, step);
    seq[session]!++;
    if (step.kind === 'tool.call') {
      calls.push({ callId: step.callId!, name: step.name });
      if (verdict === 'hold') held[session] = step;
    }
    if (step.kind === 'session.end' && (verdict === 'allow' || verdict === 'transform'))
      ended[session] = true;
  }
}

/** Both sides over the same acts; `reload` says before which steps the monitor's state is saved and loaded. */
export function compareAll(
  rules: readonly Rule[],
  acts: readonly Act[],
  owners: Owners,
  reload: () => boolean,
): Compared[] {
  const program = programOf(rules);
  const monitor = createMonitor(program, { origins: 'eager' });
  const other = createMonitor(program, { origins: 'lazy' });
  const history = new SharedHistory();
  const shared: ConstructorParameters<typeof ReferenceSession>[2] = [];
  const sessions = owners.map(({ principal, tenant }, i) => {
    const state = monitor.start();
    const again = other.start();
    const start: Step = {
      id: 'start',
      session: `s${i}`,
      seq: 0,
      time: 0,
      kind: 'session.start',
      name: 'agent',
      agent: { name: 'agent' },
      ...(principal === null ? {} : { principal }),
      ...(tenant === null ? {} : { tenant }),
    };
    monitor.step(state, start, history);
    other.step(again, start);
    const reference = new ReferenceSession(rules, { session: `s${i}`, principal, tenant }, shared);
    return { state, again, reference, binding: null as string | null };
  });
  const found: Compared[] = [];
  playActs(acts, (session, given) => {
    const side = sessions[session]!;
    const approval = (binding: string | null) => ({
      args: { binding: binding ?? '', approve: true, by: ['ann'], roles: ['reviewer'] },
    });
    const forMonitor = given.kind === 'approval' ? { ...given, ...approval(side.binding) } : given;
    const forReference =
      given.kind === 'approval' ? { ...given, ...approval(side.reference.lastHeld) } : given;
    const outcome = monitor.step(side.state, forMonitor, history);
    // The second monitor has no history but what the first recorded, and is saved and loaded on the way.
    const recorded = outcome.facts === undefined ? forMonitor : { ...forMonitor, facts: outcome.facts };
    if (reload()) side.again = other.load(JSON.parse(JSON.stringify(other.save(side.again))));
    const replayed = other.step(side.again, recorded);
    assert.deepEqual([replayed.decision, replayed.changes], [outcome.decision, outcome.changes]);
    monitor.feed?.(outcome.arrival!, history, new Set());
    history.drain();
    const judged = side.reference.step(forReference);
    found.push({ decision: outcome.decision, judged, step: given });
    if (outcome.decision.binding !== undefined) side.binding = outcome.decision.binding;
    return outcome.decision;
  });
  return found;
}

export function seenOf(decision: Decision, rules: readonly Rule[]): Judged {
  return {
    verdict: decision.verdict,
    wouldBe: decision.wouldBe,
    fired: decision.rules.map(({ rule, verdict, cause }) => `${rule} ${verdict} ${cause}`).sort(),
    witness: decision.rules
      .flatMap(({ rule, verdict, witness }) => {
        const form = rules.find(({ id }) => id === rule)?.form;
        if (form === undefined || !('cond' in form) || form.cond.t !== 'past' || verdict === 'allow')
          return [];
        const places = witness.map(({ session = decision.session, seq }) => `${session}:${seq}`);
        return [`${rule} ${places.sort(inOrder).join(' ')}`];
      })
      .sort(),
  };
}

/** Steps of two sessions in one order for both sides. */
function inOrder(a: string, b: string): number {
  const [one = '', other = ''] = [a.split(':')[0], b.split(':')[0]];
  return one === other ? Number(a.split(':')[1]) - Number(b.split(':')[1]) : one < other ? -1 : 1;
}
