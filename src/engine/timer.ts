// Wakes when the next of something (a pending hold, a deadline) is past. Time passes whether or not this has run: a
// round only tells. What a round could not settle waits for the next wake, never for a busy loop.
import type { EngineLogLine } from './options.ts';

const WAKE_MS_MIN = 50;
const WAKE_MS_MAX = 60_000;

export interface Timer {
  /** There is something due at this time, milliseconds since the epoch. */
  expect(dueAt: number): void;
  /** Resolves when no round is under way. */
  stop(): Promise<void>;
}

/** `round` settles what is past, `nextDue` says when it is next needed; `what` names its failure in the log. */
export function createTimer(
  what: string,
  clock: () => number,
  round: () => Promise<void>,
  nextDue: () => Promise<number | null>,
  log: (line: EngineLogLine) => void,
): Timer {
  let timer: NodeJS.Timeout | null = null;
  let next = Number.POSITIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function arm(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (stopped || next === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(WAKE_MS_MAX, Math.max(WAKE_MS_MIN, next + 1 - clock()));
    timer = setTimeout(() => {
      running = wake();
    }, delay);
    timer.unref();
  }

  async function wake(): Promise<void> {
    try {
      if (clock() > next) {
        next = Number.POSITIVE_INFINITY;
        await round();
        next = Math.min(next, (await nextDue()) ?? Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      next = Math.min(next, clock() + WAKE_MS_MAX);
      if (!stopped) log({ level: 'error', message: `${what}: ${(error as Error).message}` });
    }
    arm();
  }

  return {
    expect(dueAt) {
      if (dueAt >= next) return;
      next = dueAt;
      arm();
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      return running;
    },
  };
}
