// Says when a hold that nobody answered asks others too. The terms decide by time alone; this only tells people of it, and
// after a restart tells of those that still wait.
import type { Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import type { EngineLogLine } from './options.ts';
import { createTimer } from './timer.ts';
import type { Hold } from './types.ts';

/** Waiting holds that are kept in mind; of more, the people asked first hear only. */
const WAITING_MAX = 100_000;
const LOADED_MAX = 1_000;

export interface Escalations {
  expect(hold: Hold): void;
  /** Takes in what waits on record. */
  load(): Promise<void>;
  stop(): Promise<void>;
}

export function createEscalations(
  store: Store,
  clock: () => number,
  emit: Emit,
  log: (line: EngineLogLine) => void,
): Escalations {
  const waiting = new Map<string, number>();
  const timer = createTimer('escalations were not told', clock, tellDue, async () => earliest(), log);

  function earliest(): number | null {
    let first: number | null = null;
    for (const at of waiting.values()) if (first === null || at < first) first = at;
    return first;
  }

  async function tellDue(): Promise<void> {
    const now = clock();
    for (const [id, at] of waiting) {
      if (at > now) continue;
      waiting.delete(id);
      const stored = await store.hold(id);
      if (stored?.hold.state !== 'pending' || stored.hold.expiresAt < now) continue;
      emit({ type: 'hold', session: stored.hold.session, hold: id, state: 'pending', escalated: true });
    }
  }

  function expect({ id, escalation, state }: Hold): void {
    if (escalation === undefined || state !== 'pending' || waiting.size >= WAITING_MAX) return;
    waiting.set(id, escalation.at);
    timer.expect(escalation.at);
  }

  return {
    expect,
    async load() {
      // Also of those whose time came while nobody was there to tell: better twice than never.
      const pending = await store.holds({ state: 'pending', limit: LOADED_MAX }, clock());
      for (const hold of pending) expect(hold);
    },
    stop: timer.stop,
  };
}
