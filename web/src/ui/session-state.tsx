// The state of a session in a word.
import type { SessionSummary } from '../../../src/engine/types.ts';

export function SessionState({ session }: { session: SessionSummary }) {
  return (
    <span className="state" data-state={session.state}>
      {session.state}
    </span>
  );
}
