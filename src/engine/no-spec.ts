// What decides when no spec applies: the configured default, recorded under a rule of its own so that nobody takes it
// for a considered verdict. Pure.
import type { Monitor, MonitorState } from '../monitor/monitor.ts';
import { stoppedOutcome } from '../monitor/stopped.ts';
import type { Decision, RuleOutcome } from '../monitor/types.ts';
import { FREE } from '../spec/content-watch.ts';
import { ENFORCEABILITY, type Step } from '../step/types.ts';
import { ENGINE_VERSION } from '../step/version.ts';

export const NO_SPEC_RULE = '$no-spec';

/** Denies, or allows, every step that could be stopped; what has happened already is only recorded. */
export function createNoSpecMonitor(verdict: 'deny' | 'allow'): Monitor {
  return {
    spec: '',
    start: () => ({}) as MonitorState,
    step(_state, step) {
      const decision = decide(step, verdict);
      return { decision, changes: JSON.stringify([step.seq, step.time, decision.verdict]) };
    },
    foresee(_state, step) {
      const { verdict: effective, rules } = decide(step, verdict);
      return { verdict: effective, rules, watch: FREE };
    },
    deadline: () => null,
    save: () => null,
    load: () => ({}) as MonitorState,
  };
}

function decide(step: Step, verdict: 'deny' | 'allow'): Decision {
  // A session may always end.
  const stoppable = ENFORCEABILITY[step.kind] === 'suppressable' && step.kind !== 'session.end';
  const stopped = stoppedOutcome(step);
  const rules = stopped !== null ? [stopped] : stoppable ? [OUTCOMES[verdict]] : [];
  const effective = stopped !== null ? 'deny' : stoppable ? verdict : 'allow';
  return {
    session: step.session,
    seq: step.seq,
    step: step.id,
    verdict: effective,
    wouldBe: effective,
    mode: 'enforce',
    rules,
    witness: [],
    spec: null,
    engine: ENGINE_VERSION,
  };
}

const BASE = { rule: NO_SPEC_RULE, mode: 'enforce', cause: 'absent', witness: [], controls: [] } as const;
const OUTCOMES: Readonly<Record<'deny' | 'allow', RuleOutcome>> = {
  deny: {
    ...BASE,
    verdict: 'deny',
    because: 'No spec applies to this agent, and the server is set to deny what no spec covers.',
  },
  allow: {
    ...BASE,
    verdict: 'allow',
    because: 'No spec applies to this agent, and the server is set to allow what no spec covers.',
  },
};
