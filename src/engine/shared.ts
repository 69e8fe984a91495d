// What sessions share: the histories of principals, agents and tenants, fed by every decided step in the order of decisions,
// written with the step, read back as they are durable when a write has failed, and filled from the record when a spec asks
// for one that nobody asked for before.
import { SharedHistory } from '../monitor/history.ts';
import type { Arrival, Monitor } from '../monitor/monitor.ts';
import type { Json } from '../step/types.ts';
import type { Store, Write } from '../store/store.ts';
import { refuse } from './problem.ts';
import { recordedArrivals } from './recorded-arrivals.ts';

const ROWS_PER_READ = 10_000;
const ROWS_PER_WRITE = 5_000;
/** Where a view says that it has all that is in the record: before every place, which begin with `[`. */
const WHOLE = ' ';

export interface Shared {
  /** Undefined when no spec shares anything. @throws EngineError `overloaded` while it is being read. */
  history(): SharedHistory | undefined;
  /** Null when `history` can be asked; else resolves when it can, or rejects with what the store says. */
  reading(): Promise<void> | null;
  /** Reads what the monitors' specs share, and lets them take part. Called before a session runs under one. */
  join(joining: readonly Monitor[]): Promise<void>;
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
  // Not until the first specs have joined: what the record has under no spec's name is forgotten then.
  let isWhole = false;

  /** One reading at a time; a failed one leaves nothing to be trusted, and is tried again when next asked for. */
  function readAll(): Promise<void> {
    reading ??= (async () => {
      // Everything decided before is durable after this; views that nobody asks for any more would miss what comes.
      await store.append([{ t: 'keep-views', row: { ids: [...ids] } }]);
      const fresh = new SharedHistory();
      const unfilled: string[] = [];
      for (const id of ids) {
        const [first] = await store.shared(id, null, 1);
        if (id.startsWith('view:') && first?.place !== WHOLE) unfilled.push(id);
        else await read(store, fresh, id);
      }
      if (unfilled.length > 0) await fill(fresh, unfilled);
      history = fresh;
      isWhole = true;
    })().finally(() => {
      reading = null;
    });
    return reading;
  }

  /** What is in the record, taken into the views that have none of it yet. */
  async function fill(into: SharedHistory, views: readonly string[]): Promise<void> {
    const others = [...ids].filter((id) => !views.includes(id));
    for await (const arrival of recordedArrivals(store)) {
      const done = new Set(others);
      for (const monitor of monitors) monitor.feed?.(arrival, into, done);
    }
    const rows = writesOf(into);
    for (let at = 0; at < rows.length; at += ROWS_PER_WRITE)
      await store.append(rows.slice(at, at + ROWS_PER_WRITE));
    await store.append(views.map((id) => ({ t: 'shared', row: { id, place: WHOLE, body: '{}' } })));
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
    async join(joining) {
      const wanted = joining.flatMap(({ shares = [] }) => shares).filter((id) => !ids.has(id));
      for (const monitor of joining) if (monitor.shares?.length) monitors.add(monitor);
      if (wanted.length === 0) return ready();
      // Nothing is decided while it is read, so that no step passes a view by.
      isWhole = false;
      await reading?.catch(() => {});
      for (const id of wanted) ids.add(id);
      isWhole = false;
      await ready();
    },
    take(arrival) {
      if (arrival === undefined) return NOTHING;
      const done = new Set<string>();
      for (const monitor of monitors) monitor.feed?.(arrival, history, done);
      return writesOf(history);
    },
    distrust() {
      if (ids.size === 0) return;
      isWhole = false;
      // The next decision waits for it, or meets the same failure and reports it.
      readAll().catch(() => {});
    },
  };
}

async function read(store: Store, into: SharedHistory, id: string): Promise<void> {
  for (let after: string | null = null; ; ) {
    const rows = await store.shared(id, after, ROWS_PER_READ);
    for (const { place, body } of rows) into.load({ id, place, body: JSON.parse(body) as Json });
    if (rows.length < ROWS_PER_READ) return;
    after = rows.at(-1)!.place;
  }
}

function writesOf(history: SharedHistory): Write[] {
  return history.drain().map(({ id, place, body }) => ({
    t: 'shared',
    row: { id, place, body: body === null ? null : JSON.stringify(body) },
  }));
}

const NOTHING: Write[] = [];
