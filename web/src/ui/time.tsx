// Times relative to now, exact on hover, and a clock the whole page shares.
import { useSyncExternalStore } from 'react';
import { formatAgo, formatExact } from '../format.ts';

const TICK_MS = 5_000;
const watchers = new Set<() => void>();
let now = Date.now();
let timer: number | null = null;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, TICK_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0 || timer === null) return;
    window.clearInterval(timer);
    timer = null;
  };
}

/** The time, moving on every few seconds. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}

export function Ago({ time }: { time: number }) {
  const at = useNow();
  return (
    <time dateTime={new Date(time).toISOString()} title={formatExact(time)}>
      {formatAgo(time, at)}
    </time>
  );
}
