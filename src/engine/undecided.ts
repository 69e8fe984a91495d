// Tools that ran while no decision could be had, as programs tell of them later. Pure.
import type { Step } from '../step/types.ts';
import type { Finding } from './types.ts';

/** A program's own word that a tool ran though nothing was decided. */
const UNDECIDED = 'undecided';

/** A tool that ran while no decision could be had, as its contract allows: said when its record comes in. */
export function undecidedFinding({ id, kind, session, seq, name, time, labels = [] }: Step): Finding | null {
  if (kind !== 'tool.result' || !labels.includes(UNDECIDED)) return null;
  return {
    id: `undecided:${session}:${id}`,
    kind: 'unguarded-step',
    session,
    seq,
    name,
    detail: `The tool ${name} ran while no decision could be had; its contract says \`fail: open\`.`,
    at: time,
  };
}
