// Wakes when the next pending hold expires. Holds expire by the clock whether or not this has run: it only tells.
import type { EngineLogLine } from './options.ts';

const WAKE_MS_MIN = 50;
const WAKE_MS_MAX = 60_000;

export interface HoldTimer {
  /** A hold that expires at this time exists. */
  expect(expiresAt: number): void;
  /** Resolves when no round is under way. */
  stop(): Promise<void>;
}

export function createHoldTimer(
  clock: () => number,
  round: () => Promise<void>,
  nextExpiry: () => Promise<number | null>,
  log: (line: EngineLogLine) => void,
): HoldTimer {
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
        next = Math.min(next, (await nextExpiry()) ?? Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      next = Math.min(next, clock() + WAKE_MS_MAX);
      if (!stopped)
        log({ level: 'error', message: `expired holds were not closed: ${(error as Error).message}` });
    }
    arm();
  }

  return {
    expect(expiresAt) {
      if (expiresAt >= next) return;
      next = expiresAt;
      arm();
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      return running;
    },
  };
}
