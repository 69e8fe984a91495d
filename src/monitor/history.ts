// History that sessions share: the views and limits of a principal, an agent or a tenant. Its owner hands it to every
// monitor, in the order in which steps are decided, and keeps what `drain` says has changed. Pure data.
import { type Cell, type Ref, WITNESS_LIMIT } from '../spec/run.ts';
import { addToCell, emptyCell, UNDECIDED, type ViewPlan } from '../spec/view.ts';
import type { Json } from '../step/types.ts';
import { canCount, type LimitSlot, type LimitState, release, reserve, usedAt } from './limits.ts';
import { loadCell, type SavedCell, saveCell } from './state.ts';

/** Views' keys kept in all; past it, what has left its window goes, and then a scope can only say that it does not know. */
export const MAX_SHARED_CELLS = 1_000_000;

/** One thing kept, as its owner stores it; `body` null: gone. */
export interface SharedRow {
  /** Of the view or limit, the same in every spec that means the same. */
  readonly id: string;
  /** Scope and key. */
  readonly place: string;
  readonly body: Json;
}

/** A call's share of a limit. */
export interface Taken {
  readonly amount: number;
  readonly windowMs: number | null;
  readonly now: number;
  readonly ref: Ref;
}

interface KeptView {
  readonly cells: Map<string, Cell>;
  windowMs: number | null;
}

export class SharedHistory {
  readonly #views = new Map<string, KeptView>();
  readonly #limits = new Map<string, LimitState>();
  readonly #changed = new Map<string, { id: string; place: string }>();
  #cells = 0;
  #turn = 0;
  #latest = '';
  #sweepAt = Number.NEGATIVE_INFINITY;

  cell(id: string, scope: string, key: string): Cell | undefined {
    return this.#views.get(id)?.cells.get(placeOf(scope, key));
  }

  /** Takes a step into a view. `ref` names its session. */
  add(
    plan: ViewPlan,
    scope: string,
    arrived: { readonly key: string; readonly value: number | null; readonly kept: Cell['kept'] },
    ref: Ref,
    now: number,
  ): void {
    const { id } = plan.shared!;
    const view = this.#viewOf(id);
    view.windowMs = plan.windowMs;
    let place = placeOf(scope, arrived.key);
    if (!view.cells.has(place) && this.#cells >= MAX_SHARED_CELLS && !this.#sweep(now))
      place = placeOf(scope, UNDECIDED);
    let cell = view.cells.get(place);
    if (cell === undefined) {
      cell = emptyCell(plan.entries);
      view.cells.set(place, cell);
      this.#cells++;
    }
    // Sessions may be recorded in another order than they happened in: what was remembered later counts as later.
    addToCell(
      plan,
      cell,
      { ...ref, turn: this.#turnOf(ref) },
      Math.max(cell.time, now),
      arrived.value,
      arrived.kept,
    );
    this.#touch(id, place);
  }

  /** One step has one place, however many views take it. */
  #turnOf({ session, seq }: Ref): number {
    const step = `${session}\n${seq}`;
    if (step !== this.#latest) this.#turn++;
    this.#latest = step;
    return this.#turn;
  }

  /** What is taken of a limit, and whether it can count one more. */
  used(id: string, scope: string, key: string, windowMs: number | null, now: number) {
    const state = this.#limits.get(id);
    const place = placeOf(scope, key);
    const slot = state?.slots.get(place);
    return {
      used: usedAt(slot, windowMs, notBefore(slot, now)),
      hasRoom: state === undefined || canCount(state, place, windowMs),
      refs: slot?.refs.slice(-WITNESS_LIMIT) ?? [],
    };
  }

  take(id: string, scope: string, key: string, { amount, windowMs, now, ref }: Taken): void {
    const place = placeOf(scope, key);
    const state = this.#limitOf(id);
    reserve(state, place, amount, windowMs, notBefore(state.slots.get(place), now), ref);
    this.#touch(id, place);
  }

  giveBack(id: string, scope: string, key: string, amount: number, ref: Ref): void {
    const place = placeOf(scope, key);
    release(this.#limitOf(id), place, amount, ref.seq, ref.session);
    this.#touch(id, place);
  }

  /** What has changed since the last call. */
  drain(): SharedRow[] {
    if (this.#changed.size === 0) return NOTHING;
    const rows = [...this.#changed.values()].map(({ id, place }) => ({
      id,
      place,
      body: this.#save(id, place),
    }));
    this.#changed.clear();
    return rows;
  }

  /** Forgets what a view has. */
  clear(id: string): void {
    this.#cells -= this.#views.get(id)?.cells.size ?? 0;
    this.#views.delete(id);
  }

  load({ id, place, body }: SharedRow): void {
    const { turn, windowMs, cell, slot } = body as unknown as SavedBody;
    if (turn !== undefined) this.#turn = Math.max(this.#turn, turn);
    if (slot !== undefined) this.#limitOf(id).slots.set(place, slot);
    if (cell === undefined) return;
    const view = this.#viewOf(id);
    view.windowMs = windowMs ?? null;
    if (!view.cells.has(place)) this.#cells++;
    view.cells.set(place, loadCell(cell));
  }

  #viewOf(id: string): KeptView {
    let view = this.#views.get(id);
    if (view === undefined) {
      view = { cells: new Map(), windowMs: null };
      this.#views.set(id, view);
    }
    return view;
  }

  #limitOf(id: string): LimitState {
    let state = this.#limits.get(id);
    if (state === undefined) {
      state = { slots: new Map() };
      this.#limits.set(id, state);
    }
    return state;
  }

  #save(id: string, place: string): Json {
    const view = this.#views.get(id);
    const cell = view?.cells.get(place);
    const slot = this.#limits.get(id)?.slots.get(place);
    const body: SavedBody | null =
      cell !== undefined
        ? { turn: this.#turn, windowMs: view!.windowMs, cell: saveCell(cell) }
        : slot !== undefined
          ? { slot }
          : null;
    return body as unknown as Json;
  }

  #touch(id: string, place: string): void {
    this.#changed.set(`${id}\n${place}`, { id, place });
  }

  /** Drops what has left its window; false when that made no room. At most once a minute of the steps' time. */
  #sweep(now: number): boolean {
    if (now < this.#sweepAt) return false;
    this.#sweepAt = now + 60_000;
    for (const [id, view] of this.#views) {
      if (view.windowMs === null) continue;
      for (const [place, cell] of view.cells) {
        if (cell.time >= now - view.windowMs) continue;
        view.cells.delete(place);
        this.#cells--;
        this.#touch(id, place);
      }
    }
    return this.#cells < MAX_SHARED_CELLS;
  }
}

/** Sessions may be recorded in another order than they happened in; a limit's time does not go back. */
function notBefore(slot: LimitSlot | undefined, now: number): number {
  return Math.max(now, slot?.entries?.at(-1)?.time ?? now);
}

interface SavedBody {
  readonly turn?: number;
  readonly windowMs?: number | null;
  readonly cell?: SavedCell;
  readonly slot?: LimitSlot;
}

const NOTHING: SharedRow[] = [];

/** Scopes are JSON and have no line ends. */
function placeOf(scope: string, key: string): string {
  return `${scope}\n${key}`;
}
