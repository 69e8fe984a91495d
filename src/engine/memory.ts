// Which sessions are in memory: loaded once however many ask, the least recently used written out when there are too
// many, and dropped when a write failed, so that they come back as they are durable.
import type { Store } from '../store/store.ts';
import type { EngineLimits } from './options.ts';
import { type LiveSession, nextSeq, pack } from './session.ts';
import { snapshotOf } from './snapshot.ts';

/** Evictions that may be under way at once. */
const EVICTIONS_MAX = 64;
/** A larger state stays as it is: packing it would hold up the others. */
const PACK_BYTES_MAX = 64 << 10;

export interface Memory {
  /** The session if it is in memory; makes it the most recently used. */
  get(id: string): LiveSession | null;
  /** The session, from the store if need be; null when there is none. */
  load(id: string): Promise<LiveSession | null>;
  put(session: LiveSession): void;
  /** False once the session has left memory: its object must not be used any more. */
  owns(session: LiveSession): boolean;
  grew(session: LiveSession, bytes: number): void;
  /** Forgets the session, whatever it holds. */
  drop(session: LiveSession): void;
}

export function createMemory(
  limits: EngineLimits,
  store: Store,
  read: (id: string) => Promise<LiveSession | null>,
): Memory {
  const sessions = new Map<string, LiveSession>();
  const loading = new Map<string, Promise<LiveSession | null>>();
  const leaving = new Set<LiveSession>();
  /** Whose states are ready, the least recently used first. */
  const unpacked = new Set<LiveSession>();
  /** Writes still under way of sessions that were dropped: what they write must be read back. */
  const settling = new Map<string, Promise<void>>();
  let bytes = 0;
  let leavingBytes = 0;

  function put(session: LiveSession): void {
    sessions.set(session.row.id, session);
    bytes += session.bytes;
    use(session);
    trim();
  }

  function use(session: LiveSession): void {
    unpacked.delete(session);
    unpacked.add(session);
    if (unpacked.size <= limits.statesUnpacked) return;
    const [idle] = unpacked as Iterable<LiveSession>;
    unpacked.delete(idle!);
    if (idle!.bytes > PACK_BYTES_MAX) return;
    bytes -= idle!.bytes;
    pack(idle!);
    bytes += idle!.bytes;
  }

  function drop(session: LiveSession): void {
    if (sessions.get(session.row.id) !== session) return;
    sessions.delete(session.row.id);
    unpacked.delete(session);
    bytes -= session.bytes;
    if (session.writing > 0) settle(session);
  }

  function settle({ row: { id }, tail }: LiveSession): void {
    const done = () => {
      if (settling.get(id) === settled) settling.delete(id);
    };
    const settled: Promise<void> = tail.then(done, done);
    settling.set(id, settled);
  }

  function isOver(): boolean {
    const tooMany = sessions.size - leaving.size > limits.sessionsInMemory;
    return tooMany || (bytes - leavingBytes > limits.bytesInMemory && sessions.size - leaving.size > 1);
  }

  function trim(): void {
    if (!isOver()) return;
    for (const session of sessions.values()) {
      if (!isOver() || leaving.size >= EVICTIONS_MAX) return;
      if (session.writing === 0 && !leaving.has(session)) void evict(session);
    }
  }

  /** Never throws: a session that could not be written out stays. */
  async function evict(session: LiveSession): Promise<void> {
    if (session.unsavedSteps === 0) return drop(session);
    const size = session.bytes;
    leaving.add(session);
    leavingBytes += size;
    const seq = nextSeq(session);
    try {
      await store.append([{ t: 'snapshot', row: snapshotOf(session) }]);
      if (nextSeq(session) === seq && session.writing === 0) drop(session);
    } catch {
      // The next decision meets the same store and reports it.
    } finally {
      leaving.delete(session);
      leavingBytes -= size;
    }
    trim();
  }

  return {
    get(id) {
      const session = sessions.get(id);
      if (session === undefined) return null;
      sessions.delete(id);
      sessions.set(id, session);
      use(session);
      return session;
    },
    load(id) {
      const known = sessions.get(id);
      if (known !== undefined) return Promise.resolve(known);
      const under = loading.get(id);
      if (under !== undefined) return under;
      const reading = Promise.resolve(settling.get(id))
        .then(() => read(id))
        .then((session) => {
          if (session !== null) put(session);
          return session;
        })
        .finally(() => loading.delete(id));
      loading.set(id, reading);
      return reading;
    },
    put,
    owns: (session) => sessions.get(session.row.id) === session,
    grew(session, more) {
      session.bytes += more;
      if (!this.owns(session)) return;
      bytes += more;
      trim();
    },
    drop,
  };
}
