// History wider than a session: `.of("principal")` and its kin. What is asked of it is recorded in the step that asked, so
// that a session can be replayed and proven by itself. Pure.
import { digestText } from '../step/digest.ts';
import { celError, isCelError, type Value } from './cel/value.ts';
import type { Run } from './run.ts';
import { type Evaluate, keyText } from './view.ts';

/** The sessions of one principal, of one agent, or all of a tenant; never those of another tenant. */
export const SHARED_SCOPES = ['principal', 'agent', 'tenant'] as const;
export type SharedScope = (typeof SHARED_SCOPES)[number];

/** The fact in a step that a stop denied: its key is the stop's id, its value the reason and who said so. */
export const STOP_FACT = 'stop';

/** Whose a session is, as its `session.start` says. */
export interface SessionIdentity {
  readonly principal: string | null;
  readonly agent: string | null;
  readonly tenant: string | null;
}

/** The text that sessions with one history share; null when the session does not say whose it is. A session without a tenant has the common one. */
export function scopeKeyOf(scope: SharedScope, { tenant, principal, agent }: SessionIdentity): string | null {
  if (scope === 'tenant') return JSON.stringify([tenant]);
  const owner = scope === 'principal' ? principal : agent;
  return owner === null || owner === '' ? null : JSON.stringify([tenant, owner]);
}

export function noScope(scope: SharedScope): Value {
  return celError('absent', `the session does not say for which ${scope} it runs`);
}

/** A short name for what is asked or kept: equal for equal text, whichever spec it stands in. */
export function sharedId(what: string, text: string): string {
  return `${what}:${digestText(text).slice('sha256:'.length, 'sha256:'.length + 16)}`;
}

/** An operator that is asked once per step and key, then read from the step's facts. */
export function recalled(
  id: string,
  scope: SharedScope,
  inputs: readonly Evaluate[],
  ask: Evaluate,
  isInt: boolean,
): Evaluate {
  return (frame) => {
    const run = frame[0] as unknown as Run;
    const key = JSON.stringify(inputs.map((input) => inputText(input(frame))));
    const value = run.recall(id, key, scope, (sink) => {
      const { witness } = run;
      run.witness = sink;
      const answer = ask(frame);
      run.witness = witness;
      return answer;
    });
    return isInt && typeof value === 'number' ? BigInt(value) : value;
  };
}

function inputText(value: Value): string {
  return isCelError(value) ? `!${value.code}` : keyText([value]);
}
