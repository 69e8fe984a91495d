// When a session's state is written out beside its steps, and how. Between snapshots a restart replays steps.
import type { Snapshot } from '../store/store.ts';
import { type LiveSession, nextSeq, stateOf } from './session.ts';

/** How much longer than usual a snapshot may wait while it would be larger than the steps it saves replaying. */
const PATIENCE = 10;

/**
 * Every `stepsPerSnapshot` steps, but a state that is large against what was added to it waits up to ten times as long:
 * then writing snapshots costs about as much as writing steps, whatever the length of the session.
 */
export function snapshotIsDue(session: LiveSession, stepsPerSnapshot: number): boolean {
  if (session.unsavedSteps < stepsPerSnapshot) return false;
  if (session.unsavedCharacters >= session.savedCharacters) return true;
  return session.unsavedSteps >= PATIENCE * stepsPerSnapshot;
}

/** The state after the last step. It counts as saved from here on: one that is lost only means a longer replay. */
export function snapshotOf(session: LiveSession): Snapshot {
  const state = session.packed ?? JSON.stringify(session.monitor.save(stateOf(session)));
  session.unsavedSteps = 0;
  session.unsavedCharacters = 0;
  session.savedCharacters = state.length;
  return { session: session.row.id, seq: nextSeq(session) - 1, stateDigest: session.stateDigest, state };
}
