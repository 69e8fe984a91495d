// The state of one session under one spec, and its JSON form. Pure data; only the monitor changes it.
import type { Program } from '../spec/program.ts';
import type { Cell, Entry, Ref } from '../spec/run.ts';
import type { SessionIdentity } from '../spec/shared.ts';
import { emptyCell } from '../spec/view.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { addDuty, type Duty, type DutyState, noDuties } from './duties.ts';
import type { LimitSlot, LimitState } from './limits.ts';
import { OriginIndex, type SavedOrigins } from './origins.ts';
import type { ApprovalTerms } from './types.ts';
import { stepTime, timeOf } from './view-value.ts';

/** An allowed or proposed call that has no result yet. */
export interface OpenCall {
  readonly ref: Ref;
  readonly name: string;
  readonly args: JsonObject;
  readonly allowed: boolean;
  /** Refused, and no hold that a person may lift. */
  readonly denied: boolean;
  /** Limit slots it holds until its result: limit id, key, amount. */
  readonly reserved: readonly (readonly [number, string, number])[];
}

/** A held step: what may lift the hold, and until when. */
export interface OpenHold {
  readonly ref: Ref;
  readonly terms: readonly ApprovalTerms[];
  readonly rules: readonly string[];
  /** When it was first held: it has waited since. */
  readonly since: number;
  readonly expiresAt: number;
}

/** An answered hold; an approval is used once. */
export interface Answered {
  readonly approved: boolean;
  readonly ref: Ref;
  readonly by: readonly string[];
  /** The rules whose hold this answers. */
  readonly rules: readonly string[];
  readonly expiresAt: number;
}

export interface SessionState {
  /** Steps seen. */
  steps: number;
  time: number;
  halted: { readonly ref: Ref; readonly rule: string } | null;
  views: Map<string, Cell>[];
  limits: LimitState[];
  calls: Map<string, OpenCall>;
  holds: Map<string, OpenHold>;
  answers: Map<string, Answered>;
  origins: OriginIndex;
  /** Labels of everything seen so far, and the step that first brought each. */
  labels: Map<string, Ref>;
  /** The first step that brought untrusted content. */
  untrusted: Ref | null;
  /** By flow id: the first step that brought in what a context flow follows. */
  taints: (Ref | null)[];
  /** By order id: where the session stands, and the step that led there. */
  orders: { state: string; ref: Ref | null }[];
  /** By obligation id. */
  duties: DutyState[];
  /** Whose it is, as `session.start` says. */
  identity: SessionIdentity;
}

export function freshState(program: Program): SessionState {
  return {
    steps: 0,
    time: 0,
    halted: null,
    views: program.views.map(() => new Map()),
    limits: program.limits.map(() => ({ slots: new Map() })),
    calls: new Map(),
    holds: new Map(),
    answers: new Map(),
    origins: new OriginIndex(),
    labels: new Map(),
    untrusted: null,
    taints: program.flows.map(() => null),
    orders: program.orders.map((order) => ({ state: order.start, ref: null })),
    duties: program.obligations.map(noDuties),
    identity: { principal: null, agent: null, tenant: null },
  };
}

interface SavedState {
  readonly v: 4;
  readonly spec: string;
  readonly steps: number;
  readonly time: number;
  readonly halted: SessionState['halted'];
  readonly views: readonly (readonly (readonly [string, SavedCell])[])[];
  readonly limits: readonly (readonly (readonly [string, LimitSlot])[])[];
  readonly calls: readonly (readonly [string, OpenCall])[];
  readonly holds: readonly (readonly [string, OpenHold])[];
  readonly answers: readonly (readonly [string, Answered])[];
  readonly origins: SavedOrigins;
  readonly labels: readonly (readonly [string, Ref])[];
  readonly untrusted: Ref | null;
  readonly taints: readonly (Ref | null)[];
  readonly orders: readonly { state: string; ref: Ref | null }[];
  readonly duties: readonly { open: readonly Duty[]; overflowed: boolean }[];
  readonly identity: SessionIdentity;
}

export function saveState(state: SessionState, program: Program): Json {
  const saved: SavedState = {
    v: 4,
    spec: program.digest,
    steps: state.steps,
    time: state.time,
    halted: state.halted,
    views: state.views.map((cells) => [...cells].map(([key, cell]) => [key, saveCell(cell)] as const)),
    limits: state.limits.map((limit) => [...limit.slots]),
    calls: [...state.calls],
    holds: [...state.holds],
    answers: [...state.answers],
    origins: state.origins.save(),
    labels: [...state.labels],
    untrusted: state.untrusted,
    taints: state.taints,
    orders: state.orders,
    duties: state.duties.map(({ open, overflowed }) => ({
      open: [...open.values()].map((duty) => ({ ...duty, kept: timeOf(duty.kept) })),
      overflowed,
    })),
    identity: state.identity,
  };
  return structuredJson(saved);
}

export function loadState(json: Json, program: Program): SessionState {
  const saved = json as unknown as SavedState;
  if (saved.v !== 4 || saved.spec !== program.digest) {
    throw new RangeError('this monitor state was saved under another spec or version');
  }
  const state = freshState(program);
  state.steps = saved.steps;
  state.time = saved.time;
  state.halted = saved.halted;
  state.views = saved.views.map(
    (cells) => new Map(cells.map(([key, cell]) => [key, loadCell(cell)] as const)),
  );
  state.limits = saved.limits.map((slots) => ({
    slots: new Map(
      slots.map(
        ([key, slot]) =>
          [key, { ...slot, refs: [...slot.refs], entries: slot.entries && [...slot.entries] }] as const,
      ),
    ),
  }));
  state.calls = new Map(saved.calls);
  state.holds = new Map(saved.holds);
  state.answers = new Map(saved.answers);
  state.origins = OriginIndex.load(saved.origins);
  state.labels = new Map(saved.labels);
  state.untrusted = saved.untrusted;
  state.taints = [...saved.taints];
  state.orders = saved.orders.map((order) => ({ ...order }));
  state.duties = saved.duties.map(({ open, overflowed }) => {
    const duties = noDuties();
    duties.overflowed = overflowed;
    for (const duty of open) addDuty(duties, { ...duty, kept: stepTime(duty.kept) });
    return duties;
  });
  state.identity = saved.identity;
  return state;
}

/** As saved: what is as in an empty cell is left out. JSON has no timestamps: a step's time is saved as milliseconds. */
export type SavedCell = Partial<Cell>;

export function saveCell(cell: Cell): SavedCell {
  const { count, refs, time, sum, min, max, broken, kept, entries, overflowed } = cell;
  return {
    count,
    refs,
    time,
    ...(sum === 0 ? {} : { sum }),
    ...(Number.isFinite(min) ? { min } : {}),
    ...(Number.isFinite(max) ? { max } : {}),
    ...(broken ? { broken } : {}),
    ...(kept === null ? {} : { kept: timeOf(kept) }),
    ...(entries === null
      ? {}
      : { entries: entries.map((entry) => ({ ...entry, kept: timeOf(entry.kept) })) }),
    ...(overflowed ? { overflowed } : {}),
  };
}

export function loadCell(saved: SavedCell): Cell {
  const cell = { ...emptyCell(false), ...saved };
  return {
    ...cell,
    refs: [...cell.refs],
    kept: stepTime(cell.kept),
    entries:
      cell.entries === null
        ? null
        : cell.entries.map(
            (entry): Entry => ({ ...entry, value: entry.value ?? Number.NaN, kept: stepTime(entry.kept) }),
          ),
  };
}

function structuredJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
