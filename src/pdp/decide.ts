// From a question to a ruling: opens the session, has the engine decide, and says what came of it in terms that every
// gateway's protocol can carry. No policy here; whatever goes wrong is a ruling that does not let the request pass.

import { EngineError } from '../engine/problem.ts';
import type { Engine, Recorded } from '../engine/types.ts';
import type { Decision, RuleOutcome, Verdict } from '../monitor/types.ts';
import type { Proposal, SessionInit } from '../step/types.ts';
import type { CallProblem } from './call.ts';
import { lastingId } from './who.ts';

export type Ruling =
  | { readonly t: 'allow'; readonly at: Place }
  /** Not an act; nothing was decided. */
  | { readonly t: 'pass' }
  | {
      readonly t: 'deny';
      readonly verdict: Exclude<Verdict, 'allow' | 'hold'>;
      readonly at: Place;
      readonly decision: Decision;
      readonly because: string;
    }
  | { readonly t: 'hold'; readonly at: Place; readonly decision: Decision; readonly hold: string }
  /** The request cannot be decided as it is: the client's or the gateway's mistake. */
  | { readonly t: 'wrong'; readonly problem: CallProblem }
  /** No decision could be had. Not a denial by a rule. */
  | { readonly t: 'failed'; readonly problem: CallProblem };

export interface Place {
  readonly session: string;
  readonly seq: number;
}

/** The session as the one who asks may open it, or why not. `key` is what the gateway shows. */
export type Admit = (key: string | null, init: SessionInit) => SessionInit | CallProblem;

export interface Decider {
  /** Never rejects. */
  decide(key: string | null, init: SessionInit, proposal: Proposal): Promise<Ruling>;
}

/** Sessions known to be open, so that a request costs one decision and no look-up. */
const OPEN_MAX = 10_000;

export interface DeciderParts {
  readonly engine: Pick<Engine, 'openSession' | 'decide'>;
  readonly admit: Admit;
  /** Digest of the spec that a new session of the agent begins under; null for none. */
  readonly specOf: (agent: string) => string | null;
  /** Told of failures that are ours. */
  readonly onFailure: (error: unknown) => void;
}

export function createDecider({ engine, admit, specOf, onFailure }: DeciderParts): Decider {
  const open = new Set<string>();

  async function ensureOpen(init: SessionInit & { readonly id: string }): Promise<void> {
    const key = JSON.stringify([init.id, init.agent.name, init.principal, init.tenant]);
    if (open.has(key)) return;
    // Refuses a session of another agent, principal or tenant.
    await engine.openSession({ ...init, door: 'decision-point' });
    if (open.size >= OPEN_MAX) open.delete(open.values().next().value as string);
    open.add(key);
  }

  return {
    async decide(key, given, proposal) {
      try {
        const init = admit(key, given);
        if (!('agent' in init)) return { t: 'failed', problem: init };
        // Of the tenant that the key stands for, too.
        const id = init.id ?? lastingId(init, specOf(init.agent.name));
        await ensureOpen({ ...init, id });
        const recorded = await engine.decide(id, proposal);
        const ruling = rulingOf(recorded);
        if (ruling.t === 'deny' && ruling.verdict === 'transform') await notRun(id, recorded);
        return ruling;
      } catch (error) {
        if (!(error instanceof EngineError)) onFailure(error);
        return { t: 'failed', problem: problemOf(error) };
      }
    },
  };

  /** The call was allowed in another form, which a gateway cannot give it: the record says that it did not run. */
  async function notRun(session: string, { step }: Recorded): Promise<void> {
    if (step.kind !== 'tool.call') return;
    const error = { message: 'not run: the gateway cannot rewrite a request', type: 'NotRun' };
    await engine.decide(session, { kind: 'tool.result', name: step.name, error });
  }
}

function rulingOf({ decision, holdId }: Recorded): Ruling {
  const at: Place = { session: decision.session, seq: decision.seq };
  switch (decision.verdict) {
    case 'allow':
      return { t: 'allow', at };
    case 'hold':
      if (holdId === undefined) throw new TypeError(`step ${decision.seq} is held without a hold`);
      return { t: 'hold', at, decision, hold: holdId };
    case 'transform': {
      const because = 'A rule rewrites this request, and the gateway cannot.';
      return { t: 'deny', verdict: 'transform', at, decision, because };
    }
    case 'deny':
    case 'halt': {
      const because = decisive(decision)?.because ?? 'No rule allows this step.';
      return { t: 'deny', verdict: decision.verdict, at, decision, because };
    }
  }
}

/** The rule that made the verdict: one that only watches may stand before it. */
export function decisive({ rules, verdict }: Decision): RuleOutcome | undefined {
  const enforced = rules.filter(({ mode }) => mode === 'enforce');
  return enforced.find((rule) => rule.verdict === verdict) ?? enforced[0];
}

function problemOf(error: unknown): CallProblem {
  if (!(error instanceof EngineError)) return { code: 'internal', message: 'the engine failed to decide' };
  const { code, message, mend } = error.problem;
  return mend === undefined ? { code, message } : { code, message, mend };
}
