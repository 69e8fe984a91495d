// What goes on though no decision can be had, because the spec says so (`fail: open`), and is put on record later. Everything
// else fails closed. One of these per session.
import { randomUUID } from 'node:crypto';
import type { Proposal, SessionSummary } from '../engine/types.ts';
import { DecisionUnavailable } from './errors.ts';
import type { Transport } from './transport.ts';

/** The engine raises a finding for each result with this label. */
const LABEL = 'undecided';
/** Steps that may wait for their record; past it nothing goes on undecided. */
const WAITING_MAX = 1_000;

export interface Undecided {
  /** The session's transport: what went on undecided is put on record before the next step is decided. */
  readonly transport: Transport;
  /** Whether the step may go on, now that this is why it was not decided. */
  covers(step: Pick<Proposal, 'kind' | 'name'>, error: unknown): boolean;
  /** Remembers what happened until it can be recorded. */
  happened(step: Proposal): void;
}

export function createUndecided(
  transport: Transport,
  { id: session, failOpen = { kinds: [], tools: [] } }: Pick<SessionSummary, 'id' | 'failOpen'>,
): Undecided {
  const waiting: Proposal[] = [];
  let settling: Promise<void> | null = null;

  async function record(): Promise<void> {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      try {
        await transport.decide(session, next);
      } catch (error) {
        // Refused for good: its caller hears of it, and the others are not kept back by it.
        if (!(error instanceof DecisionUnavailable)) waiting.shift();
        throw error;
      }
      waiting.shift();
    }
  }

  function settled(): Promise<void> {
    settling ??= record().finally(() => {
      settling = null;
    });
    return settling;
  }

  return {
    transport: {
      ...transport,
      async decide(id, proposal, early) {
        if (waiting.length > 0) await settled();
        return transport.decide(id, proposal, early);
      },
      async endSession(id) {
        if (waiting.length > 0) await settled();
        return transport.endSession(id);
      },
    },
    covers({ kind, name }, error) {
      if (!(error instanceof DecisionUnavailable) || error.ran || waiting.length >= WAITING_MAX) return false;
      return kind === 'tool.call' ? failOpen.tools.includes(name) : failOpen.kinds.includes(kind);
    },
    happened({ labels = [], ...step }) {
      waiting.push({ ...step, id: randomUUID(), labels: [...labels, LABEL] });
    },
  };
}
