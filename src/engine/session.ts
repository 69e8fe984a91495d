// A session in memory: its monitor's state, its place in the order of steps, and what is not durable yet.
import type { Monitor, MonitorState } from '../monitor/monitor.ts';
import type { Json, Step } from '../step/types.ts';
import type { SessionRow, StoredHold } from '../store/store.ts';
import { IdSet } from './ids.ts';
import type { Recorded } from './types.ts';

/** A step that is decided but not durable yet. */
export interface Pending {
  readonly step: Step;
  readonly recorded: Promise<Recorded>;
}

/** Owned by one engine and changed only in synchronous sections, so that its steps have one order. */
export interface LiveSession {
  row: SessionRow;
  readonly monitor: Monitor;
  /** Null while `packed`: read it by `stateOf`. */
  state: MonitorState | null;
  /** The state as text, while the session is idle. */
  packed: string | null;
  /** State digest after the last step. */
  stateDigest: string;
  readonly ids: IdSet;
  readonly pending: Map<string, Pending>;
  /** Pending holds by their binding: a monitor remembers one per binding. */
  readonly holds: Map<string, StoredHold>;
  /** Approved and not used, by the `seq` of the approval step. */
  readonly approved: Map<number, StoredHold>;
  /** Appends that are not durable yet, and the latest of them. */
  writing: number;
  tail: Promise<unknown>;
  /** Steps, and their characters, since the last snapshot; and the size of that. */
  unsavedSteps: number;
  unsavedCharacters: number;
  savedCharacters: number;
  /** Approximate size in memory. */
  bytes: number;
}

const BYTES_MIN = 4_096;
/** Of a session whose state is packed, without its state. */
const PACKED_MIN = 2_500;

export function newSession(row: SessionRow, monitor: Monitor, stateDigest: string): LiveSession {
  return {
    row,
    monitor,
    state: monitor.start(),
    packed: null,
    stateDigest,
    ids: new IdSet(),
    pending: new Map(),
    holds: new Map(),
    approved: new Map(),
    writing: 0,
    tail: Promise.resolve(),
    unsavedSteps: 0,
    unsavedCharacters: 0,
    savedCharacters: 0,
    bytes: BYTES_MIN,
  };
}

/** The monitor's state, unpacked from here on. */
export function stateOf(session: LiveSession): MonitorState {
  session.state ??= session.monitor.load(JSON.parse(session.packed!) as Json);
  session.packed = null;
  return session.state;
}

/** Keeps the state as text, which takes a fifth of the room and restores one that behaves identically. */
export function pack(session: LiveSession): void {
  session.packed ??= JSON.stringify(session.monitor.save(session.state!));
  session.state = null;
  session.bytes = PACKED_MIN + session.packed.length;
}

/** The next `seq`. */
export function nextSeq(session: LiveSession): number {
  return session.ids.count;
}
