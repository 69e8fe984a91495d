// The unit of work of a replay: some whole records of one file, turned into totals and decision lines. No I/O, so that
// it runs the same in the process and in a worker.
import { isUtf8 } from 'node:buffer';
import {
  type Format,
  type ImportedSession,
  type ImportProblem,
  importRecord,
  RECORD_UNIT,
} from '../../ingest/importers/index.ts';
import type { SharedHistory } from '../../monitor/history.ts';
import { type ReplaySpec, replaySteps } from '../../replay/replay.ts';
import { ENFORCEABILITY } from '../../step/types.ts';
import { decisionLine } from './decision-line.ts';
import { countDecision, countMetrics, countProblems, noTotals, type Totals } from './totals.ts';

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

export function replayBatch(
  spec: ReplaySpec,
  batch: Batch,
  wantDecisions: boolean,
  history?: SharedHistory,
): BatchResult {
  const totals = noTotals();
  let decisions = '';
  for (const imported of importsOf(batch, (problem) => countProblems(totals, [problem])))
    decisions += replayImported(spec, imported, wantDecisions, totals, history);
  return { totals, decisions };
}

/** The sessions of a batch, one by one; what cannot be read of them is told. */
export function* importsOf(
  batch: Batch,
  onProblem: (problem: ImportProblem) => void,
): Generator<ImportedSession> {
  const bytes = withoutMark(Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length));
  for (const { line, record } of records(batch, bytes)) {
    const where = { file: batch.file, line };
    // Text is decoded record by record: one with letters outside Latin-1 does not make its neighbours' strings wide.
    const text = record.toString('utf8');
    if (text.trim() === '') continue;
    if (!isUtf8(record)) {
      const mend = 'It was read with replacement characters; convert the file to UTF-8.';
      onProblem({ ...where, what: 'bytes that are not UTF-8', mend });
    }
    for (const imported of importRecord(batch.format, text, where)) {
      for (const problem of imported.problems) onProblem(problem);
      if (imported.session !== null) yield imported;
    }
  }
}

/** Some editors start a file with a byte order mark; within a file no line starts with one. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function* records(batch: Batch, bytes: Buffer): Generator<{ line: number; record: Buffer }> {
  if (RECORD_UNIT[batch.format] === 'file') {
    yield { line: batch.line, record: bytes };
    return;
  }
  let { line } = batch;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    yield { line, record: bytes.subarray(start, end) };
    start = end + 1;
  }
}

function replayImported(
  spec: ReplaySpec,
  imported: ImportedSession,
  wantDecisions: boolean,
  totals: Totals,
  history: SharedHistory | undefined,
): string {
  let decisions = '';
  totals.sessions++;
  totals.steps += imported.steps.length;
  for (const { step, decision, metrics } of replaySteps(spec, imported.steps, history)) {
    countMetrics(totals, metrics);
    if (ENFORCEABILITY[step.kind] !== 'suppressable') continue;
    // A transcript just stops: its end is a decision only where a rule speaks of it.
    if (step.kind === 'session.end' && decision.rules.length === 0) continue;
    countDecision(totals, decision);
    if (wantDecisions) decisions += `${JSON.stringify(decisionLine(imported, decision))}\n`;
  }
  return decisions;
}
