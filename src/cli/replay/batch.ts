// The unit of work of a replay: some whole records of one file, turned into totals and decision lines. No I/O, so that
// it runs the same in the process and in a worker.
import { type Format, importRecord, RECORD_UNIT, type Where } from '../../ingest/importers/index.ts';
import type { ReplaySpec } from '../../replay/replay.ts';
import { ENFORCEABILITY } from '../../step/types.ts';
import { decisionLine } from './decision-line.ts';
import { countDecision, countProblems, noTotals, type Totals } from './totals.ts';

/** Whole lines, or a whole file, as UTF-8. */
export interface Batch {
  readonly format: Format;
  readonly file: string;
  /** Line of the file on which the batch starts, from 1. */
  readonly line: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface BatchResult {
  readonly totals: Totals;
  /** JSON Lines, one per decided step, or '' when none were asked for. */
  readonly decisions: string;
}

export function replayBatch(spec: ReplaySpec, batch: Batch, wantDecisions: boolean): BatchResult {
  const totals = noTotals();
  const text = decode(batch, totals);
  let decisions = '';
  if (RECORD_UNIT[batch.format] === 'file') {
    decisions = replayRecord(spec, batch.format, text, batch, wantDecisions, totals);
  } else {
    let line = batch.line;
    for (let start = 0; start < text.length; line++) {
      const newline = text.indexOf('\n', start);
      const end = newline === -1 ? text.length : newline;
      const record = text.slice(start, end);
      start = end + 1;
      if (record.trim() === '') continue;
      decisions += replayRecord(
        spec,
        batch.format,
        record,
        { file: batch.file, line },
        wantDecisions,
        totals,
      );
    }
  }
  return { totals, decisions };
}

function decode(batch: Batch, totals: Totals): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(batch.bytes);
  } catch {
    const what = 'bytes that are not UTF-8, at or after this line';
    countProblems(totals, [{ file: batch.file, line: batch.line, what, mend: 'Convert the file to UTF-8.' }]);
    return new TextDecoder().decode(batch.bytes);
  }
}

function replayRecord(
  spec: ReplaySpec,
  format: Format,
  text: string,
  where: Where,
  wantDecisions: boolean,
  totals: Totals,
): string {
  let decisions = '';
  for (const imported of importRecord(format, text, { file: where.file, line: where.line })) {
    countProblems(totals, imported.problems);
    if (imported.session === null) continue;
    totals.sessions++;
    totals.steps += imported.steps.length;
    const monitor = spec.createMonitor();
    const state = monitor.start();
    for (const step of imported.steps) {
      const { decision } = monitor.step(state, step);
      if (ENFORCEABILITY[step.kind] !== 'suppressable') continue;
      countDecision(totals, decision);
      if (wantDecisions) decisions += `${JSON.stringify(decisionLine(imported, decision))}\n`;
    }
  }
  return decisions;
}
