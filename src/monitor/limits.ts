// Limits: a slot is reserved when a call is allowed, committed when it succeeds, released when it fails. Pure.
import { type Ref, WITNESS_LIMIT } from '../spec/run.ts';
import { addDecimal } from '../spec/view.ts';

/** Keys one limit may track in one session; past it the limit is taken as reached. */
export const MAX_SLOTS = 100_000;
/** What one counter with a window may remember. */
export const MAX_WINDOW_ENTRIES = 100_000;

/** One counter: `used` is committed and reserved together, so parallel calls cannot overshoot. */
export interface LimitSlot {
  used: number;
  /** With a window: each taken amount and when, oldest first. */
  entries: { time: number; amount: number; seq: number; session?: string }[] | null;
  /** The latest calls that took from it. */
  refs: Ref[];
}

export interface LimitState {
  readonly slots: Map<string, LimitSlot>;
}

/** What is taken at `now`, in the window when there is one. */
export function usedAt(slot: LimitSlot | undefined, windowMs: number | null, now: number): number {
  if (!slot) return 0;
  if (windowMs === null || slot.entries === null) return slot.used;
  while (slot.entries.length > 0 && slot.entries[0]!.time < now - windowMs) {
    slot.used = addDecimal(slot.used, -slot.entries.shift()!.amount);
  }
  return slot.used;
}

/** Whether the state has room to count one more step under this key; a limit that cannot count is taken as reached. */
export function canCount(state: LimitState, key: string, windowMs: number | null): boolean {
  const slot = state.slots.get(key);
  if (slot === undefined) return state.slots.size < MAX_SLOTS;
  return windowMs === null || slot.entries === null || slot.entries.length < MAX_WINDOW_ENTRIES;
}

/** Takes `amount`; the caller has checked that it fits. False when the state's own bound is reached. */
export function reserve(
  state: LimitState,
  key: string,
  amount: number,
  windowMs: number | null,
  now: number,
  ref: Ref,
): boolean {
  let slot = state.slots.get(key);
  if (!slot) {
    if (state.slots.size >= MAX_SLOTS) return false;
    slot = { used: 0, entries: windowMs === null ? null : [], refs: [] };
    state.slots.set(key, slot);
  }
  if (slot.entries !== null) {
    if (slot.entries.length >= MAX_WINDOW_ENTRIES) return false;
    const { seq, session } = ref;
    slot.entries.push(
      session === undefined ? { time: now, amount, seq } : { time: now, amount, seq, session },
    );
  }
  slot.refs.push(ref);
  if (slot.refs.length > WITNESS_LIMIT) slot.refs.shift();
  slot.used = addDecimal(slot.used, amount);
  return true;
}

/** Returns what the call at `seq` (of `session`, where sessions share the limit) took. What has left the window is gone already. */
export function release(state: LimitState, key: string, amount: number, seq: number, session?: string): void {
  const slot = state.slots.get(key);
  if (!slot) return;
  if (slot.entries !== null) {
    const at = slot.entries.findIndex((entry) => entry.seq === seq && entry.session === session);
    if (at < 0) return;
    slot.entries.splice(at, 1);
  }
  slot.used = addDecimal(slot.used, -amount);
  slot.refs = slot.refs.filter((ref) => ref.seq !== seq || ref.session !== session);
  if (slot.used === 0 && (slot.entries === null || slot.entries.length === 0)) state.slots.delete(key);
}
