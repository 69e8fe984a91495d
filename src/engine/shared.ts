// What sessions share: the histories of principals, agents and tenants, fed by every decided step in the order of decisions,
// written with the step, and read back as they are durable when a write has failed.
import { SharedHistory } from '../monitor/history.ts';
import type { Arrival, Monitor } from '../monitor/monitor.ts';
import type { Json } from '../step/types.ts';
import type { Store, Write } from '../store/store.ts';
import { refuse } from './problem.ts';

const ROWS_PER_READ = 10_000;

export interface Shared {
  /** Undefined when no spec shares anything. @throws EngineError `overloaded` while it is being read. */
  history(): SharedHistory | undefined;
  /** Null when `history` can be asked; else resolves when it can, or rejects with what the store says. */
  reading(): Promise<void> | null;
  /** Reads what the monitor's spec shares, and lets it take part. Called before a session runs under it. */
  join(monitor: Monitor): Promise<void>;
  /** Takes a decided step; answers what to write with it. */
  take(arrival: Arrival | undefined): Write[];
  /** What is in memory may not be what is durable. */
  distrust(): void;
}

export function createShared(store: Store): Shared {
  const monitors = new Set<Monitor>();
  const ids = new Set<string>();
  let history = new SharedHistory();
  let reading: Promise<void> | null = null;
  let isWhole = true;

  async function read(into: SharedHistory, id: string): Promise<void> {
    for (let after: string | null = null; ; ) {
      const rows = await store.shared(id, after, ROWS_PER_READ);
      for (const { place, body } of rows) into.load({ id, place, body: JSON.parse(body) as Json });
      if (rows.length < ROWS_PER_READ) return;
      after = rows.at(-1)!.place;
    }
  }

  /** One reading at a time; a failed one leaves nothing to be trusted, and is tried again when next asked for. */
  function readAll(): Promise<void> {
    reading ??= (async () => {
      const fresh = new SharedHistory();
      for (const id of ids) await read(fresh, id);
      history = fresh;
      isWhole = true;
    })().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function ready(): Promise<void> {
    while (!isWhole) await readAll();
  }

  return {
    history() {
      if (ids.size === 0) return undefined;
      if (isWhole) return history;
      throw refuse('overloaded', 'what sessions share is being read from the record', 'Try again shortly.');
    },
    reading: () => (isWhole ? null : ready()),
    async join(monitor) {
      const wanted = (monitor.shares ?? []).filter((id) => !ids.has(id));
      if (monitor.shares?.length) monitors.add(monitor);
      if (wanted.length === 0) return ready();
      // Nothing is decided while it is read, so that no step passes a view by.
      for (const id of wanted) ids.add(id);
      isWhole = false;
      await reading?.catch(() => {});
      isWhole = false;
      await ready();
    },
    take(arrival) {
      if (arrival === undefined) return NOTHING;
      const done = new Set<string>();
      for (const monitor of monitors) monitor.feed?.(arrival, history, done);
      return history.drain().map(({ id, place, body }) => ({
        t: 'shared',
        row: { id, place, body: body === null ? null : JSON.stringify(body) },
      }));
    },
    distrust() {
      if (ids.size === 0) return;
      isWhole = false;
      // The next decision waits for it, or meets the same failure and reports it.
      readAll().catch(() => {});
    },
  };
}

const NOTHING: Write[] = [];
