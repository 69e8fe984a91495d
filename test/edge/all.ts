// What the tests run in other places than Node: the edge core with both of its engines.
import { type Answer, compile, type Decided, type Spec } from '../../src/edge/index.ts';
import { patterns } from '../../src/edge/patterns.ts';
import { shell } from '../../src/edge/shell.ts';
import type { Json, Step } from '../../src/step/types.ts';

export interface Sample {
  readonly spec: string;
  /** Of each session in order. */
  readonly sessions: readonly (readonly Step[])[];
}

/** Every decision and state digest, as text. */
export function play({ spec, sessions }: Sample): string {
  const compiled = compile(spec, { patterns, shell });
  return JSON.stringify([compiled.digest, sessions.map((steps) => compiled.replay(steps))]);
}

/** The verdicts of a live session that is saved and loaded again before every step. */
export function playSaved({ spec, sessions }: Sample): string {
  const compiled = compile(spec, { patterns, shell });
  return JSON.stringify(sessions.map((steps) => verdictsOf(compiled, steps)));
}

function verdictsOf(compiled: Spec, steps: readonly Step[]): string[] {
  const [first, ...rest] = steps;
  const { agent = { name: 'example' }, principal, session: id, time } = first!;
  const begun = compiled.session({ id, agent, ...(principal && { principal }) }, time);
  const verdicts: string[] = [begun.start!.decision.verdict];
  let saved = begun.save();
  let held: Step | null = null;
  for (const { session: _, seq: __, time: at, facts: ___, principal: ____, ...proposal } of rest) {
    const session = compiled.load(JSON.parse(JSON.stringify(saved)) as Json);
    const { approve, by, roles } = (proposal.args ?? {}) as unknown as Answer;
    const decided: Decided =
      proposal.kind === 'approval'
        ? session.answer(held!, { approve, by, roles }, at)
        : session.decide(proposal, at);
    if (decided.decision.verdict === 'hold') held = decided.step;
    verdicts.push(decided.decision.verdict);
    saved = session.save();
  }
  return verdicts;
}
