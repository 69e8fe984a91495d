// The timeline: a session's steps with all that belongs to each.
import type { DatabaseSync } from 'node:sqlite';
import type { Finding, Hold, Span, StepRow } from '../../engine/types.ts';
import type { Decision } from '../../monitor/types.ts';
import type { Step } from '../../step/types.ts';
import { holdAt, type StoredHold } from '../store.ts';
import type { Row } from './session-queries.ts';

export function createStepQueries(database: DatabaseSync) {
  const place = database.prepare('SELECT n, guarded FROM sessions WHERE id = ?');
  const total = database.prepare(
    'SELECT coalesce(max(seq) + 1, 0) AS total FROM steps WHERE session = ? AND observed = ?',
  );
  const range =
    database.prepare(`SELECT step, decision, lower(hex(step_digest)) AS step_digest, lower(hex(state_digest)) AS state_digest,
      holds.body AS hold, spans.body AS span,
      (SELECT body FROM findings WHERE findings.session = steps.session AND findings.seq = steps.seq
        AND findings.observed = steps.observed LIMIT 1) AS finding
    FROM steps JOIN payload USING (n) LEFT JOIN holds ON holds.id = steps.hold LEFT JOIN spans ON spans.n = steps.span
    WHERE steps.session = ? AND steps.observed = ? AND steps.seq >= ? ORDER BY steps.seq LIMIT ?`);

  return {
    steps(
      session: string,
      { from, limit }: { from: number; limit: number },
      now: number,
    ): { steps: StepRow[]; total: number } {
      const found = place.get(session) as Row | undefined;
      if (found === undefined) return { steps: [], total: 0 };
      const observed = found.guarded === 1 ? 0 : 1;
      const rows = range.all(found.n as number, observed, from, limit) as Row[];
      return {
        steps: rows.map((row) => stepRow(row, now)),
        total: total.get(found.n as number, observed)!.total as number,
      };
    },
  };
}

function stepRow(row: Row, now: number): StepRow {
  const hold = parse<StoredHold>(row.hold)?.hold ?? null;
  return {
    step: JSON.parse(row.step as string) as Step,
    decision: parse<Decision>(row.decision),
    stepDigest: `sha256:${row.step_digest}`,
    stateDigest: row.state_digest === null || row.state_digest === '' ? null : `sha256:${row.state_digest}`,
    span: parse<Span>(row.span),
    finding: parse<Finding>(row.finding),
    hold: hold === null ? null : (holdAt(hold, now) satisfies Hold),
  };
}

function parse<T>(text: Row[string] | undefined): T | null {
  return typeof text === 'string' ? (JSON.parse(text) as T) : null;
}
