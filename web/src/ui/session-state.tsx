// The state of a session in a word, with whether anything guarded it.
import type { SessionSummary } from '../../../src/engine/types.ts';

export function SessionState({ session }: { session: SessionSummary }) {
  return (
    <span className="state" data-state={session.state}>
      {session.state}
      {!session.guarded && (
        <span className="state-observed" title="Came in as telemetry: no guard was in its path">
          observed
        </span>
      )}
    </span>
  );
}
