// A proposal becomes a step in its place, and a step becomes part of its session's summary. Pure.
import type { Decision, Verdict } from '../monitor/types.ts';
import { canonicalize } from '../step/canonical.ts';
import type { Proposal, Step } from '../step/types.ts';
import type { SessionRow } from '../store/store.ts';
import { refuse } from './problem.ts';

const TITLE_MAX = 200;

/** Ids of the steps that Interlock records itself begin so, and no others may. */
export const OWN_ID_PREFIX = 'interlock:';

/** The step in its place. Every step says for whom and by which agent it is, so that it can be read alone. */
export function stepOf(
  row: Pick<SessionRow, 'id' | 'agent' | 'principal' | 'tenant'>,
  given: Proposal & { readonly id: string },
  seq: number,
  time: number,
): Step {
  return {
    ...given,
    session: row.id,
    seq,
    time,
    agent: given.agent ?? row.agent,
    ...(row.principal === null ? {} : { principal: row.principal }),
    ...(row.tenant === null ? {} : { tenant: row.tenant }),
  };
}

/** @throws EngineError `invalid` or `limit-exceeded` */
export function canonicalStep(step: Step, bytesMax: number): string {
  let text: string;
  try {
    text = canonicalize(step);
  } catch (error) {
    throw refuse('invalid', `the step has no canonical form: ${(error as Error).message}`);
  }
  // UTF-8 takes at most three bytes for a UTF-16 unit: short texts need no counting.
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) {
    throw refuse(
      'limit-exceeded',
      `the step is ${Buffer.byteLength(text)} bytes of canonical JSON; at most ${bytesMax} are taken`,
      'Send less content, or a reference to it.',
    );
  }
  return text;
}

/** Whether the step ends its session: an ending can be refused, e.g. while something is owed. */
export function ends(step: Step, verdict: Verdict): boolean {
  return step.kind === 'session.end' && (verdict === 'allow' || verdict === 'transform');
}

/** The session's summary after the decided step. `deadline` is the monitor's. */
export function rowAfter(
  row: SessionRow,
  step: Step,
  { verdict }: Decision,
  deadline: number | null,
): SessionRow {
  const title = row.title ?? (step.kind === 'input' ? titleOf(step.content) : null);
  const state = ends(step, verdict) ? 'ended' : verdict === 'halt' ? 'halted' : row.state;
  return {
    ...row,
    state,
    deadline: state === 'ended' ? null : deadline,
    title,
    lastAt: step.time,
    steps: step.seq + 1,
    verdicts: { ...row.verdicts, [verdict]: row.verdicts[verdict] + 1 },
  };
}

/** What a session is about: the beginning of its first input. */
export function titleOf(content: string | undefined): string | null {
  const text = content?.trim() ?? '';
  return text === '' ? null : text.slice(0, TITLE_MAX).toWellFormed();
}
