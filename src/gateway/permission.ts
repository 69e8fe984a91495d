// From a proposal to a verdict that is final for this request: decides, and waits a while for people where the verdict is a hold.
import type { Engine, Hold, Proposal, Recorded } from '../engine/types.ts';

export type Permission =
  | { readonly t: 'allowed'; readonly recorded: Recorded }
  | { readonly t: 'denied'; readonly recorded: Recorded }
  /** Nobody has answered yet, or the answer was no. */
  | { readonly t: 'held'; readonly hold: Hold };

/** A hold is looked at again after this long even when no event told of it. */
const LOOK_MS = 1_000;
/** Answers that are used up by others are asked for again so often. */
const ROUNDS_MAX = 3;

/** Rejects when no decision could be had: that is no denial. */
export async function permission(
  engine: Engine,
  session: string,
  proposal: Proposal,
  waitMs: number,
  signal: AbortSignal,
): Promise<Permission> {
  const until = Date.now() + waitMs;
  for (let round = 1; ; round++) {
    const recorded = await engine.decide(session, proposal);
    const { verdict } = recorded.decision;
    if (verdict === 'allow' || verdict === 'transform') return { t: 'allowed', recorded };
    if (verdict !== 'hold') return { t: 'denied', recorded };
    const hold = await answered(engine, recorded.holdId!, until, signal);
    if (hold.state !== 'approved' || round >= ROUNDS_MAX) return { t: 'held', hold };
  }
}

/** The hold once it is no longer pending, or as it is when the time is over. */
async function answered(engine: Engine, id: string, until: number, signal: AbortSignal): Promise<Hold> {
  for (;;) {
    let changed = () => {};
    const change = new Promise<void>((resolve) => {
      changed = resolve;
    });
    const unsubscribe = engine.subscribe((event) => {
      if (event.type === 'hold' && event.hold === id) changed();
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      const hold = await engine.hold(id);
      if (hold === null) throw new Error(`the hold ${id} is not on record`);
      const left = until - Date.now();
      if (hold.state !== 'pending' || left <= 0 || signal.aborted) return hold;
      timer = setTimeout(changed, Math.min(LOOK_MS, left));
      signal.addEventListener('abort', changed, { once: true });
      await change;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', changed);
      unsubscribe();
    }
  }
}
