// Brings a session back from the store: its last snapshot, then every later step again through the monitor. The state
// digests recorded live must come out again; a session for which they do not is never continued.
import type { Monitor, MonitorState } from '../monitor/monitor.ts';
import { chainState, stateStart } from '../step/digest.ts';
import type { Json, Step } from '../step/types.ts';
import type { Store, StoredSession } from '../store/store.ts';
import { nativeSha256 } from './native-sha256.ts';
import { refuse } from './problem.ts';
import { type LiveSession, newSession, stateOf } from './session.ts';
import type { Specs } from './specs.ts';
import type { Finding } from './types.ts';

const STEPS_PER_READ = 500;
const HASHES_PER_READ = 50_000;

/** Null for a session that is not stored, or was only observed. Rejects with an `EngineError` when it cannot go on. */
export async function loadSession(
  id: string,
  store: Store,
  specs: Specs,
  prepare: (monitors: readonly Monitor[]) => Promise<void>,
  onFinding: (finding: Finding) => Promise<void>,
): Promise<LiveSession | null> {
  const stored = await store.load(id);
  if (stored === null || !stored.row.guarded) return null;
  const monitor = await specs.pinned(stored.row);
  await prepare([monitor]);
  const restored = restore(stored, newSession(stored.row, monitor, stateStart(stored.row.spec)));
  const session = restored.session;
  for (const hold of stored.holds) {
    if (hold.hold.state === 'pending') session.holds.set(hold.hold.binding, hold);
    else if (hold.answeredSeq !== null && hold.usableUntil !== null && hold.usableUntil >= stored.row.lastAt)
      session.approved.set(hold.answeredSeq, hold);
  }
  const mismatch = await replay(session, restored.from, store);
  if (mismatch !== null) {
    await onFinding({ ...mismatch, at: stored.row.lastAt });
    throw refuse(
      'invalid',
      `the session ${id} cannot go on: ${mismatch.detail}`,
      'Open a new session, and keep this one for examination.',
    );
  }
  for (let hashes = new Float64Array(1); hashes.length > 0; ) {
    hashes = new Float64Array(await store.idHashes(id, session.ids.count, HASHES_PER_READ));
    for (const hash of hashes) session.ids.add(hash);
  }
  return session;
}

/** The session at its snapshot, or at its start when there is none or it cannot be read any more. */
function restore({ snapshot }: StoredSession, fresh: LiveSession): { session: LiveSession; from: number } {
  if (snapshot === null) return { session: fresh, from: 0 };
  let state: MonitorState;
  try {
    state = fresh.monitor.load(JSON.parse(snapshot.state) as Json);
  } catch {
    return { session: fresh, from: 0 };
  }
  const session: LiveSession = {
    ...fresh,
    state,
    stateDigest: snapshot.stateDigest,
    savedCharacters: snapshot.state.length,
    bytes: fresh.bytes + 2 * snapshot.state.length,
  };
  return { session, from: snapshot.seq + 1 };
}

/** Runs the steps from `from` through the monitor. Null, or the step whose state is not the recorded one. */
async function replay(session: LiveSession, from: number, store: Store): Promise<Omit<Finding, 'at'> | null> {
  const { row, monitor } = session;
  const state = stateOf(session);
  let seq = from;
  for (;;) {
    const rows = await store.recorded(row.id, seq, STEPS_PER_READ);
    for (const recorded of rows) {
      const step = JSON.parse(recorded.step) as Step;
      const changes = decideAgain(monitor, state, step);
      if (changes === null)
        return mismatchAt(row.id, seq, step.name, 'fails, and did not when it was recorded');
      session.stateDigest = chainState(session.stateDigest, changes, nativeSha256);
      if (recorded.seq !== seq || session.stateDigest !== recorded.stateDigest) {
        return mismatchAt(row.id, seq, step.name, 'gives another state than the recorded one');
      }
      seq += 1;
      session.unsavedSteps += 1;
      session.unsavedCharacters += recorded.step.length;
      session.bytes += recorded.step.length;
    }
    if (rows.length < STEPS_PER_READ) break;
  }
  if (seq === row.steps) return null;
  return mismatchAt(row.id, seq, '', `is missing: ${row.steps} steps were recorded`);
}

function decideAgain(monitor: Monitor, state: MonitorState, step: Step): string | null {
  try {
    return monitor.step(state, step).changes;
  } catch {
    return null;
  }
}

function mismatchAt(session: string, seq: number, name: string, what: string): Omit<Finding, 'at'> {
  return {
    id: `replay:${session}:${seq}`,
    kind: 'replay-mismatch',
    session,
    seq,
    name,
    detail: `replaying step ${seq} ${what}`,
  };
}
