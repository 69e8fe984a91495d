// What a verdict means for the step it was given to, in a sentence for a person. Pure.
import type { HoldState } from '../../src/engine/types.ts';
import type { Decision, Verdict } from '../../src/monitor/types.ts';
import { ENFORCEABILITY, type StepKind } from '../../src/step/types.ts';

/** What a step of this kind is called in a sentence. */
const NOUNS: Record<StepKind, string> = {
  'session.start': 'session',
  input: 'input',
  'model.request': 'model request',
  'model.response': 'model response',
  'tool.call': 'call',
  'tool.result': 'result',
  retrieval: 'retrieval',
  'memory.read': 'memory read',
  'memory.write': 'memory write',
  handoff: 'hand-off',
  check: 'check',
  approval: 'approval',
  output: 'output',
  'session.end': 'end of the session',
};

export function nounOf(kind: StepKind): string {
  return NOUNS[kind];
}

/** The verdict in force, as one sentence; `hold` is the state of the hold it made, if it made one. */
export function verdictInWords(decision: Decision, kind: StepKind, hold: HoldState | null): string {
  const noun = NOUNS[kind];
  const happened = ENFORCEABILITY[kind] === 'observable';
  switch (decision.verdict) {
    case 'allow':
      return happened
        ? `Allowed: the ${noun} was delivered as it was.`
        : `Allowed: the ${noun} ran as proposed.`;
    case 'transform':
      return `Transformed: the ${noun} ${happened ? 'was delivered' : 'ran'} changed, as shown below.`;
    case 'hold':
      return hold === 'pending'
        ? `Held: the ${noun} waits for a person's approval of exactly these arguments.`
        : `Held: the ${noun} was stopped until a person answered for exactly these arguments.`;
    case 'deny':
      return happened
        ? `Denied: the ${noun} had happened, but was withheld from the model.`
        : `Denied: the ${noun} did not run.`;
    case 'halt':
      return happened
        ? `Halted: the ${noun} was withheld and the session was stopped.`
        : `Halted: the ${noun} did not run and the session was stopped.`;
  }
}

/** Said beside the verdict when shadow or warn rules would have been stricter; null when they agree. */
export function wouldBeInWords(decision: Decision): string | null {
  if (decision.wouldBe === decision.verdict) return null;
  return `With every rule enforced it would have been ${PAST[decision.wouldBe]}.`;
}

const PAST: Record<Verdict, string> = {
  allow: 'allowed',
  transform: 'transformed',
  hold: 'held',
  deny: 'denied',
  halt: 'halted',
};
